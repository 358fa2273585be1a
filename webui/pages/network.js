/** Show the network and change its settings, which are rolled back unless they are confirmed. */
import { get, post, remove } from '../app/api.js';
import { $, $$, h, showText, swap, term } from '../app/dom.js';
import { button, onSubmit, show, showParts } from '../app/form.js';
import { number } from '../app/format.js';
import { say, t, word } from '../app/i18n.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';

const LEVELS = { ordered: 'running', trying: 'running', ending: 'running', kept: 'ok', 'rolled-back': 'warning', failed: 'error' };
const ACTIVE_STATES = ['ordered', 'trying', 'ending'];
const CONFIRM_TIMEOUT_S = 120; // until the Plug reports how many seconds are left
const POLL_INTERVAL_MS = 2000;
const REQUEST_TIMEOUT_MS = 6000; // the Plug may have left the address of this page

const form = $('#network');

let network = null;
let shownState = '';
let deadline = 0;

start(async () => {
  update(await get('/api/network'));
  form.addEventListener('change', updateParts);
  onSubmit(form, propose, { done: () => '' });
  button($('#keep'), async () => update(await post('/api/network/trial/confirmation')));
  button($('#back'), async () => update(await remove('/api/network/trial')));
  setInterval(showCountdown, 1000);
  pollTrial();
});

async function propose(values) {
  // The stored passphrase belongs to the stored WLAN.
  if (values.wlan && values.wlan.ssid !== network.settings.wlan.ssid) values.wlan.passphrase ??= '';
  deadline = Date.now() + CONFIRM_TIMEOUT_S * 1000;
  update(await post('/api/network/trial', values));
  $('#trial').scrollIntoView();
}

/** While a trial of new settings is active, poll its state; the Plug may be unreachable. */
async function pollTrial() {
  if (ACTIVE_STATES.includes(network.trial.state) && !document.hidden) {
    await get('/api/network', { background: true, timeout: REQUEST_TIMEOUT_MS }).then(update, () => {});
  }
  setTimeout(pollTrial, POLL_INTERVAL_MS);
}

function update(state) {
  network = state;
  showText($('#elsewhere'), state.box_text && say(state, 'box_text'));
  $('#settings').hidden = !state.box;
  fillInterfaces();
  show(form, state.settings);
  updateParts();
  showPresent();
  showTrial();
}

/** Offer the interfaces of the Plug, and the one of the settings. */
function fillInterfaces() {
  const available = network.interfaces.map(({ name }) => name).filter((name) => /^(eth|wlan)\d{1,2}$/.test(name));
  const names = [...new Set([...available, network.settings.interface])].sort();
  if ($$('option', $('#interface')).map(({ value }) => value).join() === names.join()) return;
  const chosen = $('#interface').value;
  swap($('#interface'), ...names.map((name) => h('option', { value: name }, `${word('network-kind', name.startsWith('wlan') ? 'wlan' : 'ethernet')} (${name})`)));
  $('#interface').value = chosen || network.settings.interface;
}

/** Show the fields of the chosen interface and methods. */
function updateParts() {
  showParts(form, [$('#method').value, `${$('#v6-method').value}6`, $('#interface').value.replace(/\d+$/, '')]);
}

function showPresent() {
  swap($('#links'), ...network.interfaces.map(link));
  swap(
    $('#present'),
    term(t('network.name'), network.name),
    term(t('network.dns'), lines(network.name_servers)),
    term(t('network.time'), network.synchronised === null ? null : badge(network.synchronised ? 'ok' : 'warning', t(network.synchronised ? 'network.time.good' : 'network.time.bad'))),
  );
}

function link(each) {
  return h(
    'section',
    {},
    h('h3', {}, `${word('network-kind', each.kind)} (${each.name})`),
    h(
      'dl',
      {},
      term(t('network.link'), badge(each.carrier ? 'ok' : 'off', t(each.carrier ? 'network.link.up' : 'network.link.down')), each.speed ? ` ${number(each.speed)} Mbit/s` : null),
      term(t('network.addresses'), lines(each.addresses)),
      term(t('network.gateway'), lines(each.gateways)),
      term(t('network.mac'), each.mac_address),
    ),
  );
}

const lines = (texts) => texts.map((text) => h('span', { class: 'block' }, text));

function showTrial() {
  const { state, text, seconds, hosts } = network.trial;
  const isActive = state === 'ordered' || state === 'trying';
  if (state === 'trying') deadline = Date.now() + seconds * 1000;
  $('#trial').hidden = state === 'none';
  $('#countdown').hidden = !isActive;
  $('#trial-acts').hidden = state !== 'trying';
  $('#reopen').hidden = !isActive || !hosts.length;
  if (isActive) swap($('#reopen'), t('network.reopen'), ...hosts.map(reopenLink));
  showCountdown();
  if (state === shownState) return; // announce each state once
  shownState = state;
  if (state !== 'none') swap($('#trial-state'), badge(LEVELS[state], word('network-trial', state)), text ? h('span', { class: 'quiet block' }, say(network.trial)) : null);
}

/** Return a link to this page at another address of the Plug. */
function reopenLink(host) {
  const port = location.port ? `:${location.port}` : '';
  const url = `${location.protocol}//${host}${port}/network`;
  return [' ', h('a', { href: url, 'data-key': host }, url)];
}

function showCountdown() {
  if ($('#countdown').hidden) return;
  const left = Math.max(0, Math.round((deadline - Date.now()) / 1000));
  $('#countdown').textContent = left ? t('network.left', { count: left }) : t('network.over');
}
