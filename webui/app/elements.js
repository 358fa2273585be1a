/**
 * Custom elements for what the pages repeat. They write plain HTML into the page (no shadow tree), so that labels,
 * styles and forms work as with hand-written elements.
 */
import { $, h } from './dom.js';

/**
 * A form field: puts a label before its control, and a hint after it.
 *
 *     <pm-field label="group.label" hint="group.hint"><input type="number" id="group" name="device_group"></pm-field>
 *
 * `label` and `hint` are keys of texts; the hint describes the control for screen readers.
 */
class Field extends HTMLElement {
  connectedCallback() {
    if (this.classList.contains('field')) return; // moved within the page
    const control = $('input, select, textarea', this);
    this.classList.add('field');
    this.prepend(h('label', { for: control.id, 'data-t': this.getAttribute('label') }));
    const hint = this.getAttribute('hint');
    if (!hint) return;
    control.setAttribute('aria-describedby', `${control.id}-hint`);
    this.append(h('p', { class: 'hint', id: `${control.id}-hint`, 'data-t': hint }));
  }
}

/**
 * A table without rows yet: replaces itself by a <table> with this id, a caption and a head.
 *
 *     <pm-table id="events" caption="events.title" columns="events.began entries.count:number actions:acts"></pm-table>
 *
 * `caption` and `columns` are keys of texts; a class of the column may follow its key. On narrow screens the rows
 * become cards, with a role for each part, because display: block takes a table's own roles away.
 */
class Table extends HTMLElement {
  connectedCallback() {
    const columns = (this.getAttribute('columns') ?? '').split(/\s+/).filter(Boolean);
    const heads = columns.map((column) => {
      const [key, kind] = column.split(':');
      return h('th', { scope: 'col', role: 'columnheader', class: kind, 'data-t': key });
    });
    const id = this.id;
    this.removeAttribute('id');
    this.replaceWith(
      h(
        'div',
        { class: 'scroll' },
        h(
          'table',
          { class: 'cards', id, role: 'table' },
          h('caption', { class: 'unseen', 'data-t': this.getAttribute('caption') }),
          h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads)),
          h('tbody', { role: 'rowgroup' }),
        ),
      ),
    );
  }
}

customElements.define('pm-field', Field);
customElements.define('pm-table', Table);
