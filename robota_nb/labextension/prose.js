// Prompt cells read as prose: below the line of the magic a cell is Markdown, its lines wrap, and what stands for a
// variable looks like a thing of its own. All of that is a language, and which one a cell has is no part of the file.

import { shared } from './shared.js';
import { loadStyles } from './styles.js';
import { t } from './switcher/strings.js';

/** @typedef {import('./shared.js').Scope} Scope */

const MIME = 'text/x-robota-prompt';
const MARKDOWN = 'text/x-ipythongfm'; // with formulas, as the application has it for its own cells
const PYTHON = ['text/x-ipython', 'text/x-python'];

/** The line of the magic; blank lines and comments may stand above it. */
const HEAD = /^(?:[ \t]*(?:#.*)?\n)*%%robota(?=\s|$).*/;
const MAX_HEAD = 4000; // characters in which it must be
const RAW = /\s--raw(?=\s|$)/;

const NAME = '[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*';
const STEP = `\\.(?!_)${NAME}|\\[(?:-?[0-9]{1,9}|"[^"\\\\\\n]*"|'[^'\\\\\\n]*')\\]`;
const FILTER = `[ \\t]*\\|[ \\t]*${NAME}(?:\\( *[0-9]{1,9} *\\))?`;
/** What stands for a variable (see prompt/fields.py). */
const FIELD = new RegExp(`(?<!\\{)\\{\\{[ \\t]*(?!__)${NAME}(?:${STEP})*(?:${FILTER})*[ \\t]*\\}\\}`, 'gu');

/**
 * Return the plugin.
 *
 * @param {Scope} scope The application's share scope.
 * @param {object} INotebookTracker
 * @returns {Promise<Lab.Plugin>}
 * @throws {Error} If the application lacks a module that it needs.
 */
export async function prose(scope, INotebookTracker) {
  const [language, view, common, highlight, codemirror] = await Promise.all(
    ['@codemirror/language', '@codemirror/view', '@lezer/common', '@lezer/highlight', '@jupyterlab/codemirror'].map(name =>
      shared(scope, name))
  );
  return {
    id: 'robota_nb:prose',
    description: 'Shows the prompts in cells as prose.',
    autoStart: true,
    requires: [INotebookTracker, codemirror.IEditorLanguageRegistry],
    activate: (_, /** @type {Lab.NotebookTracker} */ tracker, /** @type {Lab.Languages} */ languages) => {
      void loadStyles('prose.css');
      languages.addLanguage({
        name: 'robota prompt',
        displayName: t('promptLanguage'),
        mime: MIME,
        load: async () => {
          const markdown = await languages.getLanguage(MARKDOWN);
          for (const name of PYTHON) {
            await languages.getLanguage(name).catch(() => {}); // a first load that ends later would win over ours
          }
          return promptLanguage({ language, view, common, highlight }, markdown.support.language.parser);
        }
      });
      tracker.forEach(dress);
      tracker.widgetAdded.connect((_, panel) => dress(panel));
    }
  };
}

/**
 * Keep the cells of a notebook in the language that they are in: it follows what is typed, and the application sets that
 * of all cells anew when the kernel has said its own.
 *
 * @param {Lab.NotebookPanel} panel
 */
function dress({ content }) {
  /** @type {WeakSet<Lab.Cell>} */
  const known = new WeakSet();
  /** @param {Lab.Cell} cell */
  const update = cell => {
    const isPrompt = headOf(cell.sharedModel.getSource()) > 0;
    if (isPrompt && cell.mimeType !== MIME) {
      cell.mimeType = MIME;
    } else if (!isPrompt && cell.mimeType === MIME) {
      cell.mimeType = content.codeMimetype;
    }
  };
  const all = () => {
    for (const cell of content.model?.cells ?? []) {
      if (cell.type === 'code' && !known.has(cell)) {
        known.add(cell);
        cell.contentChanged.connect(update);
        cell.mimeTypeChanged.connect(update);
        update(cell);
      }
    }
  };
  const begin = () => {
    content.model?.cells.changed.connect(all);
    all();
  };
  content.modelChanged.connect(begin);
  begin();
}

/**
 * Return where the line of the magic ends; 0 if the source is no prompt.
 *
 * @param {string} source
 */
function headOf(source) {
  return source.includes('%%robota') ? (HEAD.exec(source.slice(0, MAX_HEAD))?.[0].length ?? 0) : 0;
}

/**
 * Return the language, with what it does to the editor.
 *
 * @param {{ language: any, view: any, common: any, highlight: any }} modules CodeMirror's and Lezer's.
 * @param {any} markdown The parser of the prose.
 */
function promptLanguage({ language, view, common, highlight }, markdown) {
  const { Parser, NodeType, NodeSet, Tree, parseMixed } = common;
  const data = language.defineLanguageFacet({});
  const magic = highlight.Tag.define();
  const { types } = new NodeSet([
    NodeType.define({ id: 0, name: 'Prompt', top: true, props: [[language.languageDataProp, data]] }),
    NodeType.define({ id: 1, name: 'Magic', props: [highlight.styleTags({ Magic: magic })] }),
    NodeType.define({ id: 2, name: 'Prose' })
  ]);

  class PromptParser extends Parser {
    /** @type {any} */
    _mixed = parseMixed((/** @type {any} */ node) => (node.name === 'Prose' ? { parser: markdown } : null));

    /**
     * @param {any} input
     * @param {any} fragments
     * @param {any} ranges
     */
    createParse(input, fragments, ranges) {
      const { length } = input;
      const whole = {
        parsedPos: 0,
        stoppedAt: null,
        stopAt() {},
        advance() {
          const head = headOf(input.read(0, Math.min(length, MAX_HEAD))) || length;
          const hasProse = head + 1 < length;
          const children = [new Tree(types[1], [], [], head), ...(hasProse ? [new Tree(types[2], [], [], length - head - 1)] : [])];
          this.parsedPos = length;
          return new Tree(types[0], children, hasProse ? [0, head + 1] : [0], length);
        }
      };
      return this._mixed(whole, input, fragments, ranges);
    }
  }

  return new language.LanguageSupport(new language.Language(data, new PromptParser(), [], 'robota prompt'), [
    language.syntaxHighlighting(language.HighlightStyle.define([{ tag: magic, class: 'robota-magic' }])),
    view.EditorView.lineWrapping,
    view.EditorView.editorAttributes.of({ class: 'robota-prose' }),
    view.EditorView.contentAttributes.of({ 'aria-label': t('question') }),
    view.EditorView.inputHandler.of(closeField),
    chips(view)
  ]);
}

/**
 * Close a field when it is opened, and step over what closed it when that is typed, too.
 *
 * @param {any} editor
 * @param {number} from
 * @param {number} to
 * @param {string} text What is typed.
 * @returns {boolean} Whether that was all that is to be done.
 */
function closeField(editor, from, to, text) {
  const { doc } = editor.state;
  const line = doc.lineAt(from);
  const before = line.text.slice(0, from - line.from);
  const after = line.text.slice(to - line.from);
  if (from !== to || from <= headOf(doc.sliceString(0, MAX_HEAD))) {
    return false;
  }
  if (text === '{' && /(?<!\{)\{$/.test(before) && !after.startsWith('}')) {
    editor.dispatch({ changes: { from, insert: '{}}' }, selection: { anchor: from + 1 }, userEvent: 'input.type', scrollIntoView: true });
  } else if (text === '{' && before.endsWith('{{') && after.startsWith('}}')) { // three begin no field
    editor.dispatch({ changes: { from, to: from + 2, insert: '{' }, selection: { anchor: from + 1 }, userEvent: 'input.type' });
  } else if (text === '}' && after.startsWith('}') && /(?<!\{)\{\{[^{}]*\}?$/.test(before)) {
    editor.dispatch({ selection: { anchor: from + 1 }, userEvent: 'select', scrollIntoView: true });
  } else {
    return false;
  }
  return true;
}

/**
 * Return what marks the fields of a prompt; they stay text.
 *
 * @param {any} view
 */
function chips({ Decoration, MatchDecorator, ViewPlugin }) {
  const chip = Decoration.mark({ class: 'robota-variable' });
  /** @param {any} editor */
  const head = ({ state: { doc } }) => doc.sliceString(0, headOf(doc.sliceString(0, MAX_HEAD)));
  const matches = new MatchDecorator({
    regexp: FIELD,
    decorate: (/** @type {any} */ add, /** @type {number} */ from, /** @type {number} */ to, /** @type {any} */ _, /** @type {any} */ editor) => {
      if (from > head(editor).length) {
        add(from, to, chip);
      }
    }
  });
  class Chips {
    /** @param {any} editor */
    constructor(editor) {
      this._isRaw = RAW.test(head(editor));
      this.decorations = this._isRaw ? Decoration.none : matches.createDeco(editor);
    }

    /** @param {any} change */
    update(change) {
      const wasRaw = this._isRaw;
      this._isRaw = RAW.test(head(change.view));
      if (this._isRaw) {
        this.decorations = Decoration.none;
      } else {
        this.decorations = wasRaw ? matches.createDeco(change.view) : matches.updateDeco(change, this.decorations);
      }
    }
  }
  return ViewPlugin.fromClass(Chips, { decorations: (/** @type {Chips} */ plugin) => plugin.decorations });
}
