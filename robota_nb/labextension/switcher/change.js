// What can be done with code in the notebook: insert it as a cell, or have it take the place of a cell's source, after a
// look at what that would change.

import { diff } from './diff.js';
import { h } from './dom.js';
import { icon } from './icons.js';
import { t } from './strings.js';
import { visible } from './visible.js';

/** @typedef {import('./diff.js').Row} Row */
/** @typedef {import('./strings.js').Key} Key */
/** @typedef {import('./switcher.js').Services} Services */

const AROUND = 3; // lines that are shown around those that differ
const MOST_ROWS = 500;
const SIGNS = { same: '\u00a0', gone: '−', new: '+' };
const TAGS = /** @type {const} */ ({ same: 'div', gone: 'del', new: 'ins' });

/**
 * Return the buttons, and the places below them in which something is said and shown; null where the application does
 * neither.
 *
 * @param {() => string} code
 * @param {Services} services
 */
export function changeButtons(code, { insertCell, replaceableCell, replaceSource }) {
  const said = h('div.robota-change', { role: 'status' });
  const shown = h('div.robota-change', { tabindex: -1 });
  /** @param {Key | null} key */
  const say = key => {
    said.replaceChildren(key ? t(key) : '');
    shown.replaceChildren();
  };
  /** @type {(name: 'insertBelow' | 'replaceCell', sign: Parameters<typeof icon>[0], action: () => void) => HTMLButtonElement} */
  const button = (name, sign, action) => h('button.robota-icon', {
    type: 'button', 'aria-label': t(name), title: t(name), 'data-part': name, on: { click: action }
  }, icon(sign));
  const buttons = [];
  if (insertCell) {
    buttons.push(button('insertBelow', 'insert', () => {
      say(insertCell(code(), shown) ? null : 'notWritable');
    }));
  }
  if (replaceableCell && replaceSource) {
    const replace = button('replaceCell', 'replace', () => {
      const [cell, is] = [replaceableCell(shown), code()];
      if (!cell) {
        say('noCellToReplace');
      } else if (cell.source === is) {
        say('sameSource');
      } else {
        say(null);
        shown.append(offer(cell.source, is, isAccepted => {
          const isDone = isAccepted && replaceSource(cell, is, shown);
          say(isDone || !isAccepted ? null : 'cellHasChanged');
          if (!isDone) {
            replace.focus();
          }
        }));
        shown.focus({ preventScroll: true });
        shown.scrollIntoView({ block: 'nearest' });
      }
    });
    buttons.push(replace);
  }
  return buttons.length ? { buttons, below: [said, shown] } : null;
}

/**
 * Return what would change in a cell, with the choice.
 *
 * @param {string} was
 * @param {string} is
 * @param {(isAccepted: boolean) => void} choose
 */
function offer(was, is, choose) {
  /** @type {(key: 'acceptChange' | 'leaveCell', isAccepted: boolean) => HTMLButtonElement} */
  const button = (key, isAccepted) => h('button.robota-button', {
    type: 'button', 'data-part': key, on: { click: () => choose(isAccepted) }
  }, t(key));
  return h('div.robota-diff', {},
    h('div', {}, t('changeOfCell')),
    h('div.robota-diff-lines', { dir: 'ltr', tabindex: 0 }, ...drawn(diff(was, is))),
    h('div.robota-choices', {}, button('acceptChange', true), button('leaveCell', false)));
}

/**
 * Return the rows that differ, with those around them; nobody reads through more than a few hundred.
 *
 * @param {Row[]} rows
 */
function drawn(rows) {
  /** @type {HTMLElement[]} */
  const shown = [];
  const isNear = near(rows);
  let left = 0;
  const skip = () => {
    if (left) {
      shown.push(h('div.robota-diff-skipped', {}, t('sameLines', { count: left })));
      left = 0;
    }
  };
  for (const [at, { kind, line }] of rows.entries()) {
    if (!isNear[at]) {
      left++;
      continue;
    }
    skip();
    if (shown.length >= MOST_ROWS) {
      shown.push(h('div.robota-diff-skipped', {}, t('moreLines', { count: rows.length - at })));
      return shown;
    }
    shown.push(h(TAGS[kind], {}, h('span', { 'aria-hidden': 'true' }, SIGNS[kind]), visible(line)));
  }
  skip();
  return shown;
}

/**
 * Say of each row whether it differs, or is not far from one that does.
 *
 * @param {Row[]} rows
 */
function near(rows) {
  const isNear = new Array(rows.length).fill(false);
  rows.forEach(({ kind }, at) => {
    if (kind !== 'same') {
      isNear.fill(true, Math.max(0, at - AROUND), at + AROUND + 1);
    }
  });
  return isNear;
}
