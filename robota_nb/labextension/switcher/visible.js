// What of a stranger's text is shown, and where its links may lead.

import { dereferenced } from './entities.js';

// Controls, and the marks that let text seem to stand where it does not
const HIDDEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

const SCHEMES = ['http:', 'https:', 'mailto:'];

/**
 * Return a text without the characters that would only deceive.
 *
 * @param {string} text
 */
export function visible(text) {
  return text.replace(HIDDEN, '');
}

/**
 * Return the characters of a URL in Markdown.
 *
 * @param {string} href
 */
export function target(href) {
  return visible(dereferenced(href)).replace(/[\n\t]/g, '').trim();
}

/**
 * Return the address that a link may have, or null.
 *
 * @param {string} href
 */
export function address(href) {
  try {
    const url = new URL(target(href)); // no base: a relative address would lead into the application
    return SCHEMES.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
