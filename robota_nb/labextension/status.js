// The item of the status bar: how many answers of the current notebook are stale; else its active chat, and how far its
// conversations got.

import { counts } from './bar.js';
import { PerNotebook } from './bridges.js';
import { Channel } from './channel.js';
import { h } from './switcher/dom.js';
import { named, t } from './switcher/strings.js';

/** @typedef {import('./bridge.js').Bridge} Bridge */
/** @typedef {import('./bridges.js').Bridges} Bridges */
/** @typedef {import('./settings.js').Settings} Settings */

const SHOWN = 40; // characters of a name

/**
 * Return the item's class, for the application's own class of widgets.
 *
 * @param {Lab.WidgetClass} Widget
 */
export const statusOf = Widget =>
  class ChatsStatus extends Widget {
    /**
     * @param {object} given
     * @param {Lab.NotebookTracker} given.tracker
     * @param {Bridges} given.bridges
     * @param {Settings} given.settings
     * @param {() => void} given.open Opens the panel.
     */
    constructor({ tracker, bridges, settings, open }) {
      super();
      this._button = h('button.robota-status-button', { type: 'button', on: { click: open } });
      this.node.append(this._button);
      this.addClass('robota-status');
      this._tracker = tracker;
      this._bridges = bridges;
      this._settings = settings;
      this._views = new PerNotebook(context => new View(bridges.existing(context.model), () => this.refresh()));
      tracker.currentChanged.connect(() => this.refresh());
      bridges.watch(() => this.refresh());
      settings.watch(() => this.refresh());
    }

    refresh() {
      const context = this._tracker.currentWidget?.context;
      const isShown = this._settings.get('statusBar') && Boolean(this._bridges.of(context?.model)?.process);
      const current = context && isShown ? this._views.of(context) : null;
      for (const [, { channel }] of this._views) {
        channel.update();
      }
      this._show(current);
    }

    /**
     * Names come from strangers: they are text, not too much of it, and `bdi` keeps their direction to themselves.
     *
     * @param {View | null} view
     */
    _show(view) {
      const names = [view?.status?.session, view?.status?.chat].filter(Boolean).map(String);
      const stale = view?.marks.counts.stale ?? 0;
      this.node.hidden = !view || (!names.length && !stale); // the bar itself shows and hides by a class
      if (!view || this.node.hidden) {
        return;
      }
      const level = view.status?.level ? ` · ${named('level', view.status.level)}` : '';
      const words = stale ? [t('countStale', { count: stale })] : names.flatMap(name => [' ▸ ', h('bdi', {}, cut(name))]).slice(1);
      this._button.replaceChildren(...words, stale ? '' : level);
      this._button.title = [`${names.join(' ▸ ')}${level}`, counts(view.marks.counts), t('panelTitle')].join('\n');
    }
  };

/** A view of the status alone: the last one that the kernel of a notebook has sent; and of how many answers are stale. */
class View {
  /**
   * @param {Bridge} bridge
   * @param {() => void} onChange
   */
  constructor(bridge, onChange) {
    /** @type {ViewMessage.Status | null} */
    this.status = null;
    this.marks = bridge.marks;
    this._unwatch = bridge.marks.watch(onChange);
    this.channel = new Channel(bridge);
    this.channel.onMessage(message => {
      if (message.op === 'status') {
        this.status = message;
        onChange();
      }
    });
    this.channel.send({ op: 'hello', full: false });
  }

  dispose() {
    this._unwatch();
    this.channel.close();
  }
}

/** @param {string} name */
function cut(name) {
  const characters = [...name];
  return characters.length > SHOWN ? `${characters.slice(0, SHOWN - 1).join('')}…` : name;
}
