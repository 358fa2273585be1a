/** Changes as they happen, over one WebSocket that comes back by itself. */
import { get } from './api.js';

const ENDED = 4401; // the session is over
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;
const PATIENCE = 500; // that a page waits for it before it asks for what it shows
const TOPICS = ['printers', 'jobs', 'outbox', 'events', 'traps', 'settings'];

const listeners = [];
const jobListeners = [];
const stateListeners = [];
const early = new Set(); // topics that changed while the page asked for what it shows
let wait = FIRST_WAIT;
let asked = false; // at least once
let asking = false;

/** Call a function when one of these topics changed, or did while the page was being built. */
export function on(topics, listener) {
  listeners.push({ topics, listener });
  if (topics.some((topic) => early.has(topic))) listener();
}

/** The page begins to ask for what it shows, which may be old before anybody listens; `built` ends that. */
export function building() {
  asked = asking = true;
}

export function built() {
  early.clear();
  asking = false;
}

/** Call a function with every run that goes on. */
export function onJob(listener) {
  jobListeners.push(listener);
}

/** Call a function with true or false when the connection is there or lost. */
export function onState(listener) {
  stateListeners.push(listener);
}

/** Connect, and stay so. Resolves when the connection is there for the first time, or when that takes long. */
export function connected() {
  return new Promise((resolve) => {
    stateListeners.push((there) => there && resolve());
    setTimeout(resolve, PATIENCE);
    connect();
  });
}

function connect() {
  let begun = false;
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live`);
  socket.addEventListener('open', () => {
    begun = true;
    wait = FIRST_WAIT;
    tell(stateListeners, true);
    if (asked) changed(TOPICS); // what was missed meanwhile
  });
  socket.addEventListener('message', (event) => {
    const message = JSON.parse(event.data);
    if (message.changed) changed(message.changed);
    if (message.job) tell(jobListeners, message.job);
  });
  socket.addEventListener('close', (event) => {
    if (event.code === ENDED) {
      setTimeout(enter, FIRST_WAIT);
      return;
    }
    tell(stateListeners, false);
    // A Plug that was restarted knows no session: what is asked then leads to the login.
    if (!begun) get('/api/session', { background: true }).catch(() => {});
    setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(LONGEST_WAIT, wait * 2);
  });
}

/** The session ended: a changed password gives this browser a new one, else the question leads to the login. */
function enter() {
  get('/api/session', { background: true }).then(connect, (error) => {
    if (!error.status) setTimeout(enter, LONGEST_WAIT);
  });
}

function changed(topics) {
  if (asking) topics.forEach((topic) => early.add(topic));
  for (const { topics: wanted, listener } of listeners) {
    if (wanted.some((topic) => topics.includes(topic))) listener();
  }
}

function tell(those, what) {
  for (const listener of those) listener(what);
}
