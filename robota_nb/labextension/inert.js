// Answers in cells fetch nothing before a click, whoever has saved them: links stand in the place of pictures and media,
// and diagrams and formulas that would load something stay text. What our kernel shows has none of that already.

import { addressLink, markPicture, pictureLink } from './switcher/links.js';

/** @typedef {(address: string) => boolean} Allows */

// An element is let through with these attributes alone: others may load, send or run something.
const ATTRIBUTES = new Set(
  ('class id data-jupyter-id title alt align valign dir lang colspan rowspan start reversed type checked disabled ' +
    'role width height open value scope datetime target rel').split(' ')
);
const STYLE = /^(?:[^\\(@"'<]|\b(?:rgb|hsl)a?\([\d\s,.%/]*\))*$/i; // no other function: some load pictures
const HERE = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml)[;,]/i;

const LOADING =
  'audio, video, source, track, picture, embed, object, iframe, frame, frameset, portal, image, link, meta, base, ' +
  'script, style, svg, math, noscript, noembed, noframes, template, xmp, plaintext, textarea, select, title, form, ' +
  'input:not([type=checkbox])';
const PICTURE = /^Picture(?::|$)/; // how a link begins that the kernel writes in the place of a picture
const ADDRESSES = ['src', 'poster', 'data'];

/**
 * Return HTML, which is sanitised, without what it would load.
 *
 * @param {string} html
 * @param {Allows} allows Says which pictures may be loaded.
 */
export function inertHTML(html, allows) {
  const { body } = new DOMParser().parseFromString(html, 'text/html'); // nothing is loaded in there
  for (const element of body.querySelectorAll(LOADING)) {
    const inside = [element, ...element.querySelectorAll('*')];
    const addresses = inside.flatMap(one => ADDRESSES.map(name => one.getAttribute(name) ?? '')).filter(Boolean);
    element.replaceWith(element.textContent ?? '', ...addresses.flatMap(one => [' ', ...addressLink(one)]));
  }
  for (const element of body.querySelectorAll('*')) {
    const source = element.localName === 'img' ? (element.getAttribute('src') ?? '') : null;
    if (source !== null && !HERE.test(source) && !allows(source)) {
      const inLink = element.closest('a') !== null;
      element.replaceWith(...pictureLink(element.getAttribute('alt') ?? '', source, inLink));
      continue;
    }
    for (const { name, value } of [...element.attributes]) {
      const isKept =
        ATTRIBUTES.has(name) ||
        name.startsWith('aria-') ||
        (name === 'style' && STYLE.test(value)) ||
        (name === 'src' && source !== null) ||
        (name === 'href' && element.localName === 'a');
      if (!isKept) {
        element.removeAttribute(name);
      }
    }
    if (element instanceof HTMLAnchorElement && PICTURE.test(element.textContent ?? '')) {
      markPicture(element);
    }
  }
  return body.innerHTML;
}

/**
 * Whether a picture comes over TLS from a server in the open: not the application's own, nor one of the reader's network.
 *
 * @param {string} address
 */
export function isPublic(address) {
  if (!/^https:\/\//i.test(address) || !URL.canParse(address)) {
    return false;
  }
  const { hostname, port, username, password } = new URL(address);
  const isOpen = /\.[a-z][a-z\d-]*$/.test(hostname) && !/\.(?:local|localhost|localdomain|internal|lan|home|corp)$/.test(hostname);
  return isOpen && !(port || username || password) && hostname !== location.hostname;
}

const FENCE = /^([\s>*+\d.)-]*)(`{3,}|~{3,})([^\n]*)$/gm;
const DIAGRAM = /^\s*mermaid(?:\s|$)|[\\&]/i; // with an escape in it, it may be any word
// An address in a diagram, or what may come to one: directives, styles, shapes, references
const REACHING = new RegExp(
  '//|\\\\|:\\\\|www\\.|url|image-set|src|href|import|theme|style|img|image|data:|%%\\{|^[\\s>]*---\\s*$|@\\{|&|#\\w+;|' +
    '<(?!-|br\\s*/?>|/?[bi]>|[\\s<=|])|\\]\\(',
  'im'
);

/**
 * Return Markdown in which diagrams that hold addresses are code.
 *
 * @param {string} source
 */
export function withoutDiagrams(source) {
  return source.replace(FENCE, (whole, indent, mark, info, at) => {
    if (!DIAGRAM.test(info)) {
      return whole;
    }
    const rest = source.slice(at + whole.length + 1);
    const end = rest.search(new RegExp(`^[\\s>]{0,3}${mark}${mark[0]}*[ \\t]*$`, 'm')); // or later: it reads too much
    return REACHING.test(info + rest.slice(0, end < 0 ? rest.length : end)) ? `${indent}${mark}text` : whole;
  });
}

// Commands of MathJax that style, and so load pictures, or that load a file
const COMMANDS = new RegExp(
  '\\\\(?=(?:style|mmlToken|includegraphics|data|texhtml)(?![A-Za-z])|' +
    'bbox(?!\\s*\\[(?:[\\w\\s,.:-]|#[0-9a-f]{3})*\\])|require(?!\\s*\\{\\s*[a-z]*\\s*\\}))',
  'gi'
);

/**
 * Have the formulas in an element load nothing when they are typeset: such a command has no name then.
 *
 * @param {HTMLElement} element
 */
export function disarmFormulas(element) {
  element.normalize();
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const value = text.nodeValue ?? '';
    if (value.includes('\\') && !text.parentElement?.closest('code, pre')) {
      const disarmed = value.replace(COMMANDS, '$&\u200b');
      if (disarmed !== value) {
        text.nodeValue = disarmed;
      }
    }
  }
}
