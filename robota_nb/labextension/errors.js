// The button at an error in an output: it has a cell put below that asks why, for the user to look at before it is run.

import { Line } from './lines.js';
import { h } from './switcher/dom.js';
import { icon } from './switcher/icons.js';
import { t } from './switcher/strings.js';

/** @typedef {{ ename: string, evalue: string, traceback: string }} ErrorBox What an output says of an error. */

export const STDERR = 'application/vnd.jupyter.stderr'; // what errors are rendered as,
const ERROR = 'application/vnd.jupyter.error'; // with all that is known of one beside it
const LINE = 'robota-error-line';
const MOST = 100_000; // characters of a traceback; the end says most

if (!customElements.get(LINE)) {
  customElements.define(LINE, class extends Line {});
}

export class ErrorLines {
  constructor() {
    /** @type {WeakMap<Element, ErrorBox>} */
    this._boxes = new WeakMap(); // by line: outputs may hold such an element, too
  }

  /**
   * Put a place for the button below what was rendered, if that is an error: not robota_nb's own, which are one line.
   *
   * @param {HTMLElement} node
   * @param {Lab.MimeModel} model
   */
  put(node, model) {
    node.querySelectorAll(`:scope > ${LINE}`).forEach(line => line.remove()); // of what was rendered here before
    const box = boxOf(model.data?.[ERROR]);
    if (box) {
      const line = h(LINE);
      this._boxes.set(line, box);
      node.append(line);
    }
  }

  /**
   * Fill in the places in a cell.
   *
   * @param {HTMLElement} node The cell's.
   * @param {((box: ErrorBox) => void) | null} ask Null where nobody can be asked.
   */
  fill(node, ask) {
    for (const line of node.getElementsByTagName(LINE)) {
      const box = this._boxes.get(line);
      if (box && line.childElementCount !== (ask ? 1 : 0)) {
        line.replaceChildren(...(ask ? [button(() => ask(box))] : []));
      }
    }
  }
}

/** @param {() => void} ask */
function button(ask) {
  return h('button.robota-answer-button', {
    type: 'button', title: t('askWhyHint'), 'data-part': 'askWhy', on: { click: ask },
    'data-lm-suppress-shortcuts': 'true' // else Enter begins to edit the cell
  }, icon('why'), h('span', {}, t('askWhy')));
}

/**
 * @param {any} value A stranger may have written it.
 * @returns {ErrorBox | null}
 */
function boxOf(value) {
  const { ename, evalue, traceback } = value ?? {};
  const text = Array.isArray(traceback) ? traceback.map(String).join('\n') : '';
  return /\n/.test(text.trim()) ? { ename: String(ename), evalue: String(evalue).slice(0, MOST), traceback: text.slice(-MOST) } : null;
}
