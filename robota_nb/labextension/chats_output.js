// What `%robota ui` shows in a cell's output: the switcher of the notebook's kernel, and as long as no kernel has loaded
// the extension, the chats that the notebook has saved; where it stands in no notebook, the text beside it.
//
// It has a type of its own, as a widget's model is gone with its kernel.

import { load } from './loading.js';
import { Saved, SavedView } from './saved_view.js';
import { liveView } from './services.js';

/** @typedef {import('./bridges.js').Bridges} Bridges */
/** @typedef {import('./switcher/switcher.js').Services} Services */

export const TYPE = 'application/vnd.robota-nb.chats+json';
const RANK = -20; // before that of widgets, which are in the same output

/**
 * Have outputs of the type shown.
 *
 * @param {Lab.RenderMimeRegistry} registry
 * @param {Lab.WidgetClass} Widget
 * @param {object} given
 * @param {Lab.NotebookTracker} given.tracker
 * @param {Lab.NotebookActions} given.NotebookActions
 * @param {Bridges} given.bridges
 * @param {Services} given.services
 */
export function showChatsInOutputs(registry, Widget, { tracker, NotebookActions, bridges, services }) {
  class ChatsOutput extends Widget {
    constructor() {
      super();
      /** @type {{ dispose(): void } | null} */
      this._output = null;
    }

    /** @param {Lab.MimeModel} model */
    async renderModel({ data }) {
      this._output?.dispose();
      this._output = null;
      const text = document.createElement('pre');
      text.textContent = String(data['text/plain'] ?? '');
      this.node.replaceChildren(text);
      void this._show();
    }

    /** At first it is in no page. */
    async _show() {
      while (!this.node.isConnected && !this.isDisposed) {
        await new Promise(requestAnimationFrame);
      }
      const panel = tracker.find(each => each.node.contains(this.node));
      if (panel && !this.isDisposed && !this._output) {
        const given = { bridges, services, load: () => load(panel, NotebookActions, bridges.existing(panel.context.model)) };
        this._output = new Output(this.node, panel.context, given);
      }
    }

    dispose() {
      this._output?.dispose();
      super.dispose();
    }
  }

  registry.addFactory({ safe: true, mimeTypes: [TYPE], createRenderer: () => new ChatsOutput() }, RANK);
}

/** One output in a notebook. */
class Output {
  /**
   * @param {HTMLElement} element
   * @param {Lab.Context} context
   * @param {object} given
   * @param {Bridges} given.bridges
   * @param {Services} given.services
   * @param {() => Promise<boolean>} given.load
   */
  constructor(element, context, { bridges, services, load }) {
    this._element = element;
    this._text = [...element.childNodes];
    this._bridges = bridges;
    this._given = { services, load };
    /** @type {import('./saved.js').Saved['sessions'] | 'live' | 'nothing'} */
    this._shown = 'nothing';
    /** @type {{ dispose(): void } | null} */
    this._view = null;
    this._saved = new Saved(context, () => this._refresh());
    this._bridge = bridges.existing(context.model);
    this._unwatch = bridges.watch(() => this._refresh());
    this._refresh();
  }

  dispose() {
    this._unwatch();
    this._saved.dispose();
    this._view?.dispose();
    this._view = null;
  }

  _refresh() {
    const isLive = this._bridge.process !== null && !this._bridge.isElsewhere;
    const { sessions } = isLive ? { sessions: null } : this._saved.read();
    const due = isLive ? 'live' : (sessions ?? 'nothing');
    if (due === this._shown) {
      return;
    }
    this._shown = due;
    this._view?.dispose();
    this._view = null;
    this._element.replaceChildren(...(due === 'nothing' ? this._text : []));
    if (due === 'live') {
      this._view = liveView(this._element, this._bridge, this._bridges, this._given.services);
    } else if (sessions) {
      this._view = new SavedView(this._element, { saved: this._saved, sessions, ...this._given });
    }
  }
}
