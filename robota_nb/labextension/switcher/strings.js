// Every text of the panel, the switcher and the notices, in one table: to translate it, replace the table.

export const STRINGS = {
  // The panel, what opens it, and notices
  panelTitle: 'Chats',
  panelNoNotebook: 'Open a notebook to see its chats.',
  panelNotLoaded: 'Run %load_ext robota_nb in this notebook to see its chats.',
  panelElsewhere: 'Another open notebook uses this kernel. The chats are shown there.',
  panelFailed: 'The chats could not be shown ({reason}). Reload the page to try again.',
  openChats: 'Robota: Open chats',
  showAll: 'Show all',

  // The switcher as a whole
  title: 'Chats',
  waiting: 'Waiting for the kernel…',
  gone: 'The kernel of this view is gone. Run the cell again.',
  dismiss: 'Dismiss',
  undo: 'Undo',
  showChats: 'Show the list of chats',

  // Sessions
  session: 'Session',
  noSession: 'No session yet',
  sessionOption: '{name} · {state}',
  sessionActions: 'Session actions',
  newSession: 'New session',
  renameSession: 'Rename session',
  'session.pause': 'Pause',
  'session.resume': 'Resume',
  'session.archive': 'Archive',
  'session.restore': 'Restore',
  deleteSession: 'Delete session',
  deletedSession: 'Session {name} was deleted.',

  // Chats
  chats: 'Chats',
  newChat: 'New chat',
  filter: 'Find a chat',
  filterHint: 'Find a chat (Ctrl+K)',
  noChats: 'No chats yet. Write a message below to start one.',
  noMatch: 'No chats match.',
  found: ['{count} chat', '{count} chats'],
  turns: ['{count} turn', '{count} turns'],
  running: 'An answer is arriving',
  chatActions: 'Actions for {name}',
  rename: 'Rename',
  renameChat: 'New name for {name}',
  changeModel: 'Change model',
  modelOf: 'Model for {name}',
  fork: 'Fork',
  delete: 'Delete',
  deletedChat: 'Chat {name} was deleted.',

  // The transcript
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
  'reason.interrupted': 'interrupted',
  'reason.error': 'cut off by an error',
  'reason.length': 'cut off at the token limit',
  'reason.content_filter': 'filtered',
  'reason.tool_calls': 'asked for a tool',
  'reason.unknown': 'may be incomplete',
  picture: 'Picture {number} of the prompt',
  answered: 'The answer is complete.',
  thinking: 'Waiting for the answer…',

  // The draft
  draft: 'Write to {name}',
  draftOfNone: 'Write to start a chat',
  draftPlaceholder: 'Write a message',
  draftHint: 'Enter to send, Shift+Enter for a new line',
  send: 'Send',
  stop: 'Stop',
  cancel: 'Cancel',

  // Markdown
  copyCode: 'Copy code',
  copied: 'Copied',
  pictureLink: 'Picture: {name}',
  table: 'Table'
};

/** @typedef {keyof typeof STRINGS} Key */

/**
 * Return a text; `{name}` in it is filled in from *values*. Of a pair, `[one, many]`, `count` says which.
 *
 * @param {Key} key
 * @param {Record<string, string | number>} values
 */
export function t(key, values = {}) {
  const text = STRINGS[key];
  const chosen = Array.isArray(text) ? text[values.count === 1 ? 0 : 1] : text;
  return chosen.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
