// The code cells of a notebook, as the kernel knows them: [id, hash of the source], in order.

import { sha256 } from './sha256.js';

const HASH = 16; // hex digits of a source hash

export class CodeCells {
  /** @param model The notebook's model. */
  constructor(model) {
    this._model = model;
    this._hashes = new WeakMap(); // cell -> [source, hash]
    this._changed = true;
    model.cells.changed.connect(this._watch, this);
    this._watch();
  }

  /** Return the cells, or null if they are as they were when they were asked for last. */
  news() {
    if (!this._changed) {
      return null;
    }
    this._changed = false;
    return this.list();
  }

  list() {
    return [...this._model.cells].filter(cell => cell.type === 'code').map(cell => [cell.id, this._hash(cell)]);
  }

  /** Say whether a word stands in any cell: notebooks that have nothing to do with us are left in peace. */
  mention(word) {
    return [...this._model.cells].some(cell => cell.sharedModel.getSource().includes(word));
  }

  /** Have `news` tell the cells again. */
  forget() {
    this._changed = true;
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

  _hash(cell) {
    const source = cell.sharedModel.getSource();
    const [known, hash] = this._hashes.get(cell) ?? [];
    if (known === source) {
      return hash;
    }
    const fresh = sha256(source).slice(0, HASH);
    this._hashes.set(cell, [source, fresh]);
    return fresh;
  }
}
