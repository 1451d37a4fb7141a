// Formulas in Markdown: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and `\begin{…}…\end{…}`. All that is between the delimiters is
// left as it is. The kernel reads them in the same way (display/dialect.py).

const LONGEST_DRAWN = 1000; // characters: MathJax takes 0.1 ms or more for each, and nothing else happens meanwhile
const LONGEST = 10000; // characters: without a limit, each of many lone dollars would look through all that follows

// The text of a formula comes from strangers, and MathJax does more with it than to draw a formula.
const REACHING_OUT = new RegExp(
  '\\\\(?:' +
    // makes links,
    '(?:href|url|ref|eqref|label|' +
    // sets ids, classes, styles (and so loads pictures), attributes,
    'cssId|class|style|data|mmlToken|bbox|' +
    // loads packages, fonts, pictures,
    'require|unicode|includegraphics|' +
    // or changes what commands mean in the formulas of others
    'def|edef|gdef|xdef|let|futurelet|global|(?:re)?newcommand|providecommand|(?:re)?newenvironment|newtheorem|' +
    'DeclareMathOperator|DeclarePairedDelimiters?X?(?:pp)?|Newextarrow|newcolumntype|definecolor|' +
    'mathtoolsset|setOptions)(?![a-zA-Z])|html)'
);

/**
 * Say whether a formula may be typeset: it only draws a formula, and not one that the page would stand still for.
 *
 * @param {string} source
 */
export function isDrawn(source) {
  return source.length <= LONGEST_DRAWN && !REACHING_OUT.test(source);
}

// A delimiter, and what follows it. There is no blank line in a formula, as a blank line ends a block while the text
// still arrives; and no backtick, as code is looked for first.
const FORMULAS = [
  { opens: '$$', follows: /((?:[^$`\\\n]|\\[^`\n]|\\?\n(?![ \t]*\n)|\$(?!\$))+?)\$\$/y },
  { opens: '\\[', follows: /((?:[^`\\\n]|\\[^\]`\n]|\\?\n(?![ \t]*\n))+?)\\\]/y },
  { opens: '\\(', follows: /((?:[^`\\\n]|\\[^)`\n]|\\?\n(?![ \t]*\n))+?)\\\)/y },
  { opens: '\\begin{', follows: /([A-Za-z]{1,20}\*?)\}(?:[^`\\\n]|\\[^`\n]|\\?\n(?![ \t]*\n))*?\\end\{\1\}/y },
  // As pandoc: `$5 and $6` are prices.
  { opens: '$', follows: /((?=\S)(?:[^$`\\\n]|\\[^`\n]|\\?\n(?![ \t]*\n))+?)(?<!\s)\$(?!\d)/y }
];

/**
 * Return the formula that begins at an index of a text, with its delimiters; null if none does.
 *
 * @param {string} text
 * @param {number} index
 */
export function formulaAt(text, index) {
  const kind = FORMULAS.find(({ opens }) => text.startsWith(opens, index));
  if (!kind) {
    return null;
  }
  kind.follows.lastIndex = 0;
  const start = index + kind.opens.length;
  const found = kind.follows.exec(text.slice(start, start + LONGEST));
  return found && found[1].trim() ? kind.opens + found[0] : null;
}

/**
 * Return the next index at which a formula may begin; -1 if there is none.
 *
 * @param {string} text
 * @param {number} index Where to begin.
 */
export function nextFormula(text, index = 0) {
  const places = ['$', '\\(', '\\[', '\\begin{'].map(opens => text.indexOf(opens, index)).filter(place => place >= 0);
  return places.length ? Math.min(...places) : -1;
}

const SKIPPED = /\\[^([b]|(`+)(?!`)[^]*?[^`]\1(?!`)|`+|[^\\`$]+|[^]/y; // an escape, code, text

/**
 * Return a mask, in which marked looks for emphasis, with the formulas of its source blanked out.
 *
 * @param {string} mask
 * @param {string} source
 */
export function withoutFormulas(mask, source) {
  let masked = '';
  for (let index = 0; index < source.length;) {
    const formula = formulaAt(source, index);
    SKIPPED.lastIndex = index;
    const length = formula ? formula.length : /** @type {string[]} */ (SKIPPED.exec(source))[0].length;
    masked += formula ? 'a'.repeat(length) : mask.slice(index, index + length);
    index += length;
  }
  return masked;
}
