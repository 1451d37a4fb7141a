// The bridges of all open notebooks, and other things of which each notebook has one.

import { Bridge } from './bridge.js';

/** @typedef {import('./bridge.js').Host} Host */

/** The bridges by the notebook's model: several views of a notebook share one. */
export class Bridges {
  constructor() {
    /** @type {Map<Lab.NotebookModel, Bridge>} */
    this._bridges = new Map();
    /** @type {(() => void)[]} */
    this._watchers = [];
  }

  /**
   * @param {Lab.NotebookModel | null | undefined} model
   * @returns {Bridge | undefined}
   */
  of(model) {
    return model ? this._bridges.get(model) : undefined;
  }

  /**
   * @param {Lab.NotebookModel} model One that has a bridge.
   * @returns {Bridge}
   */
  existing(model) {
    return /** @type {Bridge} */ (this._bridges.get(model));
  }

  /**
   * Whether answers of a document may show pictures of public servers, as its user has set.
   *
   * @param {string} path
   */
  showPictures(path) {
    return [...this._bridges.values()].some(bridge => bridge.showsPictures(path));
  }

  /**
   * Give a notebook its bridge, if it has none yet.
   *
   * @param {Lab.Context} context
   * @param {Omit<Host, 'loaded'>} host
   */
  attach(context, host) {
    const { model } = context;
    if (!this._bridges.has(model)) {
      this._bridges.set(model, new Bridge(context, { ...host, loaded: () => this._notify() }));
      context.disposed.connect(() => {
        this._bridges.get(model)?.dispose();
        this._bridges.delete(model);
      });
      this._notify();
    }
  }

  /**
   * Have a function called when a kernel has loaded the extension, or is gone, and when a notebook is opened.
   *
   * @param {() => void} watcher
   * @returns {() => void} Ends that.
   */
  watch(watcher) {
    this._watchers.push(watcher);
    return () => {
      this._watchers = this._watchers.filter(other => other !== watcher);
    };
  }

  /**
   * Have a function called the next time only.
   *
   * @param {() => void} watcher
   */
  once(watcher) {
    const unwatch = this.watch(() => {
      unwatch();
      watcher();
    });
  }

  /** A watcher may fail: conversations are kept all the same. */
  _notify() {
    for (const watcher of this._watchers) {
      try {
        watcher();
      } catch (error) {
        console.error('robota_nb:', error);
      }
    }
  }
}

/**
 * Keeps one thing for each notebook, from when it is first needed until the notebook is closed.
 *
 * @template {{ dispose(): void }} T
 */
export class PerNotebook {
  /** @param {(context: Lab.Context) => T} make */
  constructor(make) {
    this._make = make;
    /** @type {Map<Lab.Context, T>} */
    this._things = new Map();
  }

  /** @param {Lab.Context} context */
  has(context) {
    return this._things.has(context);
  }

  /**
   * @param {Lab.Context} context
   * @returns {T}
   */
  of(context) {
    const known = this._things.get(context);
    if (known) {
      return known;
    }
    const thing = this._make(context);
    this._things.set(context, thing);
    // The session's end, not the notebook's: the kernel can still be told then.
    context.sessionContext.disposed.connect(() => {
      this._things.delete(context);
      thing.dispose();
    });
    return thing;
  }

  [Symbol.iterator]() {
    return this._things[Symbol.iterator]();
  }
}
