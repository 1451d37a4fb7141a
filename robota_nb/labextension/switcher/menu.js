// A menu that a button opens, with the keys that menus have.

import { h, set } from './dom.js';
import { icon } from './icons.js';
import { t } from './strings.js';

/**
 * What can be chosen: `key` is the one that does the same, `danger` is for what takes something away.
 *
 * @typedef {[label: string, action: () => unknown, more?: { key?: 'F2' | 'Delete', danger?: boolean }]} Item
 */

/**
 * Return a button that opens a menu.
 *
 * @param {object} options
 * @param {string} options.label For those who cannot see the icon on it.
 * @param {() => Item[] | Promise<Item[]>} options.items
 * @param {string} options.part Names the button in `data-part`.
 * @param {Parameters<typeof icon>[0]} [options.sign]
 */
export function menuButton({ label, items, part, sign = 'more' }) {
  const button = h('button.robota-icon', {
    type: 'button', 'aria-label': label, title: label, 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'data-part': part
  }, icon(sign));
  button.addEventListener('click', async event => {
    event.stopPropagation();
    const listed = items();
    open(button, listed instanceof Promise ? await listed : listed);
  });
  return button;
}

/**
 * @param {HTMLButtonElement} button
 * @param {Item[]} items
 */
function open(button, items) {
  const root = /** @type {HTMLElement} */ (button.closest('.robota-switcher'));
  const close = () => {
    menu.remove();
    set(button, { 'aria-expanded': 'false' });
    document.removeEventListener('pointerdown', outside, true);
  };
  const outside = (/** @type {PointerEvent} */ event) => {
    if (!menu.contains(/** @type {Node} */ (event.target))) {
      close();
    }
  };
  const entries = items.map(([label, action, { key, danger } = {}]) =>
    h(danger ? 'button.robota-menu-item.robota-danger' : 'button.robota-menu-item', {
      type: 'button',
      role: 'menuitem',
      tabindex: -1,
      'aria-keyshortcuts': key,
      on: {
        click: () => {
          close();
          button.focus();
          action();
        }
      }
    }, h('span', {}, label), key ? h('span.robota-menu-key', { 'aria-hidden': 'true' }, t(`key.${key}`)) : null)
  );
  const menu = h('div.robota-menu', { role: 'menu', 'aria-label': button.getAttribute('aria-label') }, ...entries);
  menu.addEventListener('keydown', event => {
    const at = entries.findIndex(entry => entry === document.activeElement);
    const to = new Map([['ArrowDown', at + 1], ['ArrowUp', at - 1], ['Home', 0], ['End', -1]]).get(event.key);
    if (to !== undefined) {
      entries.at(to % entries.length)?.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      close();
      button.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  root.append(menu);
  set(button, { 'aria-expanded': 'true' });
  const [box, frame] = [button.getBoundingClientRect(), root.getBoundingClientRect()];
  const top = Math.min(box.bottom - frame.top, frame.height - menu.offsetHeight - 4);
  const left = Math.min(box.left - frame.left, frame.width - menu.offsetWidth - 4);
  Object.assign(menu.style, { top: `${Math.max(0, top)}px`, left: `${Math.max(0, left)}px` });
  document.addEventListener('pointerdown', outside, true);
  entries[0]?.focus();
}
