// Every text that the switcher says, in one table: to translate it, replace the table.

export const STRINGS = {
  // The panel, and what opens it
  panelTitle: 'Chats',
  panelNoNotebook: 'Open a notebook to see its chats.',
  panelNotLoaded: 'Run %load_ext robota_nb in this notebook to see its chats.',
  panelElsewhere: 'Another open notebook has the same kernel: its chats are shown there.',
  panelFailed: 'The chats cannot be shown until the page is reloaded: {reason}',
  openChats: 'Robota: Open chats',

  // The whole
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
  sessionActions: 'Actions of the session',
  newSession: 'New session',
  renameSession: 'Rename session',
  'session.pause': 'Pause',
  'session.resume': 'Resume',
  'session.archive': 'Archive',
  'session.restore': 'Restore',
  deleteSession: 'Delete session',
  deletedSession: 'The session {name} is deleted.',

  // Chats
  chats: 'Chats',
  newChat: 'New chat',
  filter: 'Find a chat',
  filterHint: 'Find a chat (Ctrl+K)',
  noChats: 'No chat yet. Write below to begin one.',
  noMatch: 'No chat is called like that.',
  found: ['{count} chat', '{count} chats'],
  turns: ['{count} turn', '{count} turns'],
  running: 'An answer is arriving',
  chatActions: 'Actions of {name}',
  rename: 'Rename',
  renameChat: 'New name of {name}',
  changeModel: 'Change the model',
  modelOf: 'Model of {name}',
  fork: 'Fork',
  delete: 'Delete',
  deletedChat: 'The chat {name} is deleted.',

  // The transcript
  transcript: 'What was said in {name}',
  transcriptOfNone: 'What was said',
  empty: 'Nothing was said in this chat yet.',
  turn: 'Turn {number} of {count}',
  loading: 'Loading…',
  edit: 'Edit the question',
  retry: 'Ask again',
  forkHere: 'Go on from here in a new chat',
  copy: 'Copy the answer',
  goToCell: 'Go to the cell that asked this',
  earlierBranch: 'Earlier branch',
  laterBranch: 'Later branch',
  branchPlace: '{place}/{places}',
  branchLabel: 'Branch {place} of {places}',
  tokens: '{input} + {output} tokens',
  replayed: 'replayed',
  replayedHint: 'Taken from the record; nothing was sent',
  foreign: 'foreign',
  foreignHint: 'Neither made in this kernel nor known to your store: somebody else wrote this',
  purged: 'removed',
  purgedHint: 'What this turn said was removed for good',
  'reason.interrupted': 'interrupted',
  'reason.error': 'broken off',
  'reason.length': 'cut at the limit',
  'reason.content_filter': 'filtered',
  'reason.tool_calls': 'wanted a tool',
  'reason.unknown': 'ended without a word',
  picture: 'Picture {number} of the question',
  answered: 'The answer is complete.',
  thinking: 'The answer is on its way…',

  // The draft
  draft: 'Write to {name}',
  draftOfNone: 'Write to begin a chat',
  draftPlace: 'Write a message',
  draftHint: 'Enter sends, Shift+Enter breaks the line',
  send: 'Send',
  stop: 'Stop',
  cancel: 'Cancel',

  // Markdown
  copyCode: 'Copy code',
  copied: 'Copied',
  pictureLink: 'Picture: {name}',
  table: 'Table'
};

/** Return a text; `{name}` in it is filled in from *values*. Of a pair, `[one, many]`, `count` says which. */
export function t(key, values = {}) {
  const text = STRINGS[key];
  const chosen = Array.isArray(text) ? text[values.count === 1 ? 0 : 1] : text;
  return chosen.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
