/** A printer's whole MIB as a file, for whoever teaches the Plug a new model. */
import { get, post, remove } from '../app/api.js';
import { $, h, swap } from '../app/dom.js';
import { button, complain, handle } from '../app/form.js';
import { say, t } from '../app/i18n.js';
import { badge } from '../app/states.js';

const EVERY = 1000; // it goes on for a minute at most, and nobody calls us

/** Wire the form, and show a recording that is there already. */
export async function recording(api) {
  const form = $('#record');
  const place = $('#recorded');
  let timer = null;

  const look = async () => {
    try {
      show(await get(`${api}/recording`, { background: true }));
    } catch (error) {
      complain(form, error);
    }
  };
  const show = (found) => {
    clearTimeout(timer);
    $('button', form).disabled = found.state === 'running';
    if (found.state === 'none') place.replaceChildren();
    else swap(place, ...told(found));
    if (found.state === 'running') timer = setTimeout(look, EVERY);
  };
  const forget = async () => {
    await remove(`${api}/recording`);
    show({ state: 'none' });
    $('button', form).focus();
  };
  const told = (found) => {
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

  handle(form, async (values) => show(await post(`${api}/recording`, values)), { done: () => null });
  await look();
}
