/** Configure and test the transmission, and show the outbox. */
import { get, patch, post } from '../app/api.js';
import { $, actionsCell, cell, h, notify, numberCell, row, swap, term, throttle } from '../app/dom.js';
import { button, enableSecretRemoval, onSubmit, show, showParts } from '../app/form.js';
import { bytes, moment, number } from '../app/format.js';
import { say, t, word } from '../app/i18n.js';
import * as live from '../app/live.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';
import { testTransmission } from '../app/transmission_test.js';

const LEVELS = { waiting: 'info', delivered: 'ok', refused: 'error', lost: 'error' };
const form = $('#transmission');

let settings = null;

start(async () => {
  await Promise.all([refresh(), outbox()]);
  form.addEventListener('change', updateParts);
  onSubmit(form, save);
  enableSecretRemoval(form, save);
  button($('#test'), () => testTransmission($('#tested')));
  live.on(['settings'], () => refresh(true));
  live.on(['outbox'], throttle(() => outbox(true), 1500));
});

async function save(values) {
  settings = await patch('/api/transmission', values);
  show(form, settings, { force: true });
  updateParts();
}

async function refresh(background = false) {
  settings = await get('/api/transmission', { background });
  show(form, settings);
  if (settings.https.proxy) $('#proxy').open = true;
  swap($('#client'), term(t('https.client'), settings.certificate.set ? [badge('ok', t('https.client.set')), ' ', settings.certificate.not_after ? t('until') : '', ' ', moment(settings.certificate.not_after)] : badge('warning', t('https.client.unset'))));
  updateParts();
}

/** Show the fields of the chosen way of transmission. */
function updateParts() {
  const mode = $('[name=mode]:checked', form)?.value ?? 'off';
  showParts(form, [mode]);
  $('#mail-ca').hidden = settings.mail.ca_file === undefined;
  $('#test').disabled = settings.mode === 'off';
}

async function outbox(background = false) {
  const found = await get('/api/outbox', { background });
  const parts = [
    t('outbox.waiting', { count: found.waiting }),
    t('outbox.refused', { count: found.refused }),
    t('outbox.delivered', { count: found.delivered }),
    found.lost ? t('outbox.lost', { count: found.lost }) : null,
    bytes(found.bytes),
  ];
  $('#outbox-text').textContent = parts.filter(Boolean).join(' · ');
  swap($('#outbox tbody'), ...found.parcels.map(parcel));
  $('#outbox').hidden = !found.parcels.length;
  $('#no-parcels').hidden = found.parcels.length > 0;
}

function parcel(each) {
  const retry = ['waiting', 'refused'].includes(each.state)
    ? button(h('button', { type: 'button', class: 'small', 'data-key': `retry-${each.id}`, 'aria-label': `${t('outbox.retry')}: ${each.name}` }, t('outbox.retry')), async () => {
        await post(`/api/outbox/${each.id}/retry`);
        notify(t('outbox.retried'));
        await outbox();
      })
    : null;
  const file = each.downloadable
    ? h('a', { class: 'button small', href: `/api/outbox/${each.id}/download`, download: '', 'data-key': `file-${each.id}`, 'aria-label': `${t('outbox.download')}: ${each.name}` }, t('outbox.download'))
    : null;
  return row(
    cell(t('outbox.state'), badge(LEVELS[each.state], word('parcel', each.state)), each.state === 'waiting' && each.next_at ? h('span', { class: 'quiet block' }, t('outbox.next'), ' ', moment(each.next_at)) : null),
    cell(t('outbox.name'), each.name, each.error ? h('span', { class: 'quiet block' }, say(each, 'error')) : null),
    cell(t('outbox.made'), moment(each.created_at), each.delivered_at ? h('span', { class: 'quiet block' }, t('outbox.arrived'), ' ', moment(each.delivered_at)) : null),
    numberCell(t('outbox.size'), bytes(each.size)),
    numberCell(t('outbox.attempts'), number(each.attempts)),
    actionsCell(retry, file),
  );
}
