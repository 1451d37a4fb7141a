// Links in what strangers write, and what stands in the place of their pictures: nothing is fetched before a click.

import { h } from './dom.js';
import { t } from './strings.js';
import { address, target } from './visible.js';

const LONGEST = 200; // characters that are shown of an address that is no link; a picture in one has many thousands

/** @param {(Node | string)[]} nodes */
export function fragment(nodes) {
  const content = document.createDocumentFragment();
  content.append(...nodes);
  return content;
}

/**
 * Return a link; where it may not be one, what it says and the address. There is no link in a link.
 *
 * @param {DocumentFragment} content
 * @param {string} href
 * @param {boolean} inLink
 * @returns {(Node | string)[]}
 */
export function link(content, href, inLink = false) {
  const url = address(href);
  if (url && !inLink) {
    return [h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, content)];
  }
  const shown = shortened(target(href));
  return [content, url || content.textContent === shown || !shown ? '' : ` (${shown})`];
}

/**
 * Return what stands in the place of a picture: a click on it, which says where it goes, loads it.
 *
 * @param {string} name
 * @param {string} href
 * @param {boolean} inLink
 */
export function pictureLink(name, href, inLink = false) {
  const [first, ...rest] = link(fragment([t('pictureLink', { name: name || shortened(target(href)) })]), href, inLink);
  if (first instanceof HTMLAnchorElement) {
    markPicture(first);
  }
  return [first, ...rest];
}

/**
 * Note that a link stands in the place of a picture, and have it say where it goes.
 *
 * @param {HTMLAnchorElement} anchor
 */
export function markPicture(anchor) {
  anchor.title = anchor.href;
  anchor.dataset.picture = '';
}

/**
 * Have a click on a link that stands in the place of a picture show the picture there. What this server would be asked
 * for, with the reader's cookies, stays a link, and so does what is no picture.
 *
 * @param {HTMLElement} element
 */
export function showPicturesOnClick(element) {
  element.addEventListener('click', event => {
    const anchor = event.target instanceof Element ? event.target.closest('a') : null;
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!isPlain || anchor?.dataset.picture === undefined || !/^https?:$/.test(anchor.protocol) || anchor.origin === location.origin) {
      return;
    }
    event.preventDefault();
    const picture = h('img', { alt: anchor.textContent ?? '', title: anchor.title, referrerPolicy: 'no-referrer' });
    picture.onerror = () => picture.replaceWith(anchor);
    picture.src = anchor.href;
    anchor.replaceWith(picture);
  });
}

/**
 * Return what stands in the place of something else that would be loaded.
 *
 * @param {string} href
 */
export function addressLink(href) {
  return link(fragment([shortened(target(href))]), href);
}

/** @param {string} url */
function shortened(url) {
  return url.length > LONGEST ? `${url.slice(0, LONGEST)}…` : url;
}
