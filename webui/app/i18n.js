/** The page's language: its own words, and the messages of the Plug by their codes. */

/**
 * @typedef {object} Message A text of the Plug by its code.
 * @property {string} code
 * @property {string} text in English
 * @property {Record<string, string | number | Message>} params by name; a Message is a text within the text
 */

export const LANGUAGES = ['en', 'de'];
const CHOICE = 'printmonitor-language';

export let language = 'en';
export let locale = 'en';
/** @type {Record<string, string>} */
let words = {};
/** @type {Record<string, string | Record<string, string>>} */
let messages = {};
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
    wanted === 'en' ? {} : load(`/i18n/messages.${wanted}.json`),
  ]);
  language = wanted;
  locale = navigator.languages.find((tag) => tag.toLowerCase().startsWith(wanted)) ?? wanted;
  words = spelled(found);
  messages = spelled(known);
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
 * A text of the Plug in the page's language: the API gives the English text under `key`, and code and parameters of it
 * under `${key}_message`, unless the text is another device's or from before there were codes.
 * @param {Record<string, any>} record
 * @returns {string}
 */
export function say(record, key = 'text') {
  return render(record[key], record[`${key}_message`]);
}

/**
 * The same of a list of texts.
 * @param {Record<string, any>} record
 * @param {string} key
 * @returns {string[]}
 */
export function sayAll(record, key) {
  return record[key].map((text, index) => render(text, record[`${key}_message`]?.[index]));
}

/**
 * Return the message in the page's language, `text` where its code is not known.
 * @param {string} text in English
 * @param {Message} [message]
 * @returns {string}
 */
export function render(text, message) {
  const found = message && messages[message.code];
  if (!found) return text;
  const { params } = message;
  const template = typeof found === 'string' ? found : found[params.count === 1 ? 'one' : 'other'];
  return template.replace(/\{(\w+)(?::(\w))?\}/g, (whole, name, style) => (name in params ? shown(params[name], style) : whole));
}

/**
 * A parameter: n groups the digits of a number, s makes a sentence of a text, d only ends it with a full stop.
 * @param {string | number | Message} value
 * @param {string} [style]
 * @returns {string}
 */
function shown(value, style) {
  if (style === 'n' && typeof value === 'number') return new Intl.NumberFormat(locale).format(value);
  let text = value && typeof value === 'object' ? render(value.text, value) : String(value);
  if (style === 's') text = text.charAt(0).toUpperCase() + text.slice(1);
  return (style === 's' || style === 'd') && !/[.?]$/.test(text) ? `${text}.` : text;
}

/** Texts as they are spelled where they are read: Switzerland writes ss for ß, and its own quotation marks. */
function spelled(texts) {
  if (locale.toLowerCase() !== 'de-ch') return texts;
  return JSON.parse(JSON.stringify(texts).replaceAll('ß', 'ss').replaceAll('„', '«').replaceAll('“', '»'));
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(path);
  return response.json();
}
