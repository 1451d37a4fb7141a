// Builds elements. Texts go in as text nodes: nothing here, or anywhere in the switcher, sets innerHTML.

/**
 * The class of the elements with a tag's name.
 *
 * @template {string} Name
 * @typedef {Name extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Name] : HTMLElement} Named
 */

/**
 * The class of what `h` returns for a tag with class names.
 *
 * @template {string} Tag
 * @typedef {Tag extends `${infer Name}.${string}` ? Named<Name> : Named<Tag>} ElementOf
 */

/** @typedef {{ [Type in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Type]) => unknown }} Listeners */

/**
 * Return an element.
 *
 * @template {string} Tag
 * @param {Tag} tag With class names, such as `button.robota-button.robota-quiet`.
 * @param {Record<string, unknown> & { on?: Listeners }} props Attributes: undefined, null and false are none; `on` holds
 *   listeners by event.
 * @param {...(Node | string | null | undefined)} children
 * @returns {ElementOf<Tag>}
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) {
    element.className = classes.join(' ');
  }
  for (const [type, listener] of Object.entries(props.on ?? {})) {
    element.addEventListener(type, /** @type {EventListener} */ (listener));
  }
  set(element, props);
  element.append(...children.filter(child => child !== null && child !== undefined));
  return /** @type {ElementOf<Tag>} */ (element);
}

/**
 * Set attributes of an element; undefined, null and false take one away.
 *
 * @param {Element} element
 * @param {Record<string, unknown>} props
 */
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
