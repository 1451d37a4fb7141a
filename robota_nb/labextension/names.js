// How sessions and chats are called where several have the same name, or names that look the same: as the kernel says it
// (core/record/names.py, lookalikes.py).

const NAMED = 3; // characters that are named, of those that make a difference

// Letters of other alphabets, and those of Latin that they look like in most fonts.
const OTHERS =
  'АВЕЗКМНОРСТУХІЈЅԌԚԜҺӀавгезікмнпорстухјѕһԁԛԝӏьҮүΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγεικνοπρτυχωՍՕՏօսհոցᎪᎬᎢᏟᏢᏚᎻᎷᏔᏞᎠᎡıɡɑ';
const LATIN =
  'ABE3KMHOPCTYXIJSGQWHIabre3ikmhnopctyxjshdqwlbYyABEZHIKMNOPTYXabyeikvonptuxwUOSouhngAETCPSHMWLDRiga';
/** @type {Map<string, string>} */
const LETTERS = new Map([...OTHERS].map((letter, at) => [letter, LATIN[at]]));

/** What is not seen, or a mark on another letter, or blank. */
const UNSEEN =
  /[\p{C}\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u{e0100}-\u{e01ef}\u115f\u1160\u3164\uffa0\u2800\u034f]/gu;

/**
 * Return the names as they are shown, by id.
 *
 * @param {[id: string, name: string][]} given In the order in which they came to be.
 * @returns {Map<string, string>}
 */
export function shownNames(given) {
  /** @type {Map<string, Set<string>>} */
  const seen = new Map(); // what is seen of a name -> the names, folded, of which that is seen
  for (const [, name] of given) {
    const look = looks(name);
    seen.set(look, (seen.get(look) ?? new Set()).add(fold(name)));
  }
  const shown = new Map();
  const taken = new Set();
  const twins = new Map(); // name, folded -> the first number that no twin of it may have
  for (const [id, name] of given) {
    const apart = (seen.get(looks(name))?.size ?? 0) > 1 ? named(name) : name;
    let made = apart;
    if (taken.has(fold(apart))) {
      let number = twins.get(fold(apart)) ?? 2;
      do {
        made = `${apart} (${number++})`;
      } while (taken.has(fold(made)));
      twins.set(fold(apart), number);
    }
    shown.set(id, made);
    taken.add(fold(made)).add(fold(name));
  }
  return shown;
}

/**
 * Return the form in which two names are compared: Unicode's case folding, of which JavaScript has but the parts.
 *
 * @param {string} name
 */
export function fold(name) {
  return Array.from(name.normalize('NFC'), folded).join('').normalize('NFC');
}

/** @param {string} character */
function folded(character) {
  return character === 'ı' ? character : Array.from(character.toUpperCase(), each => each.toLowerCase()).join('');
}

/**
 * Return what a reader sees of a name: names that look alike have the same.
 *
 * @param {string} name
 */
function looks(name) {
  const made = name.normalize('NFC').replace(UNSEEN, '').normalize('NFKC');
  return Array.from(made, letter => folded(LETTERS.get(letter) ?? letter)).join('').trim().split(/\s+/u).join(' ');
}

/**
 * Return a name with those of its characters that may be taken for others; as it is, if there are none.
 *
 * @param {string} name
 */
function named(name) {
  const odd = [...new Set(name.normalize('NFC'))].filter(character => character !== ' ' && looks(character) !== fold(character));
  if (!odd.length) {
    return name;
  }
  const codes = odd.slice(0, NAMED).map(character => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`);
  return `${name} (${codes.join(' ')}${odd.length > NAMED ? '…' : ''})`;
}
