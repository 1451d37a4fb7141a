"""Every command may stand in a notebook: run again in a fresh kernel, it asks nothing and ends in the same state."""

import json

import pytest

from robota_nb.core.record.fold import SessionState
from robota_nb.magics.commands import COMMANDS
from support.notebook import answers, command, outputs, run, value, write

LOAD = "%load_ext robota_nb"
STORY = [
    LOAD,
    "%robota",
    "%robota replay",
    "%robota replay accept",
    "%robota help chat open",
    "%robota fix",
    "%robota prompts",
    "%robota version",
    "%robota session open Work",
    "%robota session describe All that can be said",
    "%robota new First",
    "%robota chat set temperature=0.2",
    "%%robota\none",
    "%%robota -o answer\ntwo",
    "%robota chat undo",
    "%robota chat redo",
    "%robota chat edit 2 two, but better",
    "%robota chat retry",
    "%robota chat branches",
    "%robota chat checkout 1",
    "%robota ask three",
    "%robota chat compact --keep 1 Keep names.",
    "%robota ask with a summary",
    "%robota chat compact --undo",
    "%robota chat fork --at 1 Second",
    "%%robota\nin the fork",
    "%robota chat rename Renamed",
    "%robota switch First",
    "%robota chat clear",
    "%%robota --format text\nanew",
    "%robota chat open Gone\n%robota ask soon gone",
    "%robota chat delete Gone",
    "%%robota\nafter the deletion",
    "%robota chat log",
    "%robota chat list",
    "%robota chat preview And now?",
    "%robota chat search two",
    "%robota search --all two",
    "%robota chat stats",
    "%robota chat switch First",
    "%robota export talk.md\n%robota export talk.json",
    "%robota import talk.json",
    "%robota session open Other",
    "%robota ask elsewhere",
    "def rows(table: str) -> str:\n    return table",
    "%robota tool add rows\n%robota tool list\n%robota tool ask rows\n%robota tool deny rows\n%robota tool remove rows",
    "%robota tool allow rows\n%robota ask --tool rows with a tool",
    "%robota import talk.md",
    "%robota chat switch First",
    "%robota chat purge 1",
    "%robota session rename Another",
    "%robota session stats",
    "%robota session list",
    "%robota session pause",
    "%robota session resume",
    "%robota session archive",
    "%robota session restore",
    "%robota session open Short\n%robota ask not for long",
    "%robota session terminate",
    "%robota session open Deleted\n%robota ask for a while",
    "%robota session delete Deleted",
    "%robota session open Doomed\n%robota session purge Doomed",
    "%robota endpoint list",
    "%robota endpoint find",
    "%robota endpoint add lab http://127.0.0.1:9/v1 --model m",
    "%robota endpoint key openai",
    "%robota endpoint test offline",
    "%robota session open Work",
    "%%robota\nand at the end",
    "%robota snapshot",
    "%robota snapshot show",
    "%robota snapshot verify",
    "%robota resume",
    "%robota recover",
    "%robota recover --saved",
    "%robota ui",
]


@pytest.fixture
def story(connected):
    return write(connected / "all.ipynb", *STORY)


def state(path):
    """What a reader makes of the snapshot: names, paths, branches, states."""
    told = {}
    for sid, entries in value(path)["sessions"].items():
        record = SessionState(sid)
        record.apply(entries)
        if not record.names and "deleted" in record.sets:
            continue  # it was purged: each run opens one of that name anew
        told[sid] = (
            record.name,
            {key: register.value for key, register in record.sets.items()},
            record.active_chat(),
            {chat.id: (chat.name, chat.deleted, chat.head.value, chat.base) for chat in record.chats.values()},
            sorted(record.nodes),
        )
    return told


@pytest.mark.slow("runs every command, twice")
def test_all_of_them_run_again_without_a_request_and_end_in_the_same_state(story, server):
    run(story)
    assert server.requests
    first, shown = state(story), answers(story)
    for _ in range(2):
        server.requests.clear()
        front = run(story)
        assert server.requests == []
        assert front.requests == 0
        assert answers(story) == shown
        assert state(story) == first
    assert "verified" in command("verify", story).output


def test_they_are_all_in_the_story():
    words = {tuple(line.split()[1:]) for cell in STORY for line in cell.splitlines() if line.startswith("%robota")}
    told = {spec.words for spec in COMMANDS if any(said[: len(spec.words)] == spec.words for said in words)}
    left_out = {("snapshot", "strip")}  # what is not in the notebook any more cannot be found there
    assert {spec.words for spec in COMMANDS} - told == left_out


def test_stripped_conversations_leave_the_notebook_and_come_back_on_request(connected, server):
    path = write(connected / "strip.ipynb", LOAD, "%%robota\none", "%robota snapshot strip", "%%robota\ntwo")
    run(path)
    assert value(path)["sessions"] == {}
    assert "the conversations are out of this notebook" in json.dumps(outputs(path))
    sources = [LOAD, "%%robota\none", "%robota snapshot strip", "%%robota\ntwo", "%robota snapshot"]
    path = write(connected / "back.ipynb", *sources)
    run(path)
    assert "2 turns" in command("verify", path).output
