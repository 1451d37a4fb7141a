// Loads the switcher's modules and styles when it is shown for the first time.

import { loadStyles } from './styles.js';

/** @typedef {import('./switcher/switcher.js').Channel} Channel */
/** @typedef {import('./switcher/switcher.js').Services} Services */

/**
 * Load the switcher, and show it in an element: see its `mount`.
 *
 * @param {HTMLElement} element
 * @param {Channel} channel
 * @param {Services} services
 */
export async function loadAndMount(element, channel, services) {
  const [{ mount }] = await Promise.all([
    import('./switcher/switcher.js'),
    loadStyles('switcher/switcher.css', 'switcher/markdown.css')
  ]);
  return mount(element, channel, services);
}
