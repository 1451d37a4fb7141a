// The plugin of chats: their panel, what opens it, the item of the status bar, and what the switcher needs. The button
// in the toolbar, the line in the menu and the keys are in its schema, so that users can change them.

import { ICON } from './icon.js';
import { PANEL, panelOf } from './panel.js';
import { publish } from './services.js';
import { PLUGIN } from './settings.js';
import { shared } from './shared.js';
import { statusOf } from './status.js';
import { styled } from './styles.js';
import { t } from './switcher/strings.js';

const OPEN = 'robota:open-chats';
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
 * Return the plugin. What needs a module or a service that the application lacks is left out, and nothing else.
 *
 * @param scope The application's share scope.
 * @param {object} given `INotebookTracker`, `apputils` and `PageConfig`, which the application has, the `bridges`, and
 *   the `settings`.
 */
export async function chats(scope, { INotebookTracker, apputils, PageConfig, bridges, settings }) {
  const modules = await optional(scope);
  const wanted = {
    restorer: modules.application?.ILayoutRestorer,
    palette: apputils.ICommandPalette,
    languages: modules.codemirror?.IEditorLanguageRegistry,
    typesetter: modules.rendermime?.ILatexTypesetter,
    statusBar: modules.statusbar?.IStatusBar,
    registry: modules.settings?.ISettingRegistry
  };
  const names = Object.keys(wanted).filter(name => wanted[name]);
  return {
    id: PLUGIN,
    description: 'Shows the chats of robota_nb beside the notebook.',
    autoStart: true,
    requires: [INotebookTracker],
    optional: names.map(name => wanted[name]),
    activate: (app, tracker, ...found) => {
      try {
        const has = Object.fromEntries(names.map((name, index) => [name, found[index]]));
        activate(app, tracker, { ...has, modules, bridges, settings, page: PageConfig.getOption('notebookPage') });
      } catch (error) {
        console.error('robota_nb: there is no panel of chats here:', error);
      }
    }
  };
}

/** Return those of the modules that the application shares. */
async function optional(scope) {
  const found = await Promise.all(
    Object.entries(MODULES).map(async ([key, name]) => [key, await shared(scope, name).catch(() => null)])
  );
  return Object.fromEntries(found);
}

function activate(app, tracker, { modules, bridges, settings, page, ...has }) {
  const { restorer, palette, languages, typesetter, statusBar, registry } = has;
  const loaded = settings.load(registry);
  const style = modules.codemirror?.jupyterHighlightStyle;
  const services = publish({ app, tracker, bridges, languages, style, typesetter });
  const Widget = modules.widgets?.Widget;
  if (!Widget || (page && page !== 'notebooks')) { // Notebook has pages of other things, too, and says which
    return;
  }
  void styled('chats.css');
  const { LabIcon } = modules.ui ?? {};
  const icon = LabIcon && new LabIcon(ICON);
  const open = () => void app.commands.execute(OPEN);

  const panel = new (panelOf(Widget))({ tracker, bridges, services });
  Object.assign(panel.title, icon ? { icon } : { label: t('panelTitle') });
  app.shell.add(panel, 'right', { rank: 800 });
  restorer?.add(panel, PANEL);

  app.commands.addCommand(OPEN, {
    label: t('openChats'),
    icon,
    execute: async () => {
      const isChosen = document.activeElement?.closest('.lm-CommandPalette, .jp-ModalCommandPalette');
      app.shell.activateById(PANEL);
      if (isChosen) {
        await new Promise(resolve => setTimeout(resolve, CLOSING));
        app.shell.activateById(PANEL);
      }
    }
  });
  palette?.addItem({ command: OPEN, category: 'Robota' });

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
