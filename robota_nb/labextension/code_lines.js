// The buttons below a block of code in the answer of a cell: they write it into the notebook, as those of the panel do.

import { Line } from './lines.js';
import { KEY } from './push.js';
import { loadStyles } from './styles.js';
import { changeButtons } from './switcher/change.js';
import { h, set } from './switcher/dom.js';

/** @typedef {import('./switcher/switcher.js').Services} Services */

const LINE = 'robota-code-line';
const SERVICES = Symbol.for('robota_nb.services'); // published by another plugin, perhaps later

if (!customElements.get(LINE)) {
  customElements.define(LINE, class extends Line {});
}

export class CodeLines {
  constructor() {
    /** @type {WeakMap<Element, Element>} */
    this._blocks = new WeakMap(); // by line: answers may hold such an element, too
  }

  /**
   * Put a place for the buttons below each block of code, if what was rendered is an answer.
   *
   * @param {HTMLElement} node
   * @param {Lab.MimeModel} model
   */
  put(node, model) {
    if (KEY in model.metadata) {
      node.querySelectorAll(LINE).forEach(line => line.remove()); // of what was rendered here before
      for (const block of node.querySelectorAll('pre')) {
        const line = h(LINE);
        this._blocks.set(line, block);
        block.after(line);
      }
    }
  }

  /**
   * Fill in the places in a cell that has run.
   *
   * @param {HTMLElement} node The cell's.
   */
  fill(node) {
    for (const line of node.getElementsByTagName(LINE)) {
      const block = this._blocks.get(line);
      if (block && !line.childElementCount) {
        void loadStyles('switcher/switcher.css');
        line.replaceChildren(...buttons(() => (block.textContent ?? '').replace(/\n$/, '')));
        line.addEventListener('focusin', ({ target }) => {
          set(/** @type {Element} */ (target), { 'data-lm-suppress-shortcuts': 'true' }); // else Enter begins to edit the cell
        });
      }
    }
  }
}

/**
 * @param {() => string} code
 * @returns {HTMLElement[]}
 */
function buttons(code) {
  /** @returns {Services} */
  const services = () => /** @type {any} */ (globalThis)[SERVICES] ?? {};
  const made = changeButtons(code, {
    insertCell: (source, element) => services().insertCell?.(source, element) ?? false,
    replaceableCell: element => services().replaceableCell?.(element) ?? null,
    replaceSource: (cell, source, element) => services().replaceSource?.(cell, source, element) ?? false
  });
  return made ? [h('div.robota-code-buttons', {}, ...made.buttons), ...made.below] : [];
}
