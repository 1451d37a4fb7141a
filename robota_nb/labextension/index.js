// The plugins: one gives each open notebook its bridge, with the application's own modules, and draws what is known of
// its answers; one has answers sanitised; one shows the chats.

import { distrustAnswers } from './answers.js';
import { Bridges } from './bridges.js';
import { CodeLines } from './code_lines.js';
import { Drawing } from './drawing.js';
import { ErrorLines } from './errors.js';
import { inLanguage } from './language.js';
import { Lines } from './lines.js';
import { Notices, notifier } from './notices.js';
import { Settings } from './settings.js';
import { shared } from './shared.js';
import { runner } from './stale.js';
import { StrictNotebooks } from './strict.js';
import { loadStyles } from './styles.js';

/** @typedef {import('./shared.js').Scope} Scope */

/**
 * Extensions that have the server keep the outputs of cells, by what the ids of their plugins begin with: the first adds
 * what updates an output as one more, the second drops it.
 */
const WITHOUT_UPDATES = ['@jupyter-ai-contrib/server-documents:', '@datalayer/jupyter-server-nbmodel:'];

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
  const notices = new Notices(notifier(apputils, settings));
  const lines = new Lines();
  const errors = new ErrorLines();
  const codes = new CodeLines();
  return inLanguage(scope, [
    {
      id: 'robota_nb:bridge',
      description: 'Keeps the conversations of robota_nb in the open notebook.',
      autoStart: true,
      requires: [INotebookTracker],
      activate: (app, /** @type {Lab.NotebookTracker} */ tracker) => {
        const host = {
          /** @type {Notices['show']} */
          notify: (text, context) => notices.show(text, context),
          /** @param {string} path */
          place: path => place(app.serviceManager.contents, PageConfig, path),
          contents: app.serviceManager.contents,
          updates: !app.listPlugins().some(id => WITHOUT_UPDATES.some(name => id.startsWith(name))),
          strict: new StrictNotebooks()
        };
        /** @param {Lab.NotebookPanel} panel */
        const watch = panel => {
          bridges.attach(panel.context, host);
          draw(panel, { bridge: bridges.existing(panel.context.model), lines, errors, codes, run: runner(NotebookActions, panel) });
        };
        void loadStyles('marks.css');
        tracker.forEach(watch);
        tracker.widgetAdded.connect((_, panel) => watch(panel));
        /** @type {Record<'executionScheduled' | 'executed', Lab.Signal<unknown, { notebook: Lab.Notebook, cell: Lab.CellWidget }>>} */
        const { executionScheduled, executed } = NotebookActions;
        executionScheduled.connect((_, { notebook, cell }) => bridges.of(notebook.model)?.beforeExecution(cell.model));
        executed.connect((_, { notebook, cell }) => bridges.of(notebook.model)?.afterExecution(cell.model));
      }
    },
    ...(await answersPlugin(scope, { lines, errors, codes }, path => bridges.showPictures(path))),
    ...(await prosePlugin(scope, INotebookTracker)),
    ...(await chatsPlugin(scope, { INotebookTracker, NotebookActions, apputils, PageConfig, bridges, settings, notices }))
  ]);
}

/**
 * Draw what is known of a notebook's answers. Whatever is wrong with that, the conversations are kept.
 *
 * @param {Lab.NotebookPanel} panel
 * @param {ConstructorParameters<typeof Drawing>[1]} given
 */
function draw(panel, given) {
  try {
    new Drawing(panel, given);
  } catch (error) {
    console.error(`robota_nb: cells have no marks here: ${reason(error)}`);
  }
}

/**
 * Return the plugin that has answers sanitised, in a list; an empty one if it cannot be had.
 *
 * @param {Scope} scope
 * @param {object} below
 * @param {Lines} below.lines What is said below answers,
 * @param {ErrorLines} below.errors below errors,
 * @param {CodeLines} below.codes and below code in answers.
 * @param {(path: string) => boolean} showsPictures Whether answers of a document may show pictures of public servers.
 * @returns {Promise<Lab.Plugin[]>}
 */
async function answersPlugin(scope, { lines, errors, codes }, showsPictures) {
  try {
    const { IRenderMimeRegistry } = await shared(scope, '@jupyterlab/rendermime');
    return [
      {
        id: 'robota_nb:answers',
        description: 'Sanitises answers in outputs, also in trusted notebooks.',
        autoStart: true,
        requires: [IRenderMimeRegistry],
        activate: (app, /** @type {Lab.RenderMimeRegistry} */ registry) =>
          distrustAnswers(app, registry, lines, errors, codes, showsPictures)
      }
    ];
  } catch (error) {
    console.error(`robota_nb: answers in cells are not sanitised here: ${reason(error)}`);
    return [];
  }
}

/**
 * Return the plugin that shows prompts as prose, in a list; an empty one if it cannot be had.
 *
 * @param {Scope} scope
 * @param {object} INotebookTracker
 * @returns {Promise<Lab.Plugin[]>}
 */
async function prosePlugin(scope, INotebookTracker) {
  try {
    const { prose } = await import('./prose.js');
    return [await prose(scope, INotebookTracker)];
  } catch (error) {
    console.error(`robota_nb: prompts in cells look like Python here: ${reason(error)}`);
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
