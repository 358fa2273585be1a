/** Elements from data. Text becomes text nodes and nothing else: nothing that a device says is ever markup. */
import { t } from './i18n.js';

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** An element: h('a', { href: '/', class: 'x', onclick: act }, 'text', other). Null children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A copy of a <template>'s one element. */
export function clone(id) {
  return $(`#${id}`).content.firstElementChild.cloneNode(true);
}

/** Put text into the elements with data-f="name"; null shows a dash that screen readers pass over. */
export function fill(root, values) {
  for (const [name, value] of Object.entries(values)) {
    for (const place of $$(`[data-f="${name}"]`, root)) {
      place.replaceChildren(...(value === null || value === undefined || value === '' ? [dash()] : [value].flat()));
    }
  }
  return root;
}

export function dash() {
  return h('span', { class: 'none' }, h('span', { 'aria-hidden': 'true' }, '–'), h('span', { class: 'unseen' }, t('none')));
}

/** Replace what is in a container; whoever had the keyboard there keeps it, by data-key or id. */
export function swap(container, ...nodes) {
  const active = container.contains(document.activeElement) ? document.activeElement : null;
  const key = active && (active.dataset.key || active.id);
  container.replaceChildren(...nodes.flat(2).filter(Boolean));
  if (!key) return;
  const again = $$('[data-key], [id]', container).find((each) => (each.dataset.key || each.id) === key);
  if (again) again.focus({ preventScroll: true });
}

/** Texts of the page's own language into elements with data-t, data-t-label, data-t-placeholder. */
export function translate(root = document) {
  for (const element of $$('[data-t]', root)) element.textContent = t(element.dataset.t);
  for (const element of $$('[data-t-label]', root)) element.setAttribute('aria-label', t(element.dataset.tLabel));
  for (const element of $$('[data-t-placeholder]', root)) element.placeholder = t(element.dataset.tPlaceholder);
  for (const template of $$('template', root)) translate(template.content);
}

/** A term with its value, for a <dl>. */
export function term(name, ...value) {
  const there = value.flat().filter((each) => each !== null && each !== undefined && each !== '');
  return h('div', {}, h('dt', {}, name), h('dd', {}, there.length ? there : dash()));
}

/** A cell of a table; the label names it where the table is too narrow for a head. */
export function cell(label, ...content) {
  const there = content.flat().filter((each) => each !== null && each !== undefined && each !== '');
  return h('td', { role: 'cell', 'data-label': label }, there.length ? there : dash());
}

export const row = (...cells) => h('tr', { role: 'row' }, ...cells);

/** Say something to everybody: shown for a while, and read out. */
export function notify(text, level = 'ok') {
  const box = $('#notices');
  const notice = h('p', { class: `notice ${level}` }, text);
  box.append(notice);
  setTimeout(() => notice.remove(), level === 'ok' ? 6000 : 12000);
}

/** Call a function now, and at most so often: the last of many calls in a row is never lost. */
export function calm(action, milliseconds) {
  let timer = null;
  let again = false;
  const run = async () => {
    timer = setTimeout(() => {
      timer = null;
      if (again) {
        again = false;
        run();
      }
    }, milliseconds);
    await action();
  };
  return () => {
    if (timer === null) run();
    else again = true;
  };
}
