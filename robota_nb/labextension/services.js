// What the switcher needs of the application, wherever it is shown: in the side panel or in a cell's output.

import { attachmentsOf } from './attaching.js';
import { Channel } from './channel.js';
import { codeCell, edit, insertBelow, isEditable, isReadOnly } from './insert.js';
import { withOption } from './magic_line.js';
import { loadAndMount } from './mounting.js';

/** @typedef {import('./bridge.js').Bridge} Bridge */
/** @typedef {import('./bridges.js').Bridges} Bridges */
/** @typedef {import('./switcher/switcher.js').Services} Services */

/** @type {unique symbol} */
const NAME = Symbol.for('robota_nb.services'); // in globalThis: an output's module comes from elsewhere
const MAX_CODE = 100_000; // characters; more is shown plain, as the page stands still while it is parsed

const LOADING = { step: 20, most: 100 }; // milliseconds, and how many steps: MathJax is loaded with the first formula

/**
 * Return what typesets an element. The first is waited for, as all that come before MathJax is there are done in one go.
 *
 * @param {Lab.LatexTypesetter} typesetter
 * @returns {(element: HTMLElement) => Promise<void>}
 */
function firstAwaited(typesetter) {
  let isThere = false;
  return async element => {
    typesetter.typeset(element);
    for (let step = 0; step < LOADING.most && !isThere && !element.querySelector('mjx-container'); step++) {
      await new Promise(resolve => setTimeout(resolve, LOADING.step));
    }
    isThere = true;
  };
}

/**
 * Return the services, and publish them. Those for which the application lacks something are undefined.
 *
 * @param {object} given
 * @param {Lab.Application} given.app
 * @param {Lab.NotebookTracker} given.tracker
 * @param {Bridges} given.bridges
 * @param {Lab.Languages} [given.languages]
 * @param {Lab.HighlightStyle} [given.style] Of the languages.
 * @param {Lab.LatexTypesetter} [given.typesetter]
 */
export function publish({ app, tracker, bridges, languages, style, typesetter }) {
  /**
   * The notebook that an element is part of.
   *
   * @param {Element} element
   */
  const holder = element => tracker.find(panel => panel.node.contains(element));
  /**
   * The notebook that an element speaks of: beside notebooks, the current one.
   *
   * @param {Element} element
   */
  const owner = element => holder(element) ?? tracker.currentWidget;

  const former = formerCells(tracker);
  /**
   * The code cell that is to be edited: not the one that shows the element, which a click there makes the active one.
   *
   * @param {Element} element
   */
  const edited = element => {
    const panel = owner(element);
    const active = panel?.content.activeCell;
    const cell = panel && active?.node.contains(element) ? former(panel) : active;
    return panel?.content.model && cell && isEditable(panel.content.model, cell.model) ? { panel, cell } : null;
  };

  /** @type {Services} */
  const services = {
    highlight: languages ? highlighter(languages, style) : undefined,
    typeset: typesetter ? firstAwaited(typesetter) : undefined,

    goToCell(id, element) {
      const panel = owner(element);
      const cells = panel?.content.model?.cells ?? [];
      const index = [...cells].findIndex(cell => cell.id === id);
      if (!panel || index < 0) {
        return false;
      }
      app.shell.activateById(panel.id);
      panel.content.mode = 'command';
      panel.content.deselectAll();
      panel.content.activeCellIndex = index;
      void panel.content.scrollToItem(index, 'smart').catch(() => {}); // the user has scrolled elsewhere
      return true;
    },

    writeOption(option, value, element) {
      const cell = owner(element)?.content.activeCell?.model;
      const source = cell?.type === 'code' ? withOption(cell.sharedModel.getSource(), option, value) : null;
      if (!cell || source === null || cell.getMetadata('editable') === false) {
        return false;
      }
      cell.sharedModel.setSource(source);
      return true;
    },

    insertCell(source, element) {
      const panel = owner(element);
      if (!panel || isReadOnly(panel.content)) {
        return false;
      }
      app.shell.activateById(panel.id);
      void insertBelow(panel.content, panel.content.activeCell, source);
      return true;
    },

    placeOfCell(element) {
      const panel = owner(element);
      return panel && !isReadOnly(panel.content) ? codeCellAt(panel.content)?.model.id ?? '' : null;
    },

    insertCells(cells, below, element) {
      const panel = owner(element);
      const notebook = panel?.content;
      if (!panel || !notebook?.model || isReadOnly(notebook)) {
        return;
      }
      const { widgets, activeCell } = notebook;
      const isHere = activeCell !== null && (codeCellAt(notebook)?.model.id ?? '') === below;
      const above = isHere ? activeCell : widgets.find(({ model }) => model.id === below);
      const first = widgets.findIndex(({ model }) => model.type === 'code');
      const index = above ? widgets.indexOf(above) + 1 : Math.max(0, first);
      const made = cells.map(({ id, source }) => codeCell(source, id));
      notebook.model.sharedModel.insertCells(index, made);
      app.shell.activateById(panel.id);
      void edit(notebook, notebook.widgets[index]);
    },

    replaceableCell(element) {
      const { model } = edited(element)?.cell ?? {};
      return model ? { id: model.id, source: model.sharedModel.getSource() } : null;
    },

    replaceSource({ id, source }, to, element) {
      const panel = owner(element);
      const document = panel?.content.model;
      const cell = panel?.content.widgets.find(({ model }) => model.id === id);
      if (!document || !cell || !isEditable(document, cell.model) || cell.model.sharedModel.getSource() !== source) {
        return false;
      }
      cell.model.sharedModel.setSource(to);
      app.shell.activateById(panel.id);
      void edit(panel.content, cell);
      return true;
    },

    // By a channel of the notebook's, not the widget's comm: right after a page was loaded, JupyterLab may send what a
    // widget says to a thread of the kernel that is not there.
    async show(element, onGone) {
      while (!element.isConnected) {
        await new Promise(requestAnimationFrame);
      }
      const bridge = bridges.of(holder(element)?.context.model);
      if (!bridge || bridge.isElsewhere) {
        return null;
      }
      while (!bridge.process) {
        await new Promise(resolve => bridges.once(() => resolve(null)));
      }
      const text = [...element.childNodes];
      const view = liveView(element, bridge, bridges, services, onGone);
      await view.shown;
      text.forEach(node => node.remove());
      return view;
    },

    selectedCell(element) {
      const cell = owner(element)?.content.activeCell?.model;
      return cell ? attachmentsOf(cell) : [];
    },

    cellsAbove(element, withOutputs) {
      const panel = owner(element);
      const bridge = bridges.of(panel?.content.model);
      if (!panel || !bridge) {
        return [];
      }
      const cells = panel.content.widgets.slice(0, panel.content.activeCellIndex + 1).map(({ model }) => model);
      return bridge.cellsAlong(cells, null, withOutputs);
    },

    goBack(element) {
      const panel = owner(element);
      if (panel) {
        app.shell.activateById(panel.id); // which focuses the active cell
      }
    },

    interrupt(element) {
      const kernel = owner(element)?.sessionContext.session?.kernel;
      void kernel?.interrupt().catch(error => console.error('robota_nb:', error));
    }
  };
  Object.assign(globalThis, { [NAME]: services });
  return services;
}

/**
 * Return the active cell of a notebook, or if that is no code cell, the next one above that is.
 *
 * @param {Lab.Notebook} notebook
 */
function codeCellAt({ widgets, activeCellIndex }) {
  return widgets.slice(0, activeCellIndex + 1).findLast(({ model }) => model.type === 'code');
}

/**
 * Return what says which cell of a notebook was active before the one that is.
 *
 * @param {Lab.NotebookTracker} tracker
 */
function formerCells(tracker) {
  /** @type {WeakMap<Lab.NotebookPanel, [now: Lab.CellWidget | null, before: Lab.CellWidget | null]>} */
  const cells = new WeakMap();
  /** @param {Lab.NotebookPanel} panel */
  const watch = panel => {
    cells.set(panel, [panel.content.activeCell, null]);
    panel.content.activeCellChanged.connect((_, cell) => {
      const [now, before] = cells.get(panel) ?? [null, null];
      cells.set(panel, cell === now ? [now, before] : [cell, now]);
    });
  };
  tracker.forEach(watch);
  tracker.widgetAdded.connect((_, panel) => watch(panel));
  /** @param {Lab.NotebookPanel} panel */
  return panel => cells.get(panel)?.[1] ?? null;
}

/**
 * Show the switcher of a notebook's kernel in an element.
 *
 * @param {HTMLElement} element
 * @param {Bridge} bridge The notebook's.
 * @param {Bridges} bridges
 * @param {Services} services
 * @param {import('./switcher/switcher.js').OnGone} [onGone]
 */
export function liveView(element, bridge, bridges, services, onGone) {
  const channel = Object.assign(new Channel(bridge), { onGone });
  const unwatch = bridges.watch(() => channel.update());
  const shown = loadAndMount(element, channel, services);
  return {
    shown,
    dispose: () => {
      unwatch();
      channel.close();
      void shown.then(view => view.dispose());
    }
  };
}

/**
 * Return what draws code with colours, as text and spans only; code of a language that is not known is plain.
 *
 * @param {Lab.Languages} languages
 * @param {Lab.HighlightStyle} [style]
 * @returns {(code: string, language: string, element: HTMLElement) => Promise<void>}
 */
function highlighter(languages, style) {
  /** @type {WeakMap<HTMLElement, string>} */
  const last = new WeakMap(); // an answer that streams is drawn again before it is done
  return async (code, language, element) => {
    last.set(element, code);
    addRules(style);
    const known = language && code.length <= MAX_CODE ? languages.findBest(language, false) : null;
    const drawn = document.createElement('code');
    if (known) {
      await languages.highlight(code, known, drawn).catch(() => {}); // its parser could not be loaded
    }
    if (last.get(element) !== code) {
      return;
    }
    const textContent = drawn.textContent ?? '';
    if (textContent !== code && code.startsWith(textContent)) {
      drawn.append(code.slice(textContent.length)); // JupyterLab 4.2 loses a last character that has no colour
    }
    element.replaceChildren(...(drawn.textContent === code ? drawn.childNodes : [code]));
  };
}

/**
 * Add the CSS rules behind the colours: an editor would, but there may be none on the page.
 *
 * @param {Lab.HighlightStyle} [style]
 */
function addRules(style) {
  const rules = style?.module?.getRules();
  if (rules && !document.getElementById('robota-nb-highlight')) {
    const element = document.createElement('style');
    element.id = 'robota-nb-highlight';
    element.textContent = rules;
    document.head.append(element);
  }
}
