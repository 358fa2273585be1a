/** Show all data of one printer, and read, ignore or forget it. */
import { get, navigate, patch, post, remove } from '../app/api.js';
import { confirm } from '../app/dialog.js';
import { $, throttle, cell, dash, fill, h, notify, numberCell, row, swap, term } from '../app/dom.js';
import { button, onSubmit, show as showForm } from '../app/form.js';
import { bytes, day, duration, mac, moment, number, percent } from '../app/format.js';
import { say, sayAll, t, word } from '../app/i18n.js';
import * as live from '../app/live.js';
import { outcome, progress, traffic } from '../app/run.js';
import { start, title } from '../app/shell.js';
import { amount, badge, bar, errors, printerState, supplyLevel, supplyText, swatch, whole } from '../app/states.js';
import { setUpChart } from './chart.js';
import { setUpRecording } from './recording.js';

const id = Number(location.pathname.split('/').pop());
const api = `/api/printers/${id}`;
const SEVERITY = { critical: 'error', warning: 'warning', warningBinaryChangeEvent: 'warning' };

let printer = null;
let job = null;

start(async () => {
  await refresh();
  const redraw = await setUpChart(id);
  wire();
  await setUpRecording(api);
  live.on(['printers'], throttle(async () => {
    await refresh(true);
    await redraw();
  }, 3000));
  live.on(['jobs'], follow);
  live.onJob((running) => {
    if (job && running.id === job.id) reading(running);
  });
});

async function refresh(background = false) {
  printer = await get(api, { background });
  show();
}

function name() {
  return printer.model ?? printer.name ?? printer.address;
}

function show() {
  title(name());
  fill(document, {
    title: name(),
    subtitle: [printer.name === name() ? null : printer.name, printer.address, printer.serial_number, printer.location].filter(Boolean).join(' · '),
  });
  swap(
    $('#states'),
    printerState(printer.state),
    printer.status && printer.status !== 'unknown' ? h('span', {}, word('status', printer.status)) : null,
    printer.errors.length ? h('span', {}, errors(printer.errors)) : null,
    printer.display_text ? h('q', {}, printer.display_text) : null,
    h('span', { class: 'quiet' }, t('printer.seen'), ' ', moment(printer.seen_at, { ago: true })),
  );
  $('#failure').hidden = !printer.failure;
  if (printer.failure) $('#failure').replaceChildren(t('printer.failure', { reason: say(printer, 'failure') }), ' ', moment(printer.failed_at));
  remarks();
  $('#ignore').textContent = t(printer.ignore ? 'printer.unignore' : 'printer.ignore');
  showForm($('#group'), printer);
  supplies();
  counters();
  rows('alerts', printer.alerts, alert);
  $('#no-alerts').hidden = printer.alerts.length > 0;
  rows('trays', printer.trays, tray);
  rows('outputs', printer.outputs, output);
  rows('storages', printer.storages, storage);
  rows('addresses', printer.addresses, (each) =>
    row(cell(t('addresses.address'), each.address), cell(t('addresses.first'), moment(each.first_seen)), cell(t('addresses.last'), moment(each.last_seen))));
  swap($('#about'), ...about());
  $('#traffic').textContent = traffic(printer.cost, bytes(printer.cost.bytes));
}

/** Show what the last reading could not read, and its notes. */
function remarks() {
  remark('incomplete', badge('warning', t('printer.incomplete')), printer.incomplete.map((each) => `${word('part', each.part)}: ${say(each, 'reason')}`));
  remark('notes', badge('info', t('printer.notes')), sayAll(printer, 'notes'));
}

function remark(part, sign, lines) {
  $(`#${part}`).hidden = !lines.length;
  swap($(`#${part}`), h('p', {}, sign), h('ul', { class: 'problem-list' }, lines.map((line) => h('li', {}, line))));
}

/** Fill a table; without rows show a line instead. */
function rows(part, list, make) {
  swap($(`#${part} tbody`), ...list.map(make));
  $(`#${part}`).hidden = !list.length;
  const section = $(`#${part}`).closest('section');
  $('.said-nothing', section)?.remove();
  if (!list.length && part !== 'alerts') section.append(h('p', { class: 'quiet said-nothing' }, t('printer.nothing')));
}

function supplies() {
  const list = printer.supplies.map((supply) => {
    const level = supplyLevel(supply.state);
    return h(
      'li',
      {},
      h('div', { class: 'head' }, h('b', {}, supply.description ?? (supply.type ? word('supply-type', supply.type) : t('supply'))), h('span', { class: 'quiet' }, swatch(supply.color))),
      bar(supply.percent, { state: supply.state, color: supply.kind === 'consumed' ? supply.color?.toLowerCase() : null, text: level === 'ok' || level === 'unknown' ? supplyText(supply) : badge(level, supplyText(supply)) }),
      h('p', { class: 'quiet' }, [supply.description && supply.type ? word('supply-type', supply.type) : null, measure(supply), forecast(supply)].filter(Boolean).join(' · ')),
    );
  });
  swap($('#supplies'), ...(list.length ? list : [h('li', { class: 'quiet' }, t('printer.nothing'))]));
}

/** Return level and capacity if they are numbers in another unit than percent. */
function measure({ level, max_capacity: most, unit }) {
  if (typeof level !== 'number' || typeof most !== 'number' || unit === 'percent') return null;
  return t('supply.of', { level: whole(level, unit), most: amount(most, unit) });
}

function forecast({ forecast: expected, kind }) {
  if (!expected) return null;
  const until = expected.latest ? t('forecast.between', { first: day(expected.earliest), last: day(expected.latest) }) : t('forecast.after', { first: day(expected.earliest) });
  return `${t(kind === 'filled' ? 'forecast.full' : 'forecast.empty', { day: day(expected.day) })} (${until}; ${t('forecast.rate', { percent: percent(expected.percent_per_day, 1), count: expected.readings })})`;
}

function counters() {
  rows('counters', printer.counters, (counter) => {
    const held = counter.held && h('span', { class: 'block' }, badge('warning', t('counters.held')), ' ', h('span', { class: 'quiet' }, t('counters.held.text', { value: number(counter.held.value), reason: say(counter.held, 'reason') })), ' ', acceptButton(counter));
    const dispute = counter.dispute && h('span', { class: 'block' }, badge('info', t('counters.disputed')), ' ', h('span', { class: 'quiet' }, say(counter, 'dispute')));
    return h('tr', {}, h('td', {}, word('counter', counter.name), h('span', { class: 'quiet block', title: t('counters.source') }, counter.source), dispute, held), h('td', { class: 'number' }, number(counter.value)));
  });
}

/** Return the button that accepts an implausible reading of a counter. */
function acceptButton(counter) {
  const label = `${t('counters.believe')}: ${word('counter', counter.name)}, ${number(counter.held.value)}`;
  return button(h('button', { type: 'button', class: 'small', 'data-key': `believe-${counter.name}`, 'aria-label': label }, t('counters.believe')), async () => {
    const values = { name: word('counter', counter.name), value: number(counter.held.value), old: number(counter.value) };
    const sure = await confirm({ title: t('counters.believe.title'), text: t('counters.believe.text', values), action: t('counters.believe'), danger: false });
    if (!sure) return;
    printer = await post(`${api}/counters/${counter.name}/confirm`);
    show();
    notify(t('counters.believed'));
  });
}

function alert(each) {
  return row(
    cell(t('alerts.severity'), badge(SEVERITY[each.severity] ?? 'info', word('severity', each.severity ?? 'other'))),
    cell(t('alerts.description'), each.description, each.code === null ? null : h('span', { class: 'quiet block' }, t('alerts.code', { code: String(each.code) }))),
    cell(t('alerts.group'), each.group && word('alert-group', each.group)),
    cell(t('alerts.training'), each.training && word('training', each.training)),
    cell(t('alerts.since'), moment(each.since)),
  );
}

function tray(each) {
  const size = each.width_mm && each.length_mm ? `${number(each.width_mm, 1)} × ${number(each.length_mm, 1)} mm` : null;
  const media = [each.media_name, each.media_type, each.media_color].filter(Boolean);
  return row(
    cell(t('trays.name'), each.name ?? each.description ?? String(each.index), each.type ? h('span', { class: 'quiet block' }, word('input-type', each.type)) : null),
    cell(t('trays.media'), media.join(', ')),
    cell(t('trays.size'), size),
    cell(t('trays.level'), levelBar(each.percent, each.level, each.max_capacity, each.capacity_unit)),
    cell(t('trays.status'), subUnit(each.status)),
  );
}

function levelBar(share, value, most, unit) {
  if (share !== null) {
    const text = typeof most === 'number' && unit !== 'percent' ? t('supply.of', { level: whole(value, unit), most: amount(most, unit) }) : percent(share);
    return bar(share, { state: share <= 0 ? 'empty' : 'ok', text: share <= 0 ? badge('warning', t('trays.empty')) : text });
  }
  if (value === null) return null;
  const capacity = typeof most === 'number' ? ` · ${t('trays.capacity', { most: amount(most, unit) })}` : '';
  return bar(null, { state: value === 'some left' ? 'some-left' : 'unknown', text: amount(value, unit) + capacity });
}

function output(each) {
  return row(
    cell(t('trays.name'), each.name ?? each.description ?? String(each.index), each.type ? h('span', { class: 'quiet block' }, word('output-type', each.type)) : null),
    cell(t('outputs.remaining'), amount(each.remaining_capacity, each.capacity_unit), typeof each.max_capacity === 'number' ? h('span', { class: 'quiet block' }, t('trays.capacity', { most: amount(each.max_capacity, each.capacity_unit) })) : null),
    cell(t('trays.status'), subUnit(each.status)),
  );
}

function subUnit(status) {
  if (!status) return null;
  const level = status.critical_alerts || status.availability === 'unavailable-broken' ? 'error' : status.noncritical_alerts || status.offline ? 'warning' : status.availability === 'unknown' ? 'unknown' : 'ok';
  const words = [word('availability', status.availability), status.offline ? t('unit.offline') : null, status.critical_alerts ? t('unit.critical') : null, status.noncritical_alerts ? t('unit.noncritical') : null, status.transitioning ? t('unit.transitioning') : null];
  return badge(level, words.filter(Boolean).join(', '));
}

function storage(each) {
  return row(
    cell(t('storages.name'), each.description, each.type ? h('span', { class: 'quiet block' }, word('storage', each.type)) : null),
    cell(t('storages.used'), each.percent === null ? null : bar(each.percent, { text: percent(each.percent) })),
    numberCell(t('storages.size'), each.size_bytes === null ? null : bytes(each.size_bytes)),
  );
}

function about() {
  return [
    ['manufacturer', printer.manufacturer],
    ['model', printer.model],
    ['serial_number', printer.serial_number],
    ['mac_address', mac(printer.mac_address)],
    ['name', printer.name],
    ['location', printer.location],
    ['contact', printer.contact],
    ['address', [printer.address, printer.dns_name].filter(Boolean).join(' · ')],
    ['firmware', printer.firmware],
    ['description', printer.description],
    ['snmp', `${word('version', printer.snmp_version)} · UDP ${printer.port}`],
    ['uptime', printer.uptime_seconds === null ? null : duration(printer.uptime_seconds)],
    ['object_id', printer.object_id],
    ['created', moment(printer.created_at)],
    ['changed', moment(printer.changed_at)],
  ].map(([key, value]) => term(word('column', key), value ?? dash()));
}

function wire() {
  button($('#read'), async () => {
    job = await post(`${api}/read`);
    reading(job);
    await follow();
  });
  button($('#ignore'), async () => {
    printer = await patch(api, { ignore: !printer.ignore });
    show();
    notify(t(printer.ignore ? 'printer.ignored' : 'printer.unignored'));
  });
  button($('#forget'), async () => {
    const sure = await confirm({ title: t('printer.forget.title', { name: name() }), text: t('printer.forget.text'), action: t('printer.forget') });
    if (!sure) return;
    await remove(api);
    navigate('/printers');
  });
  onSubmit($('#group'), async (values) => {
    printer = await patch(api, values);
    delete $('#group').dataset.touched;
    show();
  });
}

/** Show the progress of the reading that this page started, until it has ended. */
async function follow() {
  if (!job) return;
  const now = await get(`/api/jobs/${job.id}`, { background: true });
  if (!job || now.id !== job.id) return;
  reading(now);
  if (!['done', 'failed', 'interrupted'].includes(now.state)) return;
  job = null;
  await refresh(true);
}

function reading(now) {
  const ended = now.state !== 'waiting' && now.state !== 'running';
  if (!ended) {
    swap($('#reading'), progress({ ...now, printer: null, kind: 'read' }));
    return;
  }
  const failed = now.state !== 'done' || now.result?.failed_total;
  const partly = !failed && now.result?.incomplete_total;
  const failure = now.result?.failed[0];
  const text = t(failed ? 'read.failed' : partly ? 'read.partly' : 'read.done');
  swap($('#reading'), h('p', {}, badge(failed || partly ? 'warning' : 'ok', text), ' ', failed && failure?.reason ? say(failure, 'reason') : outcome(now)));
}
