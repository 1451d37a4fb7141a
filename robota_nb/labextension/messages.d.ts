// Made by `python -m tests.typedefs` of carriers/messages.py and switcher/messages.py in robota_nb: change those.
// For the type checker and for editors; no browser loads it.

/** What a page and a kernel say to each other about the open document. */
declare namespace BridgeMessage {
  /**
   * A cell of the notebook: its id, and the hash and the text of its source.
   *
   * A front end may cut what is longer than is sent: then `size` is how many characters the source has. `name` and
   * `tags` are those in the cell's metadata. Only where outputs go along there is the text of them as `output`,
   * `pictures` in base64, and how many are `lost` as they are too many or too large; `pending` says that the cell
   * is still to run, so that what it will show is not known.
   */
  interface CellSource {
    id: string;
    type: 'code' | 'markdown';
    hash: string;
    source: string;
    size?: number;
    name?: string;
    tags?: string[];
    output?: string;
    pictures?: string[];
    lost?: number;
    pending?: boolean;
  }

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

  type ReplayMode =
    | 'auto'
    | 'strict';

  /**
   * There is a front end, and this is its document.
   *
   * `locale` is the language that it speaks, such as `ko-KR`; `updates` is whether its outputs can be updated.
   *
   * `prose`, here and in `Cells`, are the hashes of the Markdown cells, where a cell asks with others.
   */
  interface Open {
    op: 'open';
    page?: string;
    version?: string;
    locale?: string;
    path?: string;
    root?: string;
    cells?: (string | string[])[][];
    dirty?: boolean;
    value?: unknown;
    replay?: string | null;
    trust?: boolean;
    allow?: string[];
    problem?: string;
    size?: number;
    updates?: boolean;
    prose?: string[];
  }

  /**
   * The code cells of the document have changed: from a place on, so many are gone, and these stand there.
   *
   * That is of the cells that the same page has told last. Without a place these are all.
   */
  interface Cells {
    from?: number;
    gone?: number;
    op: 'cells';
    page?: string;
    cells: (string | string[])[][];
    prose?: string[];
  }

  /** All cells of the document, from the top: the code cell `cell`, which asks with others, is about to run. */
  interface Sources {
    op: 'sources';
    cell: string;
    cells: CellSource[];
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

  /** Let stale answers stand: those of some cells, or all. */
  interface Accept {
    op: 'accept';
    cells?: string[];
  }

  /** The next execution of this cell is to ask the model, whatever is recorded. */
  interface Again {
    op: 'again';
    cell: string;
  }

  /** The user has chosen whether anything may be asked. */
  interface Replay {
    op: 'replay';
    mode: ReplayMode;
  }

  /** Answer with an `Insert`: a cell that asks why another one, of this source, has ended with this error. */
  interface Why {
    op: 'why';
    page: string;
    cell: string;
    source: string;
    ename: string;
    evalue: string;
    traceback: string;
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

  /** The document was saved with all writes up to this one, and its file holds them. */
  interface Saved {
    op: 'saved';
    seq: number;
  }

  /** The document was saved with all writes up to this one, but its file does not hold all that was saved. */
  interface Dropped {
    op: 'dropped';
    seq: number;
  }

  type FromFrontEnd =
    | Open
    | Cells
    | Sources
    | Changed
    | Renamed
    | Accept
    | Again
    | Why
    | Replay
    | Flush
    | Ack
    | Saved
    | Dropped;

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

  type MarkState =
    | 'asked'
    | 'replayed'
    | 'recorded'
    | 'edited'
    | 'stale'
    | 'new'
    | 'out'
    | 'cut'
    | 'failed'
    | 'purged';

  /**
   * What is to be said at a cell.
   *
   * `hash` is that of the source that ran, `why` a sentence, and `by` is `hand` if a click chose its settings.
   */
  interface Mark {
    state: MarkState;
    hash: string;
    chat: string;
    model: string;
    turn: string;
    why?: string;
    by?: string;
    tokens?: number;
  }

  /**
   * Marks of cells by their ids that are other ones than before; null takes one away, and `whole` all before it.
   *
   * How many answers are `stale`, and how many this kernel has asked and replayed, with how many tokens, or
   * `at_least` so many.
   */
  interface Marks {
    op: 'marks';
    cells: Record<string, Mark | null>;
    stale: number;
    asked: number;
    replayed: number;
    tokens: number;
    at_least?: boolean;
    whole?: boolean;
  }

  /** Whether answers show pictures of public servers; until it is said, they do not. */
  interface Pictures {
    op: 'pictures';
    remote: boolean;
  }

  /** Put a code cell below another one, in the page of that name, and do not run it. */
  interface Insert {
    op: 'insert';
    page: string;
    below: string;
    source: string;
  }

  /** Put a source into a cell, if the hash of the one that stands there is this; else into a new cell below it. */
  interface NewCode {
    op: 'code';
    cell: string;
    hash: string;
    source: string;
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
    | Marks
    | Pictures
    | NewCode
    | Insert
    | Save
    | Flushed
    | Part;
}

/** What a kernel and an open view of its chats say to each other. */
declare namespace ViewMessage {
  /**
   * A cell of the notebook: its id, and the hash and the text of its source.
   *
   * A front end may cut what is longer than is sent: then `size` is how many characters the source has. `name` and
   * `tags` are those in the cell's metadata. Only where outputs go along there is the text of them as `output`,
   * `pictures` in base64, and how many are `lost` as they are too many or too large; `pending` says that the cell
   * is still to run, so that what it will show is not known.
   */
  interface CellSource {
    id: string;
    type: 'code' | 'markdown';
    hash: string;
    source: string;
    size?: number;
    name?: string;
    tags?: string[];
    output?: string;
    pictures?: string[];
    lost?: number;
    pending?: boolean;
  }

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
   * `title` is what its first question says, where nobody has given it a name; else empty. `words` are the last
   * ones that were said, `turns` is their number; the chat used last has the greatest `used`, and that was `at`,
   * as snapshots carry it. `origin` is the id of the chat that it is a fork of; empty if it is none, or of nothing.
   */
  interface ChatRow {
    id: string;
    name: string;
    title: string;
    model: string;
    provider: string;
    turns: number;
    words: string;
    used: number;
    at: string;
    origin: string;
    running: boolean;
  }

  type Mark =
    | 'replayed'
    | 'foreign'
    | 'purged'
    | 'outside';

  /** A file that was sent with a prompt, and its size in bytes; 0 if it was purged. */
  interface FileRow {
    name: string;
    size: number;
  }

  /** A source of an answer: both are a stranger's, and either may be empty. */
  interface SourceRow {
    title: string;
    url: string;
  }

  /** What an answer has beside its text. `pictures` are ids; the last two are how many are not kept. */
  interface BesidesRow {
    sources: SourceRow[];
    pictures: string[];
    refused: boolean;
    more_sources: number;
    lost_pictures: number;
  }

  /** A call of a tool: its arguments as the model wrote them, what became of it, and what the model was told. */
  interface CallRow {
    name: string;
    arguments: string;
    status: string;
    result: string;
  }

  /** What came before an answer: a text, and what was called with it; or why it was asked again. */
  interface StepRow {
    text: string;
    calls: CallRow[];
    problem: string;
  }

  /**
   * A turn as a view shows it.
   *
   * `reason` is how the answer ended, `tokens` are those that came in and went out, `cell` is whether a cell
   * asked it. `place` tells which one of how many branches this is; `before` and `after` are the turns in its
   * place on the neighbouring ones. `pictures` are ids, `thoughts` what the model thought before the answer,
   * and `steps` what it said and called.
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
    files: FileRow[];
    besides?: BesidesRow;
    thoughts?: string;
    steps?: StepRow[];
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

  /**
   * About how many `tokens` the next ask in the active chat sends before its prompt; `window` fit, 0: not known.
   *
   * Of the first `summed` turns it sends a summary, by `model`; more `can` be summed up. `cost` is what the chat
   * has cost so far, `saved` what replay has saved in this kernel, each null where no endpoint has a price.
   */
  interface Gauge {
    op: 'gauge';
    chat: string | null;
    tokens: number;
    window: number;
    summed: number;
    model: string;
    can: boolean;
    cost: number | null;
    saved: number | null;
  }

  /** A picture in base64; empty if there is none that a view may show. */
  interface Picture {
    op: 'picture';
    id: string;
    media_type: string;
    data: string;
  }

  /** A code cell that the view is to put into the notebook. */
  interface NewCell {
    id: string;
    source: string;
  }

  /** The settings of a chat, parameters as JSON texts; and the endpoints and presets that there are, by name. */
  interface Settings {
    provider: string;
    model: string;
    system: string;
    params: Record<string, string>;
    endpoints: string[];
    presets: string[];
  }

  /** What may be typed next in a draft, what kind of thing it is, and of a variable its type and size. */
  interface Offer {
    text: string;
    type: string;
    about: string;
  }

  /**
   * A turn that a search has found.
   *
   * `notebook` is empty for the open one. `session`, `chat` and `turn` are ids, `name` is the chat's,
   * `number` the turn's place on its path, from 1, or 0 if it was undone; `text` is what stands around the words.
   */
  interface Hit {
    notebook: string;
    session: string;
    chat: string;
    turn: string;
    name: string;
    number: number;
    at: string;
    text: string;
    deleted: boolean;
    foreign: boolean;
  }

  /** What would be sent: the prompt, and how large the request is in bytes, with how many messages and pictures. */
  interface Draft {
    text: string;
    size: number;
    messages: number;
    pictures: number;
  }

  /**
   * What became of an action: an error, or the ids of what it has made or found, or what a view has asked for.
   *
   * `was_active` is whether what was deleted had been active. `word` is what one of the `offers` takes the place
   * of, `more` is how many hits are not sent. `cells` are to be put below the `cell`, else at the top.
   */
  interface Result {
    error?: string;
    session?: string;
    chat?: string;
    turn?: string;
    cell?: string;
    cells?: NewCell[];
    stopped?: boolean;
    was_active?: boolean;
    settings?: Settings;
    models?: string[];
    word?: string;
    offers?: Offer[];
    hits?: Hit[];
    more?: number;
    draft?: Draft;
  }

  /** What became of a `Do`, by its `id`; all that it has changed was sent before. */
  interface Answer {
    error?: string;
    session?: string;
    chat?: string;
    turn?: string;
    cell?: string;
    cells?: NewCell[];
    stopped?: boolean;
    was_active?: boolean;
    settings?: Settings;
    models?: string[];
    word?: string;
    offers?: Offer[];
    hits?: Hit[];
    more?: number;
    draft?: Draft;
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
    | Gauge
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
    | 'chat.settings'
    | 'chat.fork'
    | 'chat.compact'
    | 'chat.compact_undo'
    | 'chat.delete'
    | 'chat.undelete'
    | 'ask'
    | 'stop'
    | 'branch'
    | 'cell'
    | 'models'
    | 'complete'
    | 'preview'
    | 'search'
    | 'cell.make';

  /**
   * What goes along with a message.
   *
   * A `cell` has its source as `text` and what it shows as `output`, a `variable` and a `file` have a
   * `name`, a `picture` and a `file` have `data` in base64; the `error` is the last one of the notebook.
   * `cells` are those of the notebook down to the selected one; `outputs` says whether what they show goes along.
   */
  interface Attachment {
    kind: 'cell' | 'cells' | 'error' | 'file' | 'picture' | 'variable';
    name?: string;
    text?: string;
    output?: string;
    data?: string;
    cells?: CellSource[];
    outputs?: boolean;
  }

  /**
   * What an action takes; each takes some of these.
   *
   * `session`, `chat`, `turn` and `cell` are ids, `at` is the number of a turn on the path, from 1. `params`
   * are request parameters as typed, an empty one is unset. With `fields`, `{{ name }}` in the text is filled in.
   */
  interface Arguments {
    session?: string;
    chat?: string;
    turn?: string;
    cell?: string;
    name?: string;
    provider?: string;
    model?: string;
    system?: string;
    params?: Record<string, string>;
    preset?: string;
    text?: string;
    fields?: boolean;
    attached?: Attachment[];
    everywhere?: boolean;
    at?: number;
    activate?: boolean;
  }

  /** Do what the user has clicked, and answer `Answer` with the same `id`. */
  interface Do {
    session?: string;
    chat?: string;
    turn?: string;
    cell?: string;
    name?: string;
    provider?: string;
    model?: string;
    system?: string;
    params?: Record<string, string>;
    preset?: string;
    text?: string;
    fields?: boolean;
    attached?: Attachment[];
    everywhere?: boolean;
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
