// What is used of marked.js, which is somebody else's: for the type checker and for editors.

/** A piece of Markdown. Which of the fields are there depends on the type. */
export interface Token {
  type: string;
  raw: string;
  text: string;
  tokens: Token[];
  lang?: string;
  depth: number;
  items: Token[];
  ordered: boolean;
  start: number | '';
  task: boolean;
  checked: boolean;
  header: TableCell[];
  rows: TableCell[][];
  href: string;
}

export interface TableCell {
  tokens: Token[];
  align: string | null;
}

/** Tokens, with the definitions of their links. */
export type TokenList = Token[] & { links: Record<string, unknown> };

export class Lexer {
  constructor(options: object);
  tokens: TokenList;
  inlineQueue: { src: string; tokens: Token[] }[];
  state: object;
  lex(text: string): TokenList;
  blockTokens(text: string, tokens?: Token[], lastParagraphClipped?: boolean): Token[];
  inlineTokens(text: string, tokens?: Token[]): Token[];
}

export class Marked {
  constructor(options: object);
  defaults: object;
}

export class Tokenizer {
  list(text: string): Token | undefined;
}
