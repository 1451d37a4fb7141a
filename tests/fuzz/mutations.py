"""How a case is made of others: by cutting and pasting bytes or text, or by changing places of a JSON value.

What is hashed in a snapshot is hashed anew (mostly), or no change would come further than the check of the hashes.
"""

import json
from contextlib import suppress

from robota_nb.core.record.entries import entry_id

MAX_TEXT, MAX_JSON = 1_000, 50_000
"""Bytes of a case, about: it is the odd ones that find something, not the large ones."""

ATOMS = [
    "", "\n", "\r", "\r\n", "\n\n", " ", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\xa0", "\u200b", "\u2028", "\u202e",
    "\ufeff", "\ufffd", "\ud800", "\udfff", "\ud83d\ude00", "🦊", "é", "e\u0301", "ß", "İ", "٣", "²", "漢",
    '"', "'", "\\", "`", "$", "{", "}", "[", "]", "(", ")", "<", ">", "|", "=", "-", "--", ":", ".", "%", "#", "*",
    "```", "~~~", "$$", "\\[", "{{ ", " }}", "- ", "1. ", "> ", "<details>", "</details>", "<!--", "-->", "[a]: b",
    "__proto__", "constructor", "__class__", "NaN", "-0", "1e400", "null", "0", "-1", "9" * 20, "9" * 5000, "a" * 120,
    "[" * 300, "../", "http://x", "data: ", "[DONE]", "\\ud800", "\\u0000",
]  # fmt: skip
"""Texts that have meant something to somebody."""

VALUES = [
    None, True, False, 0, 1, -1, 2, 2**31, 2**48, 2**53 - 1, 2**53, -(2**53), 2**64, 10**400, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), "", "x", [], {}, [[]], [{}], [""], [0], {"": 0}, {"a": None}, ["a\n", "b"],
    {"__proto__": {"polluted": 1}}, {"constructor": {"prototype": {"polluted": 1}}}, *ATOMS,
]  # fmt: skip
ODD = [*map(json.dumps, VALUES), "[" * 12 + "]" * 12, "[" * 400 + "]" * 400, '{"a":' * 9 + "1" + "}" * 9]
"""JSON values, as text, that are not what is expected where they stand."""


# -- bytes and text


def as_bytes(rng, case, other):
    """Cut and paste."""
    atoms = [atom.encode("utf-8", "surrogatepass") for atom in ATOMS] + [b"\xff", b"\xc3", b"\x80"]
    return _edited(rng, case, other, atoms)[:MAX_TEXT]


def as_text(rng, case, other):
    """Cut and paste, but no character in two; a surrogate is one."""
    return encoded(_edited(rng, decoded(case), decoded(other), ATOMS)[:MAX_TEXT])


def decoded(case):
    """Return the text that a case stands for."""
    return case.decode("utf-8", "surrogatepass")


def encoded(text):
    """Return the case of a text."""
    return text.encode("utf-8", "surrogatepass")


def _edited(rng, whole, other, atoms):
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        whole = _spliced(rng, whole, other, atoms)
    return whole


def _spliced(rng, whole, other, atoms):
    """Put a piece of something in the place of a piece of it."""
    start = rng.randint(0, len(whole))
    end = start + rng.choice((0, 0, 0, 1, 1, 2, 4, 8, 64, len(whole)))
    if rng.random() < 0.5:
        piece = rng.choice(atoms)
    else:
        source = rng.choice((whole, other))
        at = rng.randint(0, len(source))
        piece = source[at : at + rng.choice((1, 2, 8, 64, len(source)))]
    return whole[:start] + piece * rng.choice((1, 1, 1, 1, 2, 40)) + whole[end:]


def shorter(case):
    """Yield a case without one of its pieces, large ones first."""
    size = len(case)
    while size := size // 2:
        for start in range(0, len(case), size):
            yield case[:start] + case[start + size :]


# -- JSON


def as_json(rng, case, other):
    """Change some places of a JSON value."""
    box, donor = [json.loads(case)], places([json.loads(other)])
    with suppress(RecursionError):  # what could not be written as JSON is no case
        for _ in range(rng.choice((1, 1, 1, 1, 2, 4))):
            _change(rng, places(box), donor)
        return _dumped(box[0])
    return case


def as_snapshot(rng, case, other):
    """Change some places of a JSON value that holds snapshots, and hash their entries anew."""
    made = as_json(rng, case, other)
    if rng.random() < 0.05:  # some are to be found out
        return made
    with suppress(RecursionError):
        return _dumped(rehashed(json.loads(made)))
    return case


def _dumped(value):
    made = json.dumps(value).encode()
    if len(made) > MAX_JSON or made.count(b"[[") > 300:  # too deep for those who check it, too
        raise RecursionError
    return made


def places(box):
    """Return each place of a value as (what it stands in, its key or index)."""
    found, left = [], [box]
    while left:
        holder = left.pop()
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            found.append((holder, key))
            if isinstance(value, (dict, list)):
                left.append(value)
    return found


def _change(rng, here, there):
    holder, key = rng.choice(here)
    donor, name = rng.choice(rng.choice((here, there)))
    if rng.random() < 0.6:  # what stands elsewhere under the same key may pass for it
        donor, name = rng.choice([place for place in here + there if place[1] == key])
    value, given = holder[key], json.loads(json.dumps(donor[name]))
    match rng.randrange(9):
        case 0:
            holder[key] = json.loads(rng.choice(ODD))
        case 1 | 5 | 6:
            holder[key] = given
        case 2 if isinstance(holder, dict):
            del holder[key]
        case 2 | 3 if isinstance(holder, list) and len(holder) > 1:
            del holder[key]
        case 3 if isinstance(holder, dict) and isinstance(name, str):
            holder[name] = given
        case 4 if isinstance(holder, list):
            holder.insert(key, given)
        case 4 if isinstance(value, list):
            value.append(given)
        case 4 if isinstance(value, dict):
            value[rng.choice(ATOMS)] = given
        case _ if isinstance(value, str):
            holder[key] = _spliced(rng, value, given if isinstance(given, str) else "", ATOMS)
        case _ if type(value) is int:
            holder[key] = value + rng.choice((-1, 1, 1000, -value, value))
        case _:
            holder[key] = json.loads(rng.choice(ODD))


def smaller_json(case):
    """Yield a JSON value without one of its places."""
    yield from _without(case, lambda value: value)


def smaller_snapshot(case):
    """Yield a JSON value without one of its places, as it is, and with its entries hashed anew."""
    yield from _without(case, lambda value: value)
    yield from _without(case, rehashed)


def _without(case, finished):
    for at in range(len(places([json.loads(case)]))):
        box = [json.loads(case)]
        holder, key = places(box)[at]
        if holder is not box:
            del holder[key]
            yield json.dumps(finished(box[0])).encode()


# -- snapshots


def rehashed(value):
    """Give each entry of a snapshot, wherever it stands, the id that is its hash; what referred to it still does."""
    groups = [group for holder, key in places([value]) if key == "sessions" for group in _groups(holder[key])]
    everywhere = {eid: entry for group in groups for eid, entry in group.items() if _is_hashed(entry)}
    for group in groups:
        names = _Names({**everywhere, **{eid: entry for eid, entry in group.items() if _is_hashed(entry)}})
        fresh = {names.of(eid): names.put_into(entry) for eid, entry in group.items()}
        group.clear()
        group.update(fresh)
    return value


class _Names:
    """The new ids of entries."""

    def __init__(self, entries):
        self.entries, self.known = entries, {}

    def of(self, eid):
        if eid in self.entries and eid not in self.known:
            self.known[eid] = eid  # of a circle, one keeps its id
            with suppress(ValueError, TypeError):  # it has no hash
                self.known[eid] = entry_id(self.put_into(self.entries[eid]))
        return self.known.get(eid, eid)

    def put_into(self, part):
        if isinstance(part, str):
            return self.of(part)
        if isinstance(part, list):
            return [self.put_into(item) for item in part]
        return {key: self.put_into(item) for key, item in part.items()} if isinstance(part, dict) else part


def _is_hashed(entry):
    return isinstance(entry, dict) and entry.get("kind") != "purged"


def _groups(sessions):
    return [group for group in sessions.values() if isinstance(group, dict)] if isinstance(sessions, dict) else []
