/** Numbers, times and sizes as people here write them. */
import { h } from './dom.js';
import { locale, t } from './i18n.js';

let zone = 'UTC';
const made = new Map();

/** Times are the Plug's, wherever the browser is. */
export function useZone(name) {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    zone = name;
  } catch {
    zone = 'UTC';
  }
  made.clear();
}

function maker(kind, options) {
  const key = JSON.stringify([kind.name, locale, options]);
  if (!made.has(key)) made.set(key, new kind(locale, options));
  return made.get(key);
}

export const number = (value, digits = 0) =>
  maker(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value);

export const percent = (value, digits = 0) =>
  maker(Intl.NumberFormat, { style: 'percent', maximumFractionDigits: digits }).format(value / 100);

export function bytes(value) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let place = 0;
  let size = value;
  while (size >= 1000 && place < units.length - 1) {
    size /= 1000;
    place += 1;
  }
  const options = { style: 'unit', unit: units[place], unitDisplay: place ? 'short' : 'long' };
  return maker(Intl.NumberFormat, { ...options, maximumFractionDigits: size < 10 && place ? 1 : 0 }).format(size);
}

export const seconds = (value) =>
  maker(Intl.NumberFormat, { style: 'unit', unit: 'second', unitDisplay: 'short', maximumFractionDigits: 2 }).format(value);

export const celsius = (value) =>
  maker(Intl.NumberFormat, { style: 'unit', unit: 'celsius', maximumFractionDigits: 0 }).format(value);

/** Days, hours or minutes: the largest that says something. */
export function duration(value) {
  const [size, unit] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']].find(([each]) => value >= each) ?? [1, 'second'];
  return maker(Intl.NumberFormat, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.floor(value / size));
}

/** A calendar day as "2026-04-12" is the same day in every zone. */
export const day = (text) =>
  maker(Intl.DateTimeFormat, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(`${text}T00:00:00Z`));

export const dateTime = (iso) =>
  maker(Intl.DateTimeFormat, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(new Date(iso));

export const exact = (iso) =>
  maker(Intl.DateTimeFormat, { dateStyle: 'full', timeStyle: 'long', timeZone: zone }).format(new Date(iso));

export const clock = (iso) =>
  maker(Intl.DateTimeFormat, { timeStyle: 'medium', timeZone: zone }).format(new Date(iso));

/** For a chart's axis: `seconds` since 1970 with the parts that are wanted. */
export const tick = (value, options) =>
  maker(Intl.DateTimeFormat, { ...options, timeZone: zone }).format(new Date(value * 1000));

export function relative(iso) {
  const passed = (new Date(iso) - Date.now()) / 1000;
  const [size, unit] = [[31557600, 'year'], [2629800, 'month'], [86400, 'day'], [3600, 'hour'], [60, 'minute']]
    .find(([each]) => Math.abs(passed) >= each) ?? [1, 'second'];
  if (unit === 'second') return t('now');
  return maker(Intl.RelativeTimeFormat, { numeric: 'auto' }).format(Math.round(passed / size), unit);
}

/** A moment: as a date, or as "3 hours ago" with the date beside it for whoever points at it. */
export function moment(iso, { ago = false } = {}) {
  if (!iso) return null;
  return h('time', { datetime: iso, title: exact(iso) }, ago ? relative(iso) : dateTime(iso));
}

/** 0026730D35EF as 00:26:73:0D:35:EF. */
export const mac = (value) => (value ? value.replace(/(..)(?=.)/g, '$1:') : null);

/** "15m" taken apart. */
export function interval(text) {
  const found = /^(\d+)([smhd])$/.exec(text);
  return found ? { amount: Number(found[1]), unit: found[2] } : { amount: 1, unit: 'h' };
}

export function every(text) {
  const { amount, unit } = interval(text);
  const name = { s: 'second', m: 'minute', h: 'hour', d: 'day' }[unit];
  return maker(Intl.NumberFormat, { style: 'unit', unit: name, unitDisplay: 'long' }).format(amount);
}
