// A block of code: text at once, colours when it is complete.

import { copier } from './clipboard.js';
import { h, set } from './dom.js';
import { t } from './strings.js';
import { visible } from './visible.js';

const LANGUAGE = /^[\w+#.-]{1,32}$/;
const LONGEST = 100000; // characters that are worth the time to colour them

export class CodeBlock {
  /** @param token marked's. */
  constructor(token) {
    this._language = languageOf(token);
    this._text = document.createTextNode(codeOf(token));
    this._code = h('code', {}, this._text);
    this.element = h(
      'div.robota-code',
      {},
      h(
        'div.robota-code-header',
        {},
        h('span.robota-code-language', {}, this._language),
        copyButton(() => this._code.textContent)
      ),
      h('pre', { dir: 'ltr', tabindex: 0 }, this._code)
    );
  }

  /** Take in more code at the end, which keeps what a user selects; return whether this token has no more than that. */
  grow(token) {
    const [code, shown] = [codeOf(token), this._text.data];
    const grows = this._language === languageOf(token) && code.startsWith(shown);
    if (grows) {
      this._text.appendData(code.slice(shown.length));
    }
    return grows;
  }

  /** Colour the code, which is complete. */
  async finish({ highlight }) {
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

function codeOf(token) {
  return visible(token.text.replace(/\n$/, ''));
}

function languageOf(token) {
  const [word] = (token.lang ?? '').split(/\s/, 1);
  return LANGUAGE.test(word) ? word : '';
}

function copyButton(code) {
  const button = h('button.robota-copy', { type: 'button' });
  const show = isCopied => {
    const text = t(isCopied ? 'copied' : 'copyCode');
    button.textContent = text;
    set(button, { 'aria-label': text, title: text });
  };
  button.addEventListener('click', copier(code, show));
  show(false);
  return button;
}
