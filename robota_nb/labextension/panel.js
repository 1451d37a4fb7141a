// The side panel of chats: it shows the switcher of the current notebook's kernel; as long as no kernel has loaded the
// extension, or has said anything yet, the chats that the notebook has saved.

import { Bar } from './bar.js';
import { PerNotebook } from './bridges.js';
import { Channel } from './channel.js';
import { load, loader } from './loading.js';
import { loadAndMount, preload } from './mounting.js';
import { Saved, SavedView } from './saved_view.js';
import { runStale, runner } from './stale.js';
import { h } from './switcher/dom.js';
import { t } from './switcher/strings.js';

/** @typedef {import('./bridge.js').Bridge} Bridge */
/** @typedef {import('./bridges.js').Bridges} Bridges */
/** @typedef {import('./services.js').Services} Services */

export const PANEL = 'robota-nb-chats';

const WIDTH = 380; // pixels that it opens with, unless the user has drawn it narrower,
const SHARE = 0.4; // or that is more than this part of the page
const SIZING = 500; // milliseconds after which the application has laid out what is open

/**
 * Return the panel's class, for the application's own class of widgets.
 *
 * @param {Lab.WidgetClass} Widget
 */
export const panelOf = Widget =>
  class ChatsPanel extends Widget {
    /**
     * @param {object} given
     * @param {Lab.NotebookTracker} given.tracker
     * @param {Bridges} given.bridges
     * @param {Services} given.services
     * @param {import('./notices.js').Notices} given.notices
     * @param {Lab.NotebookActions} given.NotebookActions
     */
    constructor({ tracker, bridges, services, notices, NotebookActions }) {
      super();
      this.id = PANEL;
      this.title.caption = t('panelTitle');
      this.addClass('robota-chats');
      this.node.tabIndex = -1;
      this.node.setAttribute('role', 'region');
      this.node.setAttribute('aria-label', t('panelTitle'));
      this._hint = h('div.robota-chats-hint');
      this._said = h('p', { role: 'status' });
      this._start = loader('startChat', 'startHint', () => this._load());
      this._hint.append(this._said, this._start);
      this.node.append(this._hint);
      this._tracker = tracker;
      this._NotebookActions = NotebookActions;
      this._bridges = bridges;
      this._isRevealing = false; // whether it is shown next without the focus
      this._isSized = false; // whether it was given its width in this page
      this._views = new PerNotebook(context => {
        const bridge = bridges.existing(context.model);
        const bar = new Bar(bridge, async () => {
          const panel = tracker.find(panel => panel.context === context);
          if (panel) {
            await runStale(panel.content, bridge, runner(NotebookActions, panel));
          }
        });
        return new View(this.node, bridge, { bar, services, onTold: () => this.refresh() });
      });
      this._saved = new PerNotebook(context => new SavedPart(this.node, context, {
        services, load: () => this._load(), refresh: () => this.refresh()
      }));
      notices.offer((text, context) => {
        const view = this._tracker.currentWidget?.context === context && this.isVisible ? this._current() : undefined;
        view?.bar.notify(text);
        return view !== undefined;
      });
      tracker.currentChanged.connect(() => this.refresh());
      bridges.watch(() => this.refresh());
      this.refresh();
    }

    /** Show what belongs to the current notebook; nothing is drawn before the panel is shown for the first time. */
    refresh() {
      const context = this._tracker.currentWidget?.context;
      const bridge = this._bridges.of(context?.model);
      const isLoaded = Boolean(bridge?.process);
      const view = context && isLoaded && this.isVisible ? this._views.of(context) : undefined;
      const isLive = isLoaded && !(view && !view.isTold);
      const saved = context && !isLive && this.isVisible && !bridge?.isElsewhere ? this._saved.of(context) : null;
      const isSaved = Boolean(saved?.show());
      if (view && context && this._saved.has(context)) {
        view.goOn(this._saved.of(context).takeChosen());
      }
      for (const [owner, part] of this._saved) {
        const isOfKernel = Boolean(this._bridges.of(owner.model)?.process);
        part.update(owner === context && isSaved, isOfKernel && !(owner === context && isSaved), isOfKernel);
      }
      for (const [owner, view] of this._views) {
        view.update(owner === context && isLoaded && !isSaved);
      }
      this._hint.hidden = isLoaded || isSaved;
      this._say(hint(context, bridge, saved));
    }

    /** Have it open wide enough to be read, the first time that the user opens it. */
    makeRoom() {
      if (!this._isSized) {
        this._isSized = true;
        this.node.style.minWidth = `${Math.min(WIDTH, Math.round(SHARE * window.innerWidth))}px`;
        setTimeout(() => {
          this.node.style.removeProperty('min-width');
          this.fit(); // Notebook has not made its place wider, and would leave a part of it out of sight
          this.parent?.fit();
        }, SIZING);
      }
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
      if (!this._current()?.focus() && !this._focusSaved()) {
        this.node.focus();
      }
    }

    _onShown() {
      if (this.isVisible) {
        void preload(); // while the notebook that it is to show comes
      }
      this.refresh();
      this._current()?.channel.wake();
    }

    /** The view that is shown, if there is one. */
    _current() {
      const context = this._tracker.currentWidget?.context;
      const isLoaded = Boolean(this._bridges.of(context?.model)?.process);
      return isLoaded && context && this._views.has(context) ? this._views.of(context) : undefined;
    }

    /** @returns {boolean} Whether what loads the extension has taken the focus. */
    _focusSaved() {
      this._start.querySelector('button')?.focus();
      const context = this._tracker.currentWidget?.context;
      if (context && this._saved.has(context)) {
        this._saved.of(context).focus();
      }
      return this.node.contains(document.activeElement);
    }

    /** @param {ReturnType<typeof hint>} what */
    _say(what) {
      const isNew = what === 'startHint';
      this._start.hidden = !isNew;
      this._said.hidden = isNew;
      this._said.textContent = isNew ? '' : t(what);
    }

    /** Load the extension in the current notebook, and have what is typed next go to the chat. */
    async _load() {
      const panel = this._tracker.currentWidget;
      const isDone = panel !== null && (await load(panel, this._NotebookActions, this._bridges.existing(panel.context.model)));
      if (isDone && this._tracker.currentWidget === panel) {
        this.node.focus(); // the button that had it is gone
        this._current()?.focus();
      }
      return isDone;
    }
  };

/**
 * Say why there is nothing to see.
 *
 * @param {Lab.Context | undefined} context
 * @param {Bridge | undefined} bridge
 * @param {SavedPart | null} saved
 */
function hint(context, bridge, saved) {
  if (!context) {
    return 'panelNoNotebook';
  }
  if (bridge?.isElsewhere) {
    return 'panelElsewhere';
  }
  return saved?.isUnreadable ? 'unreadable' : bridge?.isOfPython ? 'startHint' : 'panelNotPython';
}

/** What one notebook has saved, as long as no kernel has loaded the extension. */
class SavedPart {
  /**
   * @param {HTMLElement} parent
   * @param {Lab.Context} context
   * @param {object} given
   * @param {Services} given.services
   * @param {() => Promise<boolean>} given.load
   * @param {() => void} given.refresh Called when it holds something else.
   */
  constructor(parent, context, { services, load, refresh }) {
    this._parent = parent;
    this._given = { services, load };
    this._saved = new Saved(context, refresh);
    this._element = h('div.robota-chats-ui');
    /** @type {SavedView | null} */
    this._view = null;
  }

  /** Return what the user was reading when the live chats were called from here; once. */
  takeChosen() {
    const chosen = this._view?.chosen ?? null;
    if (this._view) {
      this._view.chosen = null;
    }
    return chosen;
  }

  get isUnreadable() {
    return this._saved.read().isUnreadable;
  }

  /** @returns {boolean} Whether there is anything to show. */
  show() {
    const { sessions } = this._saved.read();
    if (this._view?.sessions !== sessions) {
      this._close();
    }
    if (sessions && !this._view) {
      this._parent.append(this._element);
      this._view = new SavedView(this._element, { saved: this._saved, sessions, ...this._given });
    }
    return sessions !== null;
  }

  /**
   * @param {boolean} isShown
   * @param {boolean} isOver Whether a kernel shows the chats now.
   * @param {boolean} isBusy Whether a kernel is about to.
   */
  update(isShown, isOver, isBusy) {
    this._element.inert = !isShown;
    this._element.setAttribute('aria-busy', String(isBusy));
    if (isOver) {
      this._close();
    }
  }

  focus() {
    this._view?.focus();
  }

  dispose() {
    this._close();
    this._saved.dispose();
  }

  _close() {
    this._view?.dispose();
    this._view = null;
    this._element.remove();
  }
}

/** The switcher of one notebook; it keeps what is typed and scrolled there while others are shown. */
class View {
  /**
   * @param {HTMLElement} parent
   * @param {Bridge} bridge
   * @param {object} given
   * @param {Bar} given.bar
   * @param {Services} given.services
   * @param {() => void} given.onTold Called when a kernel has said what there is.
   */
  constructor(parent, bridge, { bar, services, onTold }) {
    this._bridge = bridge;
    /** @type {string | null} */
    this._teller = null; // the kernel process that has said what there is
    this.channel = new Channel(bridge);
    this.channel.onMessage(({ op }) => {
      if (op === 'transcript' && !this.isTold) {
        this._teller = bridge.process;
        requestAnimationFrame(onTold); // it is drawn then
      }
    });
    this.bar = bar;
    this._isDisposed = false;
    /** @type {ReturnType<typeof import('./switcher/switcher.js').mount> | undefined} */
    this._ui = undefined; // until it is loaded
    this._isWanted = false; // whether it is to have the focus then
    const wake = () => this.channel.wake();
    this._element = h('div.robota-chats-ui', { on: { pointerdown: wake, focusin: wake, keydown: wake } }, bar.element);
    parent.append(this._element);
    void this._mount(services);
  }

  /** Whether the kernel has said what there is. */
  get isTold() {
    return this._teller !== null && this._teller === this._bridge.process;
  }

  /** @param {boolean} isShown */
  update(isShown) {
    this._element.inert = !isShown;
    this.channel.update();
    this._takeFocus();
  }

  /**
   * Go on with the chat that was read before the extension was loaded.
   *
   * @param {import('./saved_view.js').Chosen | null} chosen
   */
  goOn(chosen) {
    if (chosen) {
      this.channel.send({ op: 'do', id: '', what: 'session.open', session: chosen.session });
      this.channel.send({ op: 'do', id: '', what: 'chat.switch', chat: chosen.chat });
    }
  }

  /** @returns {boolean} Whether the switcher has taken the focus; once it is loaded and shown, it does. */
  focus() {
    this._isWanted = !this._ui || this._element.inert;
    if (!this._isWanted) {
      this._ui?.focus();
    }
    return this._element.contains(document.activeElement);
  }

  /** Take the focus late, unless the user has left the panel since. */
  _takeFocus() {
    if (this._isWanted && this._ui && !this._element.inert) {
      this._isWanted = false;
      if (this._element.parentElement?.contains(document.activeElement)) {
        this._ui.focus();
      }
    }
  }

  dispose() {
    this._isDisposed = true;
    this._ui?.dispose();
    this.bar.dispose();
    this.channel.close();
    this._element.remove();
  }

  /** @param {Services} services */
  async _mount(services) {
    try {
      this._ui = await loadAndMount(this._element, this.channel, services);
      if (this._isDisposed) {
        this._ui.dispose();
      } else {
        this._takeFocus();
      }
    } catch (error) {
      console.error('robota_nb:', error);
      const reason = error instanceof Error ? error.message : String(error);
      this._element.append(h('p.robota-chats-hint', {}, t('panelFailed', { reason })));
    }
  }
}
