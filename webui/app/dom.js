/** Build elements from data. Text becomes text nodes only, so nothing that a device sends is ever markup. */
import { t } from './i18n.js';

/** @typedef {Node | string | number | boolean | null | undefined} Child */
/** @typedef {Child | Child[] | Child[][]} Children */

/**
 * Return the first match. The type is `any`, because the page's own HTML determines which element it is.
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {any}
 */
export const $ = (selector, root = document) => root.querySelector(selector);

/**
 * Return all matches.
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {any[]}
 */
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** @param {unknown} value */
const isEmpty = (value) => value === null || value === undefined || value === '';

/**
 * Create an element: h('a', { href: '/', class: 'x', onclick: act }, 'text', other).
 * Attributes and children that are null, undefined or false are left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Children} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  const nodes = /** @type {any[]} */ (children.flat(2));
  element.append(...nodes.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * Put values into the elements with data-f="name"; an empty value is shown as a dash.
 * @param {ParentNode} root
 * @param {Record<string, any>} values
 */
export function fill(root, values) {
  for (const [name, value] of Object.entries(values)) {
    for (const element of $$(`[data-f="${name}"]`, root)) {
      element.replaceChildren(...(isEmpty(value) ? [dash()] : [value].flat()));
    }
  }
}

/** Return a dash for a missing value, which screen readers read as a word. */
export function dash() {
  return h('span', { class: 'none' }, h('span', { 'aria-hidden': 'true' }, '–'), h('span', { class: 'unseen' }, t('none')));
}

/**
 * Replace the content of an element; the focus stays on the new element with the same data-key or id.
 * @param {HTMLElement} container
 * @param {...Children} nodes
 */
export function swap(container, ...nodes) {
  const active = document.activeElement;
  const key = active instanceof HTMLElement && container.contains(active) ? active.dataset.key || active.id : '';
  container.replaceChildren(.../** @type {any[]} */ (nodes.flat(2)).filter(Boolean));
  if (!key) return;
  $$('[data-key], [id]', container).find((element) => (element.dataset.key || element.id) === key)?.focus({ preventScroll: true });
}

/**
 * Set the texts of the elements with data-t, data-t-label and data-t-placeholder in the page's language.
 * @param {ParentNode} [root]
 */
export function translate(root = document) {
  for (const element of $$('[data-t]', root)) element.textContent = t(element.dataset.t);
  for (const element of $$('[data-t-label]', root)) element.setAttribute('aria-label', t(element.dataset.tLabel));
  for (const element of $$('[data-t-placeholder]', root)) element.placeholder = t(element.dataset.tPlaceholder);
}

/**
 * Return a term with its value for a <dl>.
 * @param {string} name
 * @param {...Children} value
 */
export function term(name, ...value) {
  const content = value.flat(2).filter((child) => !isEmpty(child));
  return h('div', {}, h('dt', {}, name), h('dd', {}, content.length ? content : dash()));
}

/**
 * Return a cell of a table; the label is shown where the table is too narrow for a head.
 * @param {string} label
 * @param {...Children} content
 */
export function cell(label, ...content) {
  const shown = content.flat(2).filter((child) => !isEmpty(child));
  return h('td', { role: 'cell', 'data-label': label }, shown.length ? shown : dash());
}

/**
 * Return a cell with a number, aligned as such.
 * @param {string} label
 * @param {Children} content
 */
export function numberCell(label, content) {
  const element = cell(label, content);
  element.classList.add('number');
  return element;
}

/**
 * Return the cell with the buttons of a row.
 * @param {...Children} buttons
 */
export function actionsCell(...buttons) {
  const element = cell(t('actions'), ...buttons);
  element.classList.add('acts');
  return element;
}

/** @param {...Children} cells */
export const row = (...cells) => h('tr', { role: 'row' }, ...cells);

/**
 * Return a list below its title with the number of items, open if it is short; null without items.
 * @template Item
 * @param {string} key of the title's text
 * @param {Item[]} items the first ones
 * @param {number} total
 * @param {(item: Item) => Children} render
 */
export function itemList(key, items, total, render) {
  if (!total) return null;
  const more = total - items.length;
  return h(
    'details',
    { open: items.length <= 12 },
    h('summary', {}, t(key, { count: total })),
    h('ul', {}, items.map((item) => h('li', {}, render(item))), more > 0 ? h('li', {}, t('test.more', { count: more })) : null),
  );
}

/**
 * Show a line above the page unless the text is empty.
 * @param {HTMLElement} element
 * @param {string | null} text
 */
export function showText(element, text) {
  element.hidden = !text;
  element.textContent = text ?? '';
}

/**
 * Show a notice for some seconds; screen readers read it out.
 * @param {string} text
 * @param {'ok' | 'error'} [level]
 */
export function notify(text, level = 'ok') {
  const notice = h('p', { class: `notice ${level}` }, text);
  $('#notices').append(notice);
  setTimeout(() => notice.remove(), level === 'ok' ? 6000 : 12000);
}

/**
 * Return a function that calls `action` at once, then at most once per interval; the last call is never lost.
 * @param {() => unknown} action
 * @param {number} milliseconds
 */
export function throttle(action, milliseconds) {
  /** @type {ReturnType<typeof setTimeout> | null} */
  let timer = null;
  let pending = false;
  const run = async () => {
    timer = setTimeout(() => {
      timer = null;
      if (pending) {
        pending = false;
        run();
      }
    }, milliseconds);
    await action();
  };
  return () => {
    if (timer === null) run();
    else pending = true;
  };
}
