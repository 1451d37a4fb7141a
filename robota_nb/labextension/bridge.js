// The page's end of what it and a notebook's kernel say to each other about the document (docs/protocol.md).

import { CodeCells } from './cells.js';
import { Document } from './document.js';
import { MAX_PUSH, push } from './push.js';
import { VERSION } from './version.js';

const TARGET = 'robota_nb'; // of the comm that the kernel opens
const MAGIC = 'robota'; // also stands where the configuration loads the extension, and no cell does
const MAX_PART = 100_000; // characters

/**
 * What a bridge needs around it.
 *
 * @typedef {object} Host
 * @property {(text: string) => void} notify Tells the user something.
 * @property {(path: string) => { root: string, path: string }} place Says where a document is.
 * @property {() => void} loaded Called when `kernel` or `process` may have changed, and when the kernel has met this
 *   page.
 */

export class Bridge {
  /**
   * @param {Lab.Context} context The notebook's.
   * @param {Host} host
   */
  constructor(context, host) {
    this._context = context;
    this._session = context.sessionContext;
    this._host = host;
    /** @type {Lab.Comm | null} */
    this._comm = null;
    /** @type {string | null} */
    this._process = null; // the kernel process that has opened the comm
    this._loaded = false; // whether the extension is, in that process
    /** @type {string[]} */
    this._parts = [];
    this._due = false; // whether the kernel has yet to be told of the document
    this._cells = new CodeCells(context.model);
    this._document = new Document(context, {
      written: seq => this._answer({ op: 'ack', seq }),
      saved: seq => this._answer({ op: 'saved', seq }),
      changed: sessions => (this._comm ? this._tell({ op: 'changed', sessions }) : this._introduce()),
      replaced: () => this._introduce()
    });
    this._session.kernelChanged.connect((_, { newValue }) => this._meet(newValue));
    this._session.statusChanged.connect((_, status) => this._onStatus(status));
    this._session.connectionStatusChanged.connect((_, status) => {
      this._due = this._due || status !== 'connected'; // messages of the kernel may be lost meanwhile
    });
    context.pathChanged.connect(() => this._tell({ op: 'renamed', ...this._place() }));
    this._meet(this._kernel());
  }

  /** Tell the kernel what it has to know before the cell that is about to be sent. */
  beforeExecution() {
    if (this._due) {
      this._open();
    } else if ((this._comm || this._cells.contain(MAGIC)) && this._isReached()) {
      const cells = this._cells.listIfChanged();
      if (cells) {
        this._tell({ op: 'cells', cells });
      }
    }
  }

  dispose() {
    this._document.dispose();
  }

  /** The kernel, while the extension is loaded there. */
  get kernel() {
    return this._loaded ? this._kernel() : null;
  }

  /** The kernel process in which the extension is loaded: another one after each restart. */
  get process() {
    return this._loaded ? this._process : null;
  }

  /** Whether another view of the same kernel gets its comms, and not this one. */
  get isElsewhere() {
    return this._kernel()?.handleComms === false;
  }

  _kernel() {
    return this._session.session?.kernel ?? null;
  }

  /** Whether there is a Python kernel to speak with: of several views of a kernel, one gets its comms. */
  _isReached() {
    const kernel = this._kernel();
    if (!kernel || !kernel.handleComms || kernel.isDisposed) {
      return false;
    }
    const language = this._session.specsManager?.specs?.kernelspecs[kernel.name]?.language;
    return /python/i.test(language ?? this._context.model.defaultKernelLanguage);
  }

  /** @param {Lab.Kernel | null} kernel */
  _meet(kernel) {
    this._comm = null;
    this._setLoaded(false);
    if (kernel?.handleComms) {
      kernel.registerCommTarget(TARGET, (comm, { header }) => this._accept(comm, header.session));
      this._introduce();
    }
  }

  /** @param {string} status The kernel's. */
  _onStatus(status) {
    if (status === 'restarting' || status === 'autorestarting') {
      this._comm = null;
      this._due = true;
      this._setLoaded(false);
    } else if (status === 'terminating' || status === 'dead') {
      this._setLoaded(false);
    } else if (status === 'starting' || status === 'idle' || status === 'busy') {
      if (this._due) {
        this._open();
      } else {
        this._document.onIdle(status === 'idle');
      }
    }
  }

  /** Tell the kernel of the document as soon as that is there. */
  _introduce() {
    this._due = true;
    void this._context.ready.then(() => {
      if (this._due) {
        this._open();
      }
    });
  }

  _open() {
    if (!this._context.isReady || !this._isReached()) {
      return;
    }
    this._due = false;
    const { dirty } = this._context.model;
    const [cells, value] = [this._cells.list(), this._document.value()];
    this._tell({ op: 'open', version: VERSION, dirty, ...this._place(), cells, value });
  }

  _place() {
    return this._host.place(this._context.path);
  }

  /** @param {BridgeMessage.FromFrontEnd} message For the kernel to know before the next cell. */
  _tell(message) {
    const kernel = this._kernel();
    if (kernel && this._isReached()) {
      push(kernel, message, () => this._introduce());
    }
  }

  /** @param {BridgeMessage.FromFrontEnd} message */
  _answer(message) {
    if (this._comm && !this._comm.isDisposed) {
      this._comm.send(message);
    }
  }

  /**
   * Accept a comm that the kernel has opened. The kernel may have been restarted by another tab, and then counts its writes from 1.
   *
   * @param {Lab.Comm} comm
   * @param {string} process
   */
  _accept(comm, process) {
    this._comm = null;
    if (process !== this._process) {
      this._process = process;
      this._document.restart();
    }
    comm.commsOverSubshells = 'disabled'; // answers in the order of the cells, and no thread in the kernel for them
    this._comm = comm;
    this._parts = [];
    comm.onMsg = ({ content }) => {
      if (comm === this._comm) {
        this._receive(/** @type {BridgeMessage.FromKernel} */ (content.data));
      }
    };
    comm.onClose = () => {
      if (comm === this._comm) {
        this._setLoaded(false); // the kernel has closed it, and opened no other one: the extension was unloaded
      }
    };
    this._setLoaded(true);
  }

  /** @param {boolean} loaded */
  _setLoaded(loaded) {
    this._loaded = loaded;
    this._host.loaded();
  }

  /** @param {BridgeMessage.FromKernel} message */
  _receive(message) {
    switch (message.op) {
      case 'part':
        return this._join(message);
      case 'write':
        return this._document.write(message);
      case 'notice':
        return this._host.notify(String(message.text));
      case 'save':
        return void this._context.save().catch(() => {}); // the application has shown the error
    }
  }

  /**
   * Put a long message together.
   *
   * @param {BridgeMessage.Part} part
   */
  _join({ at, of, text }) {
    this._parts = at === 0 ? [] : this._parts;
    if (at !== this._parts.length || of * text.length > MAX_PUSH + MAX_PART || text.length > MAX_PART) {
      return; // a part was lost: after the next `open` the kernel writes it again
    }
    this._parts.push(text);
    if (this._parts.length === of) {
      this._receive(JSON.parse(this._parts.splice(0).join('')));
    }
  }
}
