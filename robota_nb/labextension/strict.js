// For which notebooks nothing may be asked: the user's choice, kept by the browser and not in the file.
//
// Not in the application's state: Notebook keeps that no longer than the page, and it comes too late for the first cell.

const KEY = 'robota_nb:strict'; // in the browser's storage

/** @typedef {{ root: string, path: string }} Place Where a document is. */

export class StrictNotebooks {
  constructor() {
    /** @type {Set<string>} */
    this._places = new Set(); // of this page, where the browser keeps nothing
  }

  /** @param {Place} place */
  has(place) {
    return this._read().has(name(place));
  }

  /**
   * @param {Place} place
   * @param {boolean} isStrict
   */
  set(place, isStrict) {
    const places = this._read();
    places[isStrict ? 'add' : 'delete'](name(place));
    this._places = places;
    try {
      localStorage.setItem(KEY, JSON.stringify([...places]));
    } catch {
      // it holds for this page
    }
  }

  /**
   * A document has moved.
   *
   * @param {Place} from
   * @param {Place} to
   */
  move(from, to) {
    if (this.has(from)) {
      this.set(from, false);
      this.set(to, true);
    }
  }

  /** @returns {Set<string>} */
  _read() {
    try {
      return new Set(JSON.parse(localStorage.getItem(KEY) ?? '[]'));
    } catch {
      return new Set(this._places);
    }
  }
}

/** @param {Place} place */
function name({ root, path }) {
  return JSON.stringify([root, path]);
}
