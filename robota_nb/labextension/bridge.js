// The page's end of what it and a notebook's kernel say to each other about the document (docs/protocol.md).

import { cellsAlong } from './along.js';
import { CodeCells } from './cells.js';
import { Document } from './document.js';
import { asksWithCells, asksWithOutputs } from './magic_line.js';
import { Marks } from './marks.js';
import { putCode } from './put_code.js';
import { MAX_PUSH, push } from './push.js';
import { language } from './switcher/strings.js';
import { VERSION } from './version.js';

const TARGET = 'robota_nb'; // of the comm that the kernel opens
const MAGIC = 'robota'; // also stands where the configuration loads the extension, and no cell does
const MAX_PART = 100_000; // characters
const ORDER = 100; // milliseconds: a cell that is moved goes and comes

/**
 * What a bridge needs around it.
 *
 * @typedef {object} Host
 * @property {(text: string, context: Lab.Context) => void} notify Tells the user something about a notebook.
 * @property {(path: string) => { root: string, path: string }} place Says where a document is.
 * @property {Lab.Contents} contents Where the files of documents are.
 * @property {boolean} updates Whether outputs of cells can be updated here.
 * @property {import('./strict.js').StrictNotebooks} strict For which notebooks nothing may be asked.
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
    this._remotePictures = false; // whether the user wants answers to show those of public servers
    /** @type {string[]} */
    this._parts = [];
    this._due = false; // whether the kernel has yet to be told of the document
    this._isOrderDue = false; // and whether of cells that came, went or moved
    /** @type {number | undefined} */
    this._orderTimer = undefined;
    /** @type {Map<string, (source: string) => void>} */
    this._written = new Map(); // what takes the cells that the kernel writes, by the cell that each is about
    /** @type {Set<string>} */
    this._pending = new Set(); // the ids of the cells that were sent, and have not ended
    this._at = this._place();
    this._page = Math.random().toString(36).slice(2); // others may show the document, too
    this.cells = new CodeCells(context.model);
    this.marks = new Marks(this.cells);
    this._document = new Document(context, host.contents, {
      written: seq => this._answer({ op: 'ack', seq }),
      saved: seq => this._answer({ op: 'saved', seq }),
      dropped: seq => this._answer({ op: 'dropped', seq }),
      changed: sessions => (this._comm ? void this._tell({ op: 'changed', sessions }) : this._introduce()),
      replaced: () => this._introduce()
    });
    this.cells.watch(isOrder => isOrder && this._onOrder());
    this._session.kernelChanged.connect((_, { newValue }) => this._meet(newValue));
    this._session.statusChanged.connect((_, status) => this._onStatus(status));
    this._session.connectionStatusChanged.connect((_, status) => {
      this._due = this._due || status !== 'connected'; // messages of the kernel may be lost meanwhile
    });
    context.pathChanged.connect(() => this._onRenamed());
    this._meet(this._kernel());
  }

  /**
   * Tell the kernel what it has to know before the cell that is about to be sent.
   *
   * @param {Lab.Cell} cell
   */
  beforeExecution(cell) {
    this._tellChange();
    const source = cell.sharedModel.getSource();
    if (asksWithCells(source) && this._isReached()) {
      const cells = this.cellsAlong([...this._context.model.cells], cell.id, asksWithOutputs(source));
      void this._tell({ op: 'sources', cell: String(cell.id), cells });
    }
    this._pending.add(cell.id);
  }

  /**
   * Note that a cell has run, or was given up.
   *
   * @param {Lab.Cell} cell
   */
  afterExecution(cell) {
    this._pending.delete(cell.id);
  }

  /**
   * Return cells as they go along with what is asked.
   *
   * @param {Lab.Cell[]} cells
   * @param {string | null} asking The id of the cell that asks; null if none does.
   * @param {boolean} withOutputs
   */
  cellsAlong(cells, asking, withOutputs) {
    return cellsAlong(cells, { asking, withOutputs, hash: cell => this.cells.hash(cell), pending: this._pending });
  }

  /** Tell the kernel what has changed of the document's cells. */
  _tellChange() {
    if (this._due) {
      this._open();
    } else if ((this._comm || this.cells.contain(MAGIC)) && this._isReached()) {
      this._isOrderDue = false;
      const change = this.cells.change();
      if (change) {
        void this._tell({ op: 'cells', page: this._page, ...change });
      }
    }
  }

  /**
   * Wait until the kernel knows the cells as they are now, and until what it says of them is here: before it answers a
   * change that is none.
   *
   * @returns {Promise<boolean>} Whether it does.
   */
  async settle() {
    const change = this.cells.change();
    const isTaken = !change || (await this._tell({ op: 'cells', page: this._page, ...change }));
    return isTaken && this._tell({ op: 'cells', page: this._page, from: 0, gone: 0, cells: [] });
  }

  /** Let all stale answers stand. */
  accept() {
    void this._tell({ op: 'accept' });
  }

  /**
   * Have the model asked when a cell runs next, whatever is recorded.
   *
   * @param {string} cell
   */
  askAgain(cell) {
    void this._tell({ op: 'again', cell });
  }

  /**
   * Have the kernel write a cell that asks why another one has failed.
   *
   * @param {string} cell
   * @param {string} source The cell's.
   * @param {import('./errors.js').ErrorBox} box
   * @returns {Promise<string | null>} Its source; null if the kernel has not taken that in.
   */
  async askWhy(cell, source, box) {
    const written = new Promise(resolve => this._written.set(cell, resolve));
    const isTaken = await this._tell({ op: 'why', page: this._page, cell, source, ...box });
    return isTaken ? written : null;
  }

  /** Whether the user wants nothing to be asked in this notebook. */
  get isStrict() {
    return this._host.strict.has(this._at);
  }

  set isStrict(isStrict) {
    this._host.strict.set(this._at, isStrict);
    void this._tell({ op: 'replay', mode: isStrict ? 'strict' : 'auto' });
  }

  dispose() {
    clearTimeout(this._orderTimer);
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

  /**
   * Whether answers of a document may show pictures of public servers.
   *
   * @param {string} path
   */
  showsPictures(path) {
    return this._remotePictures && this._context.path === path;
  }

  /** Whether another view of the same kernel gets its comms, and not this one. */
  get isElsewhere() {
    return this._kernel()?.handleComms === false;
  }

  /** Whether the notebook is of Python, as far as is known: one without a kernel may not say. */
  get isOfPython() {
    const kernel = this._kernel();
    const language = kernel && this._session.specsManager?.specs?.kernelspecs[kernel.name]?.language;
    return /python/i.test(language ?? (this._context.model.defaultKernelLanguage || (kernel ? '' : 'python')));
  }

  _kernel() {
    return this._session.session?.kernel ?? null;
  }

  /** Whether there is a Python kernel to speak with: of several views of a kernel, one gets its comms. */
  _isReached() {
    const kernel = this._kernel();
    return Boolean(kernel && kernel.handleComms && !kernel.isDisposed && this.isOfPython);
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

  /** Cells have come, gone or moved: answers below may be stale by that, before anything runs. */
  _onOrder() {
    this._isOrderDue = true;
    this._orderTimer ??= setTimeout(() => {
      this._orderTimer = undefined;
      this._tellOrder();
    }, ORDER);
  }

  /** Tell the kernel of that; a busy one when it is idle, as it would drop what waits if a cell fails. */
  _tellOrder() {
    if (this._isOrderDue && this._comm && this._orderTimer === undefined && this._kernel()?.status === 'idle') {
      this._tellChange();
    }
  }

  /** @param {string} status The kernel's. */
  _onStatus(status) {
    if (status === 'restarting' || status === 'autorestarting' || status === 'terminating' || status === 'dead') {
      this._pending.clear();
    }
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
        this._tellOrder();
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
    const dirty = this._context.model.dirty || this._document.isDropped;
    const [{ cells, ...along }, value] = [this.cells.whole(), this._document.value()];
    const replay = this.isStrict ? 'strict' : null;
    const { updates } = this._host;
    void this._tell({
      op: 'open', page: this._page, version: VERSION, locale: language, dirty, ...this._at, cells, ...along, value, replay,
      updates
    });
  }

  _onRenamed() {
    const former = this._at;
    this._at = this._place();
    this._host.strict.move(former, this._at);
    void this._tell({ op: 'renamed', ...this._at });
  }

  _place() {
    return this._host.place(this._context.path);
  }

  /**
   * Tell the kernel something before the next cell.
   *
   * @param {BridgeMessage.FromFrontEnd} message
   * @returns {Promise<boolean>} Whether it has taken it in.
   */
  async _tell(message) {
    const kernel = this._kernel();
    if (!kernel || !this._isReached()) {
      return false;
    }
    const { told } = this.cells;
    const isTaken = await push(kernel, message);
    if (isTaken === false) {
      this._introduce();
    } else if (isTaken && (message.op === 'open' || message.op === 'cells')) {
      this.cells.taken(told);
    }
    return isTaken === true;
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
      this.marks.clear();
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
    if (this._document.isDropped) {
      this._answer({ op: 'dropped', seq: 0 }); // another kernel may have been told
    }
  }

  /** @param {boolean} loaded */
  _setLoaded(loaded) {
    this._loaded = loaded;
    if (!loaded) {
      this._remotePictures = false;
      this.marks.clear();
    }
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
        return this._host.notify(String(message.text), this._context);
      case 'pictures':
        this._remotePictures = message.remote === true;
        return;
      case 'marks':
        return this.marks.take(message);
      case 'code':
        return putCode(this._context.model, this.cells, message);
      case 'insert':
        if (message.page === this._page) { // another page may have asked
          this._written.get(message.below)?.(String(message.source));
          this._written.delete(message.below);
        }
        return;
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
