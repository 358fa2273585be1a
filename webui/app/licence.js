/** Show the licence and its state; request and install one online or as a file. */
import { FieldError, download, get, post, put } from './api.js';
import { $, h, notify, swap, term } from './dom.js';
import { button, showError, onSubmit } from './form.js';
import { moment } from './format.js';
import { say, t } from './i18n.js';
import { licenceState } from './states.js';

const MISSING = ['none', 'requested', 'expired', 'revoked', 'broken'];
const MAX_CHARACTERS = 100_000;

/**
 * Show the licence; return a function that loads it again.
 * @param {HTMLElement} container
 */
export async function showLicence(container) {
  const facts = h('dl', { id: 'licence-facts' });
  const means = h('p', { id: 'licence-means', role: 'status' });
  const renewal = h('div', { class: 'actions start', id: 'licence-renewal' });
  const online = h('details', {}, h('summary', {}, t('licence.online')), enrolment());
  const byFile = h('details', {}, h('summary', {}, t('licence.by.file')), files());
  container.replaceChildren(facts, means, renewal, online, byFile);

  const showState = (found) => {
    swap(facts, ...about(found));
    means.textContent = t(`licence.means.${found.state}`);
    const renews = found.enrolment_url && !MISSING.includes(found.state);
    swap(renewal, renews ? button(h('button', { type: 'button', 'data-key': 'renew' }, t('licence.renew')), () => renew(container, showState)) : null);
    if (!container.dataset.shown) online.open = byFile.open = MISSING.includes(found.state);
    container.dataset.shown = '1';
    const address = $('#enrolment-url', container);
    if (!address.value && document.activeElement !== address) address.value = found.asked_at ?? found.enrolment_url ?? '';
  };
  const refresh = async (background = false) => showState(await get('/api/licence', { background }));
  wire(container, showState);
  await refresh(true);
  return refresh;
}

function about(found) {
  const asked = found.request && [moment(found.request.made_at), h('span', { class: 'quiet block' }, found.request.plug_id)];
  return [
    term(t('licence.state'), licenceState(found.state), h('span', { class: 'quiet block' }, say(found))),
    found.customer ? term(t('licence.customer'), found.customer) : null,
    found.partner ? term(t('licence.partner'), found.partner) : null,
    found.valid_from ? term(t('licence.from'), moment(found.valid_from)) : null,
    found.valid_until ? term(t('licence.until'), moment(found.valid_until)) : null,
    found.printers === null ? null : term(t('licence.printers'), String(found.printers)),
    found.plug_id ? term(t('licence.plug'), found.plug_id) : null,
    found.upload_url ? term(t('licence.upload'), found.upload_url) : null,
    asked ? term(t('licence.requested.at'), asked) : null,
    found.asked_at ? term(t('licence.asked'), found.asked_at) : null,
  ];
}

function enrolment() {
  return h(
    'form',
    { id: 'enrolment' },
    h('p', { class: 'hint' }, t('licence.online.text')),
    h('div', { class: 'field' }, h('label', { for: 'enrolment-url' }, t('licence.url')), h('input', { type: 'url', id: 'enrolment-url', name: 'url', required: true, maxlength: '2000', placeholder: 'https://', autocomplete: 'off', title: t('licence.url.wrong') })),
    h('div', { class: 'field' }, h('label', { for: 'enrolment-code' }, t('licence.code')), h('input', { id: 'enrolment-code', name: 'code', required: true, maxlength: '200', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'enrolment-code-hint' }), h('p', { class: 'hint', id: 'enrolment-code-hint' }, t('licence.code.hint'))),
    h('div', { class: 'actions start' }, h('button', { type: 'submit' }, t('licence.enrol'))),
  );
}

function files() {
  return h(
    'div',
    {},
    h('p', { class: 'hint' }, t('licence.by.file.text')),
    h('div', { class: 'actions start' }, h('button', { type: 'button', id: 'licence-request' }, t('licence.request'))),
    h(
      'form',
      { id: 'installation' },
      h('div', { class: 'field' }, h('label', { for: 'licence-file' }, t('licence.file')), h('input', { type: 'file', id: 'licence-file', name: 'licence', required: true, accept: '.pem,.txt,.crt,application/x-pem-file', 'aria-describedby': 'licence-file-hint' }), h('p', { class: 'hint', id: 'licence-file-hint' }, t('licence.file.hint'))),
      h('div', { class: 'actions start' }, h('button', { type: 'submit' }, t('licence.install'))),
    ),
  );
}

function wire(container, show) {
  const online = $('#enrolment', container);
  onSubmit(online, async (values) => {
    const answer = await post('/api/licence/enrolment', values);
    show(answer.licence);
    if (!answer.ok) throw new Error(say(answer));
    online.elements.code.value = '';
    return answer;
  }, { done: (answer) => say(answer) });
  button($('#licence-request', container), async () => {
    await download('POST', '/api/licence/request');
    show(await get('/api/licence'));
    notify(t('licence.request.made'));
  });
  const installation = $('#installation', container);
  onSubmit(installation, async () => {
    const file = installation.elements.licence.files[0];
    if (file.size > MAX_CHARACTERS) throw new FieldError('licence', t('licence.file.large'));
    show(await put('/api/licence', { licence: await file.text() }));
    installation.reset();
  }, { done: () => t('licence.installed') });
}

async function renew(container, show) {
  const answer = await post('/api/licence/enrolment', {});
  show(answer.licence);
  if (answer.ok) notify(say(answer));
  else showError($('#enrolment', container), new Error(say(answer)));
}
