/** Show the poller's runs: the progress of the current one and the result of an ended one; start another. */
import { get, post } from './api.js';
import { button } from './form.js';
import { h, notify, swap } from './dom.js';
import { moment, number, seconds } from './format.js';
import { say, t, word } from './i18n.js';
import * as live from './live.js';
import { badge } from './states.js';

const LEVELS = { done: 'ok', failed: 'error', interrupted: 'warning', running: 'running', waiting: 'info' };

/** @type {(job: any) => HTMLElement} */
export const jobState = (job) => badge(jobLevel(job), word('job-state', job.state));

const jobLevel = (job) => (job.state === 'done' && (job.result?.failed_total || job.result?.incomplete_total) ? 'warning' : (LEVELS[job.state] ?? 'unknown'));

/**
 * Return the name of a run.
 * @param {any} job
 * @param {string | null} [name] of the printer, if it is a run for one
 */
export function jobName(job, name = null) {
  if (job.printer) return t('run.one', { printer: name ?? `#${job.printer}` });
  return word('run', job.kind);
}

/**
 * Show the current run, with a button for each kind, and keep it up to date.
 * @param {HTMLElement} container
 * @param {{ kinds?: string[], changed?: (jobs: any[]) => void }} [options] `changed` is called with each new list of runs
 */
export async function showRuns(container, { kinds = ['query', 'discover'], changed = () => {} } = {}) {
  const bar = h('div', { class: 'run' });
  const announcement = h('p', { class: 'unseen', role: 'status' });
  const buttons = kinds.map((kind) => {
    const element = h('button', { type: 'button', class: kind === kinds[0] ? 'primary' : '', 'data-run': kind }, t(`run.start.${kind}`));
    return button(element, async () => {
      const job = await post('/api/jobs', { kind });
      if (job.state === 'waiting') notify(t('run.asked'));
      await refresh();
    });
  });
  container.replaceChildren(bar, announcement, h('div', { class: 'actions start' }, buttons));
  /** @type {any} */
  let shown = null;

  const show = (job) => {
    if (job?.id !== shown?.id || job?.state !== shown?.state) {
      announcement.textContent = job ? `${jobName(job)}: ${word('job-state', job.state)}` : '';
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

/**
 * Return the progress of a run: addresses scanned, then printers read.
 * @param {any} job
 */
export function progress(job) {
  const current = job.progress;
  const id = `run-${job.id}`;
  if (job.state === 'waiting') {
    return h('p', { id }, badge('info', word('job-state', 'waiting')), ` ${jobName(job)} · ${t('run.waits')}`);
  }
  const scanning = current?.stage === 'scan' && current.total;
  const total = scanning ? current.total : (current?.to_read ?? 0);
  const done = scanning ? current.asked : (current?.read ?? 0) + (current?.failed ?? 0);
  const text = !current || !total
    ? t('run.begins')
    : scanning
      ? t('run.scanning', { asked: current.asked, total: current.total, printers: current.printers, read: current.read })
      : t('run.reading', { done, total, failed: current.failed });
  return h(
    'div',
    { class: 'running' },
    h('label', { for: id }, badge('running', jobName(job))),
    h('progress', { id, max: total || null, value: total ? Math.min(done, total) : null }),
    h('p', { class: 'quiet' }, text),
  );
}

/**
 * Return the result of an ended run in one line; null if it has none.
 * @param {any} job
 */
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

/** @type {(cost: any, bytes: string) => string} */
export const traffic = (cost, bytes) => t('traffic', { packets: number(cost.packets), bytes, seconds: seconds(cost.seconds) });

/** @type {(job: any) => HTMLTimeElement | null} */
export const when = (job) => moment(job.ended_at ?? job.started_at ?? job.created_at);
