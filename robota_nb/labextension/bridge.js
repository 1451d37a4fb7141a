// The front end's side of what it and a notebook's kernel say to each other (docs/protocol.md).

import { CodeCells } from './cells.js';
import { Document } from './document.js';
import { MAX_PUSH, push } from './push.js';
import { VERSION } from './version.js';

const TARGET = 'robota_nb'; // of the comm that the kernel opens
const MAGIC = 'robota'; // also where the configuration loads the extension, and no cell does
const MAX_PART = 100_000; // characters

export class Bridge {
  /**
   * @param context The notebook's context.
   * @param {object} host `notify(text)` tells the user something; `place(path)` says where the document is;
   *   `loaded(bridge)` is called when `kernel` or `process` may have changed, and when the kernel has met this page.
   */
  constructor(context, host) {
    this._context = context;
    this._session = context.sessionContext;
    this._host = host;
    this._comm = null;
    this._process = null; // the kernel's that has opened it
    this._loaded = false; // whether the extension is, in that process
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
      this._due = this._due || status !== 'connected'; // what the kernel said meanwhile may be lost
    });
    context.pathChanged.connect(() => this._tell({ op: 'renamed', ...this._place() }));
    this._meet(this._kernel());
  }

  /** Tell the kernel what it has to know before the cell that is about to be sent. */
  beforeExecution() {
    if (this._due) {
      this._open();
    } else if ((this._comm || this._cells.mention(MAGIC)) && this._isReached()) {
      const cells = this._cells.news();
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

  /** Which of the kernel's processes has it loaded: another one after each restart. */
  get process() {
    return this._loaded ? this._process : null;
  }

  /** Whether another view of the same kernel hears it, and not this one. */
  get isElsewhere() {
    return this._kernel()?.handleComms === false;
  }

  _kernel() {
    return this._session.session?.kernel ?? null;
  }

  /** Whether there is a Python kernel that we may speak with: of several views of a kernel, one hears its comms. */
  _isReached() {
    const kernel = this._kernel();
    if (!kernel || !kernel.handleComms || kernel.isDisposed) {
      return false;
    }
    const language = this._session.specsManager?.specs?.kernelspecs[kernel.name]?.language;
    return /python/i.test(language ?? this._context.model.defaultKernelLanguage);
  }

  _meet(kernel) {
    this._comm = null;
    this._load(false);
    if (kernel?.handleComms) {
      kernel.registerCommTarget(TARGET, (comm, { header }) => this._take(comm, header.session));
      this._introduce();
    }
  }

  _onStatus(status) {
    if (status === 'restarting' || status === 'autorestarting') {
      this._comm = null;
      this._due = true;
      this._load(false);
    } else if (status === 'terminating' || status === 'dead') {
      this._load(false);
    } else if (status === 'starting' || status === 'idle' || status === 'busy') {
      if (this._due) {
        this._open();
      } else {
        this._document.heed(status === 'idle');
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
    const { model } = this._context;
    this._cells.forget();
    const cells = this._cells.news();
    const value = this._document.value();
    this._tell({ op: 'open', version: VERSION, dirty: model.dirty, ...this._place(), cells, value });
  }

  _place() {
    return this._host.place(this._context.path);
  }

  _tell(message) {
    if (this._isReached()) {
      push(this._kernel(), message, () => this._introduce());
    }
  }

  _answer(message) {
    if (this._comm && !this._comm.isDisposed) {
      this._comm.send(message);
    }
  }

  /** Take up a comm that the kernel has opened; another tab may have restarted that, and it counts anew. */
  _take(comm, process) {
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
        this._hear(content.data);
      }
    };
    comm.onClose = () => {
      if (comm === this._comm) {
        this._load(false); // the kernel has closed it, and opened no other one: the extension was unloaded
      }
    };
    this._load(true);
  }

  _load(loaded) {
    this._loaded = loaded;
    this._host.loaded(this);
  }

  _hear(message) {
    switch (message.op) {
      case 'part':
        return this._join(message);
      case 'write':
        return this._document.write(message);
      case 'notice':
        return this._host.notify(String(message.text));
      case 'save':
        return void this._context.save().catch(() => {}); // the application has said why
    }
  }

  /** Put a long message together. */
  _join({ at, of, text }) {
    this._parts = at === 0 ? [] : this._parts;
    if (at !== this._parts.length || of * text.length > MAX_PUSH + MAX_PART || text.length > MAX_PART) {
      return; // a part was lost: the kernel is told anew, and writes it again
    }
    this._parts.push(text);
    if (this._parts.length === of) {
      this._hear(JSON.parse(this._parts.splice(0).join('')));
    }
  }
}
