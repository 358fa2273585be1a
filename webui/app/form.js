/** Connect forms with the API: fields have the API's names, and each error is shown beside its field. */
import { $, $$, h, notify } from './dom.js';
import { confirm } from './dialog.js';
import { t } from './i18n.js';

/**
 * Put values into the fields with their dotted names; for a secret show only whether it is set.
 * A form that the user has changed is left alone unless `force` is set.
 * @param {HTMLFormElement} form
 * @param {any} values JSON of the API
 * @param {{ force?: boolean }} [options]
 */
export function show(form, values, { force = false } = {}) {
  if (!force && form.dataset.touched) return;
  delete form.dataset.touched;
  for (const field of fields(form)) {
    const value = valueAt(values, field.name);
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
  const removal = $(`[data-forget="${field.name}"]`, field.form);
  if (removal) removal.hidden = !value?.set;
}

/**
 * Return the values of the fields, nested by their dotted names. Hidden fields and empty secrets are left out.
 * @param {HTMLFormElement} form
 * @returns {any}
 */
export function read(form) {
  const values = {};
  for (const field of fields(form)) {
    if (field.disabled || field.closest('[hidden]') || (field.type === 'radio' && !field.checked)) continue;
    if (field.dataset.secret !== undefined && !field.value) continue;
    let value = field.value;
    if (field.type === 'checkbox') value = field.checked;
    else if (field.type === 'number') value = field.value === '' ? undefined : Number(field.value);
    else if (field.dataset.lines !== undefined) value = field.value.split(/\n/).map((line) => line.trim()).filter(Boolean);
    if (value !== undefined) setValueAt(values, field.name, value);
  }
  return values;
}

/**
 * Save a form when it is submitted, show errors beside their fields, then a notice with the text of `done`.
 * @param {HTMLFormElement} form
 * @param {(values: any) => Promise<any>} save
 * @param {{ done?: (answer: any) => string | null | undefined }} [options] without a text there is no notice
 */
export function onSubmit(form, save, { done = () => t('saved') } = {}) {
  form.noValidate = true;
  form.addEventListener('input', () => {
    form.dataset.touched = '1';
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    clear(form);
    if (!validate(form)) return;
    await busy(event.submitter ?? $('[type=submit]', form), async () => {
      try {
        const answer = await save(read(form));
        delete form.dataset.touched;
        const text = done(answer);
        if (text) notify(text);
      } catch (error) {
        showError(form, error);
      }
    });
  });
}

/**
 * Let the buttons with data-forget="name" remove that secret, after a confirmation.
 * @param {HTMLFormElement} form
 * @param {(values: any) => Promise<void>} save
 */
export function enableSecretRemoval(form, save) {
  for (const removal of $$('[data-forget]', form)) {
    removal.addEventListener('click', async () => {
      const confirmed = await confirm({ title: t('secret.forget.title'), text: t('secret.forget.text'), action: t('remove') });
      if (!confirmed) return;
      const values = {};
      setValueAt(values, removal.dataset.forget, '');
      try {
        await save(values);
        notify(t('saved'));
      } catch (error) {
        showError(form, error);
      }
    });
  }
}

/**
 * Show only the parts whose data-needs names one of these choices; hidden fields are not sent.
 * @param {HTMLFormElement} form
 * @param {string[]} choices
 */
export function showParts(form, choices) {
  for (const part of $$('[data-needs]', form)) {
    part.hidden = !part.dataset.needs.split(' ').some((need) => choices.includes(need));
  }
}

/**
 * Show an error beside its field, or below the form if it has none, and focus it.
 * @param {HTMLFormElement} form
 * @param {Error & { field?: string }} error
 */
export function showError(form, error) {
  const name = error.field?.replace(/\.\d+$/, '');
  const field = fields(form).find((candidate) => candidate.name === name);
  if (field) {
    mark(field, error.message);
    return;
  }
  const line = h('p', { class: 'problem', role: 'alert', tabindex: '-1' }, error.field ? `${error.field}: ${error.message}` : error.message);
  ($('.actions', form) ?? form).before(line);
  line.focus();
}

/**
 * Remove the errors of a form.
 * @param {HTMLFormElement} form
 */
export function clear(form) {
  for (const line of $$('.problem', form)) line.remove();
  for (const field of $$('[aria-invalid]', form)) {
    field.removeAttribute('aria-invalid');
    const hint = field.dataset.describedby;
    if (hint) field.setAttribute('aria-describedby', hint);
    else field.removeAttribute('aria-describedby');
  }
}

/**
 * Mark a button as busy, and ignore clicks on it, until an action has ended.
 * @template Result
 * @param {HTMLElement | null} element
 * @param {() => Promise<Result>} action
 */
export async function busy(element, action) {
  element?.setAttribute('aria-disabled', 'true');
  element?.classList.add('busy');
  try {
    return await action();
  } finally {
    element?.removeAttribute('aria-disabled');
    element?.classList.remove('busy');
  }
}

/**
 * Let a button start an action, which may take a while; its failure becomes a notice.
 * @template {HTMLElement} Button
 * @param {Button} element
 * @param {() => unknown} action
 */
export function button(element, action) {
  element.addEventListener('click', () => {
    if (element.getAttribute('aria-disabled')) return;
    busy(element, () => Promise.resolve(action()).catch((error) => notify(error.message, 'error')));
  });
  return element;
}

/**
 * Write an interval setting such as "15m" from its two fields; an error of it belongs to the field of the amount.
 * @param {any} values with amount, unit and discover_at
 * @param {(values: any) => Promise<any>} save
 */
export async function saveSchedule({ amount, unit, discover_at: times }, save) {
  try {
    return await save({ query_every: `${amount}${unit}`, discover_at: times.split(/[\s,;]+/).filter(Boolean) });
  } catch (error) {
    if (error.field === 'query_every') error.field = 'amount';
    throw error;
  }
}

function validate(form) {
  const invalid = fields(form).filter((field) => !field.closest('[hidden]') && !field.disabled && !field.validity.valid);
  for (const field of invalid.reverse()) mark(field, reason(field)); // the first one last, which keeps the focus
  return invalid.length === 0;
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

/** @returns {any[]} */
const fields = (form) => [...form.elements].filter((field) => field.name);

function valueAt(values, name) {
  return name.split('.').reduce((value, key) => value?.[key], values);
}

function setValueAt(values, name, value) {
  const path = name.split('.');
  const last = path.pop();
  path.reduce((object, key) => (object[key] ??= {}), values)[last] = value;
}
