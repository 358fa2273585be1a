/** Configure the trap receiver, and list the received traps. */
import { get, patch } from '../app/api.js';
import { $, throttle, cell, h, row, swap } from '../app/dom.js';
import { onSubmit, show } from '../app/form.js';
import { moment } from '../app/format.js';
import { say, t, word } from '../app/i18n.js';
import * as live from '../app/live.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';

const STATES = { running: 'ok', stopped: 'error', off: 'off', unknown: 'unknown' };
const LEVELS = { critical: 'error', error: 'error', warning: 'warning' };

start(async () => {
  await refresh();
  onSubmit($('#receiver'), async (values) => {
    const traps = await patch('/api/traps', values);
    delete $('#receiver').dataset.touched;
    fill(traps);
  });
  live.on(['traps', 'settings'], throttle(() => refresh(true), 1000));
});

async function refresh(background = false) {
  fill(await get('/api/traps', { background }));
}

function fill(traps) {
  show($('#receiver'), traps);
  swap($('#state'), badge(STATES[traps.state], word('trap-state', traps.state)), h('span', { class: 'quiet block' }, say(traps, 'state_text')));
  swap($('#traps tbody'), ...traps.traps.map(line));
  $('#traps').hidden = !traps.traps.length;
  $('#no-traps').hidden = traps.traps.length > 0;
  $('#no-traps').textContent = t(traps.enabled ? 'traps.none' : 'traps.none.off');
}

function line(trap) {
  const name = trap.printer_name ?? trap.sender;
  return row(
    cell(t('traps.at'), moment(trap.at), trap.times > 1 ? h('span', { class: 'quiet block' }, t('traps.times', { count: trap.times }), ' ', moment(trap.first_at)) : null),
    cell(t('traps.printer'), trap.printer ? h('a', { href: `/printers/${trap.printer}`, 'data-key': `trap-${trap.id}` }, name) : name, name === trap.sender ? null : h('span', { class: 'quiet block' }, trap.sender)),
    cell(t('traps.severity'), trap.severity && badge(LEVELS[trap.severity] ?? 'info', word('severity', trap.severity))),
    cell(t('traps.text'), say(trap), h('span', { class: 'quiet block' }, trap.kind), objects(trap.objects)),
  );
}

/** Return the objects of a trap, folded away. */
function objects(list) {
  return list?.length ? h('details', {}, h('summary', {}, t('traps.objects')), h('ul', {}, list.map((each) => h('li', {}, h('code', {}, each))))) : null;
}
