// The item of the status bar: which chat of the current notebook is active, and how far its conversations got.

import { PerNotebook } from './bridges.js';
import { Channel } from './channel.js';
import { h } from './switcher/dom.js';
import { t } from './switcher/strings.js';

const SHOWN = 40; // characters of a name

/** Return the item's class, for the application's own class of widgets. */
export const statusOf = Widget =>
  class ChatsStatus extends Widget {
    /** @param {object} given `tracker` of notebooks, `bridges`, `settings`, and `open()`, which opens the panel. */
    constructor({ tracker, bridges, settings, open }) {
      super();
      this._button = h('button.robota-status-button', { type: 'button', on: { click: open } });
      this.node.append(this._button);
      this.addClass('robota-status');
      this._tracker = tracker;
      this._bridges = bridges;
      this._settings = settings;
      this._heard = new PerNotebook(context => new Heard(bridges.of(context.model), () => this.refresh()));
      tracker.currentChanged.connect(() => this.refresh());
      bridges.watch(() => this.refresh());
      settings.watch(() => this.refresh());
    }

    refresh() {
      const context = this._tracker.currentWidget?.context;
      const isShown = this._settings.get('statusBar') && Boolean(context && this._bridges.of(context.model)?.process);
      if (isShown) {
        this._heard.of(context);
      }
      for (const [, { channel }] of this._heard) {
        channel.update();
      }
      const status = isShown ? this._heard.of(context).status : null;
      this._show(status?.session || status?.chat ? status : null);
    }

    /** Names come from strangers: they are text, not too much of it, and end where they end, whatever is in them. */
    _show(status) {
      this.node.hidden = !status; // the bar itself shows and hides by a class
      if (!status) {
        return;
      }
      const names = [status.session, status.chat].filter(Boolean).map(String);
      const level = status.level ? ` · ${status.level}` : '';
      this._button.replaceChildren(...names.flatMap(name => [' ▸ ', h('bdi', {}, cut(name))]).slice(1), level);
      this._button.title = `${names.join(' ▸ ')}${level}\n${t('panelTitle')}`;
    }
  };

/** What the kernel of one notebook has said last. */
class Heard {
  constructor(bridge, changed) {
    this.status = null;
    this.channel = new Channel(bridge);
    this.channel.onMessage(message => {
      if (message.op === 'status') {
        this.status = message;
        changed();
      }
    });
    this.channel.send({ op: 'hello', full: false });
  }

  dispose() {
    this.channel.close();
  }
}

function cut(name) {
  const characters = [...name];
  return characters.length > SHOWN ? `${characters.slice(0, SHOWN - 1).join('')}…` : name;
}
