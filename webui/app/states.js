/** States in shape, colour and words; levels as bars that say only what is known. */
import { h } from './dom.js';
import { number, percent } from './format.js';
import { t, word } from './i18n.js';
import { icon } from './icons.js';

/** A word with its sign. `level` is one of ok, warning, error, silent, ignored, info, off, running, unknown. */
export function badge(level, text) {
  return h('span', { class: `badge ${level}` }, icon(level), h('span', {}, text));
}

export const printerState = (state) => badge(state, word('state', state));

/** How badly somebody is needed. */
const SUPPLY_LEVELS = { empty: 'error', full: 'error', low: 'warning', 'nearly-full': 'warning' };

export const supplyLevel = (state) => SUPPLY_LEVELS[state] ?? (state === 'unknown' ? 'unknown' : 'ok');

/** A bar: full, partly, or hatched where nobody knows; the words beside it say the same. */
export function bar(share, { state = 'ok', color = null, text }) {
  const known = share !== null && share !== undefined;
  const shape = known ? '' : state === 'some-left' ? ' some' : ' vague';
  const track = h('span', { class: `bar ${supplyLevel(state)}${shape}${COLORS.includes(color) ? ` ${color}` : ''}`, 'aria-hidden': 'true' }, h('span', {}));
  if (known) track.firstChild.style.setProperty('--share', String(share));
  return h('span', { class: 'level' }, track, h('span', { class: 'level-text' }, text));
}

const COLORS = ['black', 'cyan', 'magenta', 'yellow', 'red', 'green', 'blue', 'white'];

/** The colour of a supply: a dot with its name. */
export function swatch(color) {
  if (!color || color === 'other') return null;
  const name = color.toLowerCase();
  return h('span', { class: 'swatch-name' }, h('span', { class: `swatch ${COLORS.includes(name) ? name : 'other'}`, 'aria-hidden': 'true' }), word('color', name));
}

/** What there is to say of a supply's level, in words. */
export function supplyText(supply) {
  if (supply.percent === null) return word('supply-state', supply.state);
  const share = percent(supply.percent);
  if (supply.kind === 'filled') return t('supply.filled', { share, state: stateWords(supply.state) });
  return t('supply.left', { share, state: stateWords(supply.state) });
}

const stateWords = (state) => (state === 'ok' ? '' : ` · ${word('supply-state', state)}`);

/** The lowest supply of a printer, for one line of a table. Its percent is what is left. */
export function lowestSupply(low) {
  if (!low) return null;
  const name = low.description || (low.color && word('color', low.color)) || t('supply');
  const text = low.state === 'ok' ? percent(low.percent) : `${percent(low.percent)} · ${word('supply-state', low.state)}`;
  return [bar(low.percent, { state: low.state, color: low.kind === 'consumed' ? low.color : null, text }), h('span', { class: 'quiet clip', title: name }, name)];
}

/** An amount of Printer-MIB: a number with its unit, or the word for what is said instead. */
export function amount(value, unit = null) {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'number') return word('amount', value);
  return unit && unit !== 'other' && unit !== 'unknown' ? `${whole(value, unit)} ${word('unit', unit)}` : number(value);
}

/** Units that are a fraction of what people measure in: so many make one. */
const FRACTIONS = { tenthsOfGrams: 10, tenthsOfMilliliters: 10, hundrethsOfFluidOunces: 100, thousandthsOfOunces: 1000, tenThousandthsOfInches: 10_000 };

/** The number of an amount in the unit whose word stands beside it. */
export function whole(value, unit = null) {
  return FRACTIONS[unit] ? number(value / FRACTIONS[unit], 1) : number(value);
}

export const errors = (names) => names.map((name) => word('error', name)).join(', ');

const LICENCE = { valid: 'ok', ending: 'warning', early: 'warning', requested: 'info', none: 'off' };

export const licenceState = (state) => badge(LICENCE[state] ?? 'error', word('licence', state));
