// Every text of the panel, the switcher and the notices, in one table of English. A translation is found by the English
// text, as everywhere in Jupyter: see docs/how-to/languages.md.

export const STRINGS = {
  // The panel, what opens it, and notices
  panelTitle: 'Chats',
  panelNoNotebook: 'Open a notebook to see its chats.',
  panelNotPython: 'Chats need a notebook of Python.',
  panelElsewhere: 'Another open notebook uses this kernel. The chats are shown there.',
  panelFailed: 'The chats could not be shown ({reason}). Reload the page to try again.',
  openChats: 'Robota: Open chats',
  showAll: 'Show all',

  // Answers in the notebook: the marks of cells with the reasons for them, the line at an answer, and the panel's bar
  'mark.asked': 'asked',
  'mark.replayed': 'replayed',
  'mark.recorded': 'recorded',
  'mark.edited': 'edited',
  'mark.stale': 'stale',
  'mark.new': 'new',
  'mark.out': 'out',
  'mark.cut': 'cut',
  'mark.failed': 'failed',
  'mark.purged': 'removed',
  'why.asked': 'this kernel has asked the model',
  'why.replayed': 'shown from the record; no request was sent',
  'why.recorded': 'the answer is in memory; this kernel has not run the cell',
  'why.edited': 'this is not the text that was run; until it is, its former answer is in memory',
  'why.stale': 'the request would be another one now',
  'why.new': 'no answer yet, so it is not in memory',
  'why.out': 'a command below has taken the answer out of memory',
  'why.cut': 'the answer did not end by itself; run the cell to ask again',
  'why.failed': 'the cell ended with an error, so no answer is in memory',
  'why.purged': 'the text was removed for good',
  byHand: 'by hand',
  byHandHint: 'A setting was clicked for this ask; no cell says it',
  allTokens: ['{count} token', '{count} tokens'],
  atLeastTokens: ['at least {count} token', 'at least {count} tokens'],
  lineAgain: 'Ask again',
  lineCopy: 'Copy',
  lineFork: 'Fork here',
  thisNotebook: 'Answers in this notebook',
  stale: ['{count} answer is stale', '{count} answers are stale'],
  countStale: ['{count} stale', '{count} stale'],
  runStale: 'Run them',
  runStaleHint: 'Ask again where an answer is stale, and nowhere else',
  accept: 'Accept',
  acceptHint: 'Let them stand as they are, from now on',
  countReplayed: ['{count} replayed', '{count} replayed'],
  countAsked: ['{count} asked', '{count} asked'],
  strict: 'Strict',
  strictHint: 'Ask nothing in this notebook: show recorded answers only',

  // The switcher as a whole
  title: 'Chats',
  waiting: 'Waiting for the kernel…',
  gone: 'The kernel of this view is gone. Run the cell again.',
  dismiss: 'Dismiss',
  undo: 'Undo',
  tryAgain: 'Try again',
  showChats: 'Show the list of chats',

  // How far the conversations have got
  'level.in kernel': 'in kernel',
  'level.in store': 'in store',
  "level.in the cells' outputs": "in the cells' outputs",
  'level.in notebook': 'in notebook',
  'level.saved': 'saved',

  // Sessions
  session: 'Session',
  noSession: 'No session yet',
  sessionOption: '{name} · {state}',
  'state.paused': 'paused',
  'state.archived': 'archived',
  'state.terminated': 'terminated',
  sessionActions: 'Session actions',
  newSession: 'New session',
  renameSession: 'Rename session',
  'session.pause': 'Pause',
  'session.resume': 'Resume',
  'session.archive': 'Archive',
  'session.restore': 'Restore',
  deleteSession: 'Delete session',
  deletedSession: 'Session “{name}” was deleted.',

  'key.F2': 'F2',
  'key.Delete': 'Del',

  // Chats
  chats: 'Chats',
  newChat: 'New chat',
  filter: 'Find a chat',
  filterHint: 'Find a chat (Ctrl+K)',
  noChats: 'No chats yet. Write a message below to start one.',
  noMatch: 'No chats match.',
  found: ['{count} chat', '{count} chats'],
  turns: ['{count} turn', '{count} turns'],
  said: 'Said in chats',
  searchAll: 'Search all notebooks',
  nothingSaid: 'Nothing was said like that.',
  moreFound: ['{count} more turn: a longer text finds fewer', '{count} more turns: a longer text finds fewer'],
  turnNumber: 'turn {number}',
  undone: 'undone',
  deleted: 'deleted',
  isDeleted: 'Chat “{name}” was deleted.',
  bringBack: 'Bring it back',
  isUndone: 'That turn is on another branch of this chat.',
  showIt: 'Show it',
  running: 'An answer is arriving',
  forkOf: 'Fork of {name}',
  isFork: 'Fork of a chat that is gone',
  chatActions: 'Actions for {name}',
  rename: 'Rename',
  renameChat: 'New name for {name}',
  settings: 'Model and settings…',
  settingsOf: 'Settings of {name}',
  'setting.preset': 'Preset',
  'setting.provider': 'Endpoint',
  'setting.model': 'Model',
  'setting.system': 'System prompt',
  'setting.params': 'Parameters, one on each line',
  noPreset: 'None',
  defaultModel: 'The default of the endpoint',
  listing: 'Asking the endpoint for its models…',
  modelsListed: ['{count} model to choose from', '{count} models to choose from'],
  noModelsListed: 'The endpoint lists no models: type a name.',
  save: 'Save',
  fork: 'Fork',
  writeChat: 'Write --chat into the active cell',
  writeModel: 'Write --model into the active cell',
  noAsk: 'Select a %%robota cell, or an empty one, and try again.',
  delete: 'Delete',
  deletedChat: 'Chat “{name}” was deleted.',

  // The transcript
  newCells: 'New cells ask ',
  newCellsHint: 'Cells that have an answer stay with its chat, whichever you look at',
  transcript: 'Turns of {name}',
  transcriptOfNone: 'Turns',
  empty: 'No turns in this chat yet.',
  turn: 'Turn {number} of {count}',
  loading: 'Loading…',
  edit: 'Edit the prompt',
  retry: 'Ask again',
  forkHere: 'Continue from here in a new chat',
  copy: 'Copy the answer',
  goToCell: 'Go to the cell',
  earlierBranch: 'Previous branch',
  laterBranch: 'Next branch',
  branchPlace: '{place}/{places}',
  branchLabel: 'Branch {place} of {places}',
  tokens: '{input} + {output} tokens',
  replayed: 'replayed',
  replayedHint: 'Shown from the record; no request was sent',
  foreign: 'foreign',
  foreignHint: 'Not asked in this kernel, and not in your store: somebody else wrote it',
  purged: 'removed',
  purgedHint: 'The text of this turn was removed for good',
  outside: 'outside of cells',
  outsideHint: 'Asked outside of cells: by a click, a timer or a thread, say; it is kept here, and no cell replays it',
  'reason.interrupted': 'interrupted',
  'reason.error': 'cut off by an error',
  'reason.length': 'cut off at the token limit',
  'reason.content_filter': 'filtered',
  'reason.tool_calls': 'asked for a tool',
  'reason.unknown': 'may be incomplete',
  picture: 'Picture {number} of the prompt',
  files: 'Files of the prompt',
  size: '({size} kB)',
  pictureOfAnswer: 'Picture {number} of the answer',
  thoughts: 'Thoughts',
  'call.error': 'failed',
  'call.invalid': 'does not fit',
  'call.unknown': 'there is no such tool',
  'call.denied': 'refused',
  'call.interrupted': 'interrupted',
  askedAgain: 'asked again, as it did not fit: {problem}',
  sources: 'Sources',
  unnamedSource: 'not named',
  moreSources: ['and {count} more source, not kept', 'and {count} more sources, not kept'],
  lostPictures: ['{count} picture of the answer not kept', '{count} pictures of the answer not kept'],
  refused: 'refused',
  answered: 'The answer is complete.',
  thinking: 'Waiting for the answer…',

  // The chats that a notebook has saved, before a kernel has loaded the extension
  asSaved: 'as saved',
  savedHint: 'Read-only until loaded.',
  load: 'Load',
  loadHint: 'Run %load_ext robota_nb in this notebook, to write to its chats',
  loadingChats: 'Loading…',
  loadFailed: '%load_ext robota_nb has failed: its cell says why.',
  startChat: 'Start a chat',
  startHint: 'This notebook has no chats yet.',
  unreadable: 'What this notebook holds of chats cannot be read. robota-nb verify says why.',
  cellGone: 'The cell that asked this is not in the notebook any more.',
  readOnly: 'Load the extension first: these chats can only be read.',

  // Questions in cells
  nextQuestion: 'Robota: Make the next cell a question',
  question: 'Question',
  promptLanguage: 'Robota prompt',

  // The draft
  draft: 'Write to {name}',
  draftOfNone: 'Write to start a chat',
  draftPlaceholder: 'Write a message',
  draftHint: 'Enter to send, Shift+Enter for a new line, ↑ to edit the last question, Esc to go back to the notebook',
  offers: 'What may stand here',
  attach: 'Attach',
  attachCell: 'The selected cell',
  attachError: 'The last error',
  attachVariable: 'A variable…',
  attachFile: 'A file…',
  attached: 'Attached',
  cellsAbove: 'Cells above',
  withOutputs: 'with outputs',
  'attached.cell': 'Cell',
  'attached.cells': 'Cells',
  'attached.error': 'Last error',
  'attached.file': 'File',
  'attached.picture': 'Picture',
  'attached.variable': 'Variable',
  takeOff: 'Take off {name}',
  noCell: 'Select a cell of the notebook, and try again.',
  fileTooLarge: '{name} is larger than {size} MB. Name its path in a cell: %%robota --file PATH',
  preview: 'See what is sent',
  kilobytes: '{size} kB',
  aboutTokens: ['about {count} token', 'about {count} tokens'],
  messages: ['{count} message', '{count} messages'],
  pictures: ['{count} picture', '{count} pictures'],
  send: 'Send',
  stop: 'Stop',
  waits: 'Next:',
  takeBack: 'Take it back into the draft',
  waitsAlready: 'A message waits for this answer already. Take it back to change it.',
  cancel: 'Cancel',
  gauge: 'How full the window of the model is',
  gaugeHint: 'About how much the next message sends before its own text, by what the server has counted, and how much fits',
  gaugeHintNoWindow: 'About how much the next message sends before its own text, by what the server has counted',
  gaugeActions: 'What this chat sends',
  chooseModel: 'Model: {model}',
  used: '{used} tokens',
  usedOf: '{used} of {window} tokens',
  summedUp: ['{count} turn as a summary', '{count} turns as a summary'],
  summedUpHint: 'In the place of the first {count} turns a summary by {model} is sent, with all that was asked.',
  cost: '{cost} so far',
  saved: '{saved} saved by replay',
  compact: 'Compact…',
  compactAbout: 'The model sums up all but the last turns, and that is sent in their place; what you asked is sent as it is. No turn is removed, and it can be undone.',
  compactNow: 'Compact',
  compacted: 'A summary of the first turns is sent from now on.',
  compactUndo: 'Undo compaction',

  // Markdown
  copyCode: 'Copy code',
  copied: 'Copied',
  pictureLink: 'Picture: {name}',
  restOfAnswer: '… and {count} more characters.',
  table: 'Table',

  // Code and turns that go into the notebook
  askWhy: 'Ask why',
  askWhyHint: 'Put a cell below that asks about this error; nothing is sent before you run it',
  makeCell: 'Make a cell of this, and of what follows it',
  insertBelow: 'Insert below the active cell',
  replaceCell: 'Replace the active cell',
  changeOfCell: 'In the active cell this would change:',
  acceptChange: 'Accept',
  leaveCell: 'Leave',
  sameLines: ['{count} line as it is', '{count} lines as they are'],
  moreLines: ['and {count} more line', 'and {count} more lines'],
  notWritable: 'This notebook is read-only.',
  noCellToReplace: 'Select a code cell that can be edited, and try again.',
  sameSource: 'The active cell says that already.',
  cellHasChanged: 'The cell has been changed meanwhile, so it stays as it is. Try again.'
};

/** @typedef {keyof typeof STRINGS} Key */

/**
 * The texts of one language, as JupyterLab has them.
 *
 * @typedef {object} Bundle
 * @property {(text: string) => string} __
 * @property {(one: string, many: string, count: number) => string} _n
 */

/** @type {Bundle | null} */
let bundle = null;

/** What the user's language is called, such as `ko-KR`. */
export let language = 'en';

/**
 * Say everything in another language from now on; what it lacks stays English.
 *
 * @param {Bundle} texts
 * @param {string} code What the language is called.
 */
export function speak(texts, code) {
  [bundle, language] = [texts, code];
}

/**
 * Return a text; `{name}` in it is filled in from *values*. Of a pair, `[one, many]`, `count` says which.
 *
 * @param {Key} key
 * @param {Record<string, string | number>} values
 */
export function t(key, values = {}) {
  const text = STRINGS[key];
  const chosen = typeof text === 'string' ? said(text) : counted(text, Number(values.count));
  return chosen.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/**
 * Return what a word of the kernel's is called here, such as the state of a session; a word of a later version stays.
 *
 * @param {'level' | 'state' | 'call'} kind
 * @param {string} word
 */
export function named(kind, word) {
  const key = `${kind}.${word}`;
  return Object.hasOwn(STRINGS, key) ? t(/** @type {Key} */ (key)) : word;
}

/**
 * Return a text that stands elsewhere in English, such as in the schema of the settings, in the user's language.
 *
 * @param {string} text
 */
export function said(text) {
  return bundle ? bundle.__(escaped(text)) : text;
}

/**
 * @param {string[]} forms
 * @param {number} count
 */
function counted([one, many], count) {
  return bundle ? bundle._n(escaped(one), escaped(many), count) : count === 1 ? one : many;
}

/**
 * JupyterLab fills in `%1` by itself, and takes `%%` for a `%`.
 *
 * @param {string} text
 */
function escaped(text) {
  return text.replaceAll('%', '%%');
}
