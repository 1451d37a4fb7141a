// The switcher's modules and styles, not loaded before somebody wants to see it.

import { styled } from './styles.js';

/** Show the switcher in an element, see its `mount`. */
export async function mounted(element, channel, services) {
  const [{ mount }] = await Promise.all([
    import('./switcher/switcher.js'),
    styled('switcher/switcher.css', 'switcher/markdown.css')
  ]);
  return mount(element, channel, services);
}
