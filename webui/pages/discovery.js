/** Configure where and how often to look for printers, and show the results. */
import { get, patch, post, remove } from '../app/api.js';
import { confirm } from '../app/dialog.js';
import { $, actionsCell, cell, h, itemList, notify, numberCell, row, swap, term } from '../app/dom.js';
import { button, clear, enableSecretRemoval, onSubmit, read, saveSchedule, show, showError } from '../app/form.js';
import { bytes, every, interval, moment, number, seconds } from '../app/format.js';
import { say, t, word } from '../app/i18n.js';
import * as live from '../app/live.js';
import { showRuns, jobName, jobState, outcome, traffic, when } from '../app/run.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';
import { setUpImport } from './importing.js';

const NEW_ENTRY = { addresses: '', community_read: 'public', snmp_version: 'auto', port: 161, address_by: 'ip', community_write: { set: false }, http_username: '', http_password: { set: false } };
const dialog = $('#entry-dialog');
const form = $('#entry');

let discovery = null;
let editing = null;
let jobs = [];

const ANNOUNCED_INTERVAL_MS = 10_000; // the WebSocket does not report announcements

start(async () => {
  await Promise.all([refresh(), refreshAnnounced(), showRuns($('#run'), { kinds: ['discover', 'query'], changed: showResults })]);
  wire();
  setUpImport(refresh);
  live.on(['settings'], () => Promise.all([refresh(true), refreshAnnounced()]));
  setInterval(() => {
    if (!document.hidden) refreshAnnounced();
  }, ANNOUNCED_INTERVAL_MS);
});

async function refresh(background = false) {
  discovery = await get('/api/discovery', { background });
  showEntries();
  showSchedule();
  show($('#limits'), discovery);
}

function showEntries() {
  swap($('#entries tbody'), ...discovery.entries.map(entryRow));
  $('#entries').hidden = !discovery.entries.length;
  $('#no-entries').hidden = discovery.entries.length > 0;
  $('#no-entries').textContent = t('entries.none');
  $('#entries-total').textContent = discovery.entries.length > 1 ? t('entries.total', { count: discovery.addresses }) : '';
}

function entryRow(entry) {
  const act = (name, action, kind = 'small') => button(h('button', { type: 'button', class: kind, 'data-key': `${name}-${entry.id}`, 'aria-label': `${t(`entry.${name}`)}: ${entry.addresses}` }, t(`entry.${name}`)), action);
  const tested = h('div', { role: 'status' });
  const buttons = actionsCell(
    act('edit', () => edit(entry)),
    act('test', async () => swap(tested, testResult(await post('/api/discovery/test', { id: entry.id, addresses: entry.addresses })))),
    act('remove', () => drop(entry), 'small danger plain'),
  );
  return row(
    cell(t('entry.addresses'), h('b', {}, entry.addresses), tested),
    numberCell(t('entries.count'), number(entry.count)),
    cell(t('entry.community'), entry.community_read),
    cell(t('entry.version'), word('version', entry.snmp_version)),
    numberCell(t('entry.port'), String(entry.port)),
    cell(t('entries.source'), word('source', entry.source)),
    buttons,
  );
}

async function drop(entry) {
  const sure = await confirm({ title: t('entry.remove.title'), text: t('entry.remove.text', { addresses: entry.addresses }), action: t('entry.remove') });
  if (!sure) return;
  await remove(`/api/discovery/entries/${entry.id}`);
  notify(t('removed'));
  await refresh();
}

function edit(entry, proposed = NEW_ENTRY) {
  editing = entry;
  clear(form);
  form.reset();
  show(form, entry ?? proposed, { force: true });
  $('#tested').replaceChildren();
  $('#entry-title').textContent = t(entry ? 'entry.edit' : 'entry.add');
  dialog.showModal();
}

/** Return what a test of an entry found, in a few lines. */
function testResult(report) {
  const found = report.found.slice(0, 8).map((each) =>
    h('li', {}, each.address, ' · ', [each.manufacturer, each.model].filter(Boolean).join(' ') || each.description || t('test.unnamed'), each.is_printer ? null : ` · ${t('test.other')}`),
  );
  const more = report.found.length - found.length;
  return h(
    'div',
    { class: 'tested' },
    h('p', {}, badge(report.ok ? 'ok' : 'warning', say(report)), h('span', { class: 'quiet' }, ` ${t('test.asked', { count: report.asked, seconds: seconds(report.seconds) })}`)),
    found.length ? h('ul', {}, found, more > 0 ? h('li', {}, t('test.more', { count: more })) : null) : null,
    report.advice ? h('p', {}, say(report, 'advice')) : null,
  );
}

/** Show the printers that announce themselves; hide the section where the Plug does not listen. */
async function refreshAnnounced() {
  const found = await get('/api/discovery/heard', { background: true }).catch(() => null);
  $('#heard-section').hidden = !found;
  if (!found) return;
  $('#heard-text').textContent = found.on && !found.printers.length ? t('heard.none') : say(found);
  $('#heard').hidden = !found.printers.length;
  swap($('#heard tbody'), ...found.printers.map(announcedRow));
}

function announcedRow(each) {
  const add = button(h('button', { type: 'button', class: 'small', 'data-key': `heard-${each.address}`, 'aria-label': `${t('entry.add')}: ${each.address}` }, t('entry.add')), () => edit(null, { ...NEW_ENTRY, addresses: each.address }));
  const state = actionsCell(each.excluded ? badge('ignored', t('heard.excluded')) : each.covered ? badge('ok', t('heard.covered')) : add);
  const name = each.printer ? h('a', { href: `/printers/${each.printer}` }, each.name) : each.name;
  return row(
    cell(t('heard.name'), name, each.model ? h('span', { class: 'quiet block' }, each.model) : null, each.location ? h('span', { class: 'quiet block' }, each.location) : null),
    cell(t('heard.address'), each.address),
    cell(t('heard.services'), each.services.join(', ')),
    cell(t('heard.at'), moment(each.heard_at, { ago: true })),
    state,
  );
}

function showSchedule() {
  const { amount, unit } = interval(discovery.query_every);
  show($('#schedule'), { amount, unit, discover_at: discovery.discover_at.join(', ') });
  swap(
    $('#next'),
    term(t('schedule.every'), every(discovery.query_every)),
    term(t('schedule.next.query'), moment(discovery.next_query_at)),
    term(t('schedule.next.discover'), moment(discovery.next_discover_at) ?? t('never')),
  );
}

function wire() {
  $('#add').addEventListener('click', () => edit(null));
  $('#cancel').addEventListener('click', () => dialog.close());
  button($('#test'), async () => {
    clear(form);
    try {
      const values = read(form);
      swap($('#tested'), h('p', {}, t('test.runs')));
      swap($('#tested'), testResult(await post('/api/discovery/test', editing ? { ...values, id: editing.id } : values)));
    } catch (error) {
      $('#tested').replaceChildren();
      showError(form, error);
    }
  });
  onSubmit(form, async (values) => {
    if (editing) await patch(`/api/discovery/entries/${editing.id}`, values);
    else await post('/api/discovery/entries', values);
    dialog.close();
    await refresh();
  });
  enableSecretRemoval(form, async (values) => {
    editing = await patch(`/api/discovery/entries/${editing.id}`, values);
    show(form, editing, { force: true });
    await refresh();
  });
  onSubmit($('#schedule'), async (values) => {
    discovery = await saveSchedule(values, (changes) => patch('/api/discovery', changes));
    showSchedule();
  });
  onSubmit($('#limits'), async (values) => {
    discovery = await patch('/api/discovery', values);
  });
  $('#which').addEventListener('change', showResult);
}

/** Offer the ended runs, and show one of them in full. */
function showResults(all) {
  jobs = all.filter((job) => job.result && !job.printer);
  const which = $('#which');
  const chosen = which.value === which.options[0]?.value ? null : which.value; // no choice: follow the newest
  swap($('#which'), ...jobs.slice(0, 30).map((job) => h('option', { value: String(job.id) }, `${jobName(job)} · ${when(job)?.textContent ?? ''}`)));
  if (jobs.some((job) => String(job.id) === chosen)) $('#which').value = chosen;
  $('#which').closest('.field').hidden = !jobs.length;
  showResult();
}

function showResult() {
  const job = jobs.find((each) => String(each.id) === $('#which').value);
  if (!job) {
    swap($('#result'), h('p', { class: 'empty' }, t('results.none')));
    return;
  }
  const found = job.result;
  swap(
    $('#result'),
    h('p', {}, jobState(job), ' ', outcome(job)),
    h('p', { class: 'quiet' }, found.asked ? `${t('results.asked', { asked: found.asked, answered: found.answered })} · ` : '', traffic(found, bytes(found.bytes))),
    found.left_alone ? h('p', { class: 'quiet' }, t('results.left', { count: found.left_alone })) : null,
    itemList('results.new', found.new, found.new.length, (each) => [h('a', { href: `/printers/${each.id}` }, each.model ?? each.address), ` · ${[each.manufacturer, each.address].filter(Boolean).join(' · ')}`]),
    itemList('results.failed', found.failed, found.failed_total, skippedItem),
    itemList('results.incomplete', found.incomplete, found.incomplete_total, skippedItem),
    itemList('results.skipped', found.skipped, found.skipped_total, skippedItem),
  );
}

const skippedItem = (each) => [each.printer ? h('a', { href: `/printers/${each.printer}` }, each.address) : each.address, each.name ? ` (${each.name})` : '', `: ${say(each, 'reason')}`];
