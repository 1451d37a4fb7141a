// The code cells of a notebook, as the kernel is told of them: [id, hash of the source], in order.

import { sha256 } from './sha256.js';

const HASH = 16; // hex digits of a source hash

export class CodeCells {
  /** @param {Lab.NotebookModel} model */
  constructor(model) {
    this._model = model;
    /** @type {WeakMap<Lab.Cell, [source: string, hash: string]>} */
    this._hashes = new WeakMap();
    this._changed = true;
    model.cells.changed.connect(this._watch, this);
    this._watch();
  }

  /** Return the cells, or null if nothing has changed since they were listed last. */
  listIfChanged() {
    return this._changed ? this.list() : null;
  }

  /** Return the cells. */
  list() {
    this._changed = false;
    return [...this._model.cells]
      .filter(cell => cell.type === 'code')
      .map(cell => [String(cell.id), this._hash(cell)]); // a damaged file may have a number there
  }

  /**
   * Say whether a word stands in any cell: notebooks that do not use the extension are left in peace.
   *
   * @param {string} word
   */
  contain(word) {
    return [...this._model.cells].some(cell => cell.sharedModel.getSource().includes(word));
  }

  _watch() {
    this._changed = true;
    for (const cell of this._model.cells) {
      if (!this._hashes.has(cell)) {
        this._hashes.set(cell, ['', sha256('').slice(0, HASH)]);
        cell.sharedModel.changed.connect((_, change) => {
          this._changed = this._changed || change.sourceChange !== undefined;
        });
      }
    }
  }

  /** @param {Lab.Cell} cell */
  _hash(cell) {
    const source = cell.sharedModel.getSource();
    const [known, hash] = this._hashes.get(cell) ?? [];
    if (hash !== undefined && known === source) {
      return hash;
    }
    const fresh = sha256(source).slice(0, HASH);
    this._hashes.set(cell, [source, fresh]);
    return fresh;
  }
}
