// Makes a cell in which a question can be typed.

import { edit, insertBelow, isEditable, isReadOnly } from './insert.js';

const QUESTION = '%%robota\n';
const BELOW = 1; // the line of the magic, where the question is typed

/**
 * Have a question typed in the next cell: a new one below the active one, or that one itself if it is empty.
 *
 * @param {Lab.Notebook} notebook
 */
export async function makeQuestion(notebook) {
  const { model, activeCell } = notebook;
  if (!model || isReadOnly(notebook)) {
    return;
  }
  if (activeCell && isEditable(model, activeCell.model) && !activeCell.model.sharedModel.getSource().trim()) {
    activeCell.model.sharedModel.setSource(QUESTION);
    await edit(notebook, activeCell, 0, 0, BELOW);
  } else {
    await insertBelow(notebook, activeCell, QUESTION, 0, 0, BELOW);
  }
}
