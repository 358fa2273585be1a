/** Receive changes over one WebSocket, which is reconnected when it is lost. */
import { get } from './api.js';

const SESSION_ENDED = 4401; // close code of the WebSocket
const MIN_DELAY_MS = 1000;
const MAX_DELAY_MS = 30_000;
const CONNECT_TIMEOUT_MS = 500; // then a page loads its data without the connection
const TOPICS = ['printers', 'jobs', 'outbox', 'events', 'traps', 'settings'];

/** @type {{ topics: string[], listener: () => unknown }[]} */
const listeners = [];
/** @type {((job: any) => unknown)[]} */
const jobListeners = [];
/** @type {((connected: boolean) => unknown)[]} */
const stateListeners = [];
/** @type {Set<string>} topics that changed while the page loaded its data */
const early = new Set();
let delay = MIN_DELAY_MS;
let hasLoaded = false; // or begun to
let isLoading = false;

/**
 * Call a function when one of these topics changes, and at once if it changed while the page loaded its data.
 * @param {string[]} topics
 * @param {() => unknown} listener
 */
export function on(topics, listener) {
  listeners.push({ topics, listener });
  if (topics.some((topic) => early.has(topic))) listener();
}

/** Note that the page begins to load its data; changes from now on are kept until `built`. */
export function building() {
  hasLoaded = isLoading = true;
}

/** Note that the page has loaded its data. */
export function built() {
  early.clear();
  isLoading = false;
}

/**
 * Call a function with each progress of a run.
 * @param {(job: any) => unknown} listener
 */
export function onJob(listener) {
  jobListeners.push(listener);
}

/**
 * Call a function with true when the connection is made, with false when it is lost.
 * @param {(connected: boolean) => unknown} listener
 */
export function onState(listener) {
  stateListeners.push(listener);
}

/**
 * Connect, and reconnect whenever the connection is lost. Resolves with the first connection, or after a time-out.
 * @returns {Promise<void>}
 */
export function keepConnected() {
  return new Promise((resolve) => {
    stateListeners.push((connected) => connected && resolve());
    setTimeout(resolve, CONNECT_TIMEOUT_MS);
    connect();
  });
}

function connect() {
  let opened = false;
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live`);
  socket.addEventListener('open', () => {
    opened = true;
    delay = MIN_DELAY_MS;
    stateListeners.forEach((listener) => listener(true));
    if (hasLoaded) notifyListeners(TOPICS); // while it was not connected
  });
  socket.addEventListener('message', (event) => {
    const message = JSON.parse(event.data);
    if (message.changed) notifyListeners(message.changed);
    if (message.job) jobListeners.forEach((listener) => listener(message.job));
  });
  socket.addEventListener('close', (event) => {
    if (event.code === SESSION_ENDED) {
      setTimeout(renew, MIN_DELAY_MS);
      return;
    }
    stateListeners.forEach((listener) => listener(false));
    // After a restart of the Plug there is no session any more: the request leads to the login.
    if (!opened) get('/api/session', { background: true }).catch(() => {});
    setTimeout(connect, delay * (0.75 + Math.random() / 2));
    delay = Math.min(MAX_DELAY_MS, delay * 2);
  });
}

/** After the end of the session: connect if this browser has a new one (changed password); else go to the login. */
function renew() {
  get('/api/session', { background: true }).then(connect, (error) => {
    if (!error.status) setTimeout(renew, MAX_DELAY_MS);
  });
}

function notifyListeners(topics) {
  if (isLoading) topics.forEach((topic) => early.add(topic));
  for (const { topics: subscribed, listener } of listeners) {
    if (subscribed.some((topic) => topics.includes(topic))) listener();
  }
}
