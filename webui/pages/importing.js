/** Import a list of addresses: preview its changes, then apply them. */
import { FieldError, post } from '../app/api.js';
import { $, h, itemList, notify, swap } from '../app/dom.js';
import { base64 } from '../app/file.js';
import { button, showError, onSubmit } from '../app/form.js';
import { say, sayAll, t } from '../app/i18n.js';
import { badge } from '../app/states.js';

const MAX_BYTES = 740_000; // the API's limit, in base64
const CHANGES = ['added', 'changed', 'removed', 'excluded'];

const form = $('#import');
const preview = $('#preview');

/**
 * Connect the form.
 * @param {() => Promise<void>} done called after an import
 */
export function setUpImport(done) {
  form.addEventListener('input', () => preview.replaceChildren()); // it belongs to other files
  onSubmit(form, async () => {
    const body = await readFiles();
    swap(preview, ...previewOf(await post('/api/discovery/import', { ...body, dry_run: true }), body, done));
    $('#preview-title').focus();
  }, { done: () => null });
}

async function readFiles() {
  const { list, exclusions, http_username: username, http_password: password } = form.elements;
  const body = { list: await bytes(list), exclusions: exclusions.files.length ? await bytes(exclusions) : '' };
  if (username.value || password.value) Object.assign(body, { http_username: username.value, http_password: password.value });
  return body;
}

async function bytes(field) {
  const file = field.files[0];
  const bad = file.size > MAX_BYTES ? t('import.large') : file.size === 0 ? t('import.empty') : null;
  if (bad) throw new FieldError(field.name, bad);
  return base64(file);
}

/** Return the changes that the list would make, and the button that applies it. */
function previewOf(found, body, done) {
  const total = (key) => found[`${key}_total`];
  const nothing = [...CHANGES.slice(0, 3), 'dropped'].every((key) => !total(key));
  const go = button(
    h('button', { type: 'button', class: found.doubt ? 'danger' : 'primary', 'data-key': 'take-over' }, t(found.doubt ? 'import.anyway' : 'import.start')),
    () => applyImport(body, Boolean(found.doubt), done),
  );
  const no = h('button', { type: 'button', class: 'plain', onclick: end }, t('cancel'));
  return [
    h('h3', { id: 'preview-title', tabindex: '-1' }, t('import.preview')),
    h('p', {}, nothing ? t('import.nothing') : t('import.would'), found.unchanged ? h('span', { class: 'quiet' }, ` ${t('import.unchanged', { count: found.unchanged })}`) : null),
    found.doubt ? h('p', { class: 'notice-line' }, badge('warning', t('import.doubt')), ' ', say(found, 'doubt')) : null,
    ...CHANGES.map((key) => itemList(`import.${key}`, found[key], total(key), (each) => each)),
    itemList('import.dropped', found.dropped, total('dropped'), ({ address, manufacturer, model, serial_number: serial }) => [address, manufacturer, model, serial].filter(Boolean).join(' · ')),
    itemList('import.bad', sayAll(found, 'problems'), Math.max(found.bad, found.problems.length), (each) => each),
    h('div', { class: 'actions start' }, nothing ? null : go, no),
  ];
}

async function applyImport(body, force, done) {
  try {
    await post('/api/discovery/import', { ...body, force });
  } catch (error) {
    showError(form, error);
    return;
  }
  end();
  notify(t('import.done'));
  await done();
}

function end() {
  form.reset();
  preview.replaceChildren();
  form.elements.list.focus();
}
