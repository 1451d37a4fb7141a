// A field in the place of what is edited: Enter takes what was written, Escape does not.

import { h } from './dom.js';

/**
 * Return a field for a name.
 *
 * @param {object} options `label`, the `value` to begin with, `done(text)` and `cancel()`: one of them is called, once.
 */
export function nameField({ label, value, done, cancel }) {
  let ended = false;
  const end = call => {
    if (!ended) {
      ended = true;
      call();
    }
  };
  const field = h('input.robota-field', { type: 'text', 'aria-label': label, maxlength: 100, 'data-part': 'name' });
  field.value = value;
  const take = () => end(() => (field.value.trim() && field.value !== value ? done(field.value) : cancel()));
  field.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      take();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      end(cancel);
    }
  });
  field.addEventListener('blur', take);
  return field;
}

/** Focus a field that has just been put into the document, with all of it selected. */
export function begin(field) {
  field.focus();
  field.select();
}

/**
 * Return an area for a text of lines that grows with it.
 *
 * @param {object} options `label`, `hint`, and `send()`, called on Enter; `escape()` on Escape.
 */
export function textArea({ label, hint, part, send, escape }) {
  const area = h('textarea.robota-area', { rows: 1, 'aria-label': label, placeholder: hint, 'data-part': part });
  const fit = () => {
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight + 2, 200)}px`;
  };
  area.addEventListener('input', fit);
  area.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape') {
      escape?.();
    }
  });
  return { area, fit };
}
