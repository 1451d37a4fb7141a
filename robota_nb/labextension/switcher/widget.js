// What anywidget loads. Where JupyterLab's extension is, that shows the switcher. Elsewhere its modules come from the
// kernel when a view is opened, and import each other as they do where a server serves them: so nothing has to be
// bundled or fetched, and a notebook that saves the state of its widgets saves a text, and not a program.

/**
 * A view's model, as anywidget has it.
 *
 * @typedef {object} Model
 * @property {(name: '_text' | '_version') => string} get
 * @property {(message: ViewMessage.FromView) => void} send
 * @property {(event: string, callback: (message: any) => void) => void} on
 * @property {(event: string, callback: (message: any) => void) => void} off
 */

/** @typedef {typeof import('./switcher.js')} SwitcherModule */
/** @typedef {import('./switcher.js').Services} Services */

const LOADED = Symbol.for('robota_nb.switcher'); // the modules that were loaded in this page, by their version
const SERVICES = Symbol.for('robota_nb.services'); // the extension's

const RETRY = 500; // milliseconds before the kernel is asked once more; then twice as long each time

/** @type {Record<symbol, any>} */
const page = globalThis;

export default {
  /** @param {{ model: Model, el: HTMLElement }} view */
  async render({ model, el }) {
    const text = document.createElement('pre');
    text.textContent = decodeURIComponent(model.get('_text')); // all there is where no kernel answers
    el.append(text);
    /** @type {Services} */
    const services = page[SERVICES] ?? {};
    /** @param {() => void} callback */
    const onGone = callback => model.on('comm_live_update', callback);
    const shown = await services.show?.(el, onGone);
    if (shown) {
      return () => shown.dispose();
    }
    const { mount } = await load(model);
    text.remove();
    /** @type {(message: ViewMessage.ToView) => void} */
    let listener = () => {};
    /** @type {import('./switcher.js').Channel} */
    const channel = {
      send: message => model.send(message),
      onMessage: callback => {
        listener = callback;
        model.on('msg:custom', listener);
      },
      onGone,
      close: () => model.off('msg:custom', listener)
    };
    const view = mount(el, channel, services);
    return () => view.dispose();
  }
};

/**
 * Return the switcher's module; the first view in a page asks the kernel for all of them.
 *
 * @param {Model} model
 * @returns {Promise<SwitcherModule>}
 */
function load(model) {
  const all = (page[LOADED] ??= new Map());
  const version = model.get('_version');
  if (!all.has(version)) {
    all.set(version, new Promise(resolve => {
      /** @type {number | undefined} */
      let timer;
      let wait = RETRY;
      const ask = () => {
        model.send({ op: 'modules' });
        timer = setTimeout(ask, (wait *= 2)); // right after a page was loaded, its first messages may be lost
      };
      /** @param {ViewMessage.ToView} message */
      const take = message => {
        if (message.op === 'modules') {
          clearTimeout(timer);
          model.off('msg:custom', take);
          document.head.append(Object.assign(document.createElement('style'), { textContent: message.css }));
          resolve(imported(message.modules));
        }
      };
      model.on('msg:custom', take);
      ask();
    }));
  }
  return all.get(version);
}

/**
 * Import the switcher from its modules' sources, by name.
 *
 * @param {Record<string, string>} modules
 * @returns {Promise<SwitcherModule>}
 */
function imported(modules) {
  /** @type {Map<string, string>} */
  const urls = new Map();
  /** @param {string} name */
  const url = name => {
    const known = urls.get(name);
    if (known !== undefined) {
      return known;
    }
    const source = modules[name].replace(/\bfrom ['][.][/]([\w.-]+)[']/g, (_, other) => `from '${url(other)}'`);
    const made = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    urls.set(name, made);
    return made;
  };
  return import(url('switcher.js'));
}
