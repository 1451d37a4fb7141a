// Runs the cells whose answers are stale, and no others.

/** @typedef {import('./bridge.js').Bridge} Bridge */

/**
 * Run them one after the other, from the top: an answer that comes back the same makes those below fresh again. It ends
 * at the first cell that fails; a kernel alone would not, as the next cell may reach it only after that.
 *
 * @param {Lab.Notebook} notebook
 * @param {Bridge} bridge
 * @param {(cell: Lab.CellWidget) => Promise<boolean>} run
 */
export async function runStale(notebook, bridge, run) {
  /** @type {Lab.CellWidget | undefined} */
  let cell = undefined;
  do {
    /** @type {number} */
    const below = cell ? notebook.widgets.indexOf(cell) + 1 : 0;
    cell = notebook.widgets.slice(below).find(({ model }) => bridge.marks.isStale(model));
  } while (cell && (await run(cell)) && (await bridge.settle()) && notebook.widgets.includes(cell));
}

/**
 * Return what runs a single cell of a notebook, and says whether it went well.
 *
 * @param {Lab.NotebookActions} NotebookActions The application's.
 * @param {Lab.NotebookPanel} panel
 * @returns {(cell: Lab.CellWidget) => Promise<boolean>}
 */
export function runner(NotebookActions, { content, sessionContext }) {
  return cell => NotebookActions.runCells(content, [cell], sessionContext);
}
