/** The transmission tried step by step: what works, the step that fails, what to do. */
import { post } from './api.js';
import { h, swap } from './dom.js';
import { seconds } from './format.js';
import { say, t, word } from './i18n.js';
import { icon } from './icons.js';
import { badge } from './states.js';

/** Try it, and show in `container` what came of it. */
export async function trial(container) {
  swap(container, h('p', {}, t('try.runs')));
  try {
    const result = await post('/api/transmission/test');
    swap(container, h('p', {}, badge(result.ok ? 'ok' : 'error', t(result.ok ? 'try.good' : 'try.bad'))), h('ol', { class: 'steps-tried' }, result.steps.map(step)));
  } catch (error) {
    swap(container, h('p', { class: 'problem' }, error.message));
  }
}

function step(each) {
  return h(
    'li',
    { class: each.ok ? 'good' : 'bad' },
    icon(each.ok ? 'ok' : 'error'),
    h('div', {}, h('b', {}, word('step', each.name)), h('span', { class: 'unseen' }, `: ${t(each.ok ? 'try.step.good' : 'try.step.bad')}`), h('p', {}, say(each)), each.advice ? h('p', { class: 'quiet' }, say(each, 'advice')) : null),
    h('span', { class: 'quiet' }, seconds(each.seconds)),
  );
}
