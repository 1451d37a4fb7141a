// Loads the switcher's modules and styles when it is first needed, or before.

import { loadStyles } from './styles.js';

/** @typedef {import('./switcher/switcher.js').Channel} Channel */
/** @typedef {import('./switcher/switcher.js').Services} Services */

/** @type {Promise<typeof import('./switcher/switcher.js')> | null} */
let loaded = null; // kept, as to import anew waits for all that the page has to do, even if all is there

/**
 * Load the switcher, which takes many requests, one after the other.
 *
 * @returns {Promise<typeof import('./switcher/switcher.js')>}
 */
export function preload() {
  loaded ??= Promise.all([
    import('./switcher/switcher.js'),
    loadStyles('switcher/switcher.css', 'switcher/markdown.css')
  ]).then(([module]) => module);
  loaded.catch(() => (loaded = null)); // the next time may do better
  return loaded;
}

/**
 * Load the switcher, and show it in an element: see its `mount`.
 *
 * @param {HTMLElement} element
 * @param {Channel} channel
 * @param {Services} services
 */
export async function loadAndMount(element, channel, services) {
  const { mount } = await preload();
  return mount(element, channel, services);
}
