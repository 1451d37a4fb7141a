// The open document: takes in what the kernel writes, and notices what others change and when it is saved.

import { changed, difference, isReadable } from './entries.js';
import { KEY } from './push.js';

const BATCH = 5000; // milliseconds between writes to a shared document: each sends the whole value to all

export class Document {
  /**
   * @param context The document's context.
   * @param {object} on What to do when it has
   *   `written(seq)` the writes up to this one, was `saved(seq)` with them, was `changed(changes)` by others, or
   *   was `replaced()` by something else altogether.
   */
  constructor(context, on) {
    this._context = context;
    this._on = on;
    this._known = undefined; // the value, as the kernel knows it
    this._waiting = []; // writes to a shared document
    this._timer = null;
    this._looking = null;
    this._seq = 0; // the last write that is in the document,
    this._saving = 0; // and that is being saved
    this._writing = false;
    context.model.metadataChanged.connect((_, change) => {
      if (change.key === KEY && !this._writing && this._looking === null) {
        this._looking = setTimeout(() => this._look(), 0); // once for all that changes together
      }
    });
    context.saveState.connect((_, state) => this._onSave(state));
    context.model.stateChanged.connect((_, change) => {
      if (change.name === 'dirty' && !change.newValue && context.model.collaborative) {
        on.saved(this._seq); // a shared document is saved by the server
      }
    });
  }

  /** Return what stands in the document, for the kernel to know. */
  value() {
    this.flush();
    this._known = this._context.model.getMetadata(KEY);
    return this._known;
  }

  /** Begin to count writes anew, for another kernel. */
  restart() {
    this._waiting = [];
    this._seq = this._saving = 0;
  }

  /** Take in a write of the kernel's. */
  write(message) {
    this._waiting.push(message);
    if (!this._context.model.collaborative) {
      this.flush();
    } else if (this._timer === null) {
      this._timer = setTimeout(() => this.flush(), BATCH);
    }
  }

  /** Bring into the document what waits. */
  flush() {
    clearTimeout(this._timer);
    this._timer = null;
    const writes = this._waiting.splice(0);
    if (!writes.length) {
      return;
    }
    const before = this._context.model.getMetadata(KEY);
    let value = before;
    try {
      for (const { replace, sessions } of writes) {
        value = changed(replace ? undefined : value, sessions);
      }
    } catch (error) {
      console.warn(`robota_nb: a write was refused: ${error.message}`);
      this._on.replaced();
      return;
    }
    if (!isReadable(before) || difference(before, value)) {
      this._put(value);
    }
    this._known = value;
    this._seq = writes.at(-1).seq;
    this._on.written(this._seq);
  }

  dispose() {
    clearTimeout(this._timer);
    clearTimeout(this._looking);
  }

  _put(value) {
    this._writing = true;
    try {
      this._context.model.sharedModel.updateMetadata({ [KEY]: value });
    } finally {
      this._writing = false;
    }
  }

  /** See what others have changed, and tell the kernel: it puts back what it misses. */
  _look() {
    this._looking = null;
    if (this._context.isDisposed) {
      return;
    }
    this.flush();
    const value = this._context.model.getMetadata(KEY);
    if (!isReadable(value) || !isReadable(this._known)) {
      this._on.replaced();
      return;
    }
    const changes = difference(this._known, value);
    this._known = value;
    if (changes) {
      this._on.changed(changes);
    }
  }

  _onSave(state) {
    const { model } = this._context;
    if (state === 'started') {
      this.flush();
      this._saving = this._seq;
    } else if (state === 'completed') {
      this._on.saved(this._saving);
      if (this._seq !== this._saving) {
        model.dirty = true; // JupyterLab forgets what was written while it saved
      }
    }
  }
}
