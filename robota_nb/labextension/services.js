// What the switcher needs of the application, wherever it is shown: in the side panel or in a cell's output.

import { Channel } from './channel.js';
import { loadAndMount } from './mounting.js';

/** @typedef {import('./bridge.js').Bridge} Bridge */
/** @typedef {import('./bridges.js').Bridges} Bridges */
/** @typedef {import('./switcher/switcher.js').Services} Services */

/** @type {unique symbol} */
const NAME = Symbol.for('robota_nb.services'); // in globalThis: an output's module comes from elsewhere
const MAX_CODE = 100_000; // characters; more is shown plain, as the page stands still while it is parsed

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

  /** @type {Services} */
  const services = {
    highlight: languages ? highlighter(languages, style) : undefined,
    typeset: typesetter ? async element => typesetter.typeset(element) : undefined,

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
      return showIn(element, bridge, bridges, onGone, services);
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
 * @param {HTMLElement} element
 * @param {Bridge} bridge
 * @param {Bridges} bridges
 * @param {(callback: () => void) => void} onGone
 * @param {Services} services
 */
async function showIn(element, bridge, bridges, onGone, services) {
  const channel = Object.assign(new Channel(bridge), { onGone });
  const unwatch = bridges.watch(() => channel.update());
  const text = [...element.childNodes];
  const view = await loadAndMount(element, channel, services);
  text.forEach(node => node.remove());
  return {
    dispose: () => {
      unwatch();
      view.dispose();
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
