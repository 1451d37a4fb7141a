// A view's way to the kernel's side of the switcher: a comm, and the next one when that is gone (docs/protocol.md).

/** @typedef {import('./bridge.js').Bridge} Bridge */

const TARGET = 'robota_nb_ui'; // of the comms that a page opens
const TIMEOUT = 3000; // ms

export class Channel {
  /** @param {Bridge} bridge The notebook's: it knows whether the extension is loaded in its kernel. */
  constructor(bridge) {
    this._bridge = bridge;
    /** @type {Lab.Comm | null} */
    this._comm = null;
    /** @type {string | null} */
    this._process = null; // the kernel process that has it
    this._missed = false; // whether messages of the kernel may have been lost
    /** @type {ViewMessage.Hello | null} */
    this._hello = null;
    /** @type {ViewMessage.FromView[] | null} */
    this._waiting = null; // what to send when the comm is open
    /** @type {((message: ViewMessage.ToView) => void)[]} */
    this._listeners = [];
    this._closed = false;
    this._leave = () => this._hangUp();
    window.addEventListener('pagehide', this._leave);
    this.update();
  }

  /**
   * Send a message; without a kernel it is dropped. A `hello` is said again on each comm.
   *
   * @param {ViewMessage.FromView} message
   */
  send(message) {
    if (message.op === 'hello') {
      this._hello = message;
    }
    const isNew = this.wake();
    if (this._waiting) {
      if (!isNew || message !== this._hello) { // which a new one begins with
        this._waiting.push(message);
      }
    } else if (this._isOpen()) {
      this._comm?.send(message);
    }
  }

  /** @param {(message: ViewMessage.ToView) => void} listener */
  onMessage(listener) {
    this._listeners.push(listener);
  }

  close() {
    this._closed = true;
    this._hangUp();
    window.removeEventListener('pagehide', this._leave);
  }

  /**
   * Open a comm if there is none: the kernel closes those that have been silent for longest.
   *
   * @returns {boolean} Whether it did.
   */
  wake() {
    const { kernel } = this._bridge;
    if (this._closed || this._isOpen() || !kernel || kernel.isDisposed) {
      return false;
    }
    void this._open(kernel);
    return true;
  }

  /** Follow the bridge: its kernel may be another one, or another process, or have been out of reach. */
  update() {
    const { process } = this._bridge;
    if (process !== this._process) {
      this._process = process;
      this._comm = this._waiting = null; // not closed: the process is gone, and the next one does not know this comm
      this.wake();
    } else if (this._missed && this._isOpen() && this._bridge.kernel?.connectionStatus === 'connected') {
      this._missed = false;
      if (this._hello) {
        this._comm?.send(this._hello);
      }
    }
  }

  _isOpen() {
    return this._comm !== null && !this._comm.isDisposed;
  }

  /** @param {Lab.Kernel} kernel */
  async _open(kernel) {
    const comm = kernel.createComm(TARGET);
    this._comm = comm;
    this._missed = false;
    this._waiting = this._hello ? [this._hello] : [];
    comm.onMsg = ({ content }) => {
      if (comm === this._comm) {
        const message = /** @type {ViewMessage.ToView} */ (content.data);
        this._listeners.forEach(listener => listener(message));
      }
    };
    comm.onClose = () => {
      if (comm === this._comm) {
        this._comm = this._waiting = null;
      }
    };
    /** @type {(kernel: Lab.Kernel, status: string) => void} */
    const onConnection = (_, status) => {
      if (comm !== this._comm) {
        kernel.connectionStatusChanged.disconnect(onConnection);
      } else if (status !== 'connected') {
        this._missed = this._hello !== null;
      }
    };
    kernel.connectionStatusChanged.connect(onConnection);
    const isCurrent = () => comm === this._comm && this._isOpen() && !kernel.isDisposed;
    await soon(threaded(kernel, comm)); // messages that are sent before wait for the cell that runs
    if (isCurrent()) {
      await soon(comm.open().done); // ipykernel 7 complains of messages that it reads before it has opened the comm
    }
    if (isCurrent()) {
      const waiting = this._waiting ?? [];
      this._waiting = null;
      waiting.forEach(message => comm.send(message));
    }
  }

  _hangUp() {
    const comm = this._comm;
    this._comm = this._waiting = null;
    if (comm && !comm.isDisposed) {
      try {
        comm.close();
      } catch {
        // the connection to the kernel is gone already
      }
    }
  }
}

/**
 * Wait until a comm has its own thread in the kernel, where there are such.
 *
 * @param {Lab.Kernel} kernel
 * @param {Lab.Comm} comm
 */
async function threaded(kernel, comm) {
  await kernel.info;
  if (kernel.supportsSubshells && comm.commsOverSubshells !== 'disabled') {
    await comm.subshellStarted;
  }
}

/**
 * Wait for something, up to a limit: a kernel that runs a cell may not get to answer.
 *
 * @param {Promise<unknown>} promise
 */
async function soon(promise) {
  const timeout = new Promise(resolve => setTimeout(resolve, TIMEOUT));
  await Promise.race([promise, timeout]).catch(() => {}); // the next step may work even if this one has failed
}
