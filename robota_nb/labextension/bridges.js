// The bridges of all open notebooks, and what else there is one of for each of them.

import { Bridge } from './bridge.js';

/** The bridges by the notebook's model: several views of a notebook share one. */
export class Bridges {
  constructor() {
    this._bridges = new Map();
    this._watchers = [];
  }

  /** @returns {Bridge | undefined} */
  of(model) {
    return this._bridges.get(model);
  }

  /** Give a notebook its bridge, if it has none yet. */
  attach(context, host) {
    const { model } = context;
    if (!this._bridges.has(model)) {
      this._bridges.set(model, new Bridge(context, { ...host, loaded: () => this._tell() }));
      context.disposed.connect(() => {
        this._bridges.get(model)?.dispose();
        this._bridges.delete(model);
      });
      this._tell();
    }
  }

  /**
   * Have a function called when a kernel has loaded the extension, or is gone, and when a notebook is opened.
   *
   * @returns {() => void} Ends that.
   */
  watch(watcher) {
    this._watchers.push(watcher);
    return () => {
      this._watchers = this._watchers.filter(other => other !== watcher);
    };
  }

  /** Have a function called the next time, and no more. */
  once(watcher) {
    const unwatch = this.watch(() => {
      unwatch();
      watcher();
    });
  }

  /** Whoever watches may fail: conversations are kept all the same. */
  _tell() {
    for (const watcher of this._watchers) {
      try {
        watcher();
      } catch (error) {
        console.error('robota_nb:', error);
      }
    }
  }
}

/** Keeps one thing for each notebook, from when it is first needed until the notebook is closed. */
export class PerNotebook {
  /** @param {(context) => {dispose(): void}} make */
  constructor(make) {
    this._make = make;
    this._things = new Map();
  }

  has(context) {
    return this._things.has(context);
  }

  of(context) {
    if (!this._things.has(context)) {
      const thing = this._make(context);
      this._things.set(context, thing);
      // The session's end, not the notebook's: the kernel can still be told then.
      context.sessionContext.disposed.connect(() => {
        this._things.delete(context);
        thing.dispose();
      });
    }
    return this._things.get(context);
  }

  [Symbol.iterator]() {
    return this._things[Symbol.iterator]();
  }
}
