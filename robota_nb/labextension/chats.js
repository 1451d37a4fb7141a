// The plugin of chats: their panel, what opens it, the item of the status bar, and what the switcher needs.

import { ICON } from './icon.js';
import { PANEL, panelOf } from './panel.js';
import { publish } from './services.js';
import { shared } from './shared.js';
import { statusOf } from './status.js';
import { styled } from './styles.js';
import { t } from './switcher/strings.js';

const OPEN = 'robota:open-chats';
const CLOSING = 200; // ms until the command palette has closed, and given the focus back to the notebook
const FILLING = 100; // ms between buttons that come into a toolbar
const MODULES = {
  application: '@jupyterlab/application',
  codemirror: '@jupyterlab/codemirror',
  rendermime: '@jupyterlab/rendermime',
  statusbar: '@jupyterlab/statusbar',
  ui: '@jupyterlab/ui-components',
  widgets: '@lumino/widgets'
};

/**
 * Return the plugin. What needs a module or a service that the application lacks is left out, and nothing else.
 *
 * @param scope The application's share scope.
 * @param {object} given `INotebookTracker`, `apputils` and `PageConfig`, which the application has, and the `bridges`.
 */
export async function chats(scope, { INotebookTracker, apputils, PageConfig, bridges }) {
  const modules = await optional(scope);
  const wanted = {
    restorer: modules.application?.ILayoutRestorer,
    palette: apputils.ICommandPalette,
    languages: modules.codemirror?.IEditorLanguageRegistry,
    typesetter: modules.rendermime?.ILatexTypesetter,
    statusBar: modules.statusbar?.IStatusBar
  };
  const names = Object.keys(wanted).filter(name => wanted[name]);
  return {
    id: 'robota_nb:chats',
    description: 'Shows the chats of robota_nb beside the notebook.',
    autoStart: true,
    requires: [INotebookTracker],
    optional: names.map(name => wanted[name]),
    activate: (app, tracker, ...found) => {
      try {
        const has = Object.fromEntries(names.map((name, index) => [name, found[index]]));
        activate(app, tracker, { ...has, modules, bridges, page: PageConfig.getOption('notebookPage') });
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

function activate(app, tracker, { modules, bridges, page, restorer, palette, languages, typesetter, statusBar }) {
  const style = modules.codemirror?.jupyterHighlightStyle;
  const services = publish({ app, tracker, bridges, languages, style, typesetter });
  const Widget = modules.widgets?.Widget;
  if (!Widget || (page && page !== 'notebooks')) { // Notebook has pages of other things, too, and says which
    return;
  }
  void styled('chats.css');
  const { LabIcon, ToolbarButton } = modules.ui ?? {};
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

  if (ToolbarButton) {
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: ({ toolbar }) => {
        const tooltip = t('panelTitle');
        const button = new ToolbarButton({ icon, label: icon ? '' : tooltip, tooltip, onClick: open });
        place(toolbar, button);
        return button;
      }
    });
  }

  statusBar?.registerStatusItem('robota_nb:status', {
    item: new (statusOf(Widget))({ tracker, bridges, open }),
    align: 'left',
    rank: 50
  });
}

/** Put a button behind the choice of the cell's type; in Notebook that may come into the toolbar after it. */
function place(toolbar, button) {
  const placed = () =>
    [...toolbar.names()].includes('cellType') && toolbar.insertAfter('cellType', 'robota-chats', button);
  if (placed()) {
    return;
  }
  toolbar.addItem('robota-chats', button);
  let later;
  const observer = new MutationObserver(() => {
    clearTimeout(later); // each is put at a fixed index: ours must not be among them before the last one is there
    later = setTimeout(() => {
      if (!button.isDisposed && [...toolbar.names()].includes('cellType')) {
        observer.disconnect();
        button.parent = null;
        placed();
      }
    }, FILLING);
  });
  observer.observe(toolbar.node, { childList: true });
}
