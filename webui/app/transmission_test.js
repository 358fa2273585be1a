/** Test the transmission step by step, and show which step fails and what to do about it. */
import { post } from './api.js';
import { h, swap } from './dom.js';
import { seconds } from './format.js';
import { say, t, word } from './i18n.js';
import { icon } from './icons.js';
import { badge } from './states.js';

/**
 * Run the test and show its result.
 * @param {HTMLElement} container
 */
export async function testTransmission(container) {
  swap(container, h('p', {}, t('try.runs')));
  try {
    const result = await post('/api/transmission/test');
    swap(container, h('p', {}, badge(result.ok ? 'ok' : 'error', t(result.ok ? 'try.good' : 'try.bad'))), h('ol', { class: 'steps-tried' }, result.steps.map(stepItem)));
  } catch (error) {
    swap(container, h('p', { class: 'problem' }, error.message));
  }
}

function stepItem(each) {
  return h(
    'li',
    { class: each.ok ? 'good' : 'bad' },
    icon(each.ok ? 'ok' : 'error'),
    h('div', {}, h('b', {}, word('step', each.name)), h('span', { class: 'unseen' }, `: ${t(each.ok ? 'try.step.good' : 'try.step.bad')}`), h('p', {}, say(each)), each.advice ? h('p', { class: 'quiet' }, say(each, 'advice')) : null),
    h('span', { class: 'quiet' }, seconds(each.seconds)),
  );
}
