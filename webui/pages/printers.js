/** List all printers: search, filter, sort, and show a hundred at a time. */
import { get } from '../app/api.js';
import { $, throttle, cell, h, row, swap } from '../app/dom.js';
import { mac, moment, number } from '../app/format.js';
import { language, locale, t, word } from '../app/i18n.js';
import * as live from '../app/live.js';
import { start } from '../app/shell.js';
import { errors, lowestSupply, printerState } from '../app/states.js';

const ORDER = ['error', 'warning', 'silent', 'ok', 'ignored'];
const STORAGE_KEY = 'printmonitor-columns'; // of the chosen columns
const SEARCH_FIELDS = ['manufacturer', 'model', 'name', 'dns_name', 'address', 'serial_number', 'mac_address', 'location'];
/**
 * @typedef {object} Column
 * @property {(printer: any) => any} sort key
 * @property {(printer: any) => any} show content of the cell
 * @property {boolean} [always] cannot be hidden
 * @property {boolean} [off] hidden unless chosen
 * @property {boolean} [number]
 */

/** @type {Record<string, Column>} */
const COLUMNS = {
  state: { sort: (p) => ORDER.indexOf(p.state), show: (p) => [printerState(p.state), stateDetail(p)], always: true },
  model: { sort: (p) => p.model ?? p.name ?? p.address, show: (p) => [link(p), h('span', { class: 'quiet block' }, [p.model ? p.name : null, p.location].filter(Boolean).join(' · '))], always: true },
  manufacturer: { sort: (p) => p.manufacturer, show: (p) => p.manufacturer, off: true },
  name: { sort: (p) => p.name, show: (p) => p.name, off: true },
  address: { sort: (p) => addressKey(p.address), show: (p) => [p.address, p.dns_name ? h('span', { class: 'quiet block' }, p.dns_name) : null] },
  serial_number: { sort: (p) => p.serial_number, show: (p) => p.serial_number },
  mac_address: { sort: (p) => p.mac_address, show: (p) => mac(p.mac_address), off: true },
  location: { sort: (p) => p.location, show: (p) => p.location, off: true },
  pages: { sort: (p) => p.pages, show: (p) => (p.pages === null ? null : number(p.pages)), number: true },
  lowest_supply: { sort: (p) => p.lowest_supply?.percent, show: (p) => lowestSupply(p.lowest_supply) },
  seen_at: { sort: (p) => p.seen_at, show: (p) => moment(p.seen_at, { ago: true }), off: true },
  alerts: { sort: (p) => p.alerts, show: (p) => number(p.alerts), number: true, off: true },
  device_group: { sort: (p) => p.device_group, show: (p) => number(p.device_group), number: true, off: true },
};

/** @type {any[]} */
let printers = [];
/** @type {Record<string, number>} */
let counts = {};
/** @type {{ q: string, state: string, sort: string, down: boolean, page: number, size: number, columns: string[] }} */
const view = { q: '', state: '', sort: 'state', down: false, page: 0, size: 100, columns: [] };
let collator = new Intl.Collator();

start(async () => {
  collator = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });
  if (language === 'de') $('#csv').href += '?separator=semicolon';
  restoreView();
  choices();
  await refresh();
  listen();
  live.on(['printers'], throttle(() => refresh(true), 4000));
});

async function refresh(background = false) {
  const answer = await get('/api/printers', { background });
  counts = answer.counts;
  printers = answer.printers.map((printer) => ({
    ...printer,
    text: SEARCH_FIELDS.map((key) => printer[key] ?? '').join('\n').toLowerCase(),
  }));
  render();
}

/** Restore the view from the URL, so that Back and bookmarks lead to the same one. */
function restoreView() {
  const query = new URLSearchParams(location.search);
  view.q = query.get('q') ?? '';
  const state = query.get('state') ?? '';
  view.state = ORDER.includes(state) ? state : '';
  const sort = query.get('sort') ?? '';
  view.sort = Object.hasOwn(COLUMNS, sort) ? sort : 'state';
  view.down = query.has('down');
  view.page = Math.max(0, Number(query.get('page') ?? 1) - 1) || 0;
  const chosen = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null');
  view.columns = Object.keys(COLUMNS).filter((key) => COLUMNS[key].always || (chosen ? chosen.includes(key) : !COLUMNS[key].off));
  $('#search').value = view.q;
}

/** Write the view into the URL. */
function saveView() {
  const parameters = new URLSearchParams();
  if (view.q) parameters.set('q', view.q);
  if (view.state) parameters.set('state', view.state);
  if (view.sort !== 'state') parameters.set('sort', view.sort);
  if (view.down) parameters.set('down', '');
  if (view.page) parameters.set('page', String(view.page + 1));
  const text = parameters.toString();
  history.replaceState(null, '', text ? `?${text}` : location.pathname);
}

function choices() {
  swap(
    $('#columns'),
    ...Object.keys(COLUMNS).filter((key) => !COLUMNS[key].always).map((key) =>
      h('label', { class: 'choice' }, h('input', { type: 'checkbox', value: key, checked: view.columns.includes(key) }), h('span', {}, word('column', key))),
    ),
  );
}

function listen() {
  const changed = (values) => {
    Object.assign(view, { page: 0 }, values);
    saveView();
    render();
  };
  $('#filters').addEventListener('submit', (event) => event.preventDefault());
  $('#search').addEventListener('input', (event) => changed({ q: event.target.value }));
  $('#states').addEventListener('change', (event) => changed({ state: event.target.value }));
  $('#columns').addEventListener('change', () => {
    const chosen = [...$('#columns').querySelectorAll(':checked')].map((box) => box.value);
    localStorage.setItem(STORAGE_KEY, JSON.stringify(chosen));
    changed({ columns: Object.keys(COLUMNS).filter((key) => COLUMNS[key].always || chosen.includes(key)) });
  });
  $('#heads').addEventListener('click', (event) => {
    const key = event.target.closest('button')?.dataset.key;
    if (key) changed({ sort: key, down: view.sort === key ? !view.down : false });
  });
  $('#size').addEventListener('change', (event) => changed({ size: Number(event.target.value) }));
  $('#previous').addEventListener('click', () => changed({ page: view.page - 1 }));
  $('#next').addEventListener('click', () => changed({ page: view.page + 1 }));
  document.addEventListener('click', (event) => {
    const open = $('.columns-choice[open]');
    if (open && !open.contains(event.target)) open.open = false;
  });
}

function render() {
  const wanted = matching();
  const last = Math.max(0, Math.ceil(wanted.length / view.size) - 1);
  view.page = Math.min(view.page, last);
  const from = view.page * view.size;
  const shown = wanted.slice(from, from + view.size);
  states();
  heads();
  swap($('#rows'), ...shown.map((printer) => row(...view.columns.map((key) => filled(key, printer)))));
  $('#found').textContent = wanted.length === printers.length
    ? t('printers.all', { count: printers.length })
    : t('printers.found', { count: wanted.length, total: printers.length });
  $('#printers-scroll').hidden = !shown.length;
  showEmpty(wanted.length);
  $('#pages').hidden = wanted.length <= 50;
  $('#where').textContent = t('pages.where', { from: from + 1, to: from + shown.length, total: wanted.length });
  $('#previous').disabled = view.page === 0;
  $('#next').disabled = view.page === last;
}

function matching() {
  const parts = view.q.toLowerCase().split(/\s+/).filter(Boolean);
  const compact = view.q.replace(/[:.-]/g, '').toLowerCase();
  const wanted = printers.filter(
    (printer) =>
      (!view.state || printer.state === view.state) &&
      (parts.every((part) => printer.text.includes(part)) || (compact.length === 12 && printer.mac_address?.toLowerCase() === compact)),
  );
  const { sort } = COLUMNS[view.sort];
  const keyed = wanted.map((printer) => [sort(printer), printer]);
  const sign = view.down ? -1 : 1;
  keyed.sort(([a, one], [b, other]) => {
    const missing = Number(a === null || a === undefined || a === '') - Number(b === null || b === undefined || b === '');
    if (missing) return missing; // unknown values come last in both directions
    const order = typeof a === 'number' ? a - b : collator.compare(a ?? '', b ?? '');
    return sign * order || one.id - other.id;
  });
  return keyed.map(([, printer]) => printer);
}

function states() {
  const all = printers.length;
  swap(
    $('#states'),
    ...['', ...ORDER].map((state) =>
      h(
        'label',
        { class: 'chip' },
        h('input', { type: 'radio', name: 'state', value: state, checked: state === view.state, 'data-key': `state-${state}` }),
        h('span', {}, state ? word('state', state) : t('printers.any'), ' ', h('b', {}, number(state ? counts[state] : all))),
      ),
    ),
  );
}

function heads() {
  swap(
    $('#heads'),
    ...view.columns.map((key) =>
      h(
        'th',
        { scope: 'col', role: 'columnheader', class: COLUMNS[key].number ? 'number' : null, 'aria-sort': key === view.sort ? (view.down ? 'descending' : 'ascending') : 'none' },
        h('button', { type: 'button', class: 'sort', 'data-key': key }, word('column', key)),
      ),
    ),
  );
}

function filled(key, printer) {
  const made = cell(word('column', key), COLUMNS[key].show(printer));
  made.classList.add(`of-${key}`);
  if (COLUMNS[key].number) made.classList.add('number');
  return made;
}

function showEmpty(count) {
  const box = $('#none');
  box.hidden = count > 0;
  if (count) return;
  swap(
    box,
    printers.length
      ? h('p', {}, t('printers.nothing'))
      : [h('p', {}, t('printers.none')), h('p', {}, h('a', { class: 'button', href: '/discovery' }, t('printers.none.act')))],
  );
}

function link(printer) {
  return h('a', { href: `/printers/${printer.id}`, 'data-key': `printer-${printer.id}` }, printer.model ?? printer.name ?? printer.address);
}

function stateDetail(printer) {
  if (printer.state === 'silent') return h('span', { class: 'quiet block' }, moment(printer.seen_at, { ago: true }));
  const text = errors(printer.errors);
  return text ? h('span', { class: 'quiet block' }, text) : null;
}

/** Return a key that sorts IPv4 addresses by number. */
function addressKey(address) {
  const parts = address.split('.');
  return parts.length === 4 ? parts.map((part) => part.padStart(3, '0')).join('.') : address;
}
