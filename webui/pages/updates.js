/** Updates of the Plug: what runs, a bundle to install, how far it is, and what came of the last one. */
import { ApiError, get, patch, post, remove } from '../app/api.js';
import { confirm } from '../app/dialog.js';
import { $, calm, h, notify, swap, term } from '../app/dom.js';
import { button, forgettable, handle, show } from '../app/form.js';
import { bytes, moment, percent } from '../app/format.js';
import { say, t, word } from '../app/i18n.js';
import * as live from '../app/live.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';

const UNDER_WAY = ['looking', 'installing', 'fetching'];
const UNMEASURED = { looking: () => t('updates.looking'), fetching: () => t('updates.fetching') }; // without percent
const CAME = { updated: 'ok', 'fell back': 'error', interrupted: 'warning' };
const OFTEN = 2000;
const SELDOM = 15000; // root does not call us
const EXPECTED = 60000; // so long after an order something is about to happen

let state = null;
let soon = 0; // until then it is looked at often
let timer = null;
let said = '';

start(async () => {
  await refresh();
  upload();
  handle($('#address'), ({ url }) => install({ source: 'url', url }), { done: () => '' });
  handle($('#sources'), change);
  forgettable($('#sources'), change);
  live.on(['settings', 'events'], calm(() => refresh(true), 1000));
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

/** A restart of the Plug is nothing to complain about: the shell says that the connection is lost. */
function watch() {
  const often = UNDER_WAY.includes(state.progress?.state) || Date.now() < soon;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (!document.hidden) await refresh(true).catch(() => {});
    watch();
  }, often ? OFTEN : SELDOM);
}

/** Something was asked for: it is looked at often. */
function expect() {
  soon = Date.now() + EXPECTED;
  watch();
}

function fill() {
  const busy = UNDER_WAY.includes(state.progress?.state);
  show($('#sources'), state);
  $('#elsewhere').hidden = !state.box_text;
  $('#elsewhere').textContent = state.box_text ? say(state, 'box_text') : '';
  swap($('#now'), ...now());
  swap($('#outcome'), state.outcome && outcome(state.outcome));
  $('#installing').hidden = !state.box;
  $('#ways').hidden = busy;
  swap($('#progress'), state.waiting && !busy ? waiting() : state.progress && progress(state.progress));
  swap($('#bundle'), state.bundle && bundle(state.bundle));
  swap($('#offer'), offer());
  $('#when').hidden = !state.has_window;
  $('#when-window-text').textContent = t('updates.when.window', { window: state.window });
  problem($('#channel-problem'), 'channel_problem');
  problem($('#fleet-problem'), 'fleet_problem');
}

function problem(place, key) {
  place.hidden = !state[key];
  place.textContent = state[key] ? say(state, key) : '';
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
  return h('p', {}, badge(CAME[came], word('update-came', came)), h('span', { class: 'quiet block' }, at ? [moment(at), ' · '] : null, t(`updates.came.${came.replace(' ', '-')}`, places), why ? ` ${say(found, 'why')}` : null));
}

/** Installed, and not restarted yet. */
function waiting() {
  const act = button(h('button', { type: 'button', class: 'primary', 'data-key': 'restart' }, t('updates.restart')), async () => {
    notify(say(await post('/api/system/restart', { what: 'box' })));
  });
  const text = state.progress?.reboots ? t('updates.restarts') : state.has_window ? t('updates.waits.window', { window: state.window }) : t('updates.waits');
  tell(`${state.waiting}: ${text}`);
  return h('div', {}, h('p', {}, badge('info', t('updates.installed', { version: state.waiting })), h('span', { class: 'quiet block' }, text)), h('div', { class: 'actions start' }, act));
}

function progress(found) {
  const text = word('update-state', found.state);
  tell(text);
  if (UNDER_WAY.includes(found.state)) {
    return h('div', { class: 'running' }, h('label', { for: 'bar-install' }, badge('running', found.version ? `${text} · ${found.version}` : text)), h('progress', { id: 'bar-install', max: 100, value: found.state in UNMEASURED ? null : found.percent }), h('p', { class: 'quiet' }, found.state in UNMEASURED ? UNMEASURED[found.state]() : `${percent(found.percent)} · ${found.step}`));
  }
  if (found.state === 'installed') return null; // restarted since, or about to
  return h('p', {}, badge('error', text), h('span', { class: 'quiet block' }, moment(found.at), ' · ', say(found)));
}

/** For those who do not see it; each state once. */
function tell(text) {
  if (text === said) return;
  said = text;
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
  handle($('#upload'), async () => {
    const file = $('#file').files[0];
    if (file.size > state.most_bytes) throw Object.assign(new Error(t('updates.large', { size: bytes(state.most_bytes) })), { field: 'file' });
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

/** A file as a body; fetch does not tell how far it is. */
function send(file, onProgress) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    request.open('PUT', '/api/updates/bundle');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => {
      let said = {};
      try {
        said = JSON.parse(request.responseText);
      } catch {
        // the status says enough
      }
      if (request.status === 200) resolve(said);
      else reject(new ApiError(request.status, said));
    };
    request.onabort = () => reject(new Error(t('updates.aborted')));
    request.onerror = () => reject(new Error(t('updates.broke')));
    request.send(file);
  });
  return { answer, abort: () => request.abort() };
}
