// The cells of a notebook as they go along with an ask: their sources, and where it asks for them, what they show.

import { pictureIn, textIn } from './attaching.js';
import { outputs } from './cells.js';

const MOST_SOURCE = 100_000; // characters of a source,
const MOST_OUTPUT = 20_000; // of what a cell shows,
const MOST_PICTURES = 4; // and pictures of it
const ROOM = { texts: 1_000_000, pictures: 6_000_000 }; // characters of all: gateways drop messages over 10 MiB

/**
 * Return cells as the kernel is told of them. What has no room is left out of those farthest from the cell that asks,
 * and of those below it first.
 *
 * @param {Lab.Cell[]} cells
 * @param {object} how
 * @param {string | null} how.asking The id of the cell that asks; null if it is asked below all of them.
 * @param {(cell: Lab.Cell) => string} how.hash
 * @param {boolean} how.withOutputs
 * @param {Set<string>} how.pending The ids of the cells that are still to run.
 * @returns {BridgeMessage.CellSource[]}
 */
export function cellsAlong(cells, { asking, hash, withOutputs, pending }) {
  const told = cells.filter(({ type }) => type === 'code' || type === 'markdown');
  const rows = told.map(cell => ({ ...about(cell, hash), ...(withOutputs && cell.type === 'code' ? shown(cell, pending) : {}) }));
  const at = rows.findIndex(({ id }) => id === asking);
  const end = at < 0 ? rows.length : at;
  const room = { ...ROOM };
  for (const row of [...rows.slice(0, end).reverse(), ...rows.slice(end)]) {
    fit(row, room);
  }
  return rows;
}

/**
 * @param {Lab.Cell} cell
 * @param {(cell: Lab.Cell) => string} hash
 * @returns {BridgeMessage.CellSource}
 */
function about(cell, hash) {
  const [name, tags] = [cell.getMetadata('name'), cell.getMetadata('tags')];
  return {
    id: String(cell.id),
    type: cell.type === 'code' ? 'code' : 'markdown',
    hash: hash(cell),
    source: cell.sharedModel.getSource(),
    ...(typeof name === 'string' ? { name } : {}),
    ...(Array.isArray(tags) ? { tags: tags.filter(tag => typeof tag === 'string') } : {})
  };
}

/**
 * @param {Lab.Cell} cell
 * @param {Set<string>} pending
 * @returns {Partial<BridgeMessage.CellSource>}
 */
function shown(cell, pending) {
  const found = outputs(cell).map(({ data }) => data);
  const text = found.map(data => textIn(data).replace(/\n$/, '')).filter(Boolean).join('\n');
  return {
    output: text.slice(-MOST_OUTPUT - 1), // one more says that there is more
    pictures: found.map(data => pictureIn(data)).filter(picture => picture !== ''),
    ...(pending.has(cell.id) ? { pending: true } : {})
  };
}

/**
 * Cut a row to what there is room for, and take that room.
 *
 * @param {BridgeMessage.CellSource} row
 * @param {{ texts: number, pictures: number }} room
 */
function fit(row, room) {
  const { length } = row.source;
  row.source = room.texts > 0 ? row.source.slice(0, MOST_SOURCE) : '';
  if (row.source.length < length) {
    row.size = length;
  }
  room.texts -= row.source.length + (row.output?.length ?? 0);
  if (row.pictures) {
    const pictures = row.pictures.slice(0, MOST_PICTURES);
    while (pictures.length && pictures.join('').length > room.pictures) {
      pictures.pop();
    }
    room.pictures -= pictures.join('').length;
    row.lost = row.pictures.length - pictures.length;
    row.pictures = pictures;
  }
}
