// The plugins: one gives each open notebook its bridge, with the application's own modules; one has answers sanitised;
// one shows the chats.

import { distrustAnswers } from './answers.js';
import { Bridges } from './bridges.js';
import { notifier } from './notices.js';
import { Settings } from './settings.js';
import { shared } from './shared.js';

/** @typedef {import('./shared.js').Scope} Scope */

/**
 * Return the plugins for the application that has this share scope.
 *
 * Without the application's own modules there is no bridge: a second copy of them would know nothing of its
 * notebooks. The kernel then carries conversations in outputs.
 *
 * @param {Scope} scope
 * @returns {Promise<Lab.Plugin[]>}
 */
export async function plugins(scope) {
  let notebook, apputils, coreutils;
  try {
    [notebook, apputils, coreutils] = await Promise.all(
      ['@jupyterlab/notebook', '@jupyterlab/apputils', '@jupyterlab/coreutils'].map(name => shared(scope, name))
    );
  } catch (error) {
    console.error(`robota_nb: conversations are not kept in open notebooks here: ${reason(error)}`);
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
      activate: (app, /** @type {Lab.NotebookTracker} */ tracker) => {
        const host = {
          notify: notifier(apputils, settings),
          /** @param {string} path */
          place: path => place(app.serviceManager.contents, PageConfig, path)
        };
        tracker.forEach(panel => bridges.attach(panel.context, host));
        tracker.widgetAdded.connect((_, panel) => bridges.attach(panel.context, host));
        /** @type {Lab.Signal<unknown, { notebook: Lab.Notebook }>} */
        const scheduled = NotebookActions.executionScheduled;
        scheduled.connect((_, { notebook }) => bridges.of(notebook.model)?.beforeExecution());
      }
    },
    ...(await answersPlugin(scope)),
    ...(await chatsPlugin(scope, { INotebookTracker, apputils, PageConfig, bridges, settings }))
  ];
}

/**
 * Return the plugin that has answers sanitised, in a list; an empty one if it cannot be had.
 *
 * @param {Scope} scope
 * @returns {Promise<Lab.Plugin[]>}
 */
async function answersPlugin(scope) {
  try {
    const { IRenderMimeRegistry } = await shared(scope, '@jupyterlab/rendermime');
    return [
      {
        id: 'robota_nb:answers',
        description: 'Sanitises answers in outputs, also in trusted notebooks.',
        autoStart: true,
        requires: [IRenderMimeRegistry],
        activate: (app, /** @type {Lab.RenderMimeRegistry} */ registry) => distrustAnswers(registry)
      }
    ];
  } catch (error) {
    console.error(`robota_nb: answers in cells are not sanitised here: ${reason(error)}`);
    return [];
  }
}

/**
 * Return the plugin that shows the chats, in a list. Whatever is wrong with it, the conversations are kept.
 *
 * @param {Scope} scope
 * @param {import('./chats.js').Given} given
 * @returns {Promise<Lab.Plugin[]>}
 */
async function chatsPlugin(scope, given) {
  try {
    const { chats } = await import('./chats.js');
    return [await chats(scope, given)];
  } catch (error) {
    console.error(`robota_nb: there is no panel of chats here: ${reason(error)}`);
    return [];
  }
}

/** @param {unknown} error */
function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Say where a document is: the root that its path starts from, and the path, whatever drive shows it.
 *
 * @param {Lab.Contents} contents
 * @param {Lab.PageConfig} PageConfig
 * @param {string} path
 */
function place(contents, PageConfig, path) {
  const drive = contents.driveName(path);
  const local = contents.localPath(path);
  return {
    root: PageConfig.getOption('serverRoot') || PageConfig.getBaseUrl(),
    path: drive && drive !== 'RTC' ? `${drive}:${local}` : local
  };
}
