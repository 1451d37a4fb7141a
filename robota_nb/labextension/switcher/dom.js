// Builds elements. Texts go in as text nodes: nothing here, or anywhere in the switcher, sets innerHTML.

/**
 * Return an element.
 *
 * @param {string} tag With class names, such as `button.robota-button.robota-quiet`.
 * @param {Record<string, unknown>} props Attributes; `on` holds listeners by event; undefined, null and false: none.
 * @param {...(Node | string | null | undefined)} children
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) {
    element.className = classes.join(' ');
  }
  for (const [key, value] of Object.entries(props.on ?? {})) {
    element.addEventListener(key, value);
  }
  set(element, props);
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** Set attributes of an element; undefined, null and false take one away. */
export function set(element, props) {
  for (const [key, value] of Object.entries(props)) {
    if (key === 'on') {
      continue;
    }
    if (value === undefined || value === null || value === false) {
      element.removeAttribute(key);
    } else {
      element.setAttribute(key, value === true ? '' : String(value));
    }
  }
}
