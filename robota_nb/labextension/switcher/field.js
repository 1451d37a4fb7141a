// Fields in which the user writes: for a name in the place of what is renamed, and for a text of several lines.

import { h } from './dom.js';

/**
 * Return a field for a name: Enter takes over what was written, Escape does not.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {string} options.value To begin with.
 * @param {(text: string, isLeft: boolean) => void} options.done Either this or `cancel` is called, once; `isLeft`: as
 *   the focus has gone somewhere else.
 * @param {(isLeft: boolean) => void} options.cancel
 */
export function nameField({ label, value, done, cancel }) {
  let ended = false;
  /** @param {() => void} call */
  const end = call => {
    if (!ended) {
      ended = true;
      call();
    }
  };
  const field = h('input.robota-field', { type: 'text', 'aria-label': label, maxlength: 100, 'data-part': 'name' });
  field.value = value;
  const take = (isLeft = false) =>
    end(() => (field.value.trim() && field.value !== value ? done(field.value, isLeft) : cancel(isLeft)));
  field.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      take();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      end(() => cancel(false));
    }
  });
  field.addEventListener('blur', () => take(true));
  return field;
}

/**
 * Focus a field that has just been put into the document, with all of it selected.
 *
 * @param {HTMLInputElement} field
 */
export function edit(field) {
  field.focus();
  field.select();
}

/**
 * Return an area for a text of several lines, which grows with it.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {string} options.hint Shown as long as it is empty.
 * @param {string} options.part Names the area in `data-part`.
 * @param {() => void} options.send Called on Enter.
 * @param {() => void} [options.escape] Called on Escape.
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
