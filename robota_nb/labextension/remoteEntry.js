// What JupyterLab and Notebook 7 load: a module-federation container by hand, so that nothing has to be bundled.
(() => {
  'use strict';
  const here = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  /** @type {import('./shared.js').Scope} */
  let scope;
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB.robota_nb = {
    init: shared => {
      scope = shared;
    },
    get: async name => {
      if (name !== './extension') {
        throw new Error(`robota_nb has no module ${name}`);
      }
      const { plugins } = await import(new URL('index.js', here).href);
      const exports = { __esModule: true, default: await plugins(scope) };
      return () => exports;
    }
  };
})();
