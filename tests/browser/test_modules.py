"""The labextension's modules that need no application, in the browser that runs them."""

import hashlib
import json
import random
import sys
from pathlib import Path, PurePosixPath

import pytest

from robota_nb.core.record.entries import clean, source_hash
from robota_nb.magics.parser import next_word

pytestmark = pytest.mark.slow("drives real applications in a browser")

ODD_KEYS = ["__proto__", "constructor", "prototype", "", "x" * 65, "a b", "a.b", "ä", "a\n", "<img>"]
FINE_KEYS = ["0", "12", "-1", "4294967295", "x" * 64, "toString", "hasOwnProperty", "valueOf", "length", "_", "e_1-A"]
NO_SNAPSHOTS = [
    "", "text", 0, 7, True, False, [], [1], {}, {"sessions": None}, {"sessions": []}, {"sessions": "s"},
    {"sessions": 1}, {"sessions": {"s": None}}, {"sessions": {"s": []}}, {"sessions": {"s": "e"}},
    {"sessions": {"fine": {}, "s": 0}}, {"entries": {}},
]  # fmt: skip
ENTRIES = [{}, {"kind": "x"}, {"n": 1, "b": [1, None, {"c": "ä"}]}, [], "text", 0, False, None]

FROZEN = """
const frozen = value => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
    return value;
};
const read = text => frozen(JSON.parse(text));
const refused = call => {
    try {
        call();
    } catch (error) {
        return error instanceof TypeError ? error.message : `not a TypeError: ${error}`;
    }
    return null;
};
"""
"""JSON's own parser makes a plain key of `__proto__`; to change a frozen object is an error."""


@pytest.fixture
def script(lab, context):
    """Runs JavaScript with a module of the served labextension, and with JSON text."""
    package = json.loads(Path(sys.prefix, "share/jupyter/labextensions/robota_nb/package.json").read_text())
    static = PurePosixPath(package["jupyterlab"]["_build"]["load"]).parent
    modules = f"{lab.url}lab/extensions/robota_nb/{static}"
    page = context.new_page()
    page.goto(f"{modules}/version.js")  # any page of the server that may run scripts
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def run(module, body, *values):
        text = page.evaluate(
            f"async ([url, ...texts]) => {{ const module = await import(url); {FROZEN}"
            f"const {{ changed, difference, isReadable, sha256, shared, plugins }} = module;"
            f"const values = texts.map(read); const done = await (async () => {{ {body} }})();"
            "return JSON.stringify([done, Object.keys(Object.prototype), Object.keys(Array.prototype),"
            "({}).polluted ?? null]); }",
            [f"{modules}/{module}", *map(json.dumps, values)],
        )
        done, *touched = json.loads(text)
        assert touched == [[], [], None]
        assert errors == []
        return done

    run.page = page
    return run


def value_of(sessions):
    return {"format": {"major": 1, "minor": 1}, "sessions": sessions}


# -- entries.js


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_key_of_a_change_is_refused(script, key):
    refused = script(
        "entries.js",
        "const [key, changes] = values; return changes.map(change => refused(() => changed(undefined, change)));",
        key,
        [{key: {"add": {"e": {}}}}, {"s": {"add": {key: {"polluted": 1}}}}, {"s": {"remove": [key]}}],
    )
    assert all(message.endswith(" is no key of a snapshot") and len(message) < 120 for message in refused), refused


@pytest.mark.parametrize("key", FINE_KEYS)
def test_a_key_that_objects_usually_inherit_or_count_with_is_a_key_like_others(script, key):
    body = """
        const [key, entry] = values;
        const whole = changed(undefined, frozen({ [key]: { add: { [key]: entry } } }));
        const back = changed(frozen(whole), frozen({ [key]: { remove: [key] } }));
        return [whole, difference(undefined, whole), back, difference(whole, back), difference(whole, undefined)];
    """
    entry = {"kind": "x"}
    assert script("entries.js", body, key, entry) == [
        value_of({key: {key: entry}}),
        {key: {"add": {key: entry}, "remove": []}},
        value_of({key: {}}),
        {key: {"add": {}, "remove": [key]}},
        {key: {"add": {}, "remove": [key]}},
    ]


def test_what_is_no_snapshot_takes_no_entries(script):
    body = """
        const [values_, change] = values;
        return values_.map(value => [isReadable(value), refused(() => changed(value, change))]);
    """
    told = script("entries.js", body, NO_SNAPSHOTS, {"s": {"add": {"e": {}}}})
    assert told == [[False, "what stands in the notebook is no snapshot"]] * len(NO_SNAPSHOTS)


def test_where_nothing_stands_a_snapshot_begins(script):
    body = """
        const [change] = values;
        return [undefined, null].map(value => [isReadable(value), changed(value, change), difference(value, value)]);
    """
    assert (
        script("entries.js", body, {"s": {"add": {"e": {"n": 1}}}})
        == [[True, value_of({"s": {"e": {"n": 1}}}), None]] * 2
    )


def test_a_change_that_is_no_object_is_refused(script):
    body = "const [changes] = values; return changes.map(change => refused(() => changed(undefined, { s: change })));"
    assert None not in script("entries.js", body, [None, {"remove": 7}, {"remove": {"e": 1}}, {"remove": [["e", "f"]]}])


def test_what_stands_under_odd_keys_stays_there_and_is_inherited_by_nothing(script):
    odd = {
        **value_of({"s": {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}}),
        "__proto__": {"polluted": 1},
    }
    odd["sessions"]["__proto__"] = {"e": {"polluted": 1}}
    body = """
        const [odd] = values;
        const whole = changed(odd, { s: { add: { e: { n: 1 } }, remove: ['f'] } });
        const levels = [whole, whole.sessions, whole.sessions.s];
        return [
            JSON.stringify(whole),
            levels.map(level => Object.getPrototypeOf(level)),
            levels.map(level => level.polluted),
            JSON.stringify(difference(odd, whole)), JSON.stringify(difference(undefined, odd)),
            JSON.stringify(difference(odd, undefined)),
        ];
    """
    whole, prototypes, polluted, *differences = script("entries.js", body, odd)
    assert json.loads(whole)["sessions"] == {**odd["sessions"], "s": {**odd["sessions"]["s"], "e": {"n": 1}}}
    assert json.loads(whole)["__proto__"] == odd["__proto__"]
    assert prototypes == polluted == [None] * 3
    assert list(map(json.loads, differences)) == [
        {"s": {"add": {"e": {"n": 1}}, "remove": []}},
        {sid: {"add": entries, "remove": []} for sid, entries in odd["sessions"].items()},
        {sid: {"add": {}, "remove": list(entries)} for sid, entries in odd["sessions"].items()},
    ]


def test_what_is_not_about_sessions_stays(script):
    value = {"format": {"major": 1, "minor": 7}, "more": [1, {"a": None}], "sessions": {"s": {}}, "0": "first"}
    change = {"s": {"add": {"e": {"kind": "x"}}}}
    whole = script("entries.js", "return changed(...values);", value, change)
    assert whole == {**value, "sessions": {"s": {"e": {"kind": "x"}}}}


def some_sessions(rng):
    """Sessions with entries, few enough that two of them have much in common."""
    names = rng.sample(["s_1", "s_2", "12", "toString"], rng.randrange(4))
    return {name: {e: rng.choice(ENTRIES) for e in rng.sample(FINE_KEYS, rng.randrange(6))} for name in names}


def full(value):
    """The sessions of a snapshot that hold anything: an empty one is told by nothing."""
    return {sid: entries for sid, entries in value["sessions"].items() if entries}


def test_a_difference_is_what_makes_the_one_of_the_other_and_doing_it_twice_changes_nothing(script):
    rng = random.Random(1)
    pairs = [[value_of(some_sessions(rng)), value_of(some_sessions(rng))] for _ in range(500)]
    body = """
        return values[0].map(([before, after]) => {
            const change = frozen(difference(before, after)) ?? {};
            const once = frozen(changed(before, change));
            const twice = changed(once, change);
            const text = JSON.stringify(twice) === JSON.stringify(once);
            return [once, change, difference(once, after), difference(once, twice), text];
        });
    """
    made = script("entries.js", body, pairs)
    assert len(made) == len(pairs)
    for (before, after), (once, change, *left, text) in zip(pairs, made, strict=True):
        assert full(once) == full(after)
        assert bool(change) == (full(before) != full(after))
        assert left == [None, None]
        assert text


# -- push.js


def test_a_long_message_is_cut_into_chunks_but_no_character_in_two(script):
    body = """
        const sent = [];
        const requestExecute = (content, _, { robota_nb }) => {
            sent.push(robota_nb);
            return { done: Promise.resolve({ content: { status: 'ok' } }) };
        };
        module.push({ requestExecute }, { text: values[0] + '🦊'.repeat(1_500_000) }, () => {});
        const whole = JSON.stringify({ text: values[0] + '🦊'.repeat(1_500_000) });
        return [
            sent.map(({ chunk, of }) => [chunk, of]),
            sent.map(({ text }) => text.length <= 1_000_000 && text.isWellFormed()),
            sent.map(({ text }) => text).join('') === whole,
            new Set(sent.map(({ message }) => message)).size,
        ];
    """
    for start in ("", "a"):  # the one or the other has a character where a chunk ends
        assert script("push.js", body, start) == [[[n, 4] for n in range(4)], [True] * 4, True, 1]


def test_a_short_message_is_one_chunk(script):
    body = """
        const sent = [];
        const requestExecute = (content, _, metadata) => {
            sent.push([content.silent, metadata.robota_nb.text, metadata.robota_nb.chunk, metadata.robota_nb.of]);
            return { done: Promise.resolve({ content: { status: 'ok' } }) };
        };
        module.push({ requestExecute }, { op: 'flush' }, () => {});
        return sent;
    """
    assert script("push.js", body) == [[True, '{"op":"flush"}', 0, 1]]


# -- sha256.js


def some_texts():
    """Texts around the sizes of SHA-256's blocks, of all kinds of characters, also of what is no character."""
    rng = random.Random(2)
    lengths = [*range(130), 183, 184, 247, 248, 1000, 4096, 70_001]
    kinds = [
        "a",
        "aé",
        "漢a",
        "🦊a",
        "\x00\x7f\x80\u07ff\u0800\uffff\U0010ffff",
        "\ud800\udc00a",
        "\ud83d🦊\ude00\udfff",
    ]
    return [
        *("a" * length for length in lengths),
        *("".join(rng.choices(kind, k=length)) for kind in kinds for length in lengths),
        *("é" * (size // 2) + "a" * (size % 2) for size in (55, 56, 63, 64, 65)),
        "\ud800", "\udc00", "a\udc00b", "\ud83d\ude00", "\udc00\ud800", "\ud800\ud800\udc00", "\ufeff", "\ufeffa",
        "x" * 1_000_000,
    ]  # fmt: skip


def test_a_cell_has_the_same_hash_in_the_page_as_in_the_kernel(script):
    texts = some_texts()
    hashes = script("sha256.js", "return values[0].map(sha256);", texts)
    assert hashes == [hashlib.sha256(clean(text).encode()).hexdigest() for text in texts]
    assert [digest[:16] for digest in hashes] == [source_hash(text) for text in texts]


# -- shared.js and index.js


SCOPES = """
const entry = (from, name) => ({ from, get: async () => () => ({ name }) });
const own = { '1.0.0': entry('CORE_FEDERATION', 'own') };
const copy = { '9.0.0': entry('other', 'copy'), '1.0.0': entry('@jupyterlab/core', 'copy') };
const application = Object.fromEntries(['one', 'two', 'three', 'four', 'five'].map(name => [name, own]));
"""
"""An application that shares modules, and copies that its extensions share."""


def test_only_the_applications_own_copy_of_a_module_is_taken(script):
    body = f"""
        {SCOPES}
        const scopes = [{{ it: own }}, {{ it: {{ ...copy, ...own }} }}, {{ it: copy }}, {{ it: {{}} }}, {{}}];
        const taken = scope => shared({{ ...application, ...scope }}, 'it').then(it => it.name, error => error.message);
        return Promise.all(scopes.map(taken));
    """
    missing = "this application does not share it"
    assert script("shared.js", body) == ["own", "own", missing, missing, missing]


def test_without_the_applications_modules_there_is_one_error_in_the_console_and_no_bridge(script):
    console = []
    script.page.on("console", lambda message: console.append([message.type, message.text]))
    body = f"""
        {SCOPES}
        const names = ['@jupyterlab/notebook', '@jupyterlab/apputils', '@jupyterlab/coreutils'];
        const all = it => Object.fromEntries(names.map(name => [name, it]));
        const scopes = [{{}}, application, all(copy), all({{}}), {{ ...all(own), [names[2]]: copy }}];
        const made = [];
        for (const scope of scopes) made.push(await plugins({{ ...application, ...scope }}));
        made.push(await plugins({{}}));
        return made;
    """
    assert script("index.js", body) == [[]] * 6
    text = "robota_nb: conversations are not kept in open notebooks here: this application does not share @jupyterlab/"
    assert [[kind, said[: len(text)]] for kind, said in console] == [["error", text]] * 6


# -- magic_line.js


def test_a_name_from_a_stranger_is_one_word_of_a_line_as_the_kernel_reads_it(script):
    names = [
        "Left",
        "The Right One",
        'a "b" \\ c',
        "it's",
        "two\nlines",
        "-x",
        "--at 0",
        "\u2028",
        "x; y",
        "",
        "ünï",
        "a/b:c",
    ]
    words = script("magic_line.js", "return values[0].map(module.word);", names)
    for name, word in zip(names, words, strict=True):
        assert "\n" not in word
        read, end = next_word(word)
        assert (read or "").split() == name.split()
        assert end == len(word)


@pytest.mark.parametrize(
    ("source", "option", "value", "made"),
    [
        ("", "chat", "Left", "%%robota --chat Left\n"),
        (" \n", "model", "m", "%%robota --model m\n"),
        ("%%robota\nhello", "chat", "A B", '%%robota --chat "A B"\nhello'),
        ("%%robota --chat Left -o x\nhi", "chat", "B", "%%robota -o x --chat B\nhi"),
        ("%%robota -c 'Left one' --model=m\nhi", "chat", "B", "%%robota --model=m --chat B\nhi"),
        ('%%robota --chat "a \\" b" -m n\nhi', "model", "m", '%%robota --chat "a \\" b" --model m\nhi'),
        ("%%robota\nhi", "chat", "-x", '%%robota --chat="-x"\nhi'),
        ("%%robota What is it?", "chat", "$&", '%%robota --chat "$&" What is it?'),
        ("%%robota --chat A What is it?\n", "chat", "B", "%%robota --chat B What is it?\n"),
        ("%%robota --fresh  # note\nhi", "chat", "B", "%%robota --chat B --fresh  # note\nhi"),
        ("# note\n\n%%robota\nhi", "chat", "B", "# note\n\n%%robota --chat B\nhi"),
        ("# note\nx = 1\n%%robota\nhi", "chat", "B", None),
        ("# note", "chat", "B", None),
        ("%%robotaX\nhi", "chat", "B", None),
        ("%robota ask hi", "chat", "B", None),
        ("x = 1", "chat", "B", None),
    ],
)
def test_an_option_is_written_into_the_first_line_of_an_ask(script, source, option, value, made):
    assert script("magic_line.js", "return module.withOption(...values);", source, option, value) == made


# -- switcher/diff.js


def common(one, other):
    """How many lines two lists can have in common at most, in order."""
    row = [0] * (len(other) + 1)
    for line in one:
        former, row = row, [0]
        for at, its in enumerate(other):
            row.append(former[at] + 1 if its == line else max(former[at + 1], row[at]))
    return row[-1]


def sides(rows):
    """What a diff says of the first text, and of the second."""
    return [[row["line"] for row in rows if row["kind"] != kind] for kind in ("new", "gone")]


def test_a_diff_has_both_texts_in_it_and_as_many_lines_of_both_as_there_can_be(script):
    rng = random.Random(3)
    lists = lambda: [rng.choices(["a", "b", "", "  c"], k=rng.randrange(1, 12)) for _ in range(400)]
    texts = [lists(), lists()]
    diffs = script(
        "switcher/diff.js",
        "return values[0].map((one, at) => module.diff(one.join('\\n'), values[1][at].join('\\n')));",
        *texts,
    )
    for one, other, rows in zip(*texts, diffs, strict=True):
        one, other = ([] if lines == [""] else lines for lines in (one, other))
        assert sides(rows) == [one, other]
        assert sum(row["kind"] == "same" for row in rows) == common(one, other)


def test_a_diff_of_texts_that_have_little_in_common_does_not_look_for_it_for_ever(script):
    """An exact one would take the square of their length: hours, and gigabytes."""
    counts = script(
        "switcher/diff.js",
        """
        const lines = (count, line) => Array.from({ length: count }, (_, at) => line(at)).join('\\n');
        const pairs = [
            [lines(100000, at => `a${at}`), lines(100000, at => `b${at}`)],
            [lines(100000, at => 'ab'[at % 2]), lines(100001, at => 'ba'[(at >> 1) % 2])],
            [lines(200000, () => 'x'), lines(300000, () => 'x')],
            ['x'.repeat(2000000), 'x'.repeat(2000001)],
        ];
        return pairs.map(([one, other]) => {
            const rows = module.diff(one, other);
            const side = kind => rows.filter(row => row.kind !== kind).map(row => row.line).join('\\n');
            return [side('new') === one, side('gone') === other, rows.length];
        });
        """,
    )
    assert [count[:2] for count in counts] == [[True, True]] * 4
    assert counts[0][2] == 200_000
    assert counts[2][2] == 300_000
