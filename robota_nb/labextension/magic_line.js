// The lines that are written into cells: names in them come from strangers, and must be nothing but one word each.

const CELL = '%%robota';
/** What may stand in place of an option. */
const OPTIONS = {
  chat: /\s+(?:--chat|-c)(?:=|\s+)(?:"(?:\\.|[^"\\])*"|'[^']*'|\S+)/g,
  model: /\s+(?:--model|-m)(?:=|\s+)(?:"(?:\\.|[^"\\])*"|'[^']*'|\S+)/g
};

/**
 * Return a text as one word of a magic's line, as a shell would read it.
 *
 * @param {string} text
 */
export function word(text) {
  const line = text.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '); // it must not begin another line
  return /^[\p{L}\p{N}_][\p{L}\p{N}_./:-]*$/u.test(line) ? line : `"${line.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * Return the source of an ask with an option in its line, in place of what it says there; null if the source is no
 * ask. Of an empty cell it makes one.
 *
 * @param {string} source
 * @param {keyof typeof OPTIONS} option
 * @param {string} value
 */
export function withOption(source, option, value) {
  const lines = source.trim() ? source.split('\n') : [CELL, ''];
  const at = lines.findIndex(line => !/^\s*(?:#|$)/.test(line)); // the kernel skips blank lines and comments, too
  if (!/^%%robota(?:\s|$)/.test(lines[at] ?? '')) {
    return null;
  }
  const written = `--${option}${value.startsWith('-') ? '=' : ' '}${word(value)}`;
  const former = lines[at].replace(OPTIONS[option], '').trimEnd();
  const isText = !lines.slice(at + 1).join('').trim() || former.includes('#'); // what an option must not stand behind
  lines[at] = isText ? former.replace(CELL, () => `${CELL} ${written}`) : `${former} ${written}`;
  return lines.join('\n');
}

/**
 * Say whether a cell of this source asks with other cells: only then is the kernel told what they hold.
 *
 * @param {string} source
 */
export function asksWithCells(source) {
  return source.includes('--cells');
}

/**
 * Say whether it asks with what they show, too.
 *
 * @param {string} source
 */
export function asksWithOutputs(source) {
  return source.includes('--outputs');
}

/**
 * Return a command that forks a chat, and which part of it is the new name.
 *
 * @param {string} chat
 * @returns {[source: string, from: number, to: number]}
 */
export function forkLine(chat) {
  const name = /^[\p{L}\p{N}]+( [\p{L}\p{N}]+)*$/u.test(chat) ? `${chat} 2` : word(`${chat} 2`);
  const command = '%robota chat fork ';
  return [command + name, command.length, command.length + name.length];
}
