// The quiet line at each answer: which chat and model it is of, whether it was asked or replayed, and what can be done
// with it. It stands in the page alone: what is saved is the output, and that knows nothing of it.

import { outputs, turnOf } from './cells.js';
import { KEY } from './push.js';
import { copier } from './switcher/clipboard.js';
import { h } from './switcher/dom.js';
import { icon } from './switcher/icons.js';
import { t } from './switcher/strings.js';

/** @typedef {import('./marks.js').Mark} Mark */

/** The types of the outputs that show the pictures of an answer, below its text. */
export const PICTURE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

const LINE = 'robota-answer-line'; // an answer may hold such an element, too; ours are those that are known

/** The event that a line has come into the page: when it is made, nobody knows yet which cell it is of. */
export const LINE_IS_THERE = 'robota-line-is-there';

export class Line extends HTMLElement {
  connectedCallback() {
    this.dispatchEvent(new CustomEvent(LINE_IS_THERE, { bubbles: true }));
  }
}

if (!customElements.get(LINE)) {
  customElements.define(LINE, Line);
}

/**
 * What can be done with an answer, where it can.
 *
 * @typedef {object} LineActions
 * @property {() => string} text
 * @property {() => void} [again] Asks anew.
 * @property {() => void} [fork] Goes on from here in another chat.
 */

export class Lines {
  constructor() {
    /** @type {WeakMap<Element, { turn: string, model: string, look: string }>} */
    this._answers = new WeakMap(); // by line, with what that was filled in by
  }

  /**
   * Put a line below what was rendered, if an answer ends there. What it says is filled in by the notebook.
   *
   * @param {HTMLElement} node
   * @param {Lab.MimeModel} model
   */
  put(node, model) {
    node.querySelectorAll(`:scope > ${LINE}`).forEach(line => line.remove()); // of what was rendered here before
    const turn = turnOf(model);
    if (turn !== null) {
      const line = h(LINE);
      const { model: name = '' } = /** @type {any} */ (model.metadata)[KEY];
      this._answers.set(line, { turn, model: String(name), look: '' });
      node.append(line);
    }
  }

  /**
   * Fill in the lines of a cell.
   *
   * @param {HTMLElement} node The cell's.
   * @param {Mark | null} mark
   * @param {string} look All that what is said depends on: a line that says it already stays, and keeps the focus.
   * @param {(turn: string) => LineActions | null} actionsOf Null where there is to be no line.
   */
  fill(node, mark, look, actionsOf) {
    for (const line of node.getElementsByTagName(LINE)) {
      const answer = this._answers.get(line);
      if (answer && answer.look !== look) {
        answer.look = look;
        const own = mark?.turn === answer.turn ? mark : null;
        const actions = actionsOf(answer.turn);
        line.replaceChildren(...(actions ? [...about(answer.model, own), buttons(actions)] : []));
      }
    }
  }
}

/**
 * Return what is to be said of an answer; names come from strangers, and are text.
 *
 * @param {string} model
 * @param {Mark | null} mark
 */
function about(model, mark) {
  const words = [
    mark?.chat ? h('bdi', {}, mark.chat) : null,
    h('bdi', {}, mark?.model || model),
    mark?.by === 'hand' ? h('span', { title: t('byHandHint') }, t('byHand')) : null,
    mark ? h('span', { title: said(mark) }, mark.why ? said(mark) : t(`mark.${mark.state}`)) : null,
    mark?.tokens ? h('span', {}, t('allTokens', { count: mark.tokens })) : null
  ].filter(word => word !== null);
  return words.flatMap(word => [h('span', { 'aria-hidden': 'true' }, '·'), word]).slice(1);
}

/**
 * Say what a mark says, in a sentence.
 *
 * @param {Mark} mark
 */
export function said({ state, why }) {
  return `${t(`mark.${state}`)}: ${why || t(`why.${state}`)}`;
}

/** @param {LineActions} actions */
function buttons({ text, again, fork }) {
  /** @type {(name: 'again' | 'copy' | 'forkHere', sign: Parameters<typeof icon>[0], label: string, action: () => unknown) => HTMLButtonElement} */
  const button = (name, sign, label, action) =>
    h('button.robota-answer-button', {
      type: 'button', title: t(name === 'again' ? 'retry' : name), 'data-part': name, on: { click: action },
      'data-lm-suppress-shortcuts': 'true' // else Enter begins to edit the cell
    }, icon(sign), h('span', {}, label));
  const copy = button('copy', 'copy', t('lineCopy'), copier(text, isCopied => {
    copy.replaceChildren(icon(isCopied ? 'done' : 'copy'), h('span', {}, t(isCopied ? 'copied' : 'lineCopy')));
  }));
  return h('span.robota-answer-buttons', {},
    again ? button('again', 'retry', t('lineAgain'), again) : null,
    copy,
    fork ? button('forkHere', 'fork', t('lineFork'), fork) : null);
}

/**
 * Return the text of an answer as it is recorded in a notebook; null if it is not there.
 *
 * @param {any} value What stands under our key in its metadata, which a stranger may have written.
 * @param {string} turn
 * @returns {string | null}
 */
export function recordedText(value, turn) {
  for (const entries of Object.values(value?.sessions ?? {})) {
    const content = Object.hasOwn(entries ?? {}, turn) ? entries[turn]?.content : null;
    if (Array.isArray(content)) {
      return content.filter(part => typeof part === 'string').join('');
    }
  }
  return null;
}

/**
 * Return the text of an answer, which may be cut into several outputs.
 *
 * @param {Lab.Cell} cell
 * @param {string} turn
 */
export function answerText(cell, turn) {
  const all = outputs(cell);
  let end = all.findIndex(output => turnOf(output) === turn);
  while (all[end] && PICTURE_TYPES.some(type => type in all[end].data)) {
    end--;
  }
  const type = all[end] && 'text/markdown' in all[end].data ? 'text/markdown' : 'text/plain';
  /** @param {Lab.Output | undefined} output */
  const isPiece = output =>
    output?.type === 'display_data' && turnOf(output) === null && typeof output.data[type] === 'string' &&
    (type === 'text/plain' || KEY in output.metadata);
  let start = end;
  while (isPiece(all[start - 1])) {
    start--;
  }
  return all.slice(start, end + 1).map(({ data }) => String(data[type] ?? '')).join('');
}
