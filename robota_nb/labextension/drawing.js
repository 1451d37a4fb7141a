// Draws in one notebook what is known of its answers: a mark at each cell, and the line at each answer.
//
// A mark is drawn by the style sheet, from what stands on the cell's own node: what is inside of that comes and goes as
// the notebook is scrolled. Nothing of it is in the document.

import { insertBelow, isReadOnly } from './insert.js';
import { outputs, turnOf } from './cells.js';
import { LINE_IS_THERE, answerText, recordedText, said } from './lines.js';
import { forkLine } from './magic_line.js';
import { KEY } from './push.js';
import { t } from './switcher/strings.js';

/** @typedef {import('./bridge.js').Bridge} Bridge */
/** @typedef {import('./lines.js').Lines} Lines */
/** @typedef {import('./marks.js').Mark} Mark */

const WORD = '--robota-word';

export class Drawing {
  /**
   * @param {Lab.NotebookPanel} panel
   * @param {object} given
   * @param {Bridge} given.bridge
   * @param {Lines} given.lines
   * @param {import('./errors.js').ErrorLines} given.errors
   * @param {import('./code_lines.js').CodeLines} given.codes
   * @param {(cell: Lab.CellWidget) => Promise<boolean>} given.run Runs a cell of the panel's.
   */
  constructor(panel, { bridge, lines, errors, codes, run }) {
    this._notebook = panel.content;
    this._bridge = bridge;
    this._lines = lines;
    this._errors = errors;
    this._codes = codes;
    this._run = run;
    this._isNew = false; // whether there may be lines that were not filled in
    /** @type {WeakMap<Lab.CellWidget, string>} */
    this._looks = new WeakMap(); // of the cells, as they were drawn
    /** @type {number | null} */
    this._frame = null;
    const later = () => {
      this._frame ??= requestAnimationFrame(() => this._draw());
    };
    const unwatch = [bridge.marks, bridge.cells].map(watched => watched.watch(later));
    panel.disposed.connect(() => {
      unwatch.forEach(end => end());
      cancelAnimationFrame(this._frame ?? 0);
    });
    this._notebook.node.addEventListener('pointerover', event => explain(event.target));
    this._notebook.node.addEventListener(LINE_IS_THERE, () => {
      this._isNew = true;
      later();
    });
    later();
  }

  _draw() {
    this._frame = null;
    const isLoaded = this._bridge.process !== null;
    const isNew = this._isNew;
    this._isNew = false;
    for (const cell of this._notebook.widgets) {
      const { marks } = this._bridge;
      const mark = marks.of(cell.model);
      const isAsker = !isLoaded || marks.has(cell.model); // others may show what was caught when a cell asked
      const look = JSON.stringify([mark, isLoaded, isAsker, cell.model.executionCount]);
      if (isNew || this._looks.get(cell) !== look) {
        this._looks.set(cell, look);
        draw(cell.node, mark);
        this._lines.fill(cell.node, mark, look, turn =>
          isAsker && isShownBy(cell.model, turn) ? this._actions(cell, turn, isLoaded ? mark : null) : null);
        if (cell.model.executionCount !== null) { // else the answer may go on
          this._codes.fill(cell.node);
        }
        this._errors.fill(cell.node, isLoaded && !isReadOnly(this._notebook) ? box => this._askWhy(cell, box) : null);
      }
    }
  }

  /**
   * @param {Lab.CellWidget} cell
   * @param {import('./errors.js').ErrorBox} box
   */
  async _askWhy(cell, box) {
    const { id, sharedModel } = cell.model;
    const source = await this._bridge.askWhy(id, sharedModel.getSource(), box);
    if (source !== null && this._notebook.widgets.includes(cell)) {
      void insertBelow(this._notebook, cell, source);
    }
  }

  /**
   * @param {Lab.CellWidget} cell
   * @param {string} turn
   * @param {Mark | null} mark Null where no kernel knows of the answer.
   * @returns {import('./lines.js').LineActions}
   */
  _actions(cell, turn, mark) {
    const text = () =>
      recordedText(this._notebook.model?.getMetadata(KEY), turn) ?? answerText(cell.model, turn); // which may be cut
    if (!mark) {
      return { text };
    }
    return {
      text,
      again: () => {
        this._bridge.askAgain(cell.model.id);
        void this._run(cell);
      },
      fork: () => void insertBelow(this._notebook, cell, ...forkLine(mark.chat))
    };
  }
}

/**
 * Whether an answer ends in an output of the cell's own: a widget in one may show it, too.
 *
 * @param {Lab.Cell} cell
 * @param {string} turn
 */
function isShownBy(cell, turn) {
  return outputs(cell).some(output => turnOf(output) === turn);
}

/**
 * @param {HTMLElement} node A cell's.
 * @param {Mark | null} mark
 */
function draw(node, mark) {
  if (mark) {
    node.dataset.robota = mark.state;
    node.style.setProperty(WORD, JSON.stringify(t(`mark.${mark.state}`)));
    node.setAttribute('aria-description', said(mark)); // not everybody is told of what a style sheet adds
  } else if (node.dataset.robota) {
    delete node.dataset.robota;
    node.style.removeProperty(WORD);
    node.removeAttribute('aria-description');
  }
}

/**
 * Say why a cell has its mark, when the pointer comes to it: before that, its node may not be there.
 *
 * @param {EventTarget | null} target
 */
function explain(target) {
  const prompt = target instanceof Element ? target.closest('.jp-InputArea-prompt') : null;
  const cell = prompt?.closest('.jp-Cell');
  if (prompt instanceof HTMLElement && cell instanceof HTMLElement) {
    prompt.title = cell.dataset.robota ? cell.getAttribute('aria-description') ?? '' : '';
  }
}
