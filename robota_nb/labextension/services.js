// What the switcher needs of the application, wherever it is shown: in the side panel or in a cell's output.

import { Channel } from './channel.js';
import { mounted } from './mounting.js';

const NAME = Symbol.for('robota_nb.services'); // in globalThis: an output's module comes from elsewhere
const MAX_CODE = 100_000; // characters; more is shown plain, as the page stands still while it is parsed

/**
 * Return the services, and publish them. Those for which the application lacks something are undefined.
 *
 * @param {object} given `app`, the `tracker` of notebooks, their `bridges`, and if there are: `languages` with their
 *   `style`, and the `typesetter` of formulas.
 */
export function publish({ app, tracker, bridges, languages, style, typesetter }) {
  /** The notebook that an element is part of; an element beside notebooks speaks of the current one. */
  const holder = element => tracker.find(panel => panel.node.contains(element));
  const owner = element => holder(element) ?? tracker.currentWidget;
  const services = {
    highlight: languages ? highlighter(languages, style) : undefined,
    typeset: typesetter ? async element => typesetter.typeset(element) : undefined,

    /** Select a cell and scroll to it; false if it is not there. */
    goToCell(id, element) {
      const panel = owner(element);
      const cells = panel?.content.model?.cells ?? [];
      const index = [...cells].findIndex(cell => cell.id === id);
      if (index < 0) {
        return false;
      }
      app.shell.activateById(panel.id);
      panel.content.mode = 'command';
      panel.content.deselectAll();
      panel.content.activeCellIndex = index;
      void panel.content.scrollToItem(index, 'smart').catch(() => {}); // somebody has scrolled elsewhere
      return true;
    },

    /**
     * Show the switcher in a cell's output, by the notebook's own channel: right after a page was loaded, JupyterLab
     * may send what a widget says to a thread of the kernel that is not there.
     *
     * @param {(callback: () => void) => void} onGone See `mount`.
     * @returns {Promise<{dispose(): void} | null>} Null if the output is in no notebook that has such a channel.
     */
    async show(element, onGone) {
      while (!element.isConnected) {
        await new Promise(requestAnimationFrame);
      }
      const bridge = bridges.of(holder(element)?.context.model);
      if (!bridge || bridge.isElsewhere) {
        return null;
      }
      while (!bridge.process) {
        await new Promise(resolve => bridges.once(resolve));
      }
      return shown(element, bridge, bridges, onGone, services);
    },

    interrupt(element) {
      const kernel = owner(element)?.sessionContext.session?.kernel;
      void kernel?.interrupt().catch(error => console.error('robota_nb:', error));
    }
  };
  globalThis[NAME] = services;
  return services;
}

async function shown(element, bridge, bridges, onGone, services) {
  const channel = Object.assign(new Channel(bridge), { onGone });
  const unwatch = bridges.watch(() => channel.update());
  const text = [...element.childNodes];
  const view = await mounted(element, channel, services);
  text.forEach(node => node.remove());
  return {
    dispose: () => {
      unwatch();
      view.dispose();
    }
  };
}

/** Return what draws code with colours, as text and spans only; code of a language that is not known is plain. */
function highlighter(languages, style) {
  const last = new WeakMap(); // an answer that streams is drawn again before it is done
  return async (code, language, element) => {
    last.set(element, code);
    paint(style);
    const known = language && code.length <= MAX_CODE ? languages.findBest(language, false) : null;
    const drawn = document.createElement('code');
    if (known) {
      await languages.highlight(code, known, drawn).catch(() => {}); // its parser could not be loaded
    }
    if (last.get(element) !== code) {
      return;
    }
    const { textContent } = drawn;
    if (textContent !== code && code.startsWith(textContent)) {
      drawn.append(code.slice(textContent.length)); // JupyterLab 4.2 loses a last character that has no colour
    }
    element.replaceChildren(...(drawn.textContent === code ? drawn.childNodes : [code]));
  };
}

/** Add the rules behind the colours: an editor would, but there may be none in sight. */
function paint(style) {
  const rules = style?.module?.getRules();
  if (rules && !document.getElementById('robota-nb-highlight')) {
    const element = document.createElement('style');
    element.id = 'robota-nb-highlight';
    element.textContent = rules;
    document.head.append(element);
  }
}
