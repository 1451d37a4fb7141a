"""Where a tool runs a notebook and nobody says which: its answers are found by what runs, or the run ends in an error.

The shell is one without a kernel, as some tools have; `test_runners` runs the tools themselves.
"""

import os

import nbformat
import pytest

from robota_nb.core.inside import runtime_of
from robota_nb.errors import KeyMissing, NotebookUnknown
from robota_nb.kernel import extension
from support.notebook import write
from support.tool_shell import ToolShell

LOAD = "%load_ext robota_nb"
ASK = "%%robota -o x\nCapital of France?"
TALK = [LOAD, ASK, "print(x)", "%%robota\nand Peru?"]
CHATS = [
    LOAD,
    "%robota new Left\n%robota chat set temperature=0.5",
    ASK,
    "%robota new Right",
    "%%robota -o x\nOf Peru?",
    "print(x)",
]


@pytest.fixture
def record(connected, server, monkeypatch):
    """Write a notebook, and record what its cells have done with a model."""

    def record(name, *cells, reply="{}: Paris."):
        server.reply = lambda request: reply.format(len(request["messages"]))
        with monkeypatch.context() as here, ToolShell() as other:
            here.setenv("ROBOTA_NB_NOTEBOOK", "none.ipynb")
            other.run(*cells)
            write(connected / name, *cells, metadata={"robota_nb": app(other).manager.snapshot()})
        server.requests.clear()

    return record


@pytest.fixture
def no_key(monkeypatch, server):
    """Call it when all is recorded: from then on there is no key."""

    def no_key():
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
            monkeypatch.delenv(name, raising=False)

    yield no_key
    assert server.requests == []


@pytest.fixture
def shell(connected):
    with ToolShell() as shell:
        yield shell


def app(shell):
    return extension._HOOKED[shell].started


def test_the_recorded_answers_are_shown_without_a_key(record, no_key, shell):
    record("talk.ipynb", *TALK)
    no_key()
    assert shell.run(*TALK) == ("1: Paris.\n", ["1: Paris.", "3: Paris."])


def test_what_ran_before_the_first_ask_is_what_is_recorded_of_it(record, no_key, shell):
    record("talk.ipynb", *TALK)
    record("chats.ipynb", *CHATS)
    no_key()
    printed, shown = shell.run(*CHATS)
    assert shown == ["1: Paris.", "1: Paris."]
    assert [chat.name for chat in app(shell).manager.active_session().chats] == ["Left", "Right"]
    assert len(app(shell).manager.sessions()) == 1
    assert app(shell).manager.active_session().chat("Left").config.params == {"temperature": "0.5"}
    assert printed.endswith("1: Paris.\n")


def test_nothing_is_written_and_no_turn_rides_in_an_output(record, no_key, shell, connected):
    record("chats.ipynb", *CHATS)
    before = (connected / "chats.ipynb").read_bytes()
    no_key()
    shell.run(*CHATS)
    mine = [metadata["robota_nb"] for _, metadata in shell.outputs if metadata.get("robota_nb")]
    riding = [entry for metadata in mine for all_ in metadata.get("sessions", {}).values() for entry in all_.values()]
    assert {entry["kind"] for entry in riding} <= {"effects"}  # which cell of the file is which
    manager = app(shell).manager
    entries = {eid: entry for all_ in manager.snapshot()["sessions"].values() for eid, entry in all_.items()}
    assert {entries[eid]["kind"] for eid in runtime_of(manager).made} <= {"effects"}
    assert (connected / "chats.ipynb").read_bytes() == before


def test_notebooks_that_begin_alike_are_told_from_each_other_as_soon_as_they_differ(record, no_key, shell):
    record("a.ipynb", *TALK[:3], "%%robota\nand Chile?")
    record("b.ipynb", *TALK)
    no_key()
    assert shell.run(*TALK)[1] == ["1: Paris.", "3: Paris."]


def test_copies_that_went_on_differently_are_told_from_each_other(record, no_key, shell, connected):
    record("b.ipynb", *TALK)
    metadata = nbformat.read(connected / "b.ipynb", as_version=4).metadata
    write(connected / "a.ipynb", *TALK[:3], "%%robota\nand Chile?", metadata=metadata)
    no_key()
    assert shell.run(*TALK)[1] == ["1: Paris.", "3: Paris."]
    turns = app(shell).manager.active_session().active_chat.turns
    assert [turn.text for turn in turns] == ["1: Paris.", "3: Paris."]


def test_a_name_that_is_inherited_from_another_kernel_is_not_the_notebook_s(
    record, no_key, shell, monkeypatch, connected
):
    (connected / "sub").mkdir()
    monkeypatch.setenv("JPY_SESSION_NAME", str(write(connected / "sub" / "parent.ipynb", LOAD, "print(1)")))
    no_key()
    shell.run(LOAD)
    with pytest.raises(NotebookUnknown):
        shell.run(ASK)


def test_two_that_differ_in_the_answer_are_an_error_that_names_both(record, no_key, shell):
    record("a.ipynb", *TALK)
    record("b.ipynb", *TALK, reply="Lyon.")
    no_key()
    shell.run(LOAD)
    with pytest.raises(NotebookUnknown, match=r"a\.ipynb and b\.ipynb .*set ROBOTA_NB_NOTEBOOK"):
        shell.run(ASK)


def test_the_one_that_the_user_names_is_the_one(record, no_key, shell, monkeypatch, connected):
    record("a.ipynb", *TALK)
    record("b.ipynb", *TALK, reply="Lyon.")
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(connected / "b.ipynb"))
    no_key()
    assert shell.run(*TALK)[1] == ["Lyon.", "Lyon."]


@pytest.mark.parametrize("asked", [ASK, "%robota ask why?", "%robota new Left\n%robota ask why?"])
def test_without_a_notebook_a_chat_that_names_no_provider_is_not_answered(record, no_key, shell, asked):
    record("talk.ipynb", LOAD, "%%robota\nsomething else")
    no_key()
    shell.run(LOAD)
    with pytest.raises(NotebookUnknown, match="set ROBOTA_NB_NOTEBOOK to the notebook's path"):
        shell.run(asked)
    assert shell.outputs == []


def test_without_a_notebook_python_code_is_not_answered(no_key, shell):
    no_key()
    shell.run(LOAD, "%robota new Left")
    with pytest.raises(NotebookUnknown):
        app(shell).manager.active_session().active_chat.send("why?")


@pytest.mark.parametrize(
    "cells",
    [
        ["%%robota --provider offline\nwhy?"],
        ["%robota chat open Left --provider offline", "%%robota\nwhy?"],
        ["%config RobotaMagics.provider = 'offline'", "%%robota\nwhy?"],
    ],
    ids=["the ask", "the chat", "the configuration"],
)
def test_the_offline_model_answers_who_names_it(alone, shell, cells):
    _, (shown,) = shell.run(LOAD, *cells)
    assert "You said:" in shown


def test_with_a_key_the_recorded_answers_are_shown_all_the_same_and_others_are_asked(record, shell, server):
    record("talk.ipynb", *TALK)
    shell.run(*TALK)
    assert server.requests == []
    assert shell.run("%%robota\nand now?")[1] == ["5: Paris."]


def test_in_strict_mode_the_recorded_answers_are_found_and_others_are_missed(record, no_key, shell, monkeypatch):
    record("talk.ipynb", *TALK)
    no_key()
    monkeypatch.setenv("ROBOTA_NB_REPLAY", "strict")
    assert shell.run(*TALK)[1] == ["1: Paris.", "3: Paris."]


def test_a_chat_that_a_model_has_answered_gets_no_answer_of_the_offline_model(connected, shell, monkeypatch):
    key = os.environ["OPENAI_API_KEY"]
    monkeypatch.delenv("OPENAI_API_KEY")
    talk = connected / "talk.ipynb"
    with monkeypatch.context() as here, ToolShell() as colleague:
        here.setenv("ROBOTA_NB_NOTEBOOK", "new.ipynb")
        colleague.run(LOAD, "%robota new Left")  # begins with what is there without a key
        here.setenv("OPENAI_API_KEY", key)
        colleague.run(ASK)
        write(talk, metadata={"robota_nb": app(colleague).manager.snapshot()})
    monkeypatch.setenv("ROBOTA_NB_STORE", str(connected / "store.sqlite"))
    with ToolShell() as mine:
        mine.run(LOAD, "%robota new Mine")  # so the store knows what is this user's, and that the talk is not
    monkeypatch.setenv("ROBOTA_NB_NOTEBOOK", str(talk))
    shell.run(LOAD, "%robota new Left")
    with pytest.raises(KeyMissing, match="has answered in 'Left'"):
        shell.run("%%robota\nsomething else")
