// Puts a cell into the notebook, for the user to look at before it is run.

/**
 * Return a code cell as a document takes it in.
 *
 * @param {string} source
 * @param {string} [id] One is made if it is not given.
 */
export function codeCell(source, id) {
  return { ...(id === undefined ? {} : { id }), cell_type: 'code', source, metadata: { trusted: true } };
}

/**
 * Insert a code cell below another one (where there is none, at the top), and go there.
 *
 * @param {Lab.Notebook} notebook
 * @param {Lab.CellWidget | null} cell
 * @param {string} source
 * @param {number} from Where the selection begins,
 * @param {number} to where it ends,
 * @param {number} line and in which line that is, from 0.
 */
export async function insertBelow(notebook, cell, source, from = 0, to = from, line = 0) {
  const index = cell ? notebook.widgets.indexOf(cell) + 1 : 0;
  notebook.model?.sharedModel.insertCell(index, codeCell(source));
  const widget = notebook.widgets[index];
  if (widget) {
    await edit(notebook, widget, from, to, line);
  }
}

/**
 * Scroll to a cell, and have what is typed go there.
 *
 * @param {Lab.Notebook} notebook
 * @param {Lab.CellWidget} cell
 * @param {number} from Where the selection begins,
 * @param {number} to where it ends,
 * @param {number} line and in which line that is, from 0.
 */
export async function edit(notebook, cell, from = 0, to = from, line = 0) {
  const index = notebook.widgets.indexOf(cell);
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  notebook.mode = 'edit';
  await notebook.scrollToItem(index, 'smart').catch(() => {}); // the user has scrolled elsewhere
  await cell.ready;
  cell.editor?.focus();
  cell.editor?.setSelection({ start: { line, column: from }, end: { line, column: to } });
}

/** @param {Lab.Notebook} notebook */
export function isReadOnly({ model }) {
  return !model || model.readOnly;
}

/**
 * Whether a cell is of code, and its source may be changed.
 *
 * @param {Lab.NotebookModel} document
 * @param {Lab.Cell} cell
 */
export function isEditable(document, cell) {
  return cell.type === 'code' && !document.readOnly && cell.getMetadata('editable') !== false;
}
