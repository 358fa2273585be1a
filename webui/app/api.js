/** Call the Plug's JSON API; every failure is an ApiError with a message for people. */
import { render, t } from './i18n.js';

/**
 * @typedef {object} Problem An error as the API describes it.
 * @property {string} [error] message for people
 * @property {string} [field] dotted name of the field that it is about
 * @property {string} [code] for programs
 * @property {import('./i18n.js').Message} [message] code and parameters of the error's text
 */

/**
 * @typedef {object} RequestOptions
 * @property {boolean} [background] not caused by the user: does not keep the session alive
 * @property {boolean} [raw] return the Response instead of its JSON
 * @property {number} [timeout] in milliseconds; 0: none
 */

/** The API refused a request, or could not be reached (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status of HTTP
   * @param {Problem} [problem]
   */
  constructor(status, { error, field, code, message } = {}) {
    super(error ? problemText(error, field, message) : t('error.status', { status: String(status) }));
    this.status = status;
    this.field = field;
    this.code = code;
  }
}

/**
 * Return an error in the page's language; that of a field without the field's name, as it is shown beside the field.
 * @param {string} error in English
 * @param {string} [field] dotted name
 * @param {import('./i18n.js').Message} [message]
 */
function problemText(error, field, message) {
  const problem = field && message?.params.problem;
  if (!problem) return render(error, message);
  const text = typeof problem === 'object' ? render(problem.text, problem) : String(problem);
  return error.endsWith('.') && !/[.?]$/.test(text) ? `${text}.` : text;
}

/** An error of the page itself that belongs to a field of a form, as an ApiError may. */
export class FieldError extends Error {
  /**
   * @param {string} field dotted name
   * @param {string} message for people
   */
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/**
 * Send a request and return the JSON of the answer, null if it has none.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {RequestOptions} [options]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function request(method, path, body, { background = false, raw = false, timeout = 0 } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json' };
  if (background) headers['PrintMonitor-Background'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const signal = timeout ? AbortSignal.timeout(timeout) : undefined;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch {
    throw new ApiError(0, { error: t('error.away') });
  }
  if (response.ok) {
    if (raw) return response;
    return response.status === 204 ? null : response.json();
  }
  const problem = await response.json().catch(() => ({}));
  if (problem.code === 'login') navigate(`/login?next=${encodeURIComponent(location.pathname)}`);
  if (problem.code === 'password-change') navigate('/password');
  throw new ApiError(response.status, problem);
}

/** @type {(path: string, options?: RequestOptions) => Promise<any>} */
export const get = (path, options) => request('GET', path, undefined, options);
/** @type {(path: string, body?: unknown) => Promise<any>} */
export const post = (path, body) => request('POST', path, body);
/** @type {(path: string, body?: unknown) => Promise<any>} */
export const put = (path, body) => request('PUT', path, body);
/** @type {(path: string, body?: unknown) => Promise<any>} */
export const patch = (path, body) => request('PATCH', path, body);
/** @type {(path: string) => Promise<any>} */
export const remove = (path) => request('DELETE', path);

/**
 * Save the answer to a request as a file.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 */
export async function download(method, path, body) {
  const response = await request(method, path, body, { raw: true });
  const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'download';
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Go to another page.
 * @param {string} path
 */
export function navigate(path) {
  location.assign(path);
}
