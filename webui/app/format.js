/** Format numbers, times and sizes for the page's language and the Plug's time zone. */
import { h } from './dom.js';
import { locale, t } from './i18n.js';

let zone = 'UTC';
const formatters = new Map();

/**
 * Show times in this zone: the Plug's, which may differ from the browser's.
 * @param {string} name
 */
export function useZone(name) {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    zone = name;
  } catch {
    zone = 'UTC';
  }
  formatters.clear();
}

/**
 * Return a formatter of Intl, each created once: that is slow.
 * @param {any} kind
 * @param {object} options
 */
function formatter(kind, options) {
  const key = JSON.stringify([kind.name, locale, options]);
  if (!formatters.has(key)) formatters.set(key, new kind(locale, options));
  return formatters.get(key);
}

/** @type {(value: number, digits?: number) => string} */
export const number = (value, digits = 0) =>
  formatter(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value);

/** @type {(value: number, digits?: number) => string} 0 to 100 */
export const percent = (value, digits = 0) =>
  formatter(Intl.NumberFormat, { style: 'percent', maximumFractionDigits: digits }).format(value / 100);

/**
 * Return a size in the largest unit that fits, such as "1.2 MB".
 * @param {number} value
 * @returns {string}
 */
export function bytes(value) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let index = 0;
  let size = value;
  while (size >= 1000 && index < units.length - 1) {
    size /= 1000;
    index += 1;
  }
  const options = { style: 'unit', unit: units[index], unitDisplay: index ? 'short' : 'long' };
  return formatter(Intl.NumberFormat, { ...options, maximumFractionDigits: size < 10 && index ? 1 : 0 }).format(size);
}

/** @type {(value: number) => string} */
export const seconds = (value) =>
  formatter(Intl.NumberFormat, { style: 'unit', unit: 'second', unitDisplay: 'short', maximumFractionDigits: 2 }).format(value);

/** @type {(value: number) => string} */
export const celsius = (value) =>
  formatter(Intl.NumberFormat, { style: 'unit', unit: 'celsius', maximumFractionDigits: 0 }).format(value);

/** @type {[number, string][]} lengths in seconds */
const UNITS = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
/** @type {[number, string][]} */
const CALENDAR_UNITS = [[31557600, 'year'], [2629800, 'month'], ...UNITS];

/**
 * Return a duration in seconds as days, hours, minutes or seconds: in the largest unit that fits.
 * @param {number} value
 * @returns {string}
 */
export function duration(value) {
  const [size, unit] = UNITS.find(([length]) => value >= length) ?? [1, 'second'];
  return formatter(Intl.NumberFormat, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.floor(value / size));
}

/** @type {(text: string) => string} of a calendar day such as "2026-04-12", which is the same day in every zone */
export const day = (text) =>
  formatter(Intl.DateTimeFormat, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(`${text}T00:00:00Z`));

/** @type {(iso: string) => string} */
export const dateTime = (iso) =>
  formatter(Intl.DateTimeFormat, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(new Date(iso));

/** @type {(iso: string) => string} with the time zone */
export const exact = (iso) =>
  formatter(Intl.DateTimeFormat, { dateStyle: 'full', timeStyle: 'long', timeZone: zone }).format(new Date(iso));

/** @type {(value: number, options: Intl.DateTimeFormatOptions) => string} for the axis of a chart; `value` in seconds since 1970 */
export const tick = (value, options) =>
  formatter(Intl.DateTimeFormat, { ...options, timeZone: zone }).format(new Date(value * 1000));

/**
 * Return how long ago a time is, such as "3 hours ago".
 * @param {string} iso
 * @returns {string}
 */
export function relative(iso) {
  const passed = (new Date(iso).getTime() - Date.now()) / 1000;
  const [size, unit] = CALENDAR_UNITS.find(([length]) => Math.abs(passed) >= length) ?? [1, 'second'];
  if (unit === 'second') return t('now');
  return formatter(Intl.RelativeTimeFormat, { numeric: 'auto' }).format(Math.round(passed / size), unit);
}

/**
 * Return a <time> with the date, or with "3 hours ago"; the exact time is its tooltip.
 * @param {string | null | undefined} iso
 * @param {{ ago?: boolean }} [options]
 */
export function moment(iso, { ago = false } = {}) {
  if (!iso) return null;
  return h('time', { datetime: iso, title: exact(iso) }, ago ? relative(iso) : dateTime(iso));
}

/** @type {(value: string | null) => string | null} returns 0026730D35EF as 00:26:73:0D:35:EF */
export const mac = (value) => (value ? value.replace(/(..)(?=.)/g, '$1:') : null);

/**
 * Parse an interval such as "15m".
 * @param {string} text
 */
export function interval(text) {
  const match = /^(\d+)([smhd])$/.exec(text);
  return match ? { amount: Number(match[1]), unit: match[2] } : { amount: 1, unit: 'h' };
}

/**
 * Return an interval such as "15m" in words.
 * @param {string} text
 * @returns {string}
 */
export function every(text) {
  const { amount, unit } = interval(text);
  const name = new Map([['s', 'second'], ['m', 'minute'], ['h', 'hour'], ['d', 'day']]).get(unit);
  return formatter(Intl.NumberFormat, { style: 'unit', unit: name, unitDisplay: 'long' }).format(amount);
}
