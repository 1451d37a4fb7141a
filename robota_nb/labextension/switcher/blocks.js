// marked's tokens into elements. A stranger's text becomes text nodes, and of attributes only a link's checked `href`.

import { CodeBlock } from './codeblock.js';
import { h } from './dom.js';
import { dereferenced } from './entities.js';
import { fragment, link, pictureLink } from './links.js';
import { isDrawn } from './maths.js';
import { t } from './strings.js';
import { visible } from './visible.js';

/** @typedef {import('./marked.js').Token} Token */
/** @typedef {import('./markdown.js').Part} Part */

/**
 * Return the node of a block, or null if it shows nothing.
 *
 * @param {Token} token
 * @param {Part[]} parts Takes what is to be done when the block is complete.
 * @returns {HTMLElement | Text | null}
 */
export function block(token, parts) {
  return (BLOCKS[token.type] ?? plain)(token, parts);
}

/** @type {Record<string, (token: Token, parts: Part[]) => HTMLElement | Text | null>} */
const BLOCKS = {
  space: () => null,
  def: () => null,
  hr: () => h('hr'),
  code: codeBlock,
  html: plain,
  plain,
  formulaBlock: (token, parts) => formula('div.robota-maths', token.text, parts),
  paragraph: (token, parts) => h('p', { dir: 'auto' }, ...spans(token.tokens, parts)),
  blockquote: (token, parts) => h('blockquote', { dir: 'auto' }, ...blocks(token.tokens, parts)),
  heading,
  list,
  table,
  // In a list without blank lines
  text: (token, parts) => h('div', { dir: 'auto' }, ...spans(token.tokens ?? [token], parts)),
  checkbox: token => document.createTextNode(mark(token))
};

/**
 * @param {Token[]} tokens
 * @param {Part[]} parts
 */
function blocks(tokens, parts) {
  return tokens.map(token => block(token, parts));
}

/** @param {Token} token */
function plain(token) {
  return h('div.robota-plain', { dir: 'auto' }, visible(token.raw.replace(/\n+$/, '')));
}

/**
 * @param {Token} token
 * @param {Part[]} parts
 */
function codeBlock(token, parts) {
  const code = new CodeBlock(token);
  parts.push(code);
  return code.element;
}

/**
 * @param {string} tag
 * @param {string} source
 * @param {Part[]} parts
 */
function formula(tag, source, parts) {
  const text = visible(source);
  const element = h(tag, { dir: 'ltr' }, text);
  if (isDrawn(text)) {
    parts.push({
      async finish({ typeset }) {
        try {
          await typeset?.(element);
        } catch {
          // Its source is there.
        }
      }
    });
  }
  return element;
}

/**
 * @param {Token} token
 * @param {Part[]} parts
 */
function heading(token, parts) {
  return h(
    `div.robota-heading.robota-heading-${token.depth}`,
    { role: 'heading', 'aria-level': Math.min(token.depth + 2, 6), dir: 'auto' },
    ...spans(token.tokens, parts)
  );
}

/**
 * @param {Token} token
 * @param {Part[]} parts
 */
function list(token, parts) {
  const items = token.items.map(item => {
    const tag = item.task ? 'li.robota-task' : 'li';
    return h(tag, { dir: 'auto' }, ...item.tokens.flatMap(child => itemNodes(child, parts)));
  });
  const start = token.ordered && Number.isInteger(token.start) && token.start !== 1 ? token.start : null;
  return h(token.ordered ? 'ol' : 'ul', { start }, ...items);
}

/**
 * Return the nodes of a list item's block; a text without blank lines stands in the item itself.
 *
 * @param {Token} token
 * @param {Part[]} parts
 */
function itemNodes(token, parts) {
  return token.type === 'text' && token.tokens ? spans(token.tokens, parts) : [block(token, parts)];
}

/**
 * @param {Token} token
 * @param {Part[]} parts
 */
function table(token, parts) {
  /** @typedef {import('./marked.js').TableCell} TableCell */
  /** @type {(tag: string, cell: TableCell) => HTMLElement} */
  const cell = (tag, { tokens, align }) =>
    h(align ? `${tag}.robota-${align}` : tag, { dir: 'auto' }, ...spans(tokens, parts));
  /** @type {(tag: string, cells: TableCell[]) => HTMLElement} */
  const row = (tag, cells) => h('tr', {}, ...cells.map(each => cell(tag, each)));
  return h(
    'div.robota-table',
    { tabindex: 0, role: 'region', 'aria-label': t('table') },
    h(
      'table',
      {},
      h('thead', {}, row('th', token.header)),
      token.rows.length ? h('tbody', {}, ...token.rows.map(cells => row('td', cells))) : null
    )
  );
}

/** @typedef {(token: Token, parts: Part[], inLink: boolean) => (Node | string)[]} Span */

/** @type {Record<string, Span>} */
const SPANS = {
  strong: within('strong'),
  em: within('em'),
  del: within('del'),
  br: () => [h('br')],
  codespan: token => [h('code', {}, visible(token.text))],
  escape: token => [visible(token.text)],
  html: token => [visible(token.raw)],
  plain: token => [h('span.robota-plain', {}, visible(token.raw))],
  checkbox: token => [mark(token)],
  formula: (token, parts) => [formula('span.robota-maths', token.raw, parts)],
  // Not `text`, in which marked has dereferenced the numbers: `&#38;lt;` is `&lt;`, and not `<`
  text: token => [visible(dereferenced(token.raw))],
  link: (token, parts, inLink) => link(fragment(spans(token.tokens, parts, true)), token.href, inLink),
  image: (token, parts, inLink) =>
    pictureLink(fragment(spans(token.tokens ?? [], [], true)).textContent ?? '', token.href, inLink)
};

/**
 * Return the nodes and texts of spans. There is no link in a link.
 *
 * @param {Token[]} tokens
 * @param {Part[]} parts
 */
function spans(tokens, parts, inLink = false) {
  return tokens.flatMap(token => (SPANS[token.type] ?? SPANS.plain)(token, parts, inLink));
}

/**
 * @param {string} tag
 * @returns {Span}
 */
function within(tag) {
  return (token, parts, inLink) => [h(tag, {}, ...spans(token.tokens, parts, inLink))];
}

/** @param {Token} token */
function mark(token) {
  return token.checked ? '☑ ' : '☐ ';
}
