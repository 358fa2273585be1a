/** An import list: chosen, looked at, taken over. Nothing changes before somebody has seen what would. */
import { post } from '../app/api.js';
import { $, h, notify, swap } from '../app/dom.js';
import { base64 } from '../app/file.js';
import { button, complain, handle } from '../app/form.js';
import { say, sayAll, t } from '../app/i18n.js';
import { badge } from '../app/states.js';

const MOST_BYTES = 740_000; // what the API takes, in base64
const CHANGES = ['added', 'changed', 'removed', 'excluded'];

const form = $('#import');
const preview = $('#preview');

/** Wire the form; `done` is called once a list was taken over. */
export function importing(done) {
  form.addEventListener('input', () => preview.replaceChildren()); // it was for other files
  handle(form, async () => {
    const order = await chosen();
    swap(preview, ...shown(await post('/api/discovery/import', { ...order, dry_run: true }), order, done));
    $('#preview-title').focus();
  }, { done: () => null });
}

async function chosen() {
  const { list, exclusions, http_username: username, http_password: password } = form.elements;
  const order = { list: await bytes(list), exclusions: exclusions.files.length ? await bytes(exclusions) : '' };
  if (username.value || password.value) Object.assign(order, { http_username: username.value, http_password: password.value });
  return order;
}

async function bytes(field) {
  const file = field.files[0];
  const bad = file.size > MOST_BYTES ? t('import.large') : file.size === 0 ? t('import.empty') : null;
  if (bad) throw Object.assign(new Error(bad), { field: field.name });
  return base64(file);
}

/** What the list would change, and the button that does it. */
function shown(found, order, done) {
  const total = (key) => found[`${key}_total`];
  const nothing = [...CHANGES.slice(0, 3), 'dropped'].every((key) => !total(key));
  const go = button(
    h('button', { type: 'button', class: found.doubt ? 'danger' : 'primary', 'data-key': 'take-over' }, t(found.doubt ? 'import.anyway' : 'import.start')),
    () => takeOver(order, Boolean(found.doubt), done),
  );
  const no = h('button', { type: 'button', class: 'plain', onclick: end }, t('cancel'));
  return [
    h('h3', { id: 'preview-title', tabindex: '-1' }, t('import.preview')),
    h('p', {}, nothing ? t('import.nothing') : t('import.would'), found.unchanged ? h('span', { class: 'quiet' }, ` ${t('import.unchanged', { count: found.unchanged })}`) : null),
    found.doubt ? h('p', { class: 'notice-line' }, badge('warning', t('import.doubt')), ' ', say(found, 'doubt')) : null,
    ...CHANGES.map((key) => list(`import.${key}`, found[key], total(key), (each) => each)),
    list('import.dropped', found.dropped, total('dropped'), ({ address, manufacturer, model, serial_number: serial }) => [address, manufacturer, model, serial].filter(Boolean).join(' · ')),
    list('import.bad', sayAll(found, 'problems'), Math.max(found.bad, found.problems.length), (each) => each),
    h('div', { class: 'actions start' }, nothing ? null : go, no),
  ];
}

function list(key, items, total, make) {
  if (!total) return null;
  const more = total - items.length;
  return h('details', { open: items.length <= 12 }, h('summary', {}, t(key, { count: total })), h('ul', {}, items.map((each) => h('li', {}, make(each))), more > 0 ? h('li', {}, t('test.more', { count: more })) : null));
}

async function takeOver(order, force, done) {
  try {
    await post('/api/discovery/import', { ...order, force });
  } catch (error) {
    complain(form, error);
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
