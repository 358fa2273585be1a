/** Whether the first steps are still to be offered, and how far somebody came; each browser knows it for itself. */

const PLACE = 'printmonitor-guide';
const OVER = 'over';

export const offered = () => localStorage.getItem(PLACE) !== OVER;

export const end = () => localStorage.setItem(PLACE, OVER);

/** The step to go on with; null at the first time. */
export function reached() {
  const found = localStorage.getItem(PLACE);
  return found === OVER ? null : found;
}

export const reach = (step) => localStorage.setItem(PLACE, step);
