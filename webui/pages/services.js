/** Show the Plug's services and their log; start, stop and restart them. */
import { get, post } from '../app/api.js';
import { confirm } from '../app/dialog.js';
import { $, h, notify, showText, swap, term } from '../app/dom.js';
import { button } from '../app/form.js';
import { bytes, dateTime, moment, number } from '../app/format.js';
import { say, t, word } from '../app/i18n.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';

const STATES = { active: 'ok', inactive: 'off', failed: 'error', activating: 'running', deactivating: 'running', unknown: 'unknown' };
const LEVELS = ['debug', 'info', 'warning', 'error'];
const MAX_LINES = 500;
const POLL_INTERVAL_MS = 5000; // the WebSocket does not report services

start(async () => {
  await refresh();
  if ($('#logs').hidden) return;
  await log();
  $('#service').addEventListener('change', () => log());
  $('#level').addEventListener('change', () => log());
  button($('#refresh'), () => log());
  setInterval(() => {
    if (!document.hidden) refresh(true).catch(() => {}); // the shell reports a lost connection
  }, POLL_INTERVAL_MS);
});

async function refresh(background = false) {
  const found = await get('/api/services', { background });
  $('#logs').hidden = !found.available;
  showText($('#elsewhere'), found.text && say(found));
  swap($('#services'), ...found.services.map(service));
  if (!$('#service').options.length) {
    swap($('#service'), ...found.services.map(({ name }) => h('option', { value: name }, word('service', name))));
  }
}

function service(each) {
  const acts = each.actions.map((action) =>
    button(h('button', { type: 'button', class: 'small', 'data-key': `${action}-${each.name}`, 'aria-label': `${word('service-act', action)}: ${word('service', each.name)}` }, word('service-act', action)), () => act(each, action)),
  );
  return h(
    'section',
    { class: 'card service', 'aria-labelledby': `service-${each.name}` },
    h('h2', { id: `service-${each.name}` }, word('service', each.name), badge(STATES[each.state] ?? 'unknown', word('service-state', each.state))),
    h('p', { class: 'quiet' }, word('service-text', each.name)),
    h(
      'dl',
      {},
      term(t('service.unit'), h('code', {}, each.unit)),
      each.since ? term(t('service.since'), moment(each.since)) : null,
      each.memory_bytes === null ? null : term(t('service.memory'), bytes(each.memory_bytes)),
      each.restarts === null ? null : term(t('service.restarts'), number(each.restarts)),
    ),
    acts.length ? h('div', { class: 'actions start' }, acts) : null,
  );
}

async function act(each, action) {
  if (action !== 'start') {
    const sure = await confirm({ title: `${word('service', each.name)}: ${word('service-act', action)}`, text: word('service-warning', action), action: word('service-act', action), danger: action === 'stop' });
    if (!sure) return;
  }
  const answer = await post(`/api/services/${each.name}/${action}`);
  notify(say(answer));
  await refresh();
}

async function log() {
  const found = await get(`/api/services/${$('#service').value}/log?lines=${MAX_LINES}`);
  const least = LEVELS.indexOf($('#level').value);
  const lines = found.lines.filter((line) => LEVELS.indexOf(line.level) >= least);
  $('#log-text').textContent = found.available ? t('log.lines', { count: lines.length }) : say(found);
  swap($('#log'), ...lines.map((line) => h('li', { class: line.level }, h('span', { class: 'quiet' }, line.at ? dateTime(line.at) : ''), h('span', {}, word('level', line.level)), h('span', {}, line.text))));
  $('#log').scrollTop = $('#log').scrollHeight;
}
