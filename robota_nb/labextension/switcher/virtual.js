// A list of thousands of rows, of which only those around the view are in the DOM. Rows may be of any height, and
// change it at any time: what the reader looks at stays where it is.
//
// Where the list stands is kept as an anchor: a row, and the pixels of it above the view. A scrollTop would not do, as
// the heights of rows above may turn out to be others. Each refresh works out a scrollTop from the anchor, so rounding
// cannot add up. If the scrollTop is not the one that was set last, the reader has scrolled.

import { h } from './dom.js';

const OVERSCAN = 5; // rows on each side that are rendered at least; a view's height on each side if that is more
const END = 24; // pixels; nearer to the end than this counts as at the end
const SLACK = 0.5; // pixels; a smaller difference is none, as browsers round
const PASSES = 10; // of rendering and measuring in one refresh; each may show that more rows fit in

/** @typedef {'nearest' | 'start' | 'end' | 'center'} Align */

/**
 * A row that is in the DOM, and the top of its element there.
 *
 * @typedef {{ index: number, element: HTMLElement, top: number }} Row
 */

export class VirtualList {
  /**
   * @param {object} options
   * @param {HTMLElement} [options.element] The scroller, positioned, without padding or other children; made if not
   *   given.
   * @param {number} options.estimate Pixels of a row that was not measured yet.
   * @param {(index: number) => HTMLElement} options.render Makes a row's element, which has no margin; called when the
   *   row comes into view.
   * @param {(index: number, element: HTMLElement) => void} [options.release] Called when a row's element is taken out.
   * @param {boolean} [options.follow] Whether the list stays at its end as it grows, unless the reader has scrolled up.
   * @param {(first: number, last: number) => void} [options.onRange] The rendered rows have changed, or are new: the
   *   owner may load what they need. Called in an animation frame, never from within a call of the owner's.
   */
  constructor({ element, estimate, render, release, follow = false, onRange }) {
    this._estimate = estimate;
    this._render = render;
    this._release = release;
    this._onRange = onRange;
    this._follow = follow;
    this.element = element ?? h('div.robota-virtual');
    Object.assign(this.element.style, element ? {} : { overflowY: 'auto', position: 'relative' });
    // The browser's own anchoring would correct a second time; a scrollbar that comes and goes would change heights;
    // and where a scroller has no background, Chromium's wheel does not notice that it has become longer.
    const style = { overflowAnchor: 'none', scrollbarGutter: 'stable', willChange: 'scroll-position' };
    Object.assign(this.element.style, style);
    this._spacer = this.element.appendChild(h('div', { role: 'presentation' }));
    this._spacer.style.position = 'relative';

    this._heights = new Heights();
    /** @type {Map<number, Row>} */
    this._rows = new Map(); // what is in the DOM, by index,
    /** @type {WeakMap<Element, Row>} */
    this._byElement = new WeakMap(); // and by element
    /** @type {number | null} */
    this._kept = null; // the row that stays in the DOM
    this._range = [0, -1]; // the first and the last row that are rendered,
    this._reported = [0, -1]; // and those of which the owner was told
    this._anchor = { index: 0, above: 0 }; // the first visible row, and the pixels of it above the view
    this._following = follow;
    /** @type {number | null} */
    this._still = null; // the end as it was when the reader came near it: as long as it is that, do not scroll
    /** @type {{ index: number, align: Align } | null} */
    this._goal = null; // a row to reveal as soon as there is a view
    this._top = this._view = 0; // the scrollTop and the clientHeight as known last
    /** @type {number | null} */
    this._frame = null;
    this._isObserving = false; // whether the observer is calling
    /** @type {Set<Element>} */
    this._unobserved = new Set(); // elements that it is to observe as soon as it has ended
    this._observer = new ResizeObserver(entries => this._onResize(entries));
    this._observer.observe(this.element);
    this._onScroll = () => this._soon();
    this.element.addEventListener('scroll', this._onScroll, { passive: true });
    // To follow until the first pixel has moved would end a scroll of the browser's before it begins, again and again.
    this._onWheel = (/** @type {WheelEvent} */ { deltaY }) => deltaY < 0 && this._stay();
    this._onKey = (/** @type {KeyboardEvent} */ event) => isUp(event) && this._stay();
    this.element.addEventListener('wheel', this._onWheel, { passive: true });
    this.element.addEventListener('keydown', this._onKey);
  }

  get count() {
    return this._heights.count;
  }

  /** Say whether the end is in view, or will be once the list is. */
  get atEnd() {
    this._sense();
    return this._following || this._end() - this._position() <= END;
  }

  /**
   * All rows are new. The list shows its end if it follows, else its top.
   *
   * @param {number} count
   */
  reset(count) {
    this._anchor = { index: 0, above: 0 };
    this._following = this._follow;
    this._goal = null;
    this._renew(0, count);
  }

  /**
   * Rows from `from` on are new, `count` in all; rows before it keep their elements and heights.
   *
   * @param {number} from
   * @param {number} count
   */
  splice(from, count) {
    this._sense();
    this._renew(from, count);
  }

  /**
   * Render a row again, if it is rendered. Its new height is noticed before the browser paints.
   *
   * @param {number} index
   */
  update(index) {
    const row = this._rows.get(index);
    if (row) {
      const old = row.element;
      this._forget(old);
      old.replaceWith(this._make(index).element);
      this._release?.(index, old);
    }
  }

  /**
   * Return a row's element, if it is rendered.
   *
   * @param {number} index
   */
  shown(index) {
    return this._rows.get(index)?.element;
  }

  /**
   * Scroll so that a row is in view: as little as possible, or so that it is at the start, end or center of the view.
   *
   * @param {number} index
   * @param {{ align?: Align }} options
   */
  reveal(index, { align = 'nearest' } = {}) {
    if (this.count) {
      this._sense();
      this._goal = { index: clamp(index, 0, this.count - 1), align };
      this.refresh();
    }
  }

  toEnd() {
    this.reveal(this.count - 1, { align: 'end' });
  }

  /** Stay where it is, though its end was in view and it is about to grow. */
  stay() {
    this._sense();
    this._following = false;
  }

  /**
   * Keep a row in the DOM even when it is out of view, as it has the focus or is edited; null: none any more.
   *
   * @param {number | null} index
   */
  keep(index) {
    this._kept = index;
    this._soon(); // not now: a row that loses the focus as it is taken out may be why
  }

  dispose() {
    cancelAnimationFrame(this._frame ?? 0);
    this._observer.disconnect();
    this.element.removeEventListener('scroll', this._onScroll);
    this.element.removeEventListener('wheel', this._onWheel);
    this.element.removeEventListener('keydown', this._onKey);
    this._remove(() => true);
    this._spacer.remove();
    this._heights.renew(0, 0);
  }

  /** Bring all up to date. To be called when the element was moved in the document, which loses its scrollTop. */
  refresh() {
    const wasShown = this._view;
    this._view = this.element.clientHeight;
    if (!this._view) {
      if (wasShown) {
        this._soon(); // if it is shown again by then, the observer has noticed nothing
      }
      return; // else the observer calls when it is shown again
    }
    let isComplete = false;
    for (let pass = 0; pass < PASSES && !isComplete; pass++) {
      isComplete = this._fill(this._aim());
    }
    const [first, last] = this._range;
    this._remove(({ index }) => (index < first || index > last) && index !== this._kept);
    this._reach(this._aim());
    if (!isComplete || this._unobserved.size || this._hasOtherRange()) {
      this._soon();
    }
  }

  /**
   * @param {number} from
   * @param {number} count
   */
  _renew(from, count) {
    this._remove(({ index }) => index >= from);
    this._heights.renew(from, count, this._estimate);
    this._kept = this._kept !== null && this._kept < from ? this._kept : null;
    this._reported = [0, -1];
    const isAnchorNew = from <= this._anchor.index;
    this.refresh();
    if (isAnchorNew && !this._goal) {
      this._anchor = this._locate(this._position()); // there may be fewer rows, and the old place is gone
    }
  }

  _soon() {
    this._frame ??= requestAnimationFrame(() => {
      this._frame = null;
      this._unobserved.forEach(element => this._observer.observe(element));
      this._unobserved.clear();
      this._sense();
      this.refresh();
      if (this._view && this._hasOtherRange()) {
        this._reported = this._range;
        this._onRange?.(this._range[0], this._range[1]);
      }
    });
  }

  _hasOtherRange() {
    return this._range.some((index, i) => index !== this._reported[i]);
  }

  /** Notice whether the reader has scrolled. To be called before heights change. */
  _sense() {
    const { scrollTop, clientHeight } = this.element;
    const moved = scrollTop - this._top;
    if (!this._view || clientHeight !== this._view || Math.abs(moved) < SLACK) {
      return; // where it is hidden or resized, the browser may have scrolled
    }
    this._top = scrollTop;
    // The first pixel up ends following: to wait for more would pull back a reader who scrolls slowly.
    this._stand(scrollTop, moved < 0 ? 2 : END);
  }

  /** The reader is about to scroll up: the list stays where it is until they come back to its end. */
  _stay() {
    this._sense();
    this._stand(this._position(), -1);
  }

  /**
   * From now on the list stands at this scrollTop, and follows if that is not more than `tolerance` from the end.
   *
   * @param {number} top
   * @param {number} tolerance
   */
  _stand(top, tolerance) {
    this._anchor = this._locate(top);
    this._still = this._end();
    this._following = this._follow && this._still - top <= tolerance;
  }

  /** @param {ResizeObserverEntry[]} entries */
  _onResize(entries) {
    this._sense();
    if (!this.element.clientHeight) {
      this._view = 0;
      return; // hidden: rows have no height then
    }
    let isChanged = false;
    for (const { target, borderBoxSize } of entries) {
      const row = this._byElement.get(target);
      const height = borderBoxSize[0].blockSize;
      if (row && Math.abs(height - this._heights.get(row.index)) >= SLACK) {
        this._heights.set(row.index, height);
        isChanged = true;
      }
      isChanged ||= target === this.element;
    }
    if (isChanged) {
      this._isObserving = true;
      try {
        this.refresh();
      } finally {
        this._isObserving = false;
      }
    }
  }

  /**
   * The anchor of a scrollTop: the first row in view, of which less than a pixel does not count.
   *
   * @param {number} top
   */
  _locate(top) {
    const index = this._heights.at(top + 1);
    return { index, above: top - this._heights.before(index) };
  }

  _end() {
    return Math.max(0, Math.ceil(this._heights.before(this.count)) - this._view);
  }

  /** The scrollTop that leaves the reader at the same place. */
  _position() {
    const { index, above } = this._anchor;
    const top = this._heights.before(index) + Math.min(above, this._heights.get(index));
    return this._following && this._end() !== this._still ? this._end() : clamp(top, 0, this._end());
  }

  /** The scrollTop to go to, as far as heights are known. */
  _aim() {
    const position = this._position();
    if (!this._goal) {
      return position;
    }
    const { index, align } = this._goal;
    const start = this._heights.before(index);
    const end = this._heights.before(index + 1) - this._view;
    const nearest = clamp(position, Math.min(start, end), Math.max(start, end));
    return clamp({ start, end, center: (start + end) / 2, nearest }[align], 0, this._end());
  }

  /**
   * Render and measure the rows that a scrollTop needs; return whether all were there.
   *
   * @param {number} top
   */
  _fill(top) {
    const [heights, view] = [this._heights, this._view];
    const first = Math.min(heights.at(top - view), heights.at(top) - OVERSCAN);
    const last = Math.max(heights.at(top + 2 * view), heights.at(top + view) + OVERSCAN);
    this._range = [Math.max(0, first), Math.min(this.count - 1, last)];
    const wanted = new Set(this._rows.keys());
    for (let index = this._range[0]; index <= this._range[1]; index++) {
      wanted.add(index);
    }
    if (this._kept !== null && this._kept < this.count) {
      wanted.add(this._kept);
    }
    /** @type {Row[]} */
    const fresh = [];
    let next = this._spacer.firstChild; // those that are there stay in their place, with the focus in them
    for (const index of [...wanted].sort((one, other) => one - other)) {
      const row = this._rows.get(index) ?? this._make(index);
      if (!row.element.parentNode) {
        this._spacer.insertBefore(row.element, next);
        fresh.push(row);
      }
      next = row.element.nextSibling;
    }
    const sizes = fresh.map(({ element }) => element.getBoundingClientRect().height);
    fresh.forEach(({ index }, i) => heights.set(index, sizes[i]));
    return !fresh.length;
  }

  /**
   * @param {number} index
   * @returns {Row}
   */
  _make(index) {
    const row = { index, element: this._render(index), top: this._heights.before(index) };
    // Not `transform`: a row's menu would be below the next row.
    Object.assign(row.element.style, { position: 'absolute', left: 0, right: 0, top: `${row.top}px` });
    this._rows.set(index, row);
    this._byElement.set(row.element, row);
    if (this._isObserving) {
      this._unobserved.add(row.element); // what it is given while it calls, and is no deeper, would be an error
    } else {
      this._observer.observe(row.element);
    }
    return row;
  }

  /** @param {HTMLElement} element */
  _forget(element) {
    this._observer.unobserve(element);
    this._unobserved.delete(element);
    this._byElement.delete(element);
  }

  /** @param {(row: Row) => boolean} isOut */
  _remove(isOut) {
    for (const row of [...this._rows.values()].filter(isOut)) {
      this._rows.delete(row.index);
      this._forget(row.element);
      row.element.remove();
      this._release?.(row.index, row.element);
    }
  }

  /**
   * Put all in its place, and scroll.
   *
   * @param {number} aim
   */
  _reach(aim) {
    const end = this._end();
    if (this._goal && (Math.abs(aim - this._position()) >= SLACK || aim === end)) {
      this._stand(aim, END);
    }
    this._goal = null;
    this._following ||= this._follow && !end; // all is in view
    this._still = end === this._still ? end : null;
    const top = this._position();
    this._spacer.style.height = `${Math.ceil(this._heights.before(this.count))}px`;
    for (const row of this._rows.values()) {
      const place = this._heights.before(row.index);
      if (place !== row.top) {
        row.top = place;
        row.element.style.top = `${place}px`;
      }
    }
    const now = clamp(this.element.scrollTop, 0, end); // beyond these, it is about to bounce back
    if (Math.abs(top - now) >= SLACK) {
      this.element.scrollTo({ top, behavior: 'instant' });
    }
    this._top = this.element.scrollTop;
  }
}

/** The heights of rows, and their sums, which are computed as far as they are asked for: a last row may grow often. */
class Heights {
  /** @type {number[]} */
  _each = [];
  _sums = [0];
  _done = 0; // the sums of as many rows are right

  get count() {
    return this._each.length;
  }

  /**
   * Rows from `from` on are new, `count` in all, of a height each.
   *
   * @param {number} from
   * @param {number} count
   * @param {number} height
   */
  renew(from, count, height = 0) {
    this._each.length = Math.min(from, count, this.count);
    this._done = Math.min(this._done, this.count);
    while (this.count < count) {
      this._each.push(height);
    }
  }

  /** @param {number} index */
  get(index) {
    return this._each[index] ?? 0;
  }

  /**
   * @param {number} index
   * @param {number} height
   */
  set(index, height) {
    this._each[index] = height;
    this._done = Math.min(this._done, index);
  }

  /**
   * The pixels of all rows before one; before `count`, of all.
   *
   * @param {number} index
   */
  before(index) {
    const end = Math.min(index, this.count);
    for (; this._done < end; this._done++) {
      this._sums[this._done + 1] = this._sums[this._done] + this._each[this._done];
    }
    return this._sums[end];
  }

  /**
   * The row that covers a pixel; the first or the last if none does.
   *
   * @param {number} pixel
   */
  at(pixel) {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.before(middle + 1) > pixel) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}

/**
 * Say whether a key scrolls up, and is not for a field that one writes in.
 *
 * @param {KeyboardEvent} event
 */
function isUp({ key, target, defaultPrevented }) {
  const isField = target instanceof Element && target.closest('input, textarea, select, [contenteditable]');
  return ['PageUp', 'Home', 'ArrowUp'].includes(key) && !defaultPrevented && !isField;
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function clamp(value, low, high) {
  return Math.max(low, Math.min(value, high));
}
