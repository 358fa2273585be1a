/** The Plug's API: JSON in, JSON out, every failure one line for a person. */
import { render, t } from './i18n.js';

export class ApiError extends Error {
  constructor(status, { error, field, code, message } = {}) {
    super(error ? line(error, field, message) : t('error.status', { status: String(status) }));
    this.status = status;
    this.field = field;
    this.code = code;
  }
}

/** What is wrong; of a field without its name, as the line stands beside it. */
function line(error, field, message) {
  const problem = field && message?.params.problem;
  if (!problem) return render(error, message);
  const text = typeof problem === 'object' ? render(problem.text, problem) : problem;
  return error.endsWith('.') && !/[.?]$/.test(text) ? `${text}.` : text;
}

/** Ask; gives the JSON, null where there is none. `background`: no person asked, so the session may become idle. `patience`: milliseconds, where the Plug may be gone. */
export async function ask(method, path, body, { background = false, raw = false, patience = 0 } = {}) {
  const headers = { Accept: 'application/json' };
  if (background) headers['PrintMonitor-Background'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: patience ? AbortSignal.timeout(patience) : undefined });
  } catch {
    throw new ApiError(0, { error: t('error.away') });
  }
  if (response.ok) return raw ? response : response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({}));
  if (problem.code === 'login') leave(`/login?next=${encodeURIComponent(location.pathname)}`);
  if (problem.code === 'password-change') leave('/password');
  throw new ApiError(response.status, problem);
}

export const get = (path, options) => ask('GET', path, undefined, options);
export const post = (path, body) => ask('POST', path, body);
export const put = (path, body) => ask('PUT', path, body);
export const patch = (path, body) => ask('PATCH', path, body);
export const remove = (path) => ask('DELETE', path);

/** Keep what the Plug answers as a file. */
export async function download(method, path, body) {
  const response = await ask(method, path, body, { raw: true });
  const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'download';
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function leave(place) {
  location.assign(place);
}
