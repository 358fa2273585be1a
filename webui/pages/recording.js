/** Record a printer's whole MIB as a file, with which support for a new model can be added. */
import { get, post, remove } from '../app/api.js';
import { $, h, swap } from '../app/dom.js';
import { button, showError, onSubmit } from '../app/form.js';
import { say, t } from '../app/i18n.js';
import { badge } from '../app/states.js';

const POLL_INTERVAL_MS = 1000; // of at most a minute; the WebSocket does not report recordings

/**
 * Connect the form, and show an existing recording.
 * @param {string} api path of the printer
 */
export async function setUpRecording(api) {
  const form = $('#record');
  const place = $('#recorded');
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const look = async () => {
    try {
      show(await get(`${api}/recording`, { background: true }));
    } catch (error) {
      showError(form, error);
    }
  };
  const show = (found) => {
    clearTimeout(timer);
    $('button', form).disabled = found.state === 'running';
    if (found.state === 'none') place.replaceChildren();
    else swap(place, ...contentOf(found));
    if (found.state === 'running') timer = setTimeout(look, POLL_INTERVAL_MS);
  };
  const forget = async () => {
    await remove(`${api}/recording`);
    show({ state: 'none' });
    $('button', form).focus();
  };
  const contentOf = (found) => {
    const file = found.state === 'done' && h('a', { class: 'button', href: `${api}/recording/file`, download: '', 'data-key': 'recording-file' }, t('record.get'));
    const end = button(h('button', { type: 'button', class: 'plain', 'data-key': 'recording-end' }, t(found.state === 'running' ? 'record.stop' : 'record.forget')), forget);
    const level = { running: 'running', failed: 'error' }[found.state] ?? (found.complete ? 'ok' : 'warning');
    return [
      h('p', {}, badge(level, t(`record.${found.state}`)), ' ', h('span', { class: 'quiet' }, t('record.objects', { count: found.objects }))),
      found.state === 'running' || found.complete ? null : h('p', {}, say(found)),
      found.state === 'done' ? h('p', { class: 'quiet' }, t(found.masked ? 'record.is.masked' : 'record.is.plain')) : null,
      h('div', { class: 'actions start' }, file, end),
    ];
  };

  onSubmit(form, async (values) => show(await post(`${api}/recording`, values)), { done: () => null });
  await look();
}
