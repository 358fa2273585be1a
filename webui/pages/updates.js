/** Install updates: upload or fetch a bundle, show the progress and the outcome of the last one. */
import { ApiError, FieldError, get, patch, post, remove } from '../app/api.js';
import { confirm } from '../app/dialog.js';
import { $, h, notify, showText, swap, term, throttle } from '../app/dom.js';
import { button, enableSecretRemoval, onSubmit, show } from '../app/form.js';
import { bytes, moment, percent } from '../app/format.js';
import { say, t, word } from '../app/i18n.js';
import * as live from '../app/live.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';

const ACTIVE_STATES = ['looking', 'installing', 'fetching'];
const UNMEASURED = { looking: () => t('updates.looking'), fetching: () => t('updates.fetching') }; // without percent
const OUTCOME_LEVELS = { updated: 'ok', 'fell back': 'error', interrupted: 'warning' };
const ACTIVE_INTERVAL_MS = 2000;
const IDLE_INTERVAL_MS = 15_000; // the WebSocket does not report updates
const REQUEST_TIMEOUT_MS = 60_000; // within which a requested update begins

let state = null;
let activeUntil = 0; // poll at the short interval until then
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let announcement = '';

start(async () => {
  await refresh();
  upload();
  onSubmit($('#address'), ({ url }) => install({ source: 'url', url }), { done: () => '' });
  onSubmit($('#sources'), change);
  enableSecretRemoval($('#sources'), change);
  live.on(['settings', 'events'], throttle(() => refresh(true), 1000));
  watch();
});

async function change(values) {
  state = await patch('/api/updates', values);
  delete $('#sources').dataset.touched;
  fill();
}

async function refresh(background = false) {
  state = await get('/api/updates', { background });
  fill();
}

/** Poll the state. Failures are ignored: while the Plug restarts, the shell reports the lost connection. */
function watch() {
  const isActive = ACTIVE_STATES.includes(state.progress?.state) || Date.now() < activeUntil;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (!document.hidden) await refresh(true).catch(() => {});
    watch();
  }, isActive ? ACTIVE_INTERVAL_MS : IDLE_INTERVAL_MS);
}

/** After a request, poll at the short interval. */
function expect() {
  activeUntil = Date.now() + REQUEST_TIMEOUT_MS;
  watch();
}

function fill() {
  const busy = ACTIVE_STATES.includes(state.progress?.state);
  show($('#sources'), state);
  showText($('#elsewhere'), state.box_text && say(state, 'box_text'));
  swap($('#now'), ...now());
  swap($('#outcome'), state.outcome && outcome(state.outcome));
  $('#installing').hidden = !state.box;
  $('#ways').hidden = busy;
  swap($('#progress'), state.waiting && !busy ? waiting() : state.progress && progress(state.progress));
  swap($('#bundle'), state.bundle && bundle(state.bundle));
  swap($('#offer'), offer());
  $('#when').hidden = !state.has_window;
  $('#when-window-text').textContent = t('updates.when.window', { window: state.window });
  showText($('#channel-problem'), state.channel_problem && say(state, 'channel_problem'));
  showText($('#fleet-problem'), state.fleet_problem && say(state, 'fleet_problem'));
}

function now() {
  const { slots } = state;
  return [
    term(t('updates.version'), state.version, slots?.on_trial ? h('span', { class: 'quiet block' }, t('updates.trial')) : null),
    slots && term(t('updates.slot'), slots.booted),
    slots && term(t('updates.other', { slot: slots.other }), slots.other_version ?? t('updates.unknown'), slots.other_good ? null : h('span', { class: 'quiet block' }, t('updates.bad'))),
  ];
}

function outcome(found) {
  const { came, from_version, to_version, why, at } = found;
  const places = { from: from_version, to: to_version };
  return h('p', {}, badge(OUTCOME_LEVELS[came], word('update-came', came)), h('span', { class: 'quiet block' }, at ? [moment(at), ' · '] : null, t(`updates.came.${came.replace(' ', '-')}`, places), why ? ` ${say(found, 'why')}` : null));
}

/** Return the offer to restart into an installed update. */
function waiting() {
  const act = button(h('button', { type: 'button', class: 'primary', 'data-key': 'restart' }, t('updates.restart')), async () => {
    notify(say(await post('/api/system/restart', { what: 'box' })));
  });
  const text = state.progress?.reboots ? t('updates.restarts') : state.has_window ? t('updates.waits.window', { window: state.window }) : t('updates.waits');
  announce(`${state.waiting}: ${text}`);
  return h('div', {}, h('p', {}, badge('info', t('updates.installed', { version: state.waiting })), h('span', { class: 'quiet block' }, text)), h('div', { class: 'actions start' }, act));
}

function progress(found) {
  const text = word('update-state', found.state);
  announce(text);
  if (ACTIVE_STATES.includes(found.state)) {
    return h('div', { class: 'running' }, h('label', { for: 'bar-install' }, badge('running', found.version ? `${text} · ${found.version}` : text)), h('progress', { id: 'bar-install', max: 100, value: found.state in UNMEASURED ? null : found.percent }), h('p', { class: 'quiet' }, found.state in UNMEASURED ? UNMEASURED[found.state]() : `${percent(found.percent)} · ${found.step}`));
  }
  if (found.state === 'installed') return null; // the Plug has restarted since, or is about to
  return h('p', {}, badge('error', text), h('span', { class: 'quiet block' }, moment(found.at), ' · ', say(found)));
}

/** Announce a state to screen readers, once. */
function announce(text) {
  if (text === announcement) return;
  announcement = text;
  $('#said').textContent = text;
}

function bundle({ bytes: size, at }) {
  const act = button(h('button', { type: 'button', class: 'primary', 'data-key': 'install' }, t('updates.install')), () => install({ source: 'upload' }));
  const forget = button(h('button', { type: 'button', class: 'plain', 'data-key': 'forget' }, t('remove')), async () => {
    state = await remove('/api/updates/bundle');
    fill();
  });
  return [h('p', {}, badge('ok', t('updates.uploaded')), h('span', { class: 'quiet block' }, bytes(size), ' · ', moment(at))), h('div', { class: 'actions start' }, act, forget)];
}

function offer() {
  if (!state.channel) return null;
  const found = state.offer;
  const look = button(h('button', { type: 'button', 'data-key': 'look' }, t('updates.look')), async () => {
    notify(say(await post('/api/updates/look')));
    expect();
  });
  const act = found?.newer ? button(h('button', { type: 'button', class: 'primary', 'data-key': 'offer' }, t('updates.install')), () => install({ source: 'channel' })) : null;
  const text = !found ? t('updates.offer.none') : found.newer ? t('updates.offer', { version: found.version }) : t('updates.offer.same');
  return [
    h('h3', {}, t('updates.offer.title')),
    h('p', {}, badge(found?.newer ? 'info' : 'ok', text), found?.newer && found.notes ? h('span', { class: 'quiet block' }, found.notes) : null),
    h('div', { class: 'actions start' }, act, look),
  ];
}

async function install(source) {
  const later = state.has_window && $('#when-window').checked;
  const older = $('#older').checked;
  const text = later ? t('updates.sure.window', { window: state.window }) : t('updates.sure.now');
  const sure = await confirm({ title: t('updates.sure'), text: older ? `${text} ${t('updates.sure.older')}` : text, action: t('updates.install'), danger: older });
  if (!sure) return;
  const answer = await post('/api/updates/install', { ...source, older, when: later ? 'window' : 'now' });
  notify(say(answer));
  expect();
}

function upload() {
  onSubmit($('#upload'), async () => {
    const file = $('#file').files[0];
    if (file.size > state.most_bytes) throw new FieldError('file', t('updates.large', { size: bytes(state.most_bytes) }));
    const bar = h('progress', { id: 'bar-upload', max: file.size, value: 0 });
    const text = h('p', { class: 'quiet' });
    const stop = h('button', { type: 'button', class: 'plain', onclick: () => sending.abort() }, t('cancel'));
    const sending = send(file, (sent) => {
      bar.value = sent;
      text.textContent = t('updates.sent', { sent: bytes(sent), size: bytes(file.size) });
    });
    swap($('#sending'), h('div', { class: 'running' }, h('label', { for: 'bar-upload' }, badge('running', t('updates.sending'))), bar, text, stop));
    try {
      state = await sending.answer;
      $('#upload').reset();
    } finally {
      swap($('#sending'));
    }
    fill();
    $('[data-key=install]')?.focus();
  }, { done: () => t('updates.uploaded') });
}

/** Send a file as a body by XMLHttpRequest, because fetch does not report progress. */
function send(file, onProgress) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    request.open('PUT', '/api/updates/bundle');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => {
      let body = {};
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // the status is enough
      }
      if (request.status === 200) resolve(body);
      else reject(new ApiError(request.status, body));
    };
    request.onabort = () => reject(new Error(t('updates.aborted')));
    request.onerror = () => reject(new Error(t('updates.broke')));
    request.send(file);
  });
  return { answer, abort: () => request.abort() };
}
