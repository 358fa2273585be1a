/** Forms that lose nothing: fields are named as the API names them, errors stand beside their field. */
import { $, $$, h, notify } from './dom.js';
import { confirm } from './dialog.js';
import { t } from './i18n.js';

/** Put values into fields by their dotted names; a secret only says whether it is set. Typing is never overwritten. */
export function show(form, values, { force = false } = {}) {
  if (!force && form.dataset.touched) return;
  delete form.dataset.touched;
  for (const field of fields(form)) {
    const value = at(values, field.name);
    if (value === undefined) continue;
    if (field.dataset.secret !== undefined) showSecret(field, value);
    else if (field.type === 'checkbox') field.checked = Boolean(value);
    else if (field.type === 'radio') field.checked = field.value === String(value);
    else if (field.dataset.lines !== undefined) field.value = value.join('\n');
    else field.value = value ?? '';
  }
}

function showSecret(field, value) {
  field.value = '';
  field.placeholder = value?.set ? t('secret.set') : t('secret.unset');
  const button = $(`[data-forget="${field.name}"]`, field.form);
  if (button) button.hidden = !value?.set;
}

/** What the fields say, nested as their names are. Untouched secrets are left out. */
export function read(form) {
  const found = {};
  for (const field of fields(form)) {
    if (field.disabled || field.closest('[hidden]') || (field.type === 'radio' && !field.checked)) continue;
    if (field.dataset.secret !== undefined && !field.value) continue;
    let value = field.value;
    if (field.type === 'checkbox') value = field.checked;
    else if (field.type === 'number') value = field.value === '' ? undefined : Number(field.value);
    else if (field.dataset.lines !== undefined) value = field.value.split(/\n/).map((line) => line.trim()).filter(Boolean);
    if (value !== undefined) put(found, field.name, value);
  }
  return found;
}

/** Save on submit. `save(values)` may reject with an error that has a field; a button shows that it goes on. */
export function handle(form, save, { done = () => t('saved') } = {}) {
  form.noValidate = true;
  form.addEventListener('input', () => {
    form.dataset.touched = '1';
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    clear(form);
    if (!check(form)) return;
    await busy(event.submitter ?? $('[type=submit]', form), async () => {
      try {
        const answer = await save(read(form), event.submitter);
        delete form.dataset.touched;
        const text = done(answer);
        if (text) notify(text);
      } catch (error) {
        complain(form, error);
      }
    });
  });
}

/** A secret that is set can be removed by its button. */
export function forgettable(form, remove) {
  for (const button of $$('[data-forget]', form)) {
    button.addEventListener('click', async () => {
      const sure = await confirm({ title: t('secret.forget.title'), text: t('secret.forget.text'), action: t('remove') });
      if (!sure) return;
      const values = {};
      put(values, button.dataset.forget, '');
      try {
        await remove(values);
        notify(t('saved'));
      } catch (error) {
        complain(form, error);
      }
    });
  }
}

/** One line beside the field that it is about, else below the form; the keyboard goes there. */
export function complain(form, error) {
  const name = error.field?.replace(/\.\d+$/, '');
  const field = fields(form).find((each) => each.name === name);
  if (field) mark(field, error.message);
  else {
    const line = h('p', { class: 'problem', role: 'alert', tabindex: '-1' }, error.field ? `${error.field}: ${error.message}` : error.message);
    ($('.actions', form) ?? form).before(line);
    line.focus();
  }
}

export function clear(form) {
  for (const line of $$('.problem', form)) line.remove();
  for (const field of $$('[aria-invalid]', form)) {
    field.removeAttribute('aria-invalid');
    const told = field.dataset.describedby;
    if (told) field.setAttribute('aria-describedby', told);
    else field.removeAttribute('aria-describedby');
  }
}

/** While it runs the button says so, and cannot be pressed again. */
export async function busy(button, action) {
  button?.setAttribute('aria-disabled', 'true');
  button?.classList.add('busy');
  try {
    return await action();
  } finally {
    button?.removeAttribute('aria-disabled');
    button?.classList.remove('busy');
  }
}

/** A button for something that takes a while; failures are told. */
export function button(element, action) {
  element.addEventListener('click', () => {
    if (element.getAttribute('aria-disabled')) return;
    busy(element, () => Promise.resolve(action()).catch((error) => notify(error.message, 'error')));
  });
  return element;
}

function check(form) {
  const bad = fields(form).filter((field) => !field.closest('[hidden]') && !field.disabled && !field.validity.valid);
  for (const field of bad.reverse()) mark(field, reason(field));
  return bad.length === 0;
}

function reason(field) {
  const { validity } = field;
  if (validity.valueMissing) return t('field.missing');
  if (validity.rangeUnderflow || validity.rangeOverflow) return t('field.range', { min: Number(field.min), max: Number(field.max) });
  if (validity.tooShort) return t('field.short', { count: field.minLength });
  return field.title || field.validationMessage;
}

function mark(field, text) {
  const id = `${field.id}-problem`;
  field.dataset.describedby ??= field.getAttribute('aria-describedby') ?? '';
  field.setAttribute('aria-invalid', 'true');
  field.setAttribute('aria-describedby', `${id} ${field.dataset.describedby}`.trim());
  (field.closest('.field') ?? field).append(h('p', { class: 'problem', id }, text));
  field.focus();
}

const fields = (form) => [...form.elements].filter((field) => field.name);

function at(values, name) {
  return name.split('.').reduce((found, key) => found?.[key], values);
}

function put(values, name, value) {
  const path = name.split('.');
  const last = path.pop();
  path.reduce((found, key) => (found[key] ??= {}), values)[last] = value;
}
