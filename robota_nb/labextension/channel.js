// A way to the kernel's side of the switcher: a comm, and the next one when that is gone (docs/protocol.md).

const TARGET = 'robota_nb_ui'; // of the comms that a page opens
const PATIENCE = 3000; // ms

export class Channel {
  /** @param bridge The notebook's: it knows whether its kernel listens. */
  constructor(bridge) {
    this._bridge = bridge;
    this._comm = null;
    this._process = null; // the kernel's that has it
    this._missed = false; // whether it may have said something that did not arrive
    this._hello = null;
    this._waiting = null; // what to send when the comm is open
    this._listeners = [];
    this._closed = false;
    this._leave = () => this._hangUp();
    window.addEventListener('pagehide', this._leave);
    this.update();
  }

  /** Send a message; what no kernel can hear is dropped. A `hello` is said again on each comm. */
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
      this._comm.send(message);
    }
  }

  onMessage(listener) {
    this._listeners.push(listener);
  }

  close() {
    this._closed = true;
    this._hangUp();
    window.removeEventListener('pagehide', this._leave);
  }

  /** Open a comm if there is none: the kernel closes those that it has not heard for longest. */
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
      this._comm = this._waiting = null; // without a word: who had it is gone, and the next one knows nothing of it
      this.wake();
    } else if (this._missed && this._isOpen() && this._bridge.kernel?.connectionStatus === 'connected') {
      this._missed = false;
      this._comm.send(this._hello);
    }
  }

  _isOpen() {
    return Boolean(this._comm) && !this._comm.isDisposed;
  }

  async _open(kernel) {
    const comm = kernel.createComm(TARGET);
    this._comm = comm;
    this._missed = false;
    this._waiting = this._hello ? [this._hello] : [];
    comm.onMsg = ({ content }) => {
      if (comm === this._comm) {
        this._listeners.forEach(listener => listener(content.data));
      }
    };
    comm.onClose = () => {
      if (comm === this._comm) {
        this._comm = this._waiting = null;
      }
    };
    const notice = (_, status) => {
      if (comm !== this._comm) {
        kernel.connectionStatusChanged.disconnect(notice);
      } else if (status !== 'connected') {
        this._missed = Boolean(this._hello);
      }
    };
    kernel.connectionStatusChanged.connect(notice);
    const isCurrent = () => comm === this._comm && this._isOpen() && !kernel.isDisposed;
    await soon(threaded(kernel, comm)); // what is sent before waits for the cell that runs
    if (isCurrent()) {
      await soon(comm.open().done); // ipykernel 7 complains of messages that it reads before it has opened the comm
    }
    if (isCurrent()) {
      const waiting = this._waiting;
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
        // the kernel's connection is gone already
      }
    }
  }
}

/** Wait until a comm has its own thread in the kernel, where there are such. */
async function threaded(kernel, comm) {
  await kernel.info;
  if (kernel.supportsSubshells && comm.commsOverSubshells !== 'disabled') {
    await comm.subshellStarted;
  }
}

/** Wait for something, but not for ever: a kernel that runs a cell may not get to say that it is done. */
async function soon(promise) {
  const patience = new Promise(resolve => setTimeout(resolve, PATIENCE));
  await Promise.race([promise, patience]).catch(() => {}); // what it is not done for may yet work
}
