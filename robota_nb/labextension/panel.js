// The side panel of chats: it shows the switcher of the current notebook's kernel.

import { PerNotebook } from './bridges.js';
import { Channel } from './channel.js';
import { loadAndMount } from './mounting.js';
import { h } from './switcher/dom.js';
import { t } from './switcher/strings.js';

/** @typedef {import('./bridge.js').Bridge} Bridge */
/** @typedef {import('./bridges.js').Bridges} Bridges */
/** @typedef {import('./services.js').Services} Services */

export const PANEL = 'robota-nb-chats';

/**
 * Return the panel's class, for the application's own class of widgets.
 *
 * @param {Lab.WidgetClass} Widget
 */
export const panelOf = Widget =>
  class ChatsPanel extends Widget {
    /** @param {{ tracker: Lab.NotebookTracker, bridges: Bridges, services: Services }} given */
    constructor({ tracker, bridges, services }) {
      super();
      this.id = PANEL;
      this.title.caption = t('panelTitle');
      this.addClass('robota-chats');
      this.node.tabIndex = -1;
      this.node.setAttribute('role', 'region');
      this.node.setAttribute('aria-label', t('panelTitle'));
      this._hint = h('p.robota-chats-hint', { role: 'status' });
      this.node.append(this._hint);
      this._tracker = tracker;
      this._bridges = bridges;
      this._isRevealing = false; // whether it is shown next without the focus
      this._views = new PerNotebook(context => new View(this.node, bridges.existing(context.model), services));
      tracker.currentChanged.connect(() => this.refresh());
      bridges.watch(() => this.refresh());
      this.refresh();
    }

    /** Show what belongs to the current notebook; nothing is drawn before the panel is shown for the first time. */
    refresh() {
      const context = this._tracker.currentWidget?.context;
      const bridge = this._bridges.of(context?.model);
      const isLoaded = Boolean(bridge?.process);
      if (context && isLoaded && this.isVisible) {
        this._views.of(context);
      }
      for (const [owner, view] of this._views) {
        view.update(owner === context && isLoaded);
      }
      this._hint.hidden = isLoaded;
      this._hint.textContent = isLoaded ? '' : t(hint(context, bridge));
    }

    onAfterAttach() {
      this._onShown();
    }

    onAfterShow() {
      this._onShown();
    }

    /**
     * Show it without giving it the focus.
     *
     * @param {() => void} activate Has the application show it.
     */
    reveal(activate) {
      this._isRevealing = true;
      activate();
    }

    onActivateRequest() {
      if (this._isRevealing) {
        this._isRevealing = false;
        return;
      }
      const view = this._current();
      if (!view?.focus()) {
        this.node.focus();
      }
    }

    _onShown() {
      this.refresh();
      this._current()?.channel.wake();
    }

    /** The view that is shown, if there is one. */
    _current() {
      const context = this._tracker.currentWidget?.context;
      return this._hint.hidden && context && this._views.has(context) ? this._views.of(context) : undefined;
    }
  };

/**
 * Say why there is nothing to see.
 *
 * @param {Lab.Context | undefined} context
 * @param {Bridge | undefined} bridge
 */
function hint(context, bridge) {
  if (!context) {
    return 'panelNoNotebook';
  }
  return bridge?.isElsewhere ? 'panelElsewhere' : 'panelNotLoaded';
}

/** The switcher of one notebook; it keeps what is typed and scrolled there while others are shown. */
class View {
  /**
   * @param {HTMLElement} parent
   * @param {Bridge} bridge
   * @param {Services} services
   */
  constructor(parent, bridge, services) {
    this.channel = new Channel(bridge);
    this._isDisposed = false;
    /** @type {ReturnType<typeof import('./switcher/switcher.js').mount> | undefined} */
    this._ui = undefined; // until it is loaded
    const wake = () => this.channel.wake();
    this._element = h('div.robota-chats-ui', { on: { pointerdown: wake, focusin: wake, keydown: wake } });
    parent.append(this._element);
    void this._mount(services);
  }

  /** @param {boolean} isShown */
  update(isShown) {
    this._element.inert = !isShown;
    this.channel.update();
  }

  /** @returns {boolean} Whether the switcher has taken the focus. */
  focus() {
    this._ui?.focus();
    return this._element.contains(document.activeElement);
  }

  dispose() {
    this._isDisposed = true;
    this._ui?.dispose();
    this.channel.close();
    this._element.remove();
  }

  /** @param {Services} services */
  async _mount(services) {
    try {
      this._ui = await loadAndMount(this._element, this.channel, services);
      if (this._isDisposed) {
        this._ui.dispose();
      }
    } catch (error) {
      console.error('robota_nb:', error);
      const reason = error instanceof Error ? error.message : String(error);
      this._element.replaceChildren(h('p.robota-chats-hint', {}, t('panelFailed', { reason })));
    }
  }
}
