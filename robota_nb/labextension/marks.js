// What the kernel says of the answers of cells: a mark for each cell, and how many answers are stale.
//
// That a cell was edited the page knows first: its source is not the one that the mark is of.

/** @typedef {import('./cells.js').CodeCells} CodeCells */
/** @typedef {BridgeMessage.Mark} Mark */
/** @typedef {Pick<BridgeMessage.Marks, 'stale' | 'asked' | 'replayed' | 'tokens' | 'at_least'>} Counts */

/** @type {Set<string>} */
const STATES = new Set([
  'asked', 'replayed', 'recorded', 'edited', 'stale', 'new', 'out', 'cut', 'failed', 'purged'
]); // a kernel of a later version may know more

/** @type {Counts} */
const NONE = { stale: 0, asked: 0, replayed: 0, tokens: 0 };

export class Marks {
  /** @param {CodeCells} cells */
  constructor(cells) {
    this._cells = cells;
    /** @type {Map<string, Mark>} */
    this._marks = new Map(); // by cell
    this.counts = NONE;
    /** @type {(() => void)[]} */
    this._watchers = [];
  }

  /**
   * Return what is to be shown at a cell.
   *
   * @param {Lab.Cell} cell
   * @returns {Mark | null}
   */
  of(cell) {
    const mark = this._marks.get(cell.id);
    if (!mark) {
      return null;
    }
    if (mark.hash && mark.hash !== this._cells.hash(cell)) {
      return { ...mark, state: 'edited', why: undefined };
    }
    const isHere = cell.executionCount !== null; // else it runs just now, or its output was cleared
    return isHere || (mark.state !== 'asked' && mark.state !== 'replayed') ? mark : null;
  }

  /**
   * Whether the kernel has something to say at a cell: it asks, or has asked.
   *
   * @param {Lab.Cell} cell
   */
  has(cell) {
    return this._marks.has(cell.id);
  }

  /**
   * Whether the kernel takes a cell's answer for stale, whatever is being typed there.
   *
   * @param {Lab.Cell} cell
   */
  isStale(cell) {
    return this._marks.get(cell.id)?.state === 'stale';
  }

  /** @param {BridgeMessage.Marks} message */
  take({ cells, whole, stale, asked, replayed, tokens, at_least = false }) {
    if (whole) {
      this._marks.clear();
    }
    for (const [id, mark] of Object.entries(cells)) {
      if (mark && STATES.has(mark.state)) {
        this._marks.set(id, typedBack(mark, this._marks.get(id)));
      } else {
        this._marks.delete(id);
      }
    }
    this.counts = { stale, asked, replayed, tokens, at_least };
    this._notify();
  }

  /** The kernel that has said all this is gone. */
  clear() {
    this._marks.clear();
    this.counts = NONE;
    this._notify();
  }

  /**
   * Have a function called when there is something else to show.
   *
   * @param {() => void} watcher
   * @returns {() => void} Ends that.
   */
  watch(watcher) {
    this._watchers.push(watcher);
    return () => {
      this._watchers = this._watchers.filter(other => other !== watcher);
    };
  }

  _notify() {
    this._watchers.forEach(watcher => watcher());
  }
}

/**
 * Return a mark as it is kept. The kernel may say *edited*, too; but what is shown when the source is typed back, before
 * the kernel knows of it, is what was said of it before.
 *
 * @param {Mark} mark
 * @param {Mark} [former]
 */
function typedBack(mark, former) {
  const isKnown = mark.state === 'edited' && former?.hash === mark.hash;
  return isKnown ? { ...mark, state: former.state, why: former.why } : mark;
}
