// Does what takes long in slices of time, between which the page lives on.

const SLICE = 15; // milliseconds
const PATIENCE = 1000; // milliseconds for what is waited for

/** Jobs that are done one after the other. */
export class Slices {
  constructor() {
    /** @type {(() => unknown)[]} */
    this._jobs = [];
    this._isDue = false;
  }

  /**
   * Do something now, or after what was to be done before it; what it promises is waited for, as it takes its time then.
   *
   * @param {() => unknown} job
   */
  add(job) {
    this._jobs.push(job);
    if (!this._isDue) {
      this._isDue = true;
      void this._work();
    }
  }

  async _work() {
    const end = performance.now() + SLICE;
    do {
      try {
        const done = this._jobs.shift()?.();
        if (done instanceof Promise) {
          await patiently(done);
        }
      } catch (error) {
        console.error('robota_nb:', error);
      }
    } while (this._jobs.length && performance.now() < end);
    this._isDue = this._jobs.length > 0;
    if (this._isDue) {
      setTimeout(() => this._work());
    }
  }
}

/**
 * Wait for a promise, but not for ever.
 *
 * @param {Promise<unknown>} promise
 */
async function patiently(promise) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const end = new Promise(resolve => {
    timer = setTimeout(resolve, PATIENCE);
  });
  try {
    await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer); // thousands that come to nothing would hold up all others of the page
  }
}
