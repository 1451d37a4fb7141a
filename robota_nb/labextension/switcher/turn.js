// One turn: the prompt, the answer, and what can be done with them.

import { Answer } from './answer.js';
import { copier } from './clipboard.js';
import { h } from './dom.js';
import { textArea } from './field.js';
import { icon } from './icons.js';
import { fragment, link } from './links.js';
import { named, t } from './strings.js';

/** @typedef {import('./strings.js').Key} Key */
/** @typedef {import('./switcher.js').Services} Services */
/** @typedef {ViewMessage.TurnRow} TurnRow */

/**
 * What can be done with a turn.
 *
 * @typedef {object} TurnActions
 * @property {boolean} isReadOnly Whether only what changes nothing is offered.
 * @property {() => void} edit
 * @property {(text: string) => unknown} send The prompt as it was edited.
 * @property {() => void} cancel Editing.
 * @property {() => void} retry
 * @property {() => void} fork
 * @property {(turn: string) => void} branch Shows the branch of another turn.
 * @property {(() => void) | null} cell Goes to the cell; null where there are none to go to.
 * @property {(() => void) | null} makeCell Makes a cell of it; null where that cannot be.
 * @property {(id: string) => Promise<ViewMessage.Picture>} picture
 */

const SHORT = 80; // characters of what a call has returned, on its line
const PICTURES = /^image\/(png|jpeg|gif|webp)$/;
/** @type {ViewMessage.Mark[]} */
const MARKS = ['replayed', 'foreign', 'purged', 'outside'];

/**
 * Return a turn's element.
 *
 * @param {TurnRow} row
 * @param {object} about
 * @param {number} about.number Of the turn, from 1.
 * @param {number} about.count Of all turns.
 * @param {string | null} about.edited The prompt as far as it was edited; null if it is not.
 * @param {Answer} [about.answer] That shows the answer already.
 * @param {TurnActions} actions
 * @param {Services} services
 */
export function turnElement(row, { number, count, edited, answer: shown }, actions, services) {
  const answer = shown ?? new Answer(services);
  answer.set(row.reply);
  const prompt = edited !== null ? editor(edited, actions) : h('div.robota-prompt', { dir: 'auto' }, row.prompt);
  const along = [drawn(row.pictures, 'picture', actions), files(row)];
  const below = [...besides(row.besides, actions), footer(row, actions)];
  return frame(number, count, prompt, along, thoughts(row), ...(row.steps ?? []).flatMap(step), answer.element, ...below);
}

/**
 * Return the element of a turn whose answer arrives.
 *
 * @param {ViewMessage.Arriving} arriving
 * @param {{ number: number, count: number, answer: Answer }} about As for `turnElement`.
 */
export function arrivingElement({ prompt, text }, { number, count, answer }) {
  const wait = h('div.robota-thinking', {}, t('thinking'));
  wait.hidden = text !== '';
  answer.set(text, { done: false });
  const element = frame(number, count, h('div.robota-prompt', { dir: 'auto' }, prompt), [], answer.element, wait);
  element.classList.add('robota-arriving');
  element.setAttribute('aria-busy', 'true');
  return element;
}

/** Return what stands in the place of a turn that has yet to come from the kernel. */
export function loadingElement() {
  return h('div.robota-turn.robota-loading', {}, t('loading'));
}

/**
 * @param {number} number
 * @param {number} count
 * @param {HTMLElement} prompt
 * @param {(HTMLElement | null)[]} along
 * @param {...(HTMLElement | null)} below
 */
function frame(number, count, prompt, along, ...below) {
  return h('article.robota-turn', { 'aria-label': t('turn', { number, count }), tabindex: -1 },
    h('div.robota-question', {}, prompt, ...along), ...below);
}

/**
 * @param {TurnRow} row
 * @param {TurnActions} actions
 */
function footer(row, actions) {
  /** @type {(name: Key, sign: Parameters<typeof icon>[0], action: () => unknown) => HTMLButtonElement} */
  const button = (name, sign, action) =>
    h('button.robota-icon', { type: 'button', 'aria-label': t(name), title: t(name), 'data-part': name, on: { click: action } }, icon(sign));
  const [place, places] = row.place;
  /** @type {(name: Key, sign: Parameters<typeof icon>[0], turn: string | null) => HTMLButtonElement} */
  const arrow = (name, sign, turn) => {
    const made = button(name, sign, () => turn && actions.branch(turn));
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
        arrow('earlierBranch', 'back', row.before), h('span', {}, t('branchPlace', { place, places })), arrow('laterBranch', 'forward', row.after))
      : null,
    h('span.robota-marks', {},
      h('bdi', {}, row.model),
      row.tokens ? h('span', {}, t('tokens', { input: row.tokens[0], output: row.tokens[1] })) : null,
      row.besides?.refused ? h('span.robota-mark.robota-reason', {}, t('refused')) : null,
      row.reason === 'stop' ? null : h('span.robota-mark.robota-reason', {}, reason(row.reason)),
      ...MARKS.filter(mark => row.marks.includes(mark)).map(mark =>
        h(`span.robota-mark.robota-${mark}`, { title: t(`${mark}Hint`) }, t(mark)))),
    h('span.robota-actions', {},
      copy,
      ...(actions.isReadOnly ? [] : [
        button('edit', 'edit', actions.edit),
        button('retry', 'retry', actions.retry),
        button('forkHere', 'fork', actions.fork)
      ]),
      row.cell && actions.cell ? button('goToCell', 'cell', actions.cell) : null,
      !row.cell && actions.makeCell && !actions.isReadOnly ? button('makeCell', 'insert', actions.makeCell) : null));
}

/**
 * Say how an answer ended; a kernel of a later version may know more ways.
 *
 * @param {string} name
 */
function reason(name) {
  try {
    return t(/** @type {Key} */ (`reason.${name}`));
  } catch {
    return t('reason.unknown');
  }
}

/**
 * @param {string} text
 * @param {TurnActions} actions
 */
function editor(text, actions) {
  const send = () => actions.send(area.value);
  const { area, fit } = textArea({ label: t('edit'), hint: t('draftHint'), part: 'edit-area', send, escape: actions.cancel });
  area.value = text;
  queueMicrotask(() => {
    fit();
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  });
  return h('div.robota-editor', {}, area,
    h('button.robota-button', { type: 'button', 'data-part': 'edit-send', on: { click: send } }, t('send')),
    h('button.robota-button', { type: 'button', on: { click: actions.cancel } }, t('cancel')));
}

/**
 * @param {string[]} ids
 * @param {'picture' | 'pictureOfAnswer'} name
 * @param {TurnActions} actions
 */
function drawn(ids, name, actions) {
  if (!ids.length) {
    return null;
  }
  const images = ids.map((id, index) => {
    const image = h('img.robota-picture', { alt: t(name, { number: index + 1 }) });
    void actions.picture(id).then(({ media_type: type, data }) => {
      if (PICTURES.test(type)) {
        image.src = `data:${type};base64,${data}`;
      }
    });
    return image;
  });
  return h('div.robota-pictures', {}, ...images);
}

/**
 * Return what the model thought before its answer, folded.
 *
 * @param {TurnRow} row
 */
function thoughts(row) {
  if (!row.thoughts) {
    return null;
  }
  return h('details.robota-thoughts', {},
    h('summary', {}, t('thoughts')), h('div', { dir: 'auto' }, row.thoughts));
}

/**
 * Return what came before an answer: its text, and a line for each call, which unfolds to what the model was told.
 *
 * @param {ViewMessage.StepRow} given
 */
function step({ text, calls, problem }) {
  return [
    text.trim() ? h('div.robota-step', { dir: 'auto' }, text) : null,
    ...calls.map(call => h('details.robota-call', {},
      h('summary', {}, h('code', { dir: 'ltr' }, `${call.name}(${call.arguments})`), ` → ${outcome(call)}`),
      h('pre', { dir: 'auto', tabindex: 0 }, call.result))),
    problem ? h('div.robota-step', { dir: 'auto' }, t('askedAgain', { problem })) : null
  ];
}

/** @param {ViewMessage.CallRow} call */
function outcome({ status, result }) {
  return status === 'ok' ? result.trim().split('\n', 1)[0].slice(0, SHORT) : named('call', status);
}

/** @param {TurnRow} row */
function files(row) {
  if (!row.files.length) {
    return null;
  }
  const items = row.files.map(({ name, size }) =>
    h('li.robota-file', {}, h('bdi', {}, name), ' ', t('size', { size: Math.ceil(size / 1000) })));
  return h('ul.robota-files', { 'aria-label': t('files') }, ...items);
}

/**
 * Return what an answer has beside its text; names and addresses come from strangers.
 *
 * @param {ViewMessage.BesidesRow | undefined} row
 * @param {TurnActions} actions
 * @returns {(HTMLElement | null)[]}
 */
function besides(row, actions) {
  if (!row) {
    return [];
  }
  const items = row.sources.map(({ title, url }) => {
    const name = title || url.replace(/^https?:[/][/]/, '') || t('unnamedSource');
    return h('li', { dir: 'auto' }, ...link(fragment([name]), url));
  });
  const notes = [
    row.more_sources ? t('moreSources', { count: row.more_sources }) : '',
    row.lost_pictures ? t('lostPictures', { count: row.lost_pictures }) : ''
  ].filter(Boolean);
  return [
    drawn(row.pictures, 'pictureOfAnswer', actions),
    items.length ? h('div.robota-sources', {}, h('div.robota-quiet', {}, t('sources')), h('ol', {}, ...items)) : null,
    ...notes.map(note => h('div.robota-quiet', {}, note))
  ];
}
