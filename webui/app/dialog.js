/** Ask the user for confirmation in a modal <dialog>. */
import { h } from './dom.js';
import { t } from './i18n.js';

/**
 * Ask before an action that cannot be undone; return whether the user confirmed it.
 * @param {{ title: string, text: string, action: string, danger?: boolean }} question `action` is the button's text
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, action, danger = true }) {
  return new Promise((resolve) => {
    const no = h('button', { type: 'button', class: 'plain', onclick: () => dialog.close() }, t('cancel'));
    const yes = h('button', { type: 'button', class: danger ? 'danger' : 'primary', onclick: () => dialog.close('yes') }, action);
    const dialog = h(
      'dialog',
      { 'aria-labelledby': 'question', 'aria-describedby': 'question-text', class: 'narrow' },
      h('h2', { id: 'question' }, title),
      h('p', { id: 'question-text' }, text),
      h('div', { class: 'actions' }, no, yes),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  });
}
