// A block of code: plain text at once, colours when it is complete.

import { changeButtons } from './change.js';
import { copier } from './clipboard.js';
import { h, set } from './dom.js';
import { t } from './strings.js';
import { visible } from './visible.js';

/** @typedef {import('./marked.js').Token} Token */
/** @typedef {import('./switcher.js').Services} Services */

const LANGUAGE = /^[\w+#.-]{1,32}$/;
const LONGEST = 5000; // characters; to colour more takes too long

export class CodeBlock {
  /** @param {Token} token */
  constructor(token) {
    this._language = languageOf(token);
    this._text = document.createTextNode(codeOf(token));
    this._code = h('code', {}, this._text);
    this._copy = copyButton(() => this._code.textContent ?? '');
    this._header = h('div.robota-code-header', {}, h('span.robota-code-language', {}, this._language), this._copy);
    this.element = h('div.robota-code', {}, this._header, h('pre', { dir: 'ltr', tabindex: 0 }, this._code));
  }

  /**
   * Append what a token adds to the code shown, which keeps the user's selection; false if it changes what is shown.
   *
   * @param {Token} token
   */
  grow(token) {
    const [code, shown] = [codeOf(token), this._text.data];
    const grows = this._language === languageOf(token) && code.startsWith(shown);
    if (grows) {
      this._text.appendData(code.slice(shown.length));
    }
    return grows;
  }

  /**
   * Colour the code, which is complete, and offer to write it into the notebook.
   *
   * @param {Services} services
   */
  async finish(services) {
    const change = changeButtons(() => this._code.textContent ?? '', services);
    if (change) {
      this._copy.before(...change.buttons);
      this._header.after(...change.below);
    }
    const { highlight } = services;
    const [code, shown] = [this._text.data, this._code];
    if (!highlight || !this._language || code.length > LONGEST) {
      return;
    }
    try {
      const coloured = h('code');
      await highlight(code, this._language, coloured);
      if (coloured.textContent === code) {
        this._code = coloured;
        shown.replaceWith(coloured); // all at once: the lines stay where they are
      }
    } catch {
      // The text is there.
    }
  }
}

/** @param {Token} token */
function codeOf(token) {
  return visible(token.text.replace(/\n$/, ''));
}

/** @param {Token} token */
function languageOf(token) {
  const [word] = (token.lang ?? '').split(/\s/, 1);
  return LANGUAGE.test(word) ? word : '';
}

/** @param {() => string} code */
function copyButton(code) {
  const button = h('button.robota-copy', { type: 'button' });
  const show = (/** @type {boolean} */ isCopied) => {
    const text = t(isCopied ? 'copied' : 'copyCode');
    button.textContent = text;
    set(button, { 'aria-label': text, title: text });
  };
  button.addEventListener('click', copier(code, show));
  show(false);
  return button;
}
