/** The network: how it is, how it shall be, and the confirmation without which new settings go again. */
import { get, post, remove } from '../app/api.js';
import { $, $$, h, swap, term } from '../app/dom.js';
import { button, handle, show } from '../app/form.js';
import { number } from '../app/format.js';
import { say, t, word } from '../app/i18n.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';

const LEVELS = { ordered: 'running', trying: 'running', ending: 'running', kept: 'ok', 'rolled-back': 'warning', failed: 'error' };
const TRIED = ['ordered', 'trying', 'ending'];
const SECONDS = 120; // to confirm, until the Plug says how many are left
const LOOK_EVERY = 2000;
const PATIENCE = 6000; // the address that this page came from may be gone

const form = $('#network');

let network = null;
let told = '';
let ends = 0;

start(async () => {
  take(await get('/api/network'));
  form.addEventListener('change', parts);
  handle(form, propose, { done: () => '' });
  button($('#keep'), async () => take(await post('/api/network/trial/confirmation')));
  button($('#back'), async () => take(await remove('/api/network/trial')));
  setInterval(count, 1000);
  look();
});

async function propose(values) {
  // Another WLAN has another passphrase, or none.
  if (values.wlan && values.wlan.ssid !== network.settings.wlan.ssid) values.wlan.passphrase ??= '';
  ends = Date.now() + SECONDS * 1000;
  take(await post('/api/network/trial', values));
  $('#trial').scrollIntoView();
}

/** While something is tried: whoever can still be reached is asked how it goes. */
async function look() {
  if (TRIED.includes(network.trial.state) && !document.hidden) {
    await get('/api/network', { background: true, patience: PATIENCE }).then(take, () => {});
  }
  setTimeout(look, LOOK_EVERY);
}

function take(found) {
  network = found;
  $('#elsewhere').hidden = found.box;
  $('#elsewhere').textContent = found.box_text ? say(found, 'box_text') : '';
  $('#settings').hidden = !found.box;
  choices();
  show(form, found.settings);
  parts();
  present();
  trial();
}

/** The interfaces that are there, and the one that is chosen. */
function choices() {
  const there = network.interfaces.map(({ name }) => name).filter((name) => /^(eth|wlan)\d{1,2}$/.test(name));
  const names = [...new Set([...there, network.settings.interface])].sort();
  if ($$('option', $('#interface')).map(({ value }) => value).join() === names.join()) return;
  const chosen = $('#interface').value;
  swap($('#interface'), ...names.map((name) => h('option', { value: name }, `${word('network-kind', name.startsWith('wlan') ? 'wlan' : 'ethernet')} (${name})`)));
  $('#interface').value = chosen || network.settings.interface;
}

/** Only what is chosen is shown, and sent. */
function parts() {
  const needs = [$('#method').value, `${$('#v6-method').value}6`, $('#interface').value.replace(/\d+$/, '')];
  for (const part of $$('[data-needs]', form)) part.hidden = !needs.includes(part.dataset.needs);
}

function present() {
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

function trial() {
  const { state, text, seconds, hosts } = network.trial;
  const on = state === 'ordered' || state === 'trying';
  if (state === 'trying') ends = Date.now() + seconds * 1000;
  $('#trial').hidden = state === 'none';
  $('#countdown').hidden = !on;
  $('#trial-acts').hidden = state !== 'trying';
  $('#reopen').hidden = !on || !hosts.length;
  if (on) swap($('#reopen'), t('network.reopen'), ...hosts.map(place));
  count();
  if (state === told) return; // said once, not each two seconds
  told = state;
  if (state !== 'none') swap($('#trial-state'), badge(LEVELS[state], word('network-trial', state)), text ? h('span', { class: 'quiet block' }, say(network.trial)) : null);
}

/** The same page at another address: there is another login. */
function place(host) {
  const port = location.port ? `:${location.port}` : '';
  const url = `${location.protocol}//${host}${port}/network`;
  return [' ', h('a', { href: url, 'data-key': host }, url)];
}

function count() {
  if ($('#countdown').hidden) return;
  const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
  $('#countdown').textContent = left ? t('network.left', { count: left }) : t('network.over');
}
