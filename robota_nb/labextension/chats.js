// The plugin of chats: their panel, the command that opens it, the item of the status bar, and the services for the
// switcher. The button in the toolbar, the menu item and the keyboard shortcut are in its schema, so that users can
// change them.

import { showChatsInOutputs } from './chats_output.js';
import { ICON } from './icon.js';
import { preload } from './mounting.js';
import { PANEL, panelOf } from './panel.js';
import { makeQuestion } from './question.js';
import { publish } from './services.js';
import { PLUGIN } from './settings.js';
import { shared } from './shared.js';
import { statusOf } from './status.js';
import { loadStyles } from './styles.js';
import { t } from './switcher/strings.js';

/** @typedef {import('./bridges.js').Bridges} Bridges */
/** @typedef {import('./settings.js').Settings} Settings */
/** @typedef {import('./shared.js').Scope} Scope */

const OPEN = 'robota:open-chats';
const QUESTION = 'robota:next-question';
const CLOSING = 200; // ms until the command palette has closed, and given the focus back to the notebook
const MODULES = {
  application: '@jupyterlab/application',
  codemirror: '@jupyterlab/codemirror',
  rendermime: '@jupyterlab/rendermime',
  settings: '@jupyterlab/settingregistry',
  statusbar: '@jupyterlab/statusbar',
  ui: '@jupyterlab/ui-components',
  widgets: '@lumino/widgets'
};

/**
 * The application's services that were found.
 *
 * @typedef {object} Found
 * @property {Lab.LayoutRestorer} [restorer]
 * @property {Lab.CommandPalette} [palette]
 * @property {Lab.Languages} [languages]
 * @property {Lab.LatexTypesetter} [typesetter]
 * @property {Lab.RenderMimeRegistry} [renderers]
 * @property {Lab.StatusBar} [statusBar]
 * @property {Lab.SettingRegistry} [registry]
 */

/**
 * What the plugin is given: the application's own, the bridges of the notebooks, and the user's settings.
 *
 * @typedef {object} Given
 * @property {object} INotebookTracker
 * @property {Lab.NotebookActions} NotebookActions
 * @property {Lab.AppUtils} apputils
 * @property {Lab.PageConfig} PageConfig
 * @property {Bridges} bridges
 * @property {Settings} settings
 * @property {import('./notices.js').Notices} notices
 */

/**
 * Return the plugin. What needs a module or a service that the application lacks is left out, and nothing else.
 *
 * @param {Scope} scope The application's share scope.
 * @param {Given} given
 * @returns {Promise<Lab.Plugin>}
 */
export async function chats(scope, given) {
  const { INotebookTracker, apputils, PageConfig } = given;
  const modules = await optional(scope);
  const wanted = Object.entries({
    restorer: modules.application?.ILayoutRestorer,
    palette: apputils.ICommandPalette,
    languages: modules.codemirror?.IEditorLanguageRegistry,
    typesetter: modules.rendermime?.ILatexTypesetter,
    renderers: modules.rendermime?.IRenderMimeRegistry,
    statusBar: modules.statusbar?.IStatusBar,
    registry: modules.settings?.ISettingRegistry
  }).filter(([, token]) => token);
  return {
    id: PLUGIN,
    description: 'Shows the chats of robota_nb beside the notebook.',
    autoStart: true,
    requires: [INotebookTracker],
    optional: wanted.map(([, token]) => token),
    activate: (app, tracker, ...services) => {
      try {
        const found = Object.fromEntries(wanted.map(([name], index) => [name, services[index]]));
        const page = PageConfig.getOption('notebookPage');
        activate(app, tracker, found, { ...given, modules, page });
      } catch (error) {
        console.error('robota_nb: there is no panel of chats here:', error);
      }
    }
  };
}

/**
 * Return those of the modules that the application shares.
 *
 * @param {Scope} scope
 * @returns {Promise<Partial<Record<keyof typeof MODULES, any>>>}
 */
async function optional(scope) {
  const found = await Promise.all(
    Object.entries(MODULES).map(async ([key, name]) => [key, await shared(scope, name).catch(() => null)])
  );
  return Object.fromEntries(found);
}

/**
 * @param {Lab.Application} app
 * @param {Lab.NotebookTracker} tracker
 * @param {Found} found
 * @param {Given & { modules: Partial<Record<keyof typeof MODULES, any>>, page: string }} context
 */
function activate(app, tracker, found, { NotebookActions, modules, bridges, settings, notices, page }) {
  const { restorer, palette, languages, typesetter, renderers, statusBar, registry } = found;
  const loaded = settings.load(registry);
  const style = modules.codemirror?.jupyterHighlightStyle;
  const services = publish({ app, tracker, bridges, languages, style, typesetter });
  const Widget = modules.widgets?.Widget;
  if (!Widget || (page && page !== 'notebooks')) { // Notebook has pages without a notebook, too
    return;
  }
  if (renderers) {
    showChatsInOutputs(renderers, Widget, { tracker, NotebookActions, bridges, services });
  }
  void loadStyles('chats.css');
  const { LabIcon } = modules.ui ?? {};
  const icon = LabIcon && new LabIcon(ICON);
  const open = () => void app.commands.execute(OPEN);

  const panel = new (panelOf(Widget))({ tracker, bridges, services, notices, NotebookActions });
  Object.assign(panel.title, icon ? { icon } : { label: t('panelTitle') });
  app.shell.add(panel, 'right', { rank: 800 });
  bridges.once(() => globalThis.requestIdleCallback?.(() => void preload())); // a notebook is open: it may be wanted
  restorer?.add(panel, PANEL);

  app.commands.addCommand(OPEN, {
    label: t('openChats'),
    caption: t('panelTitle'),
    icon,
    // The key gives the focus to a panel that is open, and takes it back from there; the button opens and closes.
    execute: async ({ toggle = false } = {}) => {
      if (panel.isVisible && (toggle || panel.node.contains(document.activeElement))) {
        app.shell.collapseRight?.();
        app.shell.activateById(tracker.currentWidget?.id ?? '');
        return;
      }
      panel.makeRoom();
      const isFromPalette = document.activeElement?.closest('.lm-CommandPalette, .jp-ModalCommandPalette');
      app.shell.activateById(PANEL);
      if (isFromPalette) {
        await new Promise(resolve => setTimeout(resolve, CLOSING));
        app.shell.activateById(PANEL);
      }
    }
  });
  palette?.addItem({ command: OPEN, category: 'Robota' });
  app.commands.addCommand(QUESTION, {
    label: t('nextQuestion'),
    isEnabled: () => tracker.currentWidget !== null,
    execute: () => tracker.currentWidget && makeQuestion(tracker.currentWidget.content)
  });
  palette?.addItem({ command: QUESTION, category: 'Robota' });

  void Promise.all([loaded, app.restored]).then(() => {
    if (settings.get('openAtStart')) {
      panel.reveal(() => app.shell.activateById(PANEL));
    }
  });

  statusBar?.registerStatusItem('robota_nb:status', {
    item: new (statusOf(Widget))({ tracker, bridges, settings, open }),
    align: 'left',
    rank: 50
  });
}
