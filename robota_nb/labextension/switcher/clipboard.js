// Puts text on the clipboard, also where the page may not use the browser's own way.

import { h } from './dom.js';

const COPIED = 2000; // milliseconds for which a button says so

/**
 * Return what a button does that copies.
 *
 * @param {() => string} text
 * @param {(isCopied: boolean) => void} show Changes what is on the button, when it was copied and a moment later.
 */
export function copier(text, show) {
  /** @type {number | undefined} */
  let timer;
  return async () => {
    if (await copy(text())) {
      show(true);
      clearTimeout(timer);
      timer = setTimeout(show, COPIED, false);
    }
  };
}

/**
 * @param {string} text
 * @returns {Promise<boolean>} Whether it was copied.
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // there is no clipboard without TLS, nor in each frame
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const focused = document.activeElement;
  const area = h('textarea', { readonly: true, 'aria-hidden': 'true' });
  area.value = text;
  area.style.position = 'fixed'; // so that the page does not scroll to it
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) {
      focused.focus({ preventScroll: true });
    }
  }
}
