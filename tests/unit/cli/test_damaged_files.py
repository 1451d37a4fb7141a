"""Each command on each kind of damage: one clear line, an exit code, and every file as it was."""

import json

import pytest

from robota_nb.carriers import file
from robota_nb.core.record.entries import entry_id
from support.git import notebook, talk
from support.notebook import command, content


@pytest.fixture
def sound(tmp_path):
    return notebook(tmp_path / "sound.ipynb", "x = 1", manager=talk("first question", "second question"))


def entries(notebook_):
    (found,) = notebook_["metadata"]["robota_nb"]["sessions"].values()
    return found


def with_markers(text):
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:3], "<<<<<<< HEAD\n", *lines[3:5], "=======\n", ">>>>>>> theirs\n", *lines[5:]])


def without_parent(text):
    changed = json.loads(text)
    found = entries(changed)
    gone = next(eid for eid, entry in found.items() if entry.get("content") == ["first question"])
    del found[gone]
    return json.dumps(changed)


LFS_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 12345\n"
IN_THE_FILE = {
    "conflict markers": (with_markers, "has git conflict markers (line 4); resolve the merge first"),
    "invalid JSON": (lambda text: text.replace(",", ";", 1), "is not JSON"),
    "truncated": (lambda text: text[: len(text) // 2], "is truncated: it ends in the middle"),
    "a Git LFS pointer": (lambda _: LFS_POINTER, "is a Git LFS pointer, not the notebook itself; run 'git lfs pull'"),
    "no notebook": (lambda text: "[]", "is no notebook"),
}
IN_THE_SNAPSHOT = {
    "a missing parent": (without_parent, "is missing"),
    "an edited message": (lambda text: text.replace("re: first", "RE: first"), "the entry was altered"),
    "a newer major": (lambda text: text.replace('"major": 1', '"major": 2'), "upgrade robota-nb"),
    "no snapshot": (lambda text: text.replace('"sessions": {', '"sessions": [], "was": {'), "expected an object"),
}
DAMAGE = {**IN_THE_FILE, **IN_THE_SNAPSHOT}
COMMANDS = {
    "show": ("show", "bad"),
    "show as JSON": ("show", "--json", "bad"),
    "verify": ("verify", "bad"),
    "check": ("check", "bad"),
    "settle": ("settle", "bad"),
    "diff, before": ("diff", "bad", "sound"),
    "diff, after": ("diff", "sound", "bad"),
    "merge, base": ("merge", "bad", "sound", "other"),
    "merge, ours": ("merge", "sound", "bad", "other"),
    "merge, theirs": ("merge", "sound", "other", "bad"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(("damage", "says"), DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_is_said_in_one_line_and_every_file_stays_as_it_is(sound, tmp_path, damage, says, words):
    text = sound.read_text(encoding="utf-8")
    (tmp_path / "bad.ipynb").write_text(damage(text), encoding="utf-8")
    (tmp_path / "other.ipynb").write_text(text.replace("x = 1", "x = 2"), encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    result = command(*(tmp_path / f"{word}.ipynb" if (tmp_path / f"{word}.ipynb").exists() else word for word in words))
    assert result.exit_code == (2 if words[0] == "merge" else 1)
    assert says in result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert str(tmp_path) not in result.output
    assert isinstance(result.exception, SystemExit)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("word", ["strip", "run"])
@pytest.mark.parametrize(("damage", "says"), IN_THE_FILE.values(), ids=IN_THE_FILE)
def test_what_is_no_notebook_is_neither_stripped_nor_run(sound, damage, says, word):
    sound.write_text(damage(sound.read_text(encoding="utf-8")), encoding="utf-8")
    before = sound.read_bytes()
    result = command(word, sound)
    assert result.exit_code == 1
    assert says in result.output
    assert result.output.count("\n") == 1
    assert sound.read_bytes() == before


@pytest.mark.parametrize("damage", [damage for damage, _ in IN_THE_SNAPSHOT.values()], ids=IN_THE_SNAPSHOT)
def test_strip_takes_out_a_snapshot_that_nobody_can_read(sound, damage):
    sound.write_text(damage(sound.read_text(encoding="utf-8")), encoding="utf-8")
    assert command("strip", sound).exit_code == 0
    assert content(sound)["metadata"] == {}


@pytest.mark.parametrize("words", [*COMMANDS.values(), ("strip", "bad")], ids=[*COMMANDS, "strip"])
def test_unknown_kinds_and_a_newer_minor_are_no_damage_and_are_kept(sound, tmp_path, words):
    changed = content(sound)
    unknown = {"kind": "note", "n": 50, "text": "from later"}
    entries(changed)[entry_id(unknown)] = unknown
    changed["metadata"]["robota_nb"].update(format={"major": 1, "minor": 9}, more=["x"])
    for name in ("bad", "other"):
        file.write_notebook(tmp_path / f"{name}.ipynb", changed)
    result = command(*(tmp_path / f"{word}.ipynb" if (tmp_path / f"{word}.ipynb").exists() else word for word in words))
    assert result.exit_code == 0, result.output
    assert content(tmp_path / "other.ipynb") == changed
    if words[0] != "strip":
        assert content(tmp_path / "bad.ipynb") == changed
