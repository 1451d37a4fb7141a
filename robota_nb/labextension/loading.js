// Loads the extension in a notebook's kernel, by a cell that says so: whoever opens the notebook next has it, too.

import { codeCell } from './insert.js';
import { runner } from './stale.js';
import { h } from './switcher/dom.js';
import { t } from './switcher/strings.js';

const LINES = ['# %pip install robota_nb', '%load_ext robota_nb']; // whoever lacks the package reads what to install
const LOADS = /^[ \t]*%?(?:load_ext|reload_ext)[ \t]+robota_nb[ \t]*$/m;

/**
 * Run the cell of a notebook that loads the extension; if it has none, put one at its top.
 *
 * @param {Lab.NotebookPanel} panel
 * @param {Lab.NotebookActions} NotebookActions The application's.
 * @param {import('./bridge.js').Bridge} bridge The notebook's.
 * @returns {Promise<boolean>} Whether it is loaded.
 */
export async function load(panel, NotebookActions, bridge) {
  const notebook = panel.content;
  const { model } = notebook;
  const loads = () => notebook.widgets.find(cell => cell.model.type === 'code' && LOADS.test(cell.model.sharedModel.getSource()));
  if (model && !loads()) {
    if (model.readOnly) {
      return false;
    }
    model.sharedModel.insertCell(0, codeCell(LINES.join('\n')));
  }
  const cell = loads();
  return cell !== undefined && (await runner(NotebookActions, panel)(cell)) && bridge.process !== null;
}

/**
 * Return a text with a button that loads the extension.
 *
 * @param {'load' | 'startChat'} name
 * @param {'savedHint' | 'startHint'} text
 * @param {() => Promise<boolean>} action
 */
export function loader(name, text, action) {
  const said = h('span', { role: 'status' }, t(text));
  const button = h('button.robota-button.robota-main', {
    type: 'button', title: t('loadHint'), 'data-part': name, 'data-lm-suppress-shortcuts': 'true', on: { click: () => void press() }
  }, t(name));
  const press = async () => {
    if (button.getAttribute('aria-disabled')) {
      return;
    }
    button.setAttribute('aria-disabled', 'true'); // not `disabled`, by which it would lose the focus
    button.textContent = t('loadingChats');
    const isDone = await action();
    button.removeAttribute('aria-disabled');
    button.textContent = t(name);
    said.textContent = t(isDone ? text : 'loadFailed');
  };
  return h('div.robota-loader', {}, said, button);
}
