// What anywidget loads: the switcher's modules come along with the widget's state, and import each other as they do
// where a server serves them. So nothing has to be bundled, and nothing is fetched.

const loaded = new Map(); // source of all modules -> the switcher's module

export default {
  async render({ model, el }) {
    const { mount } = await load(model.get('_modules'));
    let heard = null;
    const channel = {
      send: message => model.send(message),
      onMessage: callback => {
        heard = callback;
        model.on('msg:custom', heard);
      },
      onGone: callback => model.on('comm_live_update', callback),
      close: () => model.off('msg:custom', heard)
    };
    const services = globalThis[Symbol.for('robota_nb.services')] ?? {};
    const view = mount(el, channel, services);
    return () => view.dispose();
  }
};

/** Import the switcher from its modules' sources. */
function load(modules) {
  const key = JSON.stringify(modules);
  if (!loaded.has(key)) {
    const urls = new Map();
    const url = name => {
      if (!urls.has(name)) {
        const source = modules[name].replace(/\bfrom ['][.][/]([\w.-]+)[']/g, (_, other) => `from '${url(other)}'`);
        urls.set(name, URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
      }
      return urls.get(name);
    };
    loaded.set(key, import(url('switcher.js')));
  }
  return loaded.get(key);
}
