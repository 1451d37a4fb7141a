// Made by `python -m tests.typedefs` of carriers/messages.py and switcher/messages.py in robota_nb: change those.
// For the type checker and for editors; no browser loads it.

/** What a page and a kernel say to each other about the open document. */
declare namespace BridgeMessage {
  /** The data of the comm that the kernel opens. */
  interface CommOpen {
    version: string;
  }

  /** A piece of the text of a message to the kernel, in the metadata of a request. */
  interface Chunk {
    message: string;
    chunk: number;
    of: number;
    text: string;
  }

  /** The entries of one session that come, by id, and the ids of those that go. */
  interface Change {
    add: Record<string, unknown>;
    remove: string[];
  }

  /** There is a front end, and this is its document. */
  interface Open {
    op: 'open';
    version?: string;
    path?: string;
    root?: string;
    cells?: string[][];
    dirty?: boolean;
    value?: unknown;
    replay?: string | null;
    problem?: string;
    size?: number;
  }

  /** The code cells of the document have changed. */
  interface Cells {
    op: 'cells';
    cells: string[][];
  }

  /** Somebody else has changed the value in the document. */
  interface Changed {
    op: 'changed';
    sessions: Record<string, Change>;
  }

  /** The document has another path. */
  interface Renamed {
    op: 'renamed';
    path?: string;
    root?: string;
  }

  /** Write what waits for an idle moment, and answer `Flushed`. */
  interface Flush {
    op: 'flush';
  }

  /** The document holds all writes up to this one. */
  interface Ack {
    op: 'ack';
    seq: number;
  }

  /** The document was saved with all writes up to this one. */
  interface Saved {
    op: 'saved';
    seq: number;
  }

  type FromFrontEnd =
    | Open
    | Cells
    | Changed
    | Renamed
    | Flush
    | Ack
    | Saved;

  /** Change the value in the document, and answer `Ack`; with *replace*, drop first what stands there. */
  interface Write {
    op: 'write';
    seq: number;
    replace: boolean;
    sessions: Record<string, Change>;
  }

  /** Show the user a text. */
  interface Notice {
    op: 'notice';
    text: string;
  }

  /** Save the document, and answer `Saved`. */
  interface Save {
    op: 'save';
  }

  /** All is written: how many requests this kernel has sent to models, and the turns that it has asked. */
  interface Flushed {
    op: 'flushed';
    requests: number;
    asked: string[];
  }

  /** A piece of the text of another message. */
  interface Part {
    op: 'part';
    at: number;
    of: number;
    text: string;
  }

  type FromKernel =
    | Write
    | Notice
    | Save
    | Flushed
    | Part;
}

/** What a kernel and an open view of its chats say to each other. */
declare namespace ViewMessage {
  /** A session as a view lists it, with the number of its chats. */
  interface SessionRow {
    id: string;
    name: string;
    state: string;
    chats: number;
  }

  /**
   * A chat as a view lists it.
   *
   * `words` are the last ones that were said, `turns` is their number; the chat used last has the greatest `used`.
   */
  interface ChatRow {
    id: string;
    name: string;
    model: string;
    provider: string;
    turns: number;
    words: string;
    used: number;
    running: boolean;
  }

  type Mark =
    | 'replayed'
    | 'foreign'
    | 'purged';

  /**
   * A turn as a view shows it.
   *
   * `reason` is how the answer ended, `tokens` are those that came in and went out, `cell` is whether a cell
   * asked it. `place` tells which one of how many branches this is; `before` and `after` are the turns in its
   * place on the neighbouring ones. `pictures` are ids.
   */
  interface TurnRow {
    id: string;
    prompt: string;
    reply: string;
    model: string;
    reason: string;
    tokens: number[] | null;
    marks: Mark[];
    cell: boolean;
    before: string | null;
    after: string | null;
    place: number[];
    pictures: string[];
  }

  /** The names of the active session and chat, how far conversations have got, and how many answers arrive. */
  interface Status {
    op: 'status';
    session: string | null;
    chat: string | null;
    level: string;
    running: number;
  }

  /** What the first piece of lists says beside chats: all sessions, the ids of what is active, and which chats go. */
  interface ListsHead {
    sessions: SessionRow[];
    session: string | null;
    chat: string | null;
    whole: boolean;
    gone: string[];
  }

  /** Sessions, and chats that are new or have changed; several pieces may follow each other. */
  interface Lists {
    op: 'lists';
    chats: ChatRow[];
    sessions?: SessionRow[];
    session?: string | null;
    chat?: string | null;
    whole?: boolean;
    gone?: string[];
  }

  /** The turns of the active chat have changed: those `from` a place on, and single `stale` ones before it. */
  interface Transcript {
    from: number;
    op: 'transcript';
    chat: string | null;
    count: number;
    stale: number[];
    first: number;
    turns: TurnRow[];
  }

  /** The turns that a view has asked for. */
  interface Turns {
    op: 'turns';
    chat: string | null;
    first: number;
    turns: TurnRow[];
  }

  /** An answer arrives, after so many turns of the path. */
  interface Arriving {
    op: 'arriving';
    chat: string | null;
    after: number;
    prompt: string;
    text: string;
    cell: boolean;
    pictures: number;
  }

  /** The next piece of the answer that arrives. */
  interface Text {
    op: 'text';
    chat: string | null;
    text: string;
  }

  /** No answer arrives any more. */
  interface Arrived {
    op: 'arrived';
    chat: string | null;
  }

  /** A picture in base64; empty if there is none that a view may show. */
  interface Picture {
    op: 'picture';
    id: string;
    media_type: string;
    data: string;
  }

  /**
   * What became of an action: an error, or the ids of what it has made or found.
   *
   * `was_active` is whether what was deleted had been active.
   */
  interface Result {
    error?: string;
    session?: string;
    chat?: string;
    turn?: string;
    cell?: string;
    stopped?: boolean;
    was_active?: boolean;
  }

  /** What became of a `Do`, by its `id`; all that it has changed was sent before. */
  interface Answer {
    error?: string;
    session?: string;
    chat?: string;
    turn?: string;
    cell?: string;
    stopped?: boolean;
    was_active?: boolean;
    op: 'answer';
    id: string;
  }

  /** The sources of the switcher's modules, by name, and its style sheet: for a page without the labextension. */
  interface Modules {
    op: 'modules';
    modules: Record<string, string>;
    css: string;
  }

  type ToView =
    | Status
    | Lists
    | Transcript
    | Turns
    | Arriving
    | Text
    | Arrived
    | Picture
    | Answer
    | Modules;

  /** A view is there: tell it everything, or with `full` false, the status alone. */
  interface Hello {
    op: 'hello';
    full?: boolean;
  }

  /** Send the turns from `first` up to, and not with, `last`. */
  interface Want {
    op: 'want';
    first: number;
    last: number;
  }

  /** Send a picture. */
  interface WantPicture {
    op: 'picture';
    id: string;
  }

  /** Send the switcher's modules; only the widget says this. */
  interface WantModules {
    op: 'modules';
  }

  type ActionName =
    | 'session.open'
    | 'session.new'
    | 'session.rename'
    | 'session.pause'
    | 'session.resume'
    | 'session.archive'
    | 'session.restore'
    | 'session.delete'
    | 'session.undelete'
    | 'chat.switch'
    | 'chat.new'
    | 'chat.rename'
    | 'chat.set'
    | 'chat.fork'
    | 'chat.delete'
    | 'chat.undelete'
    | 'ask'
    | 'stop'
    | 'branch'
    | 'cell';

  /**
   * What an action takes; each takes some of these.
   *
   * `session`, `chat` and `turn` are ids, `at` is the number of a turn on the path, from 1.
   */
  interface Arguments {
    session?: string;
    chat?: string;
    turn?: string;
    name?: string;
    provider?: string;
    model?: string;
    system?: string;
    text?: string;
    at?: number;
    activate?: boolean;
  }

  /** Do what the user has clicked, and answer `Answer` with the same `id`. */
  interface Do {
    session?: string;
    chat?: string;
    turn?: string;
    name?: string;
    provider?: string;
    model?: string;
    system?: string;
    text?: string;
    at?: number;
    activate?: boolean;
    op: 'do';
    id: string;
    what: ActionName;
  }

  type FromView =
    | Hello
    | Want
    | WantPicture
    | WantModules
    | Do;
}
