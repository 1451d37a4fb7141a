// The open document: takes in what the kernel writes, and notices what others change and when it is saved.

import { changed, difference, isReadable } from './entries.js';
import { KEY } from './push.js';

// Each write to a shared document sends the whole value to everybody, and the server keeps it. So they wait for more:
const BATCH = 5000; // milliseconds while the kernel is busy,
const REST = 500; // and once it is idle.

const CROSSING = 500; // milliseconds in which the server's word of a save may have crossed our write

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
    this._waiting = []; // writes to a shared document,
    this._batch = this._rest = null; // and what brings them in
    this._looking = null;
    this._seq = 0; // the last write that is in the document,
    this._saving = 0; // and that is being saved
    this._writing = false;
    this._putAt = 0; // when the document was changed last, by us
    context.model.metadataChanged.connect((_, change) => {
      if (change.key === KEY && !this._writing && this._looking === null) {
        this._looking = setTimeout(() => this._look(), 0); // once for all that changes together
      }
    });
    context.saveState.connect((_, state) => this._onSave(state));
    context.model.stateChanged.connect((_, change) => {
      if (change.name === 'hash' && context.model.collaborative) {
        this._onServerSave();
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
    this.flush();
    this._seq = this._saving = 0;
  }

  /** Take in a write of the kernel's. */
  write(message) {
    this._waiting.push(message);
    if (!this._context.model.collaborative) {
      this.flush();
    } else if (this._batch === null) {
      this._batch = setTimeout(() => this.flush(), BATCH * this._turn());
    }
  }

  /** Note whether the kernel is idle. */
  heed(isIdle) {
    clearTimeout(this._rest);
    if (isIdle && this._waiting.length) {
      this._rest = setTimeout(() => this.flush(), REST * this._turn());
    }
  }

  /** Bring into the document what waits. */
  flush() {
    clearTimeout(this._batch);
    clearTimeout(this._rest);
    this._batch = null;
    const writes = this._waiting;
    if (!writes.length) {
      return;
    }
    let before, value;
    try {
      if (this._looking !== null) {
        this._look(); // the kernel has yet to hear of what we write over
      }
      before = this._context.model.getMetadata(KEY);
      value = withWrites(before, writes);
    } catch (error) {
      console.warn(`robota_nb: a write was refused: ${error.message}`);
      this._on.replaced();
      return;
    } finally {
      this._waiting = [];
    }
    if (!isReadable(before) || difference(before, value)) {
      this._put(value);
    }
    this._known = value;
    this._seq = writes.at(-1).seq;
    this._on.written(this._seq);
  }

  dispose() {
    clearTimeout(this._batch);
    clearTimeout(this._rest);
    clearTimeout(this._looking);
  }

  /** Of the tabs that share a document all hear the kernel: each waits for its turn, and the later find all done. */
  _turn() {
    const { awareness, ydoc } = this._context.model.sharedModel;
    return 1 + [...awareness.getStates().keys()].filter(id => id < ydoc.clientID).length;
  }

  _put(value) {
    this._writing = true;
    try {
      this._context.model.sharedModel.updateMetadata({ [KEY]: value });
    } finally {
      this._writing = false;
      this._putAt = Date.now();
    }
  }

  /** See what others have changed, and tell the kernel: it puts back what it misses. */
  _look() {
    clearTimeout(this._looking);
    this._looking = null;
    if (this._context.isDisposed) {
      return;
    }
    const [known, value] = [this._known, this._context.model.getMetadata(KEY)];
    if (!isReadable(value) || !isReadable(known)) {
      this._on.replaced();
      return;
    }
    this._known = value;
    const changes = difference(withWrites(known, this._waiting), withWrites(value, this._waiting));
    if (changes) {
      this._on.changed(changes);
    }
  }

  /** A shared document is saved by the server, on its own: its hash tells. */
  _onServerSave() {
    if (Date.now() - this._putAt > CROSSING) {
      this._on.saved(this._seq);
    } // else that save may not hold our last write; the one that does follows
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

/** The value with the kernel's writes in it; a `TypeError` if they do not go together. */
function withWrites(value, writes) {
  return writes.reduce((before, { replace, sessions }) => changed(replace ? undefined : before, sessions), value);
}
