// The open document: writes into it what the kernel says, and notices when others change it and when it is saved.

import { changed, difference, isReadable, lacks } from './entries.js';
import { KEY } from './push.js';

/** @typedef {Record<string, BridgeMessage.Change>} Changes */

// Each write to a shared document sends the whole value to everybody, and the server keeps it. So they are gathered:
const BATCH = 5000; // milliseconds while the kernel is busy,
const REST = 500; // and once it is idle.

const CROSSING = 500; // milliseconds in which the server's report of a save may have crossed our write

/**
 * What to do when something has become of the document.
 *
 * @typedef {object} Handlers
 * @property {(seq: number) => void} written It holds the writes up to this one.
 * @property {(seq: number) => void} saved It was saved with them, and the file holds them.
 * @property {(seq: number) => void} dropped It was saved, and something has taken entries out on the way to the file.
 * @property {(changes: Changes) => void} changed Others have changed it.
 * @property {() => void} replaced Something else altogether stands there.
 */

export class Document {
  /**
   * @param {Lab.Context} context The document's.
   * @param {Pick<Lab.Contents, 'get'>} contents Where its file is.
   * @param {Handlers} on
   */
  constructor(context, contents, on) {
    this._context = context;
    this._contents = contents;
    this._on = on;
    /** @type {unknown} */
    this._known = undefined; // the value, as the kernel knows it
    /** @type {BridgeMessage.Write[]} */
    this._waiting = []; // writes to a shared document,
    /** @type {number | undefined} */
    this._batchTimer = undefined; // and what brings them in
    /** @type {number | undefined} */
    this._restTimer = undefined;
    /** @type {number | undefined} */
    this._lookTimer = undefined;
    this._seq = 0; // the last write that is in the document,
    this._saving = 0; // and the last one that is being saved
    /** @type {number | null} */
    this._lookedAt = null; // the last write that was looked for in the file,
    this._looks = 0; // how often that was done,
    /** Whether the file lacks something that was saved, as far as is known. */
    this.isDropped = false;
    this._writing = false;
    /** @type {unknown} */
    this._saved = undefined; // what is being saved, if the file is to be looked into
    this._putAt = 0; // when we have changed the document last
    context.model.metadataChanged.connect((_, change) => {
      if (change.key === KEY && !this._writing && this._lookTimer === undefined) {
        this._lookTimer = setTimeout(() => this._look(), 0); // once for all that changes together
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

  /** Count writes from the beginning, for another kernel. */
  restart() {
    this.flush();
    this._lookedAt = this._lookedAt === this._seq ? 0 : null;
    this._seq = this._saving = 0;
  }

  /**
   * Take in a write of the kernel's.
   *
   * @param {BridgeMessage.Write} message
   */
  write(message) {
    this._waiting.push(message);
    if (!this._context.model.collaborative) {
      this.flush();
    } else if (this._batchTimer === undefined) {
      this._batchTimer = setTimeout(() => this.flush(), BATCH * this._turn());
    }
  }

  /**
   * Note whether the kernel is idle.
   *
   * @param {boolean} isIdle
   */
  onIdle(isIdle) {
    clearTimeout(this._restTimer);
    if (isIdle && this._waiting.length) {
      this._restTimer = setTimeout(() => this.flush(), REST * this._turn());
    }
  }

  /** Bring the writes that wait into the document. */
  flush() {
    clearTimeout(this._batchTimer);
    clearTimeout(this._restTimer);
    this._batchTimer = undefined;
    const writes = this._waiting;
    const last = writes.at(-1);
    if (!last) {
      return;
    }
    let before, value;
    try {
      if (this._lookTimer !== undefined) {
        this._look(); // the kernel has to be told what others have changed, before we write over it
      }
      before = this._context.model.getMetadata(KEY);
      value = withWrites(before, writes);
    } catch (error) {
      console.warn('robota_nb: a write was refused:', error);
      this._on.replaced();
      return;
    } finally {
      this._waiting = [];
    }
    if (!isReadable(before) || difference(before, value)) {
      this._put(value);
    }
    this._known = value;
    this._seq = last.seq;
    this._on.written(this._seq);
  }

  dispose() {
    clearTimeout(this._batchTimer);
    clearTimeout(this._restTimer);
    clearTimeout(this._lookTimer);
  }

  /** All tabs that share a document get the kernel's writes: each waits for its turn, and later ones find them done. */
  _turn() {
    const { awareness, ydoc } = this._context.model.sharedModel;
    return 1 + [...awareness.getStates().keys()].filter(id => id < ydoc.clientID).length;
  }

  /** @param {unknown} value */
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
    clearTimeout(this._lookTimer);
    this._lookTimer = undefined;
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

  /** The server has saved a shared document, as it does on its own: the hash of the file has changed. */
  _onServerSave() {
    const isCrossing = Date.now() - this._putAt <= CROSSING; // it may not hold our last write; the one that does follows
    if (!isCrossing && !(this.isDropped && this._lookedAt === this._seq)) {
      void this._report(this._seq, this._context.model.getMetadata(KEY));
    }
  }

  /** @param {'started' | 'completed' | 'failed'} state */
  _onSave(state) {
    const { model } = this._context;
    if (state === 'started') {
      this.flush();
      this._saving = this._seq;
      this._saved = this._isProven(this._seq) ? undefined : model.getMetadata(KEY);
    } else if (state === 'completed') {
      void this._report(this._saving, this._saved);
      if (this._seq !== this._saving) {
        model.dirty = true; // JupyterLab forgets what was written while it saved
      }
    }
  }

  /**
   * Whether the file was looked into since this write, and holds it: then it need not be read again.
   *
   * @param {number} seq
   */
  _isProven(seq) {
    return this._lookedAt === seq && !this.isDropped;
  }

  /**
   * Report a save, once it is known whether the file holds what was saved: a hook of the server, or a text format, may
   * have dropped it.
   *
   * @param {number} seq The last write that was saved.
   * @param {unknown} value What stood in the document then.
   */
  async _report(seq, value) {
    const look = ++this._looks;
    if (!this._isProven(seq) && isReadable(value) && lacks(undefined, value)) {
      let isDropped;
      try {
        isDropped = await this._isMissing(value);
      } catch (error) {
        console.warn('robota_nb: the saved file cannot be looked into:', error);
        return;
      }
      if (look !== this._looks || this._context.isDisposed) {
        return; // it was saved again since
      }
      this._lookedAt = seq;
      this.isDropped = isDropped;
    }
    if (this.isDropped) {
      this._on.dropped(seq);
    } else {
      this._on.saved(seq);
    }
  }

  /**
   * Whether the file lacks an entry. The server's save of a shared document may have been one of before: the next follows.
   *
   * @param {unknown} value
   */
  async _isMissing(value) {
    const isMissing = lacks(await this._filed(), value);
    if (!isMissing || !this._context.model.collaborative) {
      return isMissing;
    }
    await new Promise(resolve => setTimeout(resolve, BATCH));
    return lacks(await this._filed(), value);
  }

  /** What the server gives to who opens the file. */
  async _filed() {
    const { content } = await this._contents.get(this._context.path, { type: 'notebook', content: true });
    return content?.metadata?.[KEY];
  }
}

/**
 * Return the value with the kernel's writes in it; a `TypeError` if they do not go together.
 *
 * @param {unknown} value
 * @param {BridgeMessage.Write[]} writes
 */
function withWrites(value, writes) {
  return writes.reduce((before, { replace, sessions }) => changed(replace ? undefined : before, sessions), value);
}
