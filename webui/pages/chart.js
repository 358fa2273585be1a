/** Show the history of a printer (pages printed, counters or supplies) as a chart and as a table. */
import uPlot from '../vendor/uplot/uPlot.esm.js';
import { get } from '../app/api.js';
import { $, h, swap } from '../app/dom.js';
import { number, percent, tick } from '../app/format.js';
import { t, word } from '../app/i18n.js';

const TICKS = {
  day: { hour: '2-digit', minute: '2-digit' },
  month: { day: 'numeric', month: 'short' },
  year: { month: 'short', year: '2-digit' },
};
const GROUPS = {
  day: { day: 'numeric', hour: 'numeric' },
  month: { month: 'numeric', day: 'numeric' },
  year: { year: 'numeric', month: 'numeric' },
};
const GROUPS_WORDS = {
  day: { dateStyle: 'medium', timeStyle: 'short' },
  month: { dateStyle: 'medium' },
  year: { month: 'long', year: 'numeric' },
};
const COLORS = { black: '--toner-black', cyan: '--toner-cyan', magenta: '--toner-magenta', yellow: '--toner-yellow' };
const OTHERS = ['#0b72c4', '#b8560c', '#6b4fc0', '#13804f', '#a3246e', '#7a6a00', '#3f6f7d', '#9a3030'];
const OTHERS_DARK = ['#7cb8f5', '#f2a65e', '#b5a2f5', '#7fd6a4', '#f096c6', '#e2cf5a', '#93c6d6', '#f29a9a'];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const HEIGHT = 320;
const ROWS = 12;

/** @type {uPlot | null} */
let plot = null;
/** @type {any} the API's answer and what of it is shown */
let model = null;

/**
 * Draw the chart, and again after each change of the choice, the size or the colour scheme.
 * @param {number} id of the printer
 * @returns a function that loads the history again
 */
export async function setUpChart(id) {
  const form = $('.chart-choice');
  const show = async (background = false) => {
    const choice = new FormData(form);
    model = { ...(await get(`/api/printers/${id}/history?range=${choice.get('range')}`, { background })), what: choice.get('what') };
    draw();
  };
  form.addEventListener('change', () => show());
  new ResizeObserver(([entry]) => plot?.setSize({ width: Math.floor(entry.contentRect.width), height: HEIGHT })).observe($('#chart'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  await show(true);
  return () => show(true);
}

function draw() {
  const { times, shown } = lines();
  plot?.destroy();
  plot = null;
  const some = shown.some((line) => line.values.some((value) => value !== null));
  $('#chart').hidden = !some;
  $('#chart-table').hidden = !some;
  $('#chart-text').textContent = some ? summary(shown) : t('history.none');
  if (!some) return;
  table(times, shown);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const axis = { stroke: color('--quiet'), grid: { stroke: color('--edge'), width: 1 }, ticks: { stroke: color('--edge'), width: 1 }, font: `13px ${getComputedStyle(document.body).fontFamily}` };
  const bars = model.what === 'printed';
  const write = (value) => (value === null || value === undefined ? '–' : model.what === 'supply' ? percent(value) : number(value));
  plot = new uPlot(
    {
      width: $('#chart').clientWidth,
      height: HEIGHT,
      padding: [12, 8, 0, 0],
      scales: { x: { time: true, range: (_, low, high) => [low, bars ? high + (high - low) / Math.max(1, times.length - 1) : high] }, y: { range: (_, low, high) => (model.what === 'supply' ? [0, 100] : bars ? [0, Math.max(10, high * 1.1)] : spread(low, high)) } },
      axes: [
        { ...axis, space: 80, values: (_, splits) => splits.map((value) => tick(value, TICKS[model.range])) },
        { ...axis, size: 70, values: (_, splits) => splits.map(write) },
      ],
      series: [
        { label: t('history.time'), value: (_, value) => (value === null ? '–' : tick(value, { dateStyle: 'medium', timeStyle: 'short' })) },
        ...shown.map((line, place) => {
          const stroke = COLORS[line.color] ? color(COLORS[line.color]) : (dark ? OTHERS_DARK : OTHERS)[place % OTHERS.length];
          return {
            label: line.label,
            stroke,
            width: 2,
            dash: bars ? [] : DASHES[Math.floor(place / 2) % DASHES.length],
            fill: bars ? stroke : undefined,
            paths: bars ? uPlot.paths.bars({ size: [0.8, 60], align: 1 }) : uPlot.paths.linear(),
            points: { show: false },
            spanGaps: false,
            value: (_, value) => write(value),
          };
        }),
      ],
    },
    [times, ...shown.map((line) => line.values)],
    $('#chart'),
  );
  const canvas = $('#chart canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', summary(shown));
}

/** Return the range of an axis with a margin, so that a constant counter is a line in the middle. */
function spread(low, high) {
  const margin = Math.max(1, (high - low) * 0.08);
  return [Math.max(0, low - margin), high + margin];
}

/** Return the chosen series with their labels, and their times. */
function lines() {
  const { times, series: all } = model;
  if (model.what === 'supply') {
    const shown = all
      .filter((series) => series.kind === 'supply' && (series.max || series.unit === 'percent'))
      .map((series) => ({
        label: series.label ?? word('color', series.color ?? 'other'),
        color: series.color,
        values: series.values.map((value) => (value === null ? null : Math.min(100, (value / (series.max ?? 100)) * 100))),
      }));
    return { times, shown };
  }
  const counters = all.filter((series) => series.kind === 'counter');
  if (model.what === 'counter') return { times, shown: counters.map((series) => ({ label: word('counter', series.key), values: series.values })) };
  const total = counters.find((series) => series.key === 'total');
  return total ? printed(times, total.values) : { times, shown: [] };
}

/** Return the pages printed per hour, day or month in the Plug's time zone; a counter that runs backwards adds nothing. */
function printed(times, values) {
  const groups = new Map();
  times.forEach((time, place) => {
    const key = tick(time, GROUPS[model.range]);
    const group = groups.get(key) ?? groups.set(key, { time, pages: null }).get(key);
    const before = place ? values[place - 1] : null;
    if (before !== null && values[place] !== null) group.pages = (group.pages ?? 0) + Math.max(0, values[place] - before);
  });
  const found = [...groups.values()];
  if (found.length > 2) found[0].time = 2 * found[1].time - found[2].time; // the first group may begin before the chart
  return { times: found.map((group) => group.time), shown: [{ label: t('history.printed'), values: found.map((group) => group.pages) }] };
}

function summary(shown) {
  const range = word('history', model.range);
  if (model.what === 'printed') {
    const sum = shown[0].values.reduce((all, value) => all + (value ?? 0), 0);
    return t('history.sum', { range, pages: number(sum) });
  }
  return t('history.series', { range, names: shown.map((line) => line.label).join(', ') });
}

/** Show the data as a table for screen readers: rows at even distances, printed pages per group. */
function table(times, shown) {
  const grouped = model.what === 'printed';
  const step = grouped ? 1 : Math.max(1, Math.ceil(times.length / ROWS));
  const write = (value) => (value === null || value === undefined ? '–' : model.what === 'supply' ? percent(value) : number(value));
  const rows = [];
  for (let place = times.length - 1; place >= 0; place -= step) {
    const name = tick(times[place], grouped ? GROUPS_WORDS[model.range] : { dateStyle: 'medium', timeStyle: 'short' });
    rows.push(h('tr', {}, h('th', { scope: 'row' }, name), shown.map((line) => h('td', { class: 'number' }, write(line.values[place])))));
  }
  swap(
    $('#chart-rows'),
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, t('history.title')),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('history.time')), shown.map((line) => h('th', { scope: 'col', class: 'number' }, line.label)))),
      h('tbody', {}, rows),
    ),
  );
}
