// What a view knows: the state that the kernel's messages add up to. A view changes none of it by itself.

export class ViewState {
  constructor() {
    /** @type {ViewMessage.SessionRow[]} */
    this.sessions = [];
    /** @type {string | null} */
    this.session = null; // the active one's id,
    /** @type {string | null} */
    this.chat = null; // and its active chat's
    /** @type {Map<string, ViewMessage.ChatRow>} */
    this.chats = new Map(); // by id
    /** @type {ViewMessage.Status} */
    this.status = { op: 'status', session: null, chat: null, level: '', running: 0 };
    /** @type {string | null} */
    this.shown = null; // the chat whose turns these are: for a moment it may be another than the active one
    this.count = 0; // turns on the path,
    /** @type {(ViewMessage.TurnRow | undefined)[]} */
    this.turns = []; // and their rows, as far as they are here
    /** @type {ViewMessage.Arriving | null} */
    this.arriving = null; // the turn whose answer arrives, with its text so far
    /** @type {ViewMessage.Gauge} */
    this.gauge = {
      op: 'gauge', chat: null, tokens: 0, window: 0, summed: 0, model: '', can: false, cost: null, saved: null
    };
  }

  /**
   * Take in a message.
   *
   * @param {ViewMessage.ToView} message
   */
  update(message) {
    switch (message.op) {
      case 'status':
        this.status = message;
        break;
      case 'lists':
        this._lists(message);
        break;
      case 'transcript':
        this._transcript(message);
        break;
      case 'turns':
        if (message.chat === this.shown) {
          this._put(message);
        }
        break;
      case 'gauge':
        this.gauge = message;
        break;
      case 'arriving':
        this.arriving = message;
        break;
      case 'text':
        if (this.arriving) {
          this.arriving.text += message.text;
        }
        break;
      case 'arrived':
        this.arriving = null;
        break;
    }
  }

  /** How many turns are shown: one that arrives takes the place of those after it. */
  get rows() {
    return this.arriving ? Math.min(this.arriving.after, this.count) + 1 : this.count;
  }

  /**
   * Whether a row is the turn that arrives.
   *
   * @param {number} index
   */
  isArriving(index) {
    return this.arriving !== null && index === this.rows - 1;
  }

  /** @param {ViewMessage.Lists} message */
  _lists({ sessions, session = null, chat = null, chats, gone = [], whole = false }) {
    if (sessions) {
      Object.assign(this, { sessions, session, chat });
    }
    if (whole) {
      this.chats.clear();
    }
    gone.forEach(id => this.chats.delete(id));
    chats.forEach(row => this.chats.set(row.id, row));
  }

  /** @param {ViewMessage.Transcript} message */
  _transcript({ chat, count, from, stale, first, turns }) {
    this.shown = chat;
    this.count = count;
    this.turns.length = Math.min(this.turns.length, from);
    stale.forEach(index => delete this.turns[index]);
    this._put({ first, turns });
    if (chat === null) {
      this.arriving = null;
    }
  }

  /** @param {{ first: number, turns: ViewMessage.TurnRow[] }} rows */
  _put({ first, turns }) {
    turns.forEach((row, offset) => {
      this.turns[first + offset] = row;
    });
  }
}
