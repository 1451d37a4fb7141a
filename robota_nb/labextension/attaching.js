// What of a notebook's cell goes along with a message: its source, what it shows as text, and its pictures.

import { outputs } from './cells.js';

const TEXTS = ['application/vnd.jupyter.stdout', 'application/vnd.jupyter.stderr', 'text/plain', 'text/markdown'];
const PICTURES = ['image/png', 'image/jpeg'];
const MOST_TEXT = 20_000; // characters of what a cell shows, from its end
const MOST_PICTURES = 4;
const LARGEST = 2_800_000; // characters of a picture in base64: 2 MB

/**
 * Return a cell as it is attached, its pictures after it.
 *
 * @param {Lab.Cell} cell
 * @returns {ViewMessage.Attachment[]}
 */
export function attachmentsOf(cell) {
  const shown = outputs(cell);
  const text = shown.map(({ data }) => textIn(data)).filter(Boolean).join('\n').slice(-MOST_TEXT);
  const pictures = shown.map(({ data }) => pictureIn(data)).filter(data => data !== '').slice(0, MOST_PICTURES);
  return [
    { kind: 'cell', text: cell.sharedModel.getSource(), output: text },
    ...pictures.map(data => /** @type {ViewMessage.Attachment} */ ({ kind: 'picture', data }))
  ];
}

/**
 * Return what an output shows as text; empty if that is nothing.
 *
 * @param {Record<string, unknown>} data
 */
export function textIn(data) {
  const type = TEXTS.find(type => type in data);
  return type === undefined ? '' : whole(data[type]);
}

/**
 * Return the picture of an output in base64; empty if it has none, or a larger one than is sent.
 *
 * @param {Record<string, unknown>} data
 */
export function pictureIn(data) {
  const type = PICTURES.find(type => type in data);
  const picture = type === undefined ? '' : whole(data[type]).replace(/\s+/g, '');
  return picture.length <= LARGEST ? picture : '';
}

/**
 * A text of an output, which may stand there in lines.
 *
 * @param {unknown} text
 */
function whole(text) {
  return Array.isArray(text) ? text.join('') : typeof text === 'string' ? text : '';
}
