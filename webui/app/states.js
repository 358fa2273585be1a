/** Show states as badges with an icon, a colour and a word, and levels as bars. */
import { h } from './dom.js';
import { number, percent } from './format.js';
import { t, word } from './i18n.js';
import { icon } from './icons.js';

/** @typedef {'ok' | 'warning' | 'error' | 'silent' | 'ignored' | 'info' | 'off' | 'running' | 'unknown'} Level */

/**
 * Return a word with the icon and colour of a level.
 * @param {string} level a Level
 * @param {import('./dom.js').Child} text
 */
export function badge(level, text) {
  return h('span', { class: `badge ${level}` }, icon(level), h('span', {}, text));
}

/** @type {(state: string) => HTMLElement} */
export const printerState = (state) => badge(state, word('state', state));

const SUPPLY_LEVELS = { empty: 'error', full: 'error', low: 'warning', 'nearly-full': 'warning' };

/** @type {(state: string) => string} returns a Level */
export const supplyLevel = (state) => SUPPLY_LEVELS[state] ?? (state === 'unknown' ? 'unknown' : 'ok');

/**
 * Return a bar beside its text; it is hatched if the level is unknown.
 * @param {number | null | undefined} share 0 to 100
 * @param {{ state?: string, color?: string | null, text: import('./dom.js').Child }} options
 */
export function bar(share, { state = 'ok', color = null, text }) {
  const known = share !== null && share !== undefined;
  const shape = known ? '' : state === 'some-left' ? ' some' : ' vague';
  const filled = h('span', {});
  const track = h('span', { class: `bar ${supplyLevel(state)}${shape}${color && COLORS.includes(color) ? ` ${color}` : ''}`, 'aria-hidden': 'true' }, filled);
  if (known) filled.style.setProperty('--share', String(share));
  return h('span', { class: 'level' }, track, h('span', { class: 'level-text' }, text));
}

const COLORS = ['black', 'cyan', 'magenta', 'yellow', 'red', 'green', 'blue', 'white'];

/**
 * Return a dot in the colour of a supply, with its name.
 * @param {string | null | undefined} color
 */
export function swatch(color) {
  if (!color || color === 'other') return null;
  const name = color.toLowerCase();
  return h('span', { class: 'swatch-name' }, h('span', { class: `swatch ${COLORS.includes(name) ? name : 'other'}`, 'aria-hidden': 'true' }), word('color', name));
}

/**
 * Return the level of a supply in words.
 * @param {any} supply
 */
export function supplyText(supply) {
  if (supply.percent === null) return word('supply-state', supply.state);
  const share = percent(supply.percent);
  if (supply.kind === 'filled') return t('supply.filled', { share, state: stateWords(supply.state) });
  return t('supply.left', { share, state: stateWords(supply.state) });
}

const stateWords = (state) => (state === 'ok' ? '' : ` · ${word('supply-state', state)}`);

/**
 * Return the lowest supply of a printer for a cell of a table.
 * @param {any} low its percent is the remaining share
 */
export function lowestSupply(low) {
  if (!low) return null;
  const name = low.description || (low.color && word('color', low.color)) || t('supply');
  const text = low.state === 'ok' ? percent(low.percent) : `${percent(low.percent)} · ${word('supply-state', low.state)}`;
  return [bar(low.percent, { state: low.state, color: low.kind === 'consumed' ? low.color : null, text }), h('span', { class: 'quiet clip', title: name }, name)];
}

/**
 * Return an amount of Printer-MIB: a number with its unit, or the word that stands for it.
 * @param {number | string | null | undefined} value
 * @param {string | null} [unit]
 */
export function amount(value, unit = null) {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'number') return word('amount', value);
  return unit && unit !== 'other' && unit !== 'unknown' ? `${whole(value, unit)} ${word('unit', unit)}` : number(value);
}

/** @type {Record<string, number>} how many of a unit make one of the unit that is shown */
const FRACTIONS = { tenthsOfGrams: 10, tenthsOfMilliliters: 10, hundrethsOfFluidOunces: 100, thousandthsOfOunces: 1000, tenThousandthsOfInches: 10_000 };

/**
 * Return the number of an amount in the unit that is shown.
 * @param {number} value
 * @param {string | null} [unit]
 */
export function whole(value, unit = null) {
  const fraction = unit && FRACTIONS[unit];
  return fraction ? number(value / fraction, 1) : number(value);
}

/** @type {(names: string[]) => string} */
export const errors = (names) => names.map((name) => word('error', name)).join(', ');

const LICENCE = { valid: 'ok', ending: 'warning', early: 'warning', requested: 'info', none: 'off' };

/** @type {(state: string) => HTMLElement} */
export const licenceState = (state) => badge(LICENCE[state] ?? 'error', word('licence', state));
