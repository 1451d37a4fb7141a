// What anywidget loads. Where JupyterLab's extension is, that shows the switcher. Elsewhere its modules come from the
// kernel when a view is opened, and import each other as they do where a server serves them: so nothing has to be
// bundled or fetched, and a notebook that saves the state of its widgets saves a text, and not a program.

const LOADED = Symbol.for('robota_nb.switcher'); // what was loaded in this page, by the version of its modules

const PATIENCE = 500; // milliseconds before the kernel is asked once more; then twice as long each time

export default {
  async render({ model, el }) {
    const text = document.createElement('pre');
    text.textContent = decodeURIComponent(model.get('_text')); // all there is where no kernel answers
    el.append(text);
    const services = globalThis[Symbol.for('robota_nb.services')] ?? {};
    const onGone = callback => model.on('comm_live_update', callback);
    const there = await services.show?.(el, onGone);
    if (there) {
      return () => there.dispose();
    }
    const { mount } = await load(model);
    text.remove();
    let heard = null;
    const channel = {
      send: message => model.send(message),
      onMessage: callback => {
        heard = callback;
        model.on('msg:custom', heard);
      },
      onGone,
      close: () => model.off('msg:custom', heard)
    };
    const view = mount(el, channel, services);
    return () => view.dispose();
  }
};

/** Return the switcher's module; the first view in a page asks the kernel for all of them. */
function load(model) {
  const all = (globalThis[LOADED] ??= new Map());
  const version = model.get('_version');
  if (!all.has(version)) {
    all.set(version, new Promise(resolve => {
      let timer, wait = PATIENCE;
      const ask = () => {
        model.send({ op: 'modules' });
        timer = setTimeout(ask, (wait *= 2)); // right after a page was loaded, what is said first may be lost
      };
      const take = ({ op, modules, css }) => {
        if (op === 'modules') {
          clearTimeout(timer);
          model.off('msg:custom', take);
          document.head.append(Object.assign(document.createElement('style'), { textContent: css }));
          resolve(imported(modules));
        }
      };
      model.on('msg:custom', take);
      ask();
    }));
  }
  return all.get(version);
}

/** Import the switcher from its modules' sources. */
function imported(modules) {
  const urls = new Map();
  const url = name => {
    if (!urls.has(name)) {
      const source = modules[name].replace(/\bfrom ['][.][/]([\w.-]+)[']/g, (_, other) => `from '${url(other)}'`);
      urls.set(name, URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    }
    return urls.get(name);
  };
  return import(url('switcher.js'));
}
