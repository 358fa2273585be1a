/** The first steps, one after the other. Each saves by itself, each can be left out; the rest of the pages do the same. */
import { get, leave, patch, post } from '../app/api.js';
import { $, $$, h, swap } from '../app/dom.js';
import { button, clear, handle, show } from '../app/form.js';
import { interval } from '../app/format.js';
import { end, reach, reached } from '../app/guide.js';
import { t } from '../app/i18n.js';
import { icon } from '../app/icons.js';
import { licence } from '../app/licence.js';
import { follow, jobState, outcome } from '../app/run.js';
import { start } from '../app/shell.js';
import { trial } from '../app/trial.js';

const STEPS = ['site', 'range', 'schedule', 'transmission', 'licence', 'finish'];
const SHOWN = 12;
const section = (step) => $(`#step-${step}`);
const form = (step) => $('form', section(step));

let discovery = null;
let transmission = null;

start(async () => {
  const [system, { zones }] = await Promise.all([get('/api/system'), get('/api/time-zones'), licence($('#licence')), load()]);
  swap($('#time-zone'), ...zones.map((zone) => h('option', { value: zone }, zone.replaceAll('_', ' '))));
  show(form('site'), system);
  await finish();
  saves();
  ways();
  open(false);
  addEventListener('hashchange', () => open(true));
});

async function load() {
  [discovery, transmission] = await Promise.all([get('/api/discovery'), get('/api/transmission')]);
  range();
  show(form('schedule'), { ...interval(discovery.query_every), discover_at: discovery.discover_at.join(', ') });
  const mode = transmission.mode === 'off' && !discovery.entries.length ? 'https' : transmission.mode; // what most want
  show(form('transmission'), { ...transmission, mode });
  parts();
}

function range() {
  const there = discovery.entries.map((entry) => entry.addresses);
  $('#entries').hidden = !there.length;
  $('#entries').textContent = t('guide.range.there', { addresses: there.join(', ') });
  $('#addresses').required = !there.length;
  $('#addresses').value = there.length ? '' : (discovery.suggestion ?? '');
}

/** Only the part that is chosen is shown, and sent. */
function parts() {
  const mode = $('[name=mode]:checked', form('transmission'))?.value ?? 'off';
  for (const part of $$('[data-needs]', form('transmission'))) part.hidden = !part.dataset.needs.split(' ').includes(mode);
  $('#test').disabled = transmission.mode === 'off';
  $('#test-text').textContent = t(transmission.mode === 'off' ? 'guide.test.off' : 'try.text');
}

/** The step that the address names, else the one that somebody came to. */
const current = () => STEPS.find((step) => location.hash === `#at-${step}`) ?? reached() ?? STEPS[0];

function open(focus) {
  const step = STEPS.includes(current()) ? current() : STEPS[0];
  for (const each of STEPS) section(each).hidden = each !== step;
  const place = STEPS.indexOf(step);
  swap($('#stations'), ...STEPS.map((each, number) => station(each, number < place, each === step)));
  reach(step);
  if (!focus) return;
  scrollTo({ top: 0 });
  $('h2', section(step)).focus();
}

function station(step, done, here) {
  const sign = h('span', { 'aria-hidden': 'true' }, done ? icon('ok') : null);
  const link = h('a', { href: `#at-${step}`, class: done ? 'done' : null, 'aria-current': here ? 'step' : null, 'data-key': step }, sign, h('span', {}, t(`guide.${step}`)));
  return h('li', {}, link);
}

function go(way) {
  const next = STEPS[STEPS.indexOf(current()) + way];
  if (next) location.hash = `at-${next}`;
}

function ways() {
  for (const back of $$('[data-back]')) back.addEventListener('click', () => go(-1));
  for (const skip of $$('[data-skip]')) {
    skip.addEventListener('click', () => {
      if (skip.form) clear(skip.form);
      go(1);
    });
  }
  for (const way of ['#dismiss', '#finish']) {
    $(way).addEventListener('click', () => {
      end();
      leave('/');
    });
  }
}

function saves() {
  step('site', (values) => patch('/api/system', values));
  step('range', async (values) => {
    if (values.addresses.trim()) await post('/api/discovery/entries', values);
    discovery = await get('/api/discovery');
    range();
  });
  step('schedule', async ({ amount, unit, discover_at: times }) => {
    try {
      await patch('/api/discovery', { query_every: `${amount}${unit}`, discover_at: times.split(/[\s,;]+/).filter(Boolean) });
    } catch (error) {
      if (error.field === 'query_every') error.field = 'amount';
      throw error;
    }
  });
  form('transmission').addEventListener('change', parts);
  step('transmission', async (values) => {
    transmission = await patch('/api/transmission', values);
    show(form('transmission'), transmission, { force: true });
    parts();
  });
}

/** Save a step's form, and go on. */
function step(name, save) {
  handle(form(name), async (values) => {
    await save(values);
    go(1);
  }, { done: () => null });
}

/** A discovery with what it finds. */
async function finish() {
  button($('#test'), () => trial($('#tested')));
  await follow($('#run'), { kinds: ['discover'], changed: found });
}

function found(jobs) {
  const job = jobs.find((each) => each.kind === 'discover' && each.result);
  if (!job) {
    $('#found').replaceChildren();
    return;
  }
  const { new: printers } = job.result;
  const more = printers.length - SHOWN;
  swap(
    $('#found'),
    h('p', {}, jobState(job), ' ', outcome(job)),
    printers.length ? h('ul', {}, printers.slice(0, SHOWN).map((each) => h('li', {}, h('a', { href: `/printers/${each.id}` }, each.model ?? each.address), ` · ${[each.manufacturer, each.address].filter(Boolean).join(' · ')}`)), more > 0 ? h('li', {}, t('test.more', { count: more })) : null) : null,
    job.result.printers ? null : h('p', { class: 'quiet' }, t('guide.found.none')),
  );
}
