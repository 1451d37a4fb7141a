"""What `robota-nb diff` says, and what `git diff` shows once a repository is set up."""

import json
import os
import sys

import pytest

from robota_nb.carriers import file
from support.git import Repository, held, needs_git, notebook, only_chat, restored, save, talk
from support.notebook import command, content, edit

pytestmark = pytest.mark.usefixtures("needs_git")
_ = needs_git


@pytest.fixture
def before(tmp_path):
    """A notebook in which three things were asked."""
    return notebook(tmp_path / "a.ipynb", "x = 1", manager=talk("a", "b", "c"))


@pytest.fixture
def after(before, tmp_path):
    """A copy of it."""
    path = tmp_path / "b.ipynb"
    path.write_bytes(before.read_bytes())
    return path


def do(path, act):
    """Do something to the one chat of a notebook."""
    manager = restored(path)
    act(only_chat(manager))
    save(manager, path)


STORIES = {
    "a turn": (lambda chat: chat.send("d"), ["+ S ▸ A 4: d → re: d"]),
    "an edit": (lambda chat: chat.edit(3, "x"), ["~ S ▸ A 3: x → re: x (was: c → re: c)"]),
    "an earlier edit": (
        lambda chat: chat.edit(2, "x"),
        ["~ S ▸ A 2: x → re: x (was: b → re: b)", "- S ▸ A 3: taken back: c → re: c"],
    ),
    "an undo": (lambda chat: chat.undo(), ["- S ▸ A 3: taken back: c → re: c"]),
    "a turn beside the path": (
        lambda chat: (chat.send("d"), chat.undo()),
        ["+ S ▸ A ⎇: d → re: d"],
    ),
    "a purge": (lambda chat: chat.purge(2), ["~ S ▸ A 2: purged"]),
    "a new name": (lambda chat: chat.rename("B"), ["~ S ▸ B: renamed, was A"]),
    "settings": (
        lambda chat: chat.configure(temperature=0.5, system="brief"),
        ["~ S ▸ A: system = brief, temperature = 0.5"],
    ),
    "a deletion": (lambda chat: chat.delete(), ["- S ▸ A: deleted"]),
    "a new chat": (lambda chat: chat.session.create_chat("B").send("x"), ["+ S ▸ B: added", "+ S ▸ B 1: x → re: x"]),
    "a new session": (lambda chat: chat.session.manager.create_session("u", "T"), ["+ T: added"]),
    "another name for the session": (lambda chat: chat.session.rename("T"), ["~ T: renamed, was S"]),
    "what has no line of its own": (lambda chat: chat.session.describe("x"), ["~ S: 1 entry changed"]),
}


@pytest.mark.parametrize(("act", "said"), STORIES.values(), ids=STORIES)
def test_what_was_done_is_said_in_a_line_each(before, after, act, said):
    do(after, act)
    result = command("diff", before, after)
    assert result.exit_code == 0
    assert sorted(result.output.splitlines()) == sorted(said)
    assert command("diff", "--exit-code", before, after).exit_code == 1


BACK = {
    "a turn": (lambda chat: chat.send("d"), ["- S ▸ A 4: d → re: d"]),
    "an undo": (lambda chat: chat.undo(), ["+ S ▸ A 3: put back: c → re: c"]),
    "a turn beside the path": (lambda chat: (chat.send("d"), chat.undo()), ["- S ▸ A ⎇: d → re: d"]),
    "a deletion": (lambda chat: chat.delete(), ["+ S ▸ A: restored"]),
    "a session": (lambda chat: chat.session.manager.create_session("u", "T"), ["- T: removed"]),
}


@pytest.mark.parametrize(("act", "said"), BACK.values(), ids=BACK)
def test_the_other_way_round_it_is_undone(before, after, act, said):
    do(after, act)
    assert command("diff", after, before).output.splitlines() == said


def test_a_purge_beside_the_path_is_said_without_what_was_purged(before, after, tmp_path):
    do(before, lambda chat: chat.fork("F", at=2))
    after.write_bytes(before.read_bytes())
    manager = restored(after)
    fork = manager.sessions("u")[0].chat("F")
    fork.send("secret")
    fork.undo()
    save(manager, before)
    fork.redo()
    fork.purge(3)
    fork.undo()
    save(manager, after)
    said = command("diff", before, after).output
    assert said == "~ S ▸ F ⎇: purged\n"


def test_the_same_conversations_are_the_same_whatever_becomes_of_the_cells_or_of_old_pointers(before, after):
    edit(after, 0, "x = 2")
    manager = restored(after)
    only_chat(manager).undo()
    manager.flush("u")
    superseded = manager.snapshot("u")["sessions"]
    only_chat(manager).redo()
    for path in (before, after):
        save(manager, path)
    file.FileCarrier(after).write(superseded, {})
    assert held(before) != held(after)
    result = command("diff", "--exit-code", before, after)
    assert (result.exit_code, result.output) == (0, "the conversations are the same\n")


def test_json_has_the_whole_texts(before, after):
    long = "why\n" * 200
    do(after, lambda chat: chat.edit(3, long))
    assert len(command("diff", before, after).output) < 400
    (change,) = json.loads(command("diff", "--json", before, after).output)
    assert change == {
        "session": "S", "chat": "A", "change": "edited", "turn": 3, "prompt": long, "reply": f"re: {long}",
        "was": {"prompt": "c", "reply": "re: c"},
    }  # fmt: skip
    assert json.loads(command("diff", "--json", before, before).output) == []


def test_control_characters_are_not_shown(before, after):
    do(after, lambda chat: chat.send("\x1b[31mred\x07\x1b]0;title\x07 alert"))
    assert command("diff", before, after).output == "+ S ▸ A 4: red alert → re: red alert\n"


def test_the_null_device_is_no_notebook(before):
    said = command("diff", os.devnull, before).output.splitlines()
    assert said[0] == "+ S: added"
    assert "+ S ▸ A 3: c → re: c" in said
    assert command("diff", before, os.devnull).output.startswith("- S: removed\n")


def test_what_rides_in_outputs_is_compared_as_well(before, after):
    changed = content(after)
    sessions = changed["metadata"].pop("robota_nb")["sessions"]
    metadata = {"robota_nb": {"sessions": sessions}}
    changed["cells"][0]["outputs"] = [{"output_type": "display_data", "data": {}, "metadata": metadata}]
    file.write_notebook(after, changed)
    assert command("diff", "--exit-code", before, after).exit_code == 0


# -- in git


@pytest.fixture
def repository(tmp_path, before):
    repository = Repository(tmp_path / "repository")
    repository.set_up()
    repository.commit(demo=before.read_bytes())
    return repository


def test_git_diff_shows_cells_as_they_stand_and_conversations_as_people_read_them(repository):
    path = repository.root / "demo.ipynb"
    edit(path, 0, "x = 2")
    do(path, lambda chat: chat.edit(3, "line 1\nline 2"))
    lines = repository.git("diff", "-U0").splitlines()
    changed = [line for line in lines if line[0] in "+-" and not line.startswith(("---", "+++"))]
    assert '-    "x = 1"' in changed
    assert '+    "x = 2"' in changed
    conversations = [line for line in changed if "x = " not in line]
    edited = ["-> c", "-  re: c", "+> line 1", "+> line 2", "+  re: line 1", "+  line 2"]
    assert conversations == [*edited, "+⎇ after 2", "+⎇ > c", "+⎇   re: c"]
    assert "e_" not in "".join(changed)


def test_git_log_shows_what_was_asked(repository):
    assert "+> b" in repository.git("log", "-p", "--", "demo.ipynb")


@pytest.mark.parametrize("damage", ["truncated", "markers", "altered", "newer", "nothing"])
def test_git_diff_shows_what_cannot_be_read_as_it_is(repository, damage):
    path = repository.root / "demo.ipynb"
    text = path.read_text(encoding="utf-8")
    changed = {
        "truncated": text[: len(text) // 2],
        "markers": f"<<<<<<< HEAD\n{text}",
        "altered": text.replace('"re: b"', '"RE: B"'),
        "newer": text.replace('"major": 1', '"major": 2'),
        "nothing": "",
    }[damage]
    path.write_text(changed, encoding="utf-8")
    said = repository.git("diff", "--text")
    assert "fatal" not in said
    if changed:
        assert changed.splitlines()[len(changed.splitlines()) // 3] in said


def test_a_notebook_without_conversations_is_shown_byte_for_byte(repository, tmp_path):
    plain = notebook(tmp_path / "plain.ipynb", "é = 1")
    done = repository.run(sys.executable, "-m", "robota_nb", "git", "textconv", plain)
    assert done.stdout == plain.read_bytes()


def test_difftool_runs_our_diff(repository):
    do(repository.root / "demo.ipynb", lambda chat: chat.send("d"))
    tool = f"'{sys.executable}' -P -m robota_nb diff"
    assert "+ S ▸ A 4: d → re: d" in repository.git("difftool", "--no-prompt", "--extcmd", tool)


def test_conversations_where_there_were_none(tmp_path, before):
    without = notebook(tmp_path / "without.ipynb", "x")
    assert "the same" in command("diff", without, without).output
    assert command("diff", without, before).output.splitlines()[:2] == ["+ S: added", "+ S ▸ A: added"]
