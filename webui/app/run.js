/** Runs of the poller: how far the present one is, how the last one ended, and starting another. */
import { get, post } from './api.js';
import { button } from './form.js';
import { h, notify, swap } from './dom.js';
import { moment, number, seconds } from './format.js';
import { say, t, word } from './i18n.js';
import * as live from './live.js';
import { badge } from './states.js';

const LEVELS = { done: 'ok', failed: 'error', interrupted: 'warning', running: 'running', waiting: 'info' };

export const jobState = (job) => badge(jobLevel(job), word('job-state', job.state));

const jobLevel = (job) => (job.state === 'done' && (job.result?.failed_total || job.result?.incomplete_total) ? 'warning' : (LEVELS[job.state] ?? 'unknown'));

/** What a run is, in words. */
export function jobName(job, name = null) {
  if (job.printer) return t('run.one', { printer: name ?? `#${job.printer}` });
  return word('run', job.kind);
}

/** Show runs in `container`, with a button for each kind; `changed(jobs)` is called whenever the list is new. */
export async function follow(container, { kinds = ['query', 'discover'], changed = () => {} } = {}) {
  const bar = h('div', { class: 'run' });
  const said = h('p', { class: 'unseen', role: 'status' });
  const buttons = kinds.map((kind) => {
    const element = h('button', { type: 'button', class: kind === kinds[0] ? 'primary' : '', 'data-run': kind }, t(`run.start.${kind}`));
    return button(element, async () => {
      const job = await post('/api/jobs', { kind });
      if (job.state === 'waiting') notify(t('run.asked'));
      await refresh();
    });
  });
  container.replaceChildren(bar, said, h('div', { class: 'actions start' }, buttons));
  let shown = null;

  const show = (job) => {
    if (job?.id !== shown?.id || job?.state !== shown?.state) {
      said.textContent = job ? `${jobName(job)}: ${word('job-state', job.state)}` : '';
    }
    shown = job;
    swap(bar, job ? progress(job) : null);
  };
  const refresh = async (background = false) => {
    const { jobs } = await get('/api/jobs', { background });
    show(jobs.find((job) => job.state === 'running') ?? jobs.findLast((job) => job.state === 'waiting') ?? null);
    changed(jobs);
  };
  live.onJob((job) => {
    if (job.state === 'running') show(job);
  });
  live.on(['jobs'], () => refresh(true));
  await refresh(true);
}

/** How far it is: addresses asked, then printers read. */
export function progress(job) {
  const now = job.progress;
  const id = `run-${job.id}`;
  if (job.state === 'waiting') {
    return h('p', { id }, badge('info', word('job-state', 'waiting')), ` ${jobName(job)} · ${t('run.waits')}`);
  }
  const scanning = now?.stage === 'scan' && now.total;
  const most = scanning ? now.total : (now?.to_read ?? 0);
  const done = scanning ? now.asked : (now?.read ?? 0) + (now?.failed ?? 0);
  const text = !now || !most
    ? t('run.begins')
    : scanning
      ? t('run.scanning', { asked: now.asked, total: now.total, printers: now.printers, read: now.read })
      : t('run.reading', { done, total: most, failed: now.failed });
  return h(
    'div',
    { class: 'running' },
    h('label', { for: id }, badge('running', jobName(job))),
    h('progress', { id, max: most || null, value: most ? Math.min(done, most) : null }),
    h('p', { class: 'quiet' }, text),
  );
}

/** How a run ended, as one line. */
export function outcome(job) {
  const result = job.result;
  if (!result) return null;
  const parts = [t('run.printers', { count: result.printers })];
  if (result.failed_total) parts.push(t('run.failed', { count: result.failed_total }));
  if (result.incomplete_total) parts.push(t('run.incomplete', { count: result.incomplete_total }));
  if (result.new.length) parts.push(t('run.new', { count: result.new.length }));
  if (result.seconds) parts.push(seconds(result.seconds));
  return [parts.join(' · '), result.error ? h('span', { class: 'quiet block' }, say(result, 'error')) : null];
}

export const traffic = (cost, bytes) => t('traffic', { packets: number(cost.packets), bytes, seconds: seconds(cost.seconds) });

export const when = (job) => moment(job.ended_at ?? job.started_at ?? job.created_at);
