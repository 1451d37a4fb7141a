// What is used here of JupyterLab's and Notebook's own objects, and no more of them: for the type checker and for editors.

/** The objects of JupyterLab and Notebook. */
declare namespace Lab {
  /** An event of an object; those that connect to it are called with the object and what happened. */
  interface Signal<Sender, Args> {
    connect(slot: (sender: Sender, args: Args) => void, thisArg?: unknown): boolean;
    disconnect(slot: (sender: Sender, args: Args) => void, thisArg?: unknown): boolean;
  }

  interface Disposable {
    readonly isDisposed: boolean;
  }

  // -- kernels

  interface Comm extends Disposable {
    onMsg: (message: { content: { data: unknown } }) => void;
    onClose: (message: unknown) => void;
    commsOverSubshells?: string;
    readonly subshellStarted?: Promise<unknown>;
    open(data?: unknown): { done: Promise<unknown> };
    send(data: object): unknown;
    close(): unknown;
  }

  interface ExecuteReply {
    content: { status: string; ename?: string };
  }

  interface Kernel extends Disposable {
    readonly name: string;
    readonly handleComms: boolean;
    readonly status: string;
    readonly connectionStatus: string;
    readonly connectionStatusChanged: Signal<Kernel, string>;
    readonly info: Promise<unknown>;
    readonly supportsSubshells?: boolean;
    registerCommTarget(target: string, callback: (comm: Comm, message: { header: { session: string } }) => void): void;
    createComm(target: string): Comm;
    requestExecute(content: object, disposeOnDone: boolean, metadata: object): { done: Promise<ExecuteReply> };
    interrupt(): Promise<void>;
  }

  interface SessionContext {
    readonly session: { readonly kernel: Kernel | null } | null;
    readonly specsManager?: { readonly specs: { kernelspecs: Record<string, { language: string } | undefined> } | null };
    readonly kernelChanged: Signal<SessionContext, { newValue: Kernel | null }>;
    readonly statusChanged: Signal<SessionContext, string>;
    readonly connectionStatusChanged: Signal<SessionContext, string>;
    readonly disposed: Signal<SessionContext, unknown>;
  }

  // -- notebooks

  interface SharedCell {
    getSource(): string;
    setSource(source: string): void;
    readonly changed: Signal<SharedCell, { sourceChange?: unknown }>;
  }

  interface Output {
    readonly type: string;
    readonly data: Record<string, unknown>;
    readonly metadata: object;
  }

  interface OutputList {
    readonly length: number;
    readonly changed: Signal<OutputList, unknown>;
    get(index: number): Output;
  }

  interface Cell {
    readonly id: string;
    readonly type: string;
    readonly sharedModel: SharedCell;
    /** Of a code cell; null while it runs, and where it was not run. */
    readonly executionCount?: number | null;
    readonly outputs?: OutputList;
    readonly stateChanged: Signal<Cell, unknown>;
    readonly contentChanged: Signal<Cell, unknown>;
    /** Of the language that it is shown in; no part of the document. */
    mimeType: string;
    readonly mimeTypeChanged: Signal<Cell, unknown>;
    getMetadata(key: string): unknown;
  }

  interface CellWidget {
    readonly node: HTMLElement;
    readonly model: Cell;
    readonly ready: Promise<void>;
    readonly editor: { focus(): void; setSelection(range: { start: Position; end: Position }): void } | null;
  }

  interface Position {
    line: number;
    column: number;
  }

  interface CellList extends Iterable<Cell> {
    readonly changed: Signal<CellList, unknown>;
  }

  interface SharedNotebook {
    readonly awareness: { getStates(): Map<number, unknown> };
    readonly ydoc: { readonly clientID: number };
    updateMetadata(value: object): void;
    insertCell(index: number, cell: object): unknown;
    insertCells(index: number, cells: object[]): unknown;
  }

  interface NotebookModel {
    dirty: boolean;
    readonly readOnly: boolean;
    readonly cells: CellList;
    readonly collaborative?: boolean;
    readonly defaultKernelLanguage: string;
    readonly sharedModel: SharedNotebook;
    readonly metadataChanged: Signal<NotebookModel, { key: string }>;
    readonly stateChanged: Signal<NotebookModel, { name: string }>;
    getMetadata(key: string): unknown;
  }

  interface Context extends Disposable {
    readonly model: NotebookModel;
    readonly path: string;
    readonly isReady: boolean;
    readonly ready: Promise<void>;
    readonly sessionContext: SessionContext;
    readonly pathChanged: Signal<Context, string>;
    readonly saveState: Signal<Context, 'started' | 'completed' | 'failed'>;
    readonly disposed: Signal<Context, unknown>;
    save(): Promise<void>;
  }

  interface Notebook {
    readonly node: HTMLElement;
    readonly model: NotebookModel | null;
    readonly modelChanged: Signal<Notebook, unknown>;
    readonly codeMimetype: string;
    readonly widgets: readonly CellWidget[];
    readonly activeCell: CellWidget | null;
    readonly activeCellChanged: Signal<Notebook, CellWidget | null>;
    mode: string;
    activeCellIndex: number;
    deselectAll(): void;
    scrollToItem(index: number, align: string): Promise<void>;
  }

  interface NotebookPanel {
    readonly id: string;
    readonly node: HTMLElement;
    readonly content: Notebook;
    readonly context: Context;
    readonly sessionContext: SessionContext;
    readonly disposed: Signal<NotebookPanel, unknown>;
  }

  interface NotebookActions {
    runCells(notebook: Notebook, cells: readonly CellWidget[], sessionContext: SessionContext): Promise<boolean>;
  }

  interface NotebookTracker {
    readonly currentWidget: NotebookPanel | null;
    readonly currentChanged: Signal<NotebookTracker, NotebookPanel | null>;
    readonly widgetAdded: Signal<NotebookTracker, NotebookPanel>;
    find(test: (panel: NotebookPanel) => boolean): NotebookPanel | undefined;
    forEach(call: (panel: NotebookPanel) => void): void;
  }

  // -- the application

  interface Widget {
    id: string;
    readonly node: HTMLElement;
    readonly isVisible: boolean;
    readonly isDisposed: boolean;
    readonly parent: Widget | null;
    dispose(): void;
    /** Has its size worked out anew. */
    fit(): void;
    readonly title: { caption: string; label: string; icon?: unknown };
    addClass(name: string): void;
  }

  /** A class of widgets, as one extends it. */
  type WidgetClass = new () => Widget;

  interface Command {
    label: string;
    caption?: string;
    icon?: unknown;
    isEnabled?(): boolean;
    execute(args: any): unknown;
  }

  interface Application {
    readonly started: Promise<unknown>;
    readonly restored: Promise<unknown>;
    listPlugins(): string[];
    readonly serviceManager: { readonly contents: Contents };
    readonly commands: { addCommand(id: string, command: Command): unknown; execute(id: string): Promise<unknown> };
    readonly shell: {
      add(widget: Widget, area: string, options: object): void;
      activateById(id: string): void;
      collapseRight?(): void;
    };
  }

  interface Contents {
    driveName(path: string): string;
    localPath(path: string): string;
    get(path: string, options: { type: string; content: boolean }): Promise<{ content: any }>;
  }

  interface PageConfig {
    getOption(name: string): string;
    getBaseUrl(): string;
  }

  interface LayoutRestorer {
    add(widget: Widget, name: string): void;
  }

  interface CommandPalette {
    addItem(item: { command: string; category: string }): unknown;
  }

  interface StatusBar {
    registerStatusItem(id: string, item: { item: Widget; align: string; rank: number }): unknown;
  }

  interface Titled {
    title?: string;
    description?: string;
  }

  interface Schema extends Titled {
    properties?: Record<string, Titled>;
  }

  interface Settings {
    readonly composite: object;
    readonly schema: Schema;
    readonly changed: Signal<unknown, void>;
  }

  interface SettingRegistry {
    load(plugin: string): Promise<Settings>;
  }

  interface Languages {
    addLanguage(language: { name: string; displayName: string; mime: string; load(): Promise<unknown> }): void;
    getLanguage(name: string): Promise<any>;
    findBest(language: string, fallback: boolean): unknown;
    highlight(code: string, language: unknown, element: HTMLElement): Promise<void>;
  }

  interface HighlightStyle {
    readonly module?: { getRules(): string } | null;
  }

  interface LatexTypesetter {
    typeset(element: HTMLElement): void;
  }

  interface MimeModel {
    readonly trusted: boolean;
    readonly data: Record<string, unknown>;
    readonly metadata: object;
  }

  interface Renderer {
    readonly node: HTMLElement;
    renderModel(model: MimeModel): Promise<void>;
  }

  interface Sanitizer {
    sanitize(html: string, limits?: object): string;
  }

  interface MarkdownParser {
    render(source: string): Promise<string>;
  }

  interface RendererOptions {
    readonly sanitizer: Sanitizer;
    readonly markdownParser?: MarkdownParser | null;
    readonly latexTypesetter?: LatexTypesetter | null;
    readonly resolver?: { readonly path?: string } | null;
  }

  interface RendererFactory {
    readonly safe: boolean;
    readonly mimeTypes: readonly string[];
    readonly defaultRank?: number;
    createRenderer(options: RendererOptions): Renderer;
  }

  interface RenderMimeRegistry {
    getFactory(mimeType: string): RendererFactory | undefined;
    addFactory(factory: RendererFactory, rank?: number): void;
  }

  /** The module `@jupyterlab/apputils`, as far as it is used. */
  interface AppUtils {
    readonly ICommandPalette: object;
    readonly Notification: { info(text: string, options: object): unknown };
    readonly Dialog: { okButton(): object };
    showDialog(options: object): Promise<unknown>;
  }

  interface Translator {
    readonly languageCode: string;
    load(domain: string): import('./switcher/strings.js').Bundle;
  }

  /** A plugin, as an extension gives it to the application. */
  interface Plugin {
    id: string;
    description: string;
    autoStart: boolean;
    requires: unknown[];
    optional?: unknown[];
    activate(app: Application, ...services: any[]): void;
  }
}

interface Window {
  /** Where the application finds the containers of its extensions. */
  _JUPYTERLAB: Record<string, { init(scope: any): void; get(name: string): Promise<() => unknown> }>;
}
