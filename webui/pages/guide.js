/** Guide through the first settings step by step. Each step saves its own form and can be skipped. */
import { get, navigate, patch, post } from '../app/api.js';
import { $, $$, h, swap } from '../app/dom.js';
import { button, clear, onSubmit, saveSchedule, show, showParts } from '../app/form.js';
import { interval } from '../app/format.js';
import { dismiss, savedStep, saveStep } from '../app/guide_progress.js';
import { t } from '../app/i18n.js';
import { icon } from '../app/icons.js';
import { showLicence } from '../app/licence.js';
import { showRuns, jobState, outcome } from '../app/run.js';
import { start } from '../app/shell.js';
import { testTransmission } from '../app/transmission_test.js';

const STEPS = ['site', 'range', 'schedule', 'transmission', 'licence', 'finish'];
const MAX_PRINTERS = 12; // of a list
const section = (step) => $(`#step-${step}`);
const form = (step) => $('form', section(step));

let discovery = null;
let transmission = null;

start(async () => {
  const [system, { zones }] = await Promise.all([get('/api/system'), get('/api/time-zones'), showLicence($('#licence')), load()]);
  swap($('#time-zone'), ...zones.map((zone) => h('option', { value: zone }, zone.replaceAll('_', ' '))));
  show(form('site'), system);
  await finish();
  wireForms();
  wireButtons();
  open(false);
  addEventListener('hashchange', () => open(true));
});

async function load() {
  [discovery, transmission] = await Promise.all([get('/api/discovery'), get('/api/transmission')]);
  range();
  show(form('schedule'), { ...interval(discovery.query_every), discover_at: discovery.discover_at.join(', ') });
  const mode = transmission.mode === 'off' && !discovery.entries.length ? 'https' : transmission.mode; // the most common choice
  show(form('transmission'), { ...transmission, mode });
  updateParts();
}

function range() {
  const there = discovery.entries.map((entry) => entry.addresses);
  $('#entries').hidden = !there.length;
  $('#entries').textContent = t('guide.range.there', { addresses: there.join(', ') });
  $('#addresses').required = !there.length;
  $('#addresses').value = there.length ? '' : (discovery.suggestion ?? '');
}

/** Show the fields of the chosen way of transmission. */
function updateParts() {
  const mode = $('[name=mode]:checked', form('transmission'))?.value ?? 'off';
  showParts(form('transmission'), [mode]);
  $('#test').disabled = transmission.mode === 'off';
  $('#test-text').textContent = t(transmission.mode === 'off' ? 'guide.test.off' : 'try.text');
}

/** Return the step in the URL, else the saved one, else the first. */
const current = () => STEPS.find((step) => location.hash === `#at-${step}`) ?? savedStep() ?? STEPS[0];

function open(focus) {
  const step = STEPS.includes(current()) ? current() : STEPS[0];
  for (const each of STEPS) section(each).hidden = each !== step;
  const place = STEPS.indexOf(step);
  swap($('#stations'), ...STEPS.map((each, number) => station(each, number < place, each === step)));
  saveStep(step);
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

function wireButtons() {
  for (const back of $$('[data-back]')) back.addEventListener('click', () => go(-1));
  for (const skip of $$('[data-skip]')) {
    skip.addEventListener('click', () => {
      if (skip.form) clear(skip.form);
      go(1);
    });
  }
  for (const way of ['#dismiss', '#finish']) {
    $(way).addEventListener('click', () => {
      dismiss();
      navigate('/');
    });
  }
}

function wireForms() {
  onStep('site', (values) => patch('/api/system', values));
  onStep('range', async (values) => {
    if (values.addresses.trim()) await post('/api/discovery/entries', values);
    discovery = await get('/api/discovery');
    range();
  });
  onStep('schedule', (values) => saveSchedule(values, (changes) => patch('/api/discovery', changes)));
  form('transmission').addEventListener('change', updateParts);
  onStep('transmission', async (values) => {
    transmission = await patch('/api/transmission', values);
    show(form('transmission'), transmission, { force: true });
    updateParts();
  });
}

/** Save the form of a step, then go to the next one. */
function onStep(name, save) {
  onSubmit(form(name), async (values) => {
    await save(values);
    go(1);
  }, { done: () => null });
}

/** Offer a test of the transmission and a discovery, and show their results. */
async function finish() {
  button($('#test'), () => testTransmission($('#tested')));
  await showRuns($('#run'), { kinds: ['discover'], changed: showFound });
}

function showFound(jobs) {
  const job = jobs.find((each) => each.kind === 'discover' && each.result);
  if (!job) {
    $('#found').replaceChildren();
    return;
  }
  const { new: printers } = job.result;
  const more = printers.length - MAX_PRINTERS;
  swap(
    $('#found'),
    h('p', {}, jobState(job), ' ', outcome(job)),
    printers.length ? h('ul', {}, printers.slice(0, MAX_PRINTERS).map((each) => h('li', {}, h('a', { href: `/printers/${each.id}` }, each.model ?? each.address), ` · ${[each.manufacturer, each.address].filter(Boolean).join(' · ')}`)), more > 0 ? h('li', {}, t('test.more', { count: more })) : null) : null,
    job.result.printers ? null : h('p', { class: 'quiet' }, t('guide.found.none')),
  );
}
