// The plugin: finds the application's own modules, and gives each open notebook its bridge.

import { Bridge } from './bridge.js';
import { notifier } from './notices.js';
import { shared } from './shared.js';

/**
 * Return the plugins for the application that has this share scope.
 *
 * Without the application's own modules there is no bridge: a second copy of them would know nothing of its
 * notebooks. The kernel then carries conversations in outputs.
 */
export async function plugins(scope) {
  let notebook, apputils, coreutils;
  try {
    [notebook, apputils, coreutils] = await Promise.all(
      ['@jupyterlab/notebook', '@jupyterlab/apputils', '@jupyterlab/coreutils'].map(name => shared(scope, name))
    );
  } catch (error) {
    console.error(`robota_nb: conversations are not kept in open notebooks here: ${error.message}`);
    return [];
  }
  const { INotebookTracker, NotebookActions } = notebook;
  return [
    {
      id: 'robota_nb:bridge',
      description: 'Keeps the conversations of robota_nb in the open notebook.',
      autoStart: true,
      requires: [INotebookTracker],
      activate: (app, tracker) => {
        const bridges = new Map(); // by the notebook's model: several views of a notebook share one
        const host = {
          notify: notifier(apputils),
          place: path => place(app.serviceManager.contents, coreutils.PageConfig, path)
        };
        const attach = panel => {
          const { context } = panel;
          if (!bridges.has(context.model)) {
            bridges.set(context.model, new Bridge(context, host));
            context.disposed.connect(() => {
              bridges.get(context.model)?.dispose();
              bridges.delete(context.model);
            });
          }
        };
        tracker.forEach(attach);
        tracker.widgetAdded.connect((_, panel) => attach(panel));
        NotebookActions.executionScheduled.connect((_, { notebook }) => bridges.get(notebook.model)?.beforeExecution());
      }
    }
  ];
}

/** Say where a document is: the root that its path starts from, and the path, whatever drive shows it. */
function place(contents, PageConfig, path) {
  const drive = contents.driveName(path);
  const local = contents.localPath(path);
  return {
    root: PageConfig.getOption('serverRoot') || PageConfig.getBaseUrl(),
    path: drive && drive !== 'RTC' ? `${drive}:${local}` : local
  };
}
