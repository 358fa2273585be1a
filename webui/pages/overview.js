/** Show what needs attention, the runs, the Plug's own state and the latest events. */
import { get } from '../app/api.js';
import { $, throttle, cell, h, row, swap, term } from '../app/dom.js';
import { moment, percent } from '../app/format.js';
import { isOffered } from '../app/guide_progress.js';
import { say, t, word } from '../app/i18n.js';
import { icon } from '../app/icons.js';
import * as live from '../app/live.js';
import { showRuns, jobName } from '../app/run.js';
import { start } from '../app/shell.js';
import { badge, errors, licenceState } from '../app/states.js';

const MAX_EVENTS = 12;
const STATES = ['error', 'warning', 'silent', 'ok', 'ignored'];

start(async () => {
  if (await goToGuide()) return;
  await Promise.all([refresh(), refreshEvents(), showRuns($('#run'))]);
  live.on(['printers', 'jobs', 'outbox', 'settings', 'events', 'traps'], throttle(() => refresh(true), 2000));
  live.on(['events'], throttle(() => refreshEvents(true), 2000));
});

/** Go to the setup guide if nothing is configured yet and the guide was not dismissed; return whether it did. */
async function goToGuide() {
  if (!isOffered()) return false;
  const [{ entries }, overview] = await Promise.all([get('/api/discovery'), get('/api/overview')]);
  if (entries.length || known(overview)) return false;
  location.replace('/guide');
  return true;
}

async function refresh(background = false) {
  const overview = await get('/api/overview', { background });
  $('#begin').hidden = known(overview) > 0;
  swap($('#tiles'), tile('printers', known(overview), null), ...STATES.map((state) => tile(state, overview.counts[state], state)));
  showAttention(overview);
  swap($('#runs'), ...runs(overview));
  swap($('#plug'), ...plug(overview));
}

const known = ({ counts }) => STATES.reduce((sum, state) => sum + counts[state], 0);

function tile(name, count, state) {
  return h(
    'a',
    { class: `tile ${count ? '' : 'zero'}`, href: state ? `/printers?state=${state}` : '/printers', 'data-key': `tile-${name}` },
    h('b', {}, t('count', { n: count })),
    h('span', { class: `sign ${name}` }, icon(name), state ? word('state', state) : t('overview.printers', { count })),
  );
}

function showAttention(overview) {
  const shown = overview.attention.map((each, place) =>
    h(
      'li',
      { class: each.level },
      icon(each.level),
      h('div', {}, h('p', {}, subjectLink(each, place)), h('p', { class: 'quiet' }, h('span', { class: 'unseen' }, `${word('level', each.level)}: `), attentionText(each))),
      moment(each.since, { ago: true }),
    ),
  );
  const nothing = h('li', { class: 'calm' }, icon('ok'), h('p', {}, t('attention.none')));
  swap($('#attention'), ...(shown.length ? shown : [nothing]));
  const more = overview.attention_total - overview.attention.length;
  $('#attention-more').hidden = more <= 0;
  $('#attention-more').replaceChildren(h('a', { href: '/printers' }, t('attention.more', { count: more })));
}

/** Return the link to the subject; an event has no page. */
function subjectLink(each, place) {
  return each.link === '/' ? h('b', {}, subject(each)) : h('a', { href: each.link, 'data-key': `attention-${place}` }, subject(each));
}

const subject = (each) => (each.printer ? each.subject : word('attention-subject', each.kind));

/** States of a supply by the code of its message. */
const SUPPLY_STATES = { 'attention.supply_empty': 'empty', 'attention.supply_full': 'full', 'attention.supply_nearly_full': 'nearly-full' };

/** Return the line of an entry in the page's language. */
function attentionText(each) {
  const detail = each.detail ?? '';
  switch (each.kind) {
    case 'printer-error':
      return detail ? errors(detail.split(' ')) : each.level === 'error' ? t('attention.down') : say(each);
    case 'printer-silent':
      return t('attention.silent', { reason: detail && say(each, 'detail') });
    case 'supply-empty':
    case 'supply-low': {
      const state = SUPPLY_STATES[each.text_message?.code] ?? 'low';
      return t(state === 'low' ? 'attention.supply.low' : 'attention.supply', { supply: detail, state: word('supply-state', state), left: percent(each.percent ?? 0) });
    }
    case 'parcel-refused':
      return t('attention.refused', { count: Number(each.subject) });
    case 'parcels-waiting':
      return t('attention.waiting', { count: Number(each.subject), reason: detail && say(each, 'detail') });
    case 'licence':
    case 'settings':
    case 'event':
      return detail ? say(each, 'detail') : say(each);
    default:
      return word('attention', each.kind);
  }
}

function runs({ last_run: last, next_run: next, poller }) {
  const ended = last && [
    badge(last.state === 'done' ? (last.failed || last.incomplete ? 'warning' : 'ok') : 'error', word('job-state', last.state)),
    ` ${jobName(last)} · `,
    moment(last.at, { ago: true }),
    h('span', { class: 'quiet block' }, t('run.printers', { count: last.printers ?? 0 }), last.failed ? ` · ${t('run.failed', { count: last.failed })}` : '', last.incomplete ? [' · ', h('a', { href: '/discovery' }, t('run.incomplete', { count: last.incomplete }))] : ''),
  ];
  return [
    term(t('runs.last'), ended ?? t('runs.none')),
    term(t('runs.next'), next && [`${word('run', next.kind)} · `, moment(next.at)]),
    poller.state === 'running' ? null : term(t('runs.poller'), badge(poller.state === 'stopped' ? 'error' : 'unknown', word('poller', poller.state))),
  ];
}

function plug({ transmission, licence, traps }) {
  return [
    term(t('nav.transmission'), badge(transmission.mode === 'off' ? 'off' : 'ok', t(`mode.${transmission.mode}`))),
    term(t('overview.delivered'), moment(transmission.last_delivery_at, { ago: true }) ?? t('never')),
    term(
      t('overview.parcels'),
      t('overview.waiting', { count: transmission.waiting }),
      transmission.refused ? [' · ', h('a', { href: '/transmission' }, t('overview.refused', { count: transmission.refused }))] : null,
    ),
    term(t('licence.title'), licenceState(licence.state), licence.valid_until ? [' ', moment(licence.valid_until)] : null),
    term(t('nav.traps'), badge({ running: 'ok', stopped: 'error' }[traps.state] ?? traps.state, word('trap-state', traps.state))),
  ];
}

async function refreshEvents(background = false) {
  const { events } = await get('/api/events', { background });
  const shown = events.slice(0, MAX_EVENTS).map((event) =>
    row(
      cell(t('events.began'), moment(event.began_at)),
      cell(t('events.ended'), event.ended_at ? moment(event.ended_at) : badge('warning', t('events.on'))),
      cell(t('events.text'), say(event)),
    ),
  );
  swap($('#events tbody'), ...shown);
  $('#events').hidden = !shown.length;
  $('#no-events').hidden = shown.length > 0;
}
