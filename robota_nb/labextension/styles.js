// Style sheets that lie beside the modules.

/**
 * Load style sheets, each once in a page, and wait until they are there.
 *
 * @param {...string} names Relative to this module.
 */
export function loadStyles(...names) {
  const loaded = names.map(name => {
    const { href } = new URL(name, import.meta.url);
    if ([...document.querySelectorAll('link')].some(link => link.rel === 'stylesheet' && link.href === href)) {
      return undefined;
    }
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = href;
    const done = new Promise(resolve => {
      link.onload = link.onerror = resolve; // without its style it is still of use
    });
    document.head.append(link);
    return done;
  });
  return Promise.all(loaded);
}
