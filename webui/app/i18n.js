/** The page's language: its words, and the Plug's own lines where they are known. */

export const LANGUAGES = ['en', 'de'];
const CHOICE = 'printmonitor-language';

export let language = 'en';
export let locale = 'en';
let words = {};
let lines = [];
let plural = new Intl.PluralRules('en');

/** What a person chose here, else the Plug's setting where it is not the default, else what the browser prefers. */
export function preferred(setting) {
  const chosen = localStorage.getItem(CHOICE);
  if (chosen && LANGUAGES.includes(chosen)) return chosen;
  if (setting && setting !== 'en') return setting;
  const liked = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return liked.find((tag) => LANGUAGES.includes(tag)) ?? 'en';
}

export function choose(chosen) {
  localStorage.setItem(CHOICE, chosen);
}

export async function speak(wanted) {
  const [found, known] = await Promise.all([
    load(`/i18n/${wanted}.json`),
    wanted === 'en' ? [] : load(`/i18n/lines.${wanted}.json`),
  ]);
  words = found;
  lines = Object.entries(known)
    .sort(([one], [other]) => own(other) - own(one))
    .map(([line, translation]) => [pattern(line), translation]);
  language = wanted;
  locale = navigator.languages.find((tag) => tag.toLowerCase().startsWith(wanted)) ?? wanted;
  plural = new Intl.PluralRules(locale);
  document.documentElement.lang = wanted;
}

/** A text by its key; {name} is replaced, and `count` chooses between key#one and key#other. */
export function t(key, values = {}) {
  const counted = 'count' in values ? `${key}#${plural.select(Number(values.count))}` : key;
  const text = words[counted] ?? words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return typeof value === 'number' ? new Intl.NumberFormat(locale).format(value) : (value ?? whole);
  });
}

/** The word for a value of the API, the value itself where there is none. */
export function word(group, value) {
  return words[`${group}.${value}`] ?? String(value);
}

/**
 * A line that the Plug wrote, in the page's language where it is a known one; with or without its full stop.
 * The one with the most words of its own that fits counts. {say:0} in a translation: that part is a line of the Plug, too.
 */
export function say(line) {
  const stop = /[^.]\.$/.test(line) ? '.' : '';
  const bare = stop ? line.slice(0, -1) : line;
  for (const [known, translation] of lines) {
    const found = known.exec(bare);
    if (!found) continue;
    const text = translation.replace(/\{(say:)?(\d)\}/g, (_, ours, place) => (ours ? say(found[Number(place) + 1]) : found[Number(place) + 1])) + stop;
    return /^\p{Lu}/u.test(bare) ? text[0].toUpperCase() + text.slice(1) : text;
  }
  return line;
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(path);
  return response.json();
}

/** How much of a line is always the same. */
const own = (line) => line.replace(/\{\d\}/g, '').length;

/** "Port {0} opens." as a pattern. */
function pattern(line) {
  const parts = line.split(/\{\d\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('(.*?)')}$`, 'is');
}
