// The plugins: one gives each open notebook its bridge, with the application's own modules; one has answers sanitised;
// one shows the chats.

import { distrustAnswers } from './answers.js';
import { Bridges } from './bridges.js';
import { notifier } from './notices.js';
import { Settings } from './settings.js';
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
  const { PageConfig } = coreutils;
  const bridges = new Bridges();
  const settings = new Settings();
  return [
    {
      id: 'robota_nb:bridge',
      description: 'Keeps the conversations of robota_nb in the open notebook.',
      autoStart: true,
      requires: [INotebookTracker],
      activate: (app, tracker) => {
        const host = {
          notify: notifier(apputils, settings),
          place: path => place(app.serviceManager.contents, PageConfig, path)
        };
        tracker.forEach(panel => bridges.attach(panel.context, host));
        tracker.widgetAdded.connect((_, panel) => bridges.attach(panel.context, host));
        NotebookActions.executionScheduled.connect((_, { notebook }) => bridges.of(notebook.model)?.beforeExecution());
      }
    },
    ...(await distrusted(scope)),
    ...(await shown(scope, { INotebookTracker, apputils, PageConfig, bridges, settings }))
  ];
}

/** Return the plugin that has answers sanitised. */
async function distrusted(scope) {
  try {
    const { IRenderMimeRegistry } = await shared(scope, '@jupyterlab/rendermime');
    return [
      {
        id: 'robota_nb:answers',
        description: 'Shows answers in outputs as what nobody trusts, also in trusted notebooks.',
        autoStart: true,
        requires: [IRenderMimeRegistry],
        activate: (app, registry) => distrustAnswers(registry)
      }
    ];
  } catch (error) {
    console.error(`robota_nb: answers in cells are not sanitised here: ${error.message}`);
    return [];
  }
}

/** Return the plugin that shows the chats. Whatever is wrong with it, the conversations are kept. */
async function shown(scope, given) {
  try {
    const { chats } = await import('./chats.js');
    return [await chats(scope, given)];
  } catch (error) {
    console.error(`robota_nb: there is no panel of chats here: ${error.message}`);
    return [];
  }
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
