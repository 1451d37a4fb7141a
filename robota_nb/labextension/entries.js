// What stands under a notebook's `robota_nb` metadata, as keys that are added and removed: nothing here knows what
// an entry says. All of it may come from strangers, so objects have no prototype, and odd keys are refused.

/** @typedef {Record<string, unknown>} Plain An object as JSON has it. */
/** @typedef {{ sessions: Record<string, Plain> }} Snapshot */

const SAFE_KEY = /^[A-Za-z0-9_-]{1,64}$/;
const UNSAFE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
const EMPTY = { format: { major: 1, minor: 1 }, sessions: {} };

/**
 * Return the value with entries added and removed; the value itself stays as it is.
 *
 * @param {unknown} value What stands there; undefined or null for nothing.
 * @param {Record<string, Partial<BridgeMessage.Change>>} changes By session.
 * @returns {Snapshot}
 * @throws {TypeError} If the value is none that entries can be added to, or a key is odd.
 */
export function changed(value, changes) {
  if (!isReadable(value)) {
    throw new TypeError('what stands in the notebook is no snapshot');
  }
  /** @type {Snapshot} */
  const whole = bare(value ?? EMPTY);
  whole.sessions = bare(whole.sessions);
  for (const [session, { add = {}, remove = [] }] of Object.entries(changes)) {
    const entries = bare(own(whole.sessions, checked(session)) ?? {});
    for (const [id, entry] of Object.entries(add)) {
      entries[checked(id)] = entry;
    }
    for (const id of remove) {
      delete entries[checked(id)];
    }
    whole.sessions[session] = entries;
  }
  return whole;
}

/**
 * Return the changes that make `after` of `before`, by session; null if there are none.
 *
 * @param {unknown} before
 * @param {unknown} after Both readable (see `isReadable`).
 * @returns {Record<string, BridgeMessage.Change> | null}
 */
export function difference(before, after) {
  /** @type {Record<string, Plain>[]} */
  const [old, fresh] = [before, after].map(value => /** @type {Snapshot | null | undefined} */ (value)?.sessions ?? {});
  /** @type {Record<string, BridgeMessage.Change>} */
  const changes = Object.create(null);
  for (const session of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    const [left, right] = [own(old, session) ?? {}, own(fresh, session) ?? {}];
    const add = bare(/** @type {Plain} */ ({}));
    for (const [id, entry] of Object.entries(right)) {
      if (!same(own(left, id), entry)) {
        add[id] = entry;
      }
    }
    const remove = Object.keys(left).filter(id => own(right, id) === undefined);
    if (remove.length || Object.keys(add).length) {
      changes[session] = { add, remove };
    }
  }
  return Object.keys(changes).length ? changes : null;
}

/**
 * Say whether a value lacks an entry that another one has.
 *
 * @param {unknown} value Whatever stands there.
 * @param {unknown} other A readable one.
 */
export function lacks(value, other) {
  const held = isReadable(value) ? (value?.sessions ?? {}) : {};
  const wanted = /** @type {Snapshot | null | undefined} */ (other)?.sessions ?? {};
  return Object.entries(wanted).some(([session, entries]) => {
    const present = own(held, session) ?? {};
    return Object.keys(entries).some(id => own(present, id) === undefined);
  });
}

/**
 * Say whether entries can be added to a value and taken from it: nothing at all, or sessions of entries.
 *
 * @param {unknown} value
 * @returns {value is Snapshot | null | undefined}
 */
export function isReadable(value) {
  const isNothing = value === undefined || value === null; // the kernel takes null for nothing, too
  return isNothing || (isObject(value) && isObject(value.sessions) && Object.values(value.sessions).every(isObject));
}

/**
 * @param {unknown} value
 * @returns {value is Plain}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {string} key */
function checked(key) {
  if (!SAFE_KEY.test(key) || UNSAFE_KEYS.has(key)) {
    throw new TypeError(`${JSON.stringify(key).slice(0, 80)} is no key of a snapshot`);
  }
  return key;
}

/**
 * A copy that inherits nothing.
 *
 * @template {object} T
 * @param {T} object
 * @returns {T}
 */
function bare(object) {
  return Object.assign(Object.create(null), object);
}

/**
 * @template T
 * @param {Record<string, T>} object
 * @param {string} key
 * @returns {T | undefined}
 */
function own(object, key) {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * @param {unknown} one
 * @param {unknown} other
 */
function same(one, other) {
  return one === other || (one !== undefined && JSON.stringify(one) === JSON.stringify(other));
}
