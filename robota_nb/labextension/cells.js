// The code cells of a notebook, as the kernel is told of them: [id, hash of the source, [turns that its outputs show]],
// in order, the last only where there are outputs.

import { asksWithCells } from './magic_line.js';
import { KEY } from './push.js';
import { sha256 } from './sha256.js';

/** @typedef {BridgeMessage.Cells['cells'][number]} CodeCell */

const HASH = 16; // hex digits of a source hash

export class CodeCells {
  /** @param {Lab.NotebookModel} model */
  constructor(model) {
    this._model = model;
    /** @type {WeakMap<Lab.Cell, [source: string, hash: string]>} */
    this._hashes = new WeakMap();
    /** @type {CodeCell[]} */
    this.told = []; // the list that the kernel was told last,
    this._isTaken = false; // and whether it has taken that in
    /** @type {string[] | null} */
    this._prose = null; // what it was told of the Markdown cells
    this._changed = true;
    /** @type {((isOrder: boolean) => void)[]} */
    this._watchers = [];
    model.cells.changed.connect(this._watch, this);
    this._watch();
  }

  /**
   * Return the cells, for the kernel to be told.
   *
   * @returns {Omit<BridgeMessage.Cells, 'op'>}
   */
  whole() {
    this._changed = this._isTaken = false;
    this.told = [...this._model.cells].filter(cell => cell.type === 'code').map(cell => this._row(cell));
    this._prose = this._proseNow();
    return { cells: this.told, ...(this._prose ? { prose: this._prose } : {}) };
  }

  /** Return the hashes of the Markdown cells, if a cell asks with others: what it was told may be stale by theirs. */
  _proseNow() {
    const isUsed = [...this._model.cells].some(cell => asksWithCells(cell.sharedModel.getSource()));
    const prose = () => [...this._model.cells].filter(cell => cell.type === 'markdown').map(cell => this.hash(cell));
    return isUsed ? prose() : null;
  }

  /**
   * Return what has changed since the kernel was told last, as it is told that; null if nothing has.
   *
   * @returns {Omit<BridgeMessage.Cells, 'op'> | null}
   */
  change() {
    if (!this._changed) {
      return null;
    }
    const [was, isTaken, former] = [this.told, this._isTaken, this._prose];
    const whole = this.whole();
    if (!isTaken) {
      return whole; // who knows what the kernel has
    }
    const now = whole.cells;
    const prose = isSame(whole.prose ?? null, former) ? {} : { prose: whole.prose };
    const shorter = Math.min(was.length, now.length);
    let from = 0;
    while (from < shorter && isSame(was[from], now[from])) {
      from++;
    }
    let kept = 0; // at the end
    while (kept < shorter - from && isSame(was[was.length - 1 - kept], now[now.length - 1 - kept])) {
      kept++;
    }
    const [gone, cells] = [was.length - kept - from, now.slice(from, now.length - kept)];
    if (gone || cells.length || prose.prose) {
      return { from, gone, cells, ...prose };
    }
    this._isTaken = true;
    return null;
  }

  /**
   * Note that the kernel has taken in a list: of what changes next, the difference to it says all.
   *
   * @param {CodeCell[]} told
   */
  taken(told) {
    this._isTaken = this._isTaken || told === this.told;
  }

  /**
   * Return the hash of a cell's source.
   *
   * @param {Lab.Cell} cell
   */
  hash(cell) {
    const source = cell.sharedModel.getSource();
    const [known, hash] = this._hashes.get(cell) ?? [];
    if (hash !== undefined && known === source) {
      return hash;
    }
    const fresh = sha256(source).slice(0, HASH);
    this._hashes.set(cell, [source, fresh]);
    return fresh;
  }

  /**
   * Say whether a word stands in any cell: notebooks that do not use the extension are left in peace.
   *
   * @param {string} word
   */
  contain(word) {
    return [...this._model.cells].some(cell => cell.sharedModel.getSource().includes(word));
  }

  /**
   * Have a function called when cells change, and with true when they come, go or move.
   *
   * @param {(isOrder: boolean) => void} watcher
   * @returns {() => void} Ends that.
   */
  watch(watcher) {
    this._watchers.push(watcher);
    return () => {
      this._watchers = this._watchers.filter(other => other !== watcher);
    };
  }

  _watch() {
    for (const cell of this._model.cells) {
      if (!this._hashes.has(cell)) {
        this._hashes.set(cell, ['', sha256('').slice(0, HASH)]);
        cell.sharedModel.changed.connect((_, change) => this._notify(change.sourceChange !== undefined));
        cell.outputs?.changed.connect(() => this._notify(true)); // of what the kernel shows, the above says nothing
        cell.stateChanged.connect(() => this._notify(false));
      }
    }
    this._notify(true, true);
  }

  /**
   * @param {boolean} isNews Whether the kernel is to be told, too.
   * @param {boolean} [isOrder]
   */
  _notify(isNews, isOrder = false) {
    this._changed = this._changed || isNews;
    this._watchers.forEach(watcher => watcher(isOrder));
  }

  /**
   * @param {Lab.Cell} cell
   * @returns {CodeCell}
   */
  _row(cell) {
    const shown = outputs(cell).map(turnOf).filter(turn => turn !== null);
    return [String(cell.id), this.hash(cell), ...(cell.outputs?.length ? [shown] : [])]; // a damaged file may have a number
  }
}

/**
 * Return the outputs of a cell.
 *
 * @param {Lab.Cell} cell
 */
export function outputs({ outputs }) {
  return Array.from({ length: outputs?.length ?? 0 }, (_, at) => /** @type {Lab.OutputList} */ (outputs).get(at));
}

/**
 * Return the turn whose answer ends in an output; null if none does.
 *
 * @param {{ metadata: object }} output
 * @returns {string | null}
 */
export function turnOf({ metadata }) {
  const own = /** @type {any} */ (metadata)[KEY];
  return typeof own?.turn === 'string' ? own.turn : null;
}

/**
 * @param {unknown} one
 * @param {unknown} other
 */
function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
