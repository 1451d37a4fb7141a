// What the kernel has told a view. Nothing here is the view's own doing: it only takes in what is so.

export class Told {
  constructor() {
    this.sessions = [];
    this.session = null; // the active one's id,
    this.chat = null; // and its active chat's
    this.chats = new Map(); // rows by id
    this.status = { session: null, chat: null, level: '', running: 0 };
    this.shown = null; // whose turns these are: for a moment it may be another than the active one
    this.count = 0; // turns on the path,
    this.turns = []; // and their rows, as far as they are here
    this.arriving = null; // the turn that is being asked: { after, prompt, text, cell, pictures }
  }

  /** Take in a message. */
  take(message) {
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

  /** How many turns are shown: what an arriving turn takes the place of is not. */
  get rows() {
    return this.arriving ? Math.min(this.arriving.after, this.count) + 1 : this.count;
  }

  /** Whether a row is the turn that arrives. */
  isArriving(index) {
    return this.arriving !== null && index === this.rows - 1;
  }

  _lists({ sessions, session, chat, chats, gone = [], whole = false }) {
    if (sessions) {
      Object.assign(this, { sessions, session, chat });
    }
    if (whole) {
      this.chats.clear();
    }
    gone.forEach(id => this.chats.delete(id));
    chats.forEach(row => this.chats.set(row.id, row));
  }

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

  _put({ first, turns }) {
    turns.forEach((row, offset) => {
      this.turns[first + offset] = row;
    });
  }
}
