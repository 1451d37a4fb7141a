// Puts the code of an answer into the cell that holds that of a former answer.

import { codeCell, isEditable } from './insert.js';

/**
 * Put it there if nobody has changed that cell meanwhile; else into a new cell below it. It is never run.
 *
 * @param {Lab.NotebookModel} document
 * @param {import('./cells.js').CodeCells} cells
 * @param {BridgeMessage.NewCode} message
 */
export function putCode(document, cells, { cell: id, hash, source }) {
  const all = [...document.cells];
  const index = all.findIndex(cell => cell.id === id && cell.type === 'code');
  const cell = all[index];
  if (!cell || document.readOnly || typeof source !== 'string') {
    return;
  }
  if (cells.hash(cell) === hash && isEditable(document, cell)) {
    cell.sharedModel.setSource(source);
  } else {
    document.sharedModel.insertCell(index + 1, codeCell(source));
  }
}
