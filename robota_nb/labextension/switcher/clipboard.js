// Puts text on the clipboard, also where the page is not served safely enough for the browser's own way.

import { h } from './dom.js';

/** Copy a text; *root* is an element of the page. */
export async function copyText(text, root) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h('textarea.robota-unseen');
    area.value = text;
    root.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}
