// Puts text on the clipboard, also where the page may not use the browser's own way.

import { h } from './dom.js';

/** Copy a text, and return whether that worked. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // there is no clipboard without TLS, nor in each frame
  }
}

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
    focused?.focus({ preventScroll: true });
  }
}
