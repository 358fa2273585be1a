/** Remember in this browser which step of the setup guide is next, or that the guide is over. */

const STORAGE_KEY = 'printmonitor-guide';
const DISMISSED = 'over';

/** Return whether the guide is still to be offered. */
export const isOffered = () => localStorage.getItem(STORAGE_KEY) !== DISMISSED;

/** Do not offer the guide again. */
export const dismiss = () => localStorage.setItem(STORAGE_KEY, DISMISSED);

/** Return the step to continue with; null if there is none yet. */
export function savedStep() {
  const step = localStorage.getItem(STORAGE_KEY);
  return step === DISMISSED ? null : step;
}

/**
 * Remember the step to continue with.
 * @param {string} step
 */
export const saveStep = (step) => localStorage.setItem(STORAGE_KEY, step);
