// One turn: what was asked, what was answered, and what can be done with it.

import { copier } from './clipboard.js';
import { h } from './dom.js';
import { textArea } from './field.js';
import { icon } from './icons.js';
import { Markdown } from './markdown.js';
import { t } from './strings.js';

const PICTURES = /^image\/(png|jpeg|gif|webp)$/;
const NOTED = ['replayed', 'foreign', 'purged'];

/**
 * Return a turn's element.
 *
 * @param {object} row As the kernel tells it.
 * @param {object} about `number` of the turn, from 1, and the `count` of them; `edited`: the question as far as it was
 *   edited, or null; `markdown`, which shows the answer already, if there is one.
 * @param {object} on What to do: `edit`, `retry`, `fork`, `branch(turn)`, `cell` (null where there are no cells to go
 *   to), `picture(id) → Promise`, `send(text)`, `cancel()`.
 * @param {object} services
 */
export function turnElement(row, { number, count, edited, markdown }, on, services) {
  const answer = markdown ?? new Markdown(services);
  answer.set(row.reply);
  const question = edited !== null ? editor(edited, on) : h('div.robota-prompt', { dir: 'auto' }, row.prompt);
  return frame(number, count, question, pictures(row, on), answer.element, footer(row, on));
}

/** Return the element of a turn that arrives, with the `markdown` that shows its text. */
export function arrivingElement({ prompt, text }, { number, count, markdown }) {
  const wait = h('div.robota-thinking', {}, t('thinking'));
  wait.hidden = text !== '';
  markdown.set(text, { done: false });
  const element = frame(number, count, h('div.robota-prompt', { dir: 'auto' }, prompt), null, markdown.element, wait);
  element.classList.add('robota-arriving');
  element.setAttribute('aria-busy', 'true');
  return element;
}

/** Return what stands in the place of a turn that has yet to come from the kernel. */
export function loadingElement() {
  return h('div.robota-turn.robota-loading', {}, t('loading'));
}

function frame(number, count, question, images, answer, foot) {
  return h('article.robota-turn', { 'aria-label': t('turn', { number, count }), tabindex: -1 },
    h('div.robota-question', {}, question, images), answer, foot);
}

function footer(row, on) {
  const button = (name, sign, action) =>
    h('button.robota-icon', { type: 'button', 'aria-label': t(name), title: t(name), 'data-part': name, on: { click: action } }, icon(sign));
  const [place, places] = row.place;
  const arrow = (name, sign, turn) => {
    const made = button(name, sign, () => on.branch(turn));
    made.disabled = !turn;
    return made;
  };
  const copy = button('copy', 'copy', copier(() => row.reply, isCopied => {
    copy.replaceChildren(icon(isCopied ? 'done' : 'copy'));
    copy.title = t(isCopied ? 'copied' : 'copy');
  }));
  return h('div.robota-foot', {},
    places > 1
      ? h('span.robota-branches', { role: 'group', 'aria-label': t('branchLabel', { place, places }) },
        arrow('earlierBranch', 'back', row.before), h('span', {}, t('branchPlace', { place, places })), arrow('laterBranch', 'on', row.after))
      : null,
    h('span.robota-marks', {},
      h('bdi', {}, row.model),
      row.tokens ? h('span', {}, t('tokens', { input: row.tokens[0], output: row.tokens[1] })) : null,
      row.reason === 'stop' ? null : h('span.robota-mark.robota-reason', {}, reason(row.reason)),
      ...NOTED.filter(mark => row.marks.includes(mark)).map(mark =>
        h(`span.robota-mark.robota-${mark}`, { title: t(`${mark}Hint`) }, t(mark)))),
    h('span.robota-actions', {},
      copy,
      button('edit', 'edit', on.edit),
      button('retry', 'retry', on.retry),
      button('forkHere', 'fork', on.fork),
      row.cell && on.cell ? button('goToCell', 'cell', on.cell) : null));
}

/** How an answer ended; a kernel of a later version may know more ways. */
function reason(name) {
  try {
    return t(`reason.${name}`);
  } catch {
    return t('reason.unknown');
  }
}

function editor(text, on) {
  const { area, fit } = textArea({ label: t('edit'), hint: t('draftHint'), part: 'edit-area', send: () => on.send(area.value), escape: on.cancel });
  area.value = text;
  queueMicrotask(() => {
    fit();
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  });
  return h('div.robota-editor', {}, area,
    h('button.robota-button', { type: 'button', 'data-part': 'edit-send', on: { click: () => on.send(area.value) } }, t('send')),
    h('button.robota-button', { type: 'button', on: { click: on.cancel } }, t('cancel')));
}

function pictures(row, on) {
  if (!row.pictures.length) {
    return null;
  }
  const images = row.pictures.map((id, index) => {
    const image = h('img.robota-picture', { alt: t('picture', { number: index + 1 }) });
    void on.picture(id).then(({ media_type: type, data }) => {
      if (PICTURES.test(type)) {
        image.src = `data:${type};base64,${data}`;
      }
    });
    return image;
  });
  return h('div.robota-pictures', {}, ...images);
}
