// The language of the application: its plugins are given one, and ours say everything in it.

import { shared } from './shared.js';
import { speak } from './switcher/strings.js';

const DOMAIN = 'robota_nb'; // what our texts are called in locale/

/**
 * Return plugins that learn the language before they draw anything. Without one they speak English.
 *
 * @param {import('./shared.js').Scope} scope
 * @param {Lab.Plugin[]} plugins
 * @returns {Promise<Lab.Plugin[]>}
 */
export async function inLanguage(scope, plugins) {
  const { ITranslator } = await shared(scope, '@jupyterlab/translation').catch(() => ({}));
  return ITranslator ? plugins.map(plugin => translated(plugin, ITranslator)) : plugins;
}

/**
 * @param {Lab.Plugin} plugin
 * @param {object} ITranslator
 * @returns {Lab.Plugin}
 */
function translated(plugin, ITranslator) {
  return {
    ...plugin,
    optional: [...(plugin.optional ?? []), ITranslator],
    activate: (app, ...services) => {
      /** @type {Lab.Translator | null} */
      const translator = services.pop();
      if (translator) {
        speak(translator.load(DOMAIN), translator.languageCode);
      }
      plugin.activate(app, ...services);
    }
  };
}
