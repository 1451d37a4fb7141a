// The chats of a notebook as it has saved them, in an element: to be read, with a button that loads the extension.

import { loader } from './loading.js';
import { loadAndMount } from './mounting.js';
import { KEY } from './push.js';
import { SavedChannel, savedIn } from './saved.js';

/** @typedef {import('./switcher/switcher.js').Services} Services */
/** @typedef {{ session?: string, chat: string }} Chosen */

/** What a notebook has saved, read when it is asked for, and again when it has changed. */
export class Saved {
  /**
   * @param {Lab.Context} context The notebook's.
   * @param {() => void} onChange
   */
  constructor(context, onChange) {
    this.model = context.model;
    this._context = context;
    /** @type {import('./saved.js').Saved | null} */
    this._read = null;
    const forget = () => {
      this._read = null;
      onChange();
    };
    /** @type {(model: Lab.NotebookModel, change: { key: string }) => void} */
    const onMetadata = (_, { key }) => key === KEY && context.isReady && forget();
    this.model.metadataChanged.connect(onMetadata);
    if (!context.isReady) {
      void context.ready.then(forget);
    }
    this.dispose = () => this.model.metadataChanged.disconnect(onMetadata);
  }

  /** @returns {import('./saved.js').Saved} */
  read() {
    if (!this._context.isReady) {
      return { sessions: null, isUnreadable: false }; // it is read once, when all of it is there
    }
    this._read ??= savedIn(this.model);
    return this._read;
  }
}

export class SavedView {
  /**
   * @param {HTMLElement} parent
   * @param {object} given
   * @param {Saved} given.saved
   * @param {import('./fold.js').Sessions} given.sessions What it holds.
   * @param {Services} given.services
   * @param {() => Promise<boolean>} given.load
   */
  constructor(parent, { saved, sessions, services, load }) {
    this.sessions = sessions;
    this._isDisposed = false;
    /** @type {{ dispose(): void } | undefined} */
    this._ui = undefined; // until it is loaded
    this._channel = new SavedChannel(sessions, saved.model.cells);
    /** @type {Chosen | null} */
    this.chosen = null; // what the user was reading when the extension was loaded here
    this._foot = loader('load', 'savedHint', () => {
      const { session, chat, isChosen } = this._channel;
      this.chosen = isChosen && chat !== null ? { session: session?.id, chat } : null;
      return load();
    });
    void this._mount(parent, services);
  }

  /** Have the button ready to be pressed. */
  focus() {
    this._foot.querySelector('button')?.focus();
  }

  dispose() {
    this._isDisposed = true;
    this._ui?.dispose();
  }

  /**
   * @param {HTMLElement} parent
   * @param {Services} services
   */
  async _mount(parent, services) {
    const ui = await loadAndMount(parent, Object.assign(this._channel, { foot: this._foot }), services);
    if (this._isDisposed) {
      ui.dispose();
    }
    this._ui = ui;
  }
}
