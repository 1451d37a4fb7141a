// How chats are listed: in which order, and since when they were used.

import { language } from './strings.js';

/** @typedef {ViewMessage.ChatRow} ChatRow */
/** @typedef {{ row: ChatRow, depth: number }} Listed A chat, and how far it is set in, as a fork. */

const DEEPEST = 3; // forks of forks beyond this stand where these do

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const FORMATS = {
  time: { hour: '2-digit', minute: '2-digit' },
  day: { day: 'numeric', month: 'short' },
  date: { dateStyle: 'medium' }
};
/** @type {Map<string, Intl.DateTimeFormat>} */
const made = new Map(); // once the language is known: making one takes long

/**
 * Return chats in the order of the list: what was used last comes first, with its forks below what they came from.
 *
 * @param {ChatRow[]} chats
 * @returns {Listed[]}
 */
export function inOrder(chats) {
  const byUse = [...chats].sort((one, other) => other.used - one.used || (one.id < other.id ? -1 : 1));
  const ids = new Set(byUse.map(row => row.id));
  /** @type {Map<string, ChatRow[]>} */
  const forks = new Map();
  for (const row of byUse) {
    forks.set(row.origin, forks.get(row.origin) ?? []);
    forks.get(row.origin)?.push(row);
  }
  const met = new Set();
  /** @param {ChatRow} first */
  const family = first => {
    /** @type {Listed[]} */
    const found = [];
    const left = [{ row: first, depth: 0 }];
    for (let next = left.pop(); next; next = left.pop()) {
      const { row, depth } = next;
      if (!met.has(row.id)) {
        met.add(row.id);
        found.push(next);
        const below = (forks.get(row.id) ?? []).map(fork => ({ row: fork, depth: Math.min(depth + 1, DEEPEST) }));
        left.push(...below.reverse());
      }
    }
    return { found, used: found.reduce((most, { row }) => Math.max(most, row.used), 0) };
  };
  const families = byUse.filter(row => !ids.has(row.origin)).map(family);
  const others = byUse.filter(row => !met.has(row.id)); // a stranger's may be forks of each other
  families.push(...others.map(family));
  return families.sort((one, other) => other.used - one.used).flatMap(({ found }) => found);
}

/**
 * Say when something was, as short as today's clock or the calendar can; nothing if that is not known.
 *
 * @param {string} at As snapshots carry it.
 * @param {Date} now
 */
export function day(at, now = new Date()) {
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) {
    return '';
  }
  if (then.toDateString() === now.toDateString()) {
    return formatted('time', then);
  }
  return formatted(then.getFullYear() === now.getFullYear() ? 'day' : 'date', then);
}

/**
 * @param {keyof typeof FORMATS} name
 * @param {Date} then
 */
function formatted(name, then) {
  const format = made.get(name) ?? new Intl.DateTimeFormat(language === 'en' ? undefined : language, FORMATS[name]);
  made.set(name, format);
  return format.format(then); // English is the language of who has chosen none: the browser knows how they write dates
}
