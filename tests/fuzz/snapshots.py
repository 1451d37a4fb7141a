"""What notebooks hold: anything is refused in one line, or it can be read, shown, gone on with, and written again."""

import json
import os
import re
import tempfile
from pathlib import Path
from random import Random

from robota_nb.carriers import file, output
from robota_nb.core import chat_format as exchange
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.ports import Finish, TextDelta
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.relations import without_dangling
from robota_nb.core.rules.request import messages, sent_before
from robota_nb.display import report
from robota_nb.errors import InvalidName, RobotaError, SnapshotError
from robota_nb.switcher.view_state import ViewState

from . import mutations
from .harness import REFUSED, Target


class Echo:
    """A registry of one provider, which says what it was asked."""

    def default(self):
        return "echo", "m"

    def get(self, name):
        return self

    def stream(self, request):
        yield TextDelta(json.dumps(request.messages[-1]["content"]))
        yield Finish(reason="stop")


def refusal(error):
    """Return why something was refused, without what differs from one case to the next."""
    text = str(error)
    assert text
    assert "\n" not in text
    why = re.sub("[0-9a-f]{8,}|[0-9]+", "", text)
    return f"{REFUSED}: {why[:60]}"


def taken_over(sessions):
    """Return a manager that holds parsed sessions."""
    manager = SessionManager(providers=Echo(), max_active_sessions=0, max_chats=0, now=lambda: "2026-01-01T00:00:00Z")
    manager.adopt(sessions, "u")
    return manager


def parsed(value):
    """Parse a value, which stays what it was."""
    before = json.dumps(value)
    try:
        return snapshot.parse(value)
    finally:
        assert json.dumps(value) == before


# -- a snapshot


def a_snapshot(case):
    value = json.loads(case)
    try:
        sessions = parsed(value)
    except SnapshotError as error:
        return refusal(error)
    assert json.loads(json.dumps(snapshot.dump(sessions)))["sessions"] == value["sessions"]
    manager = taken_over(sessions)
    assert ledger_of(manager).records("u") == sessions
    assert_folds_in_any_order(sessions, Random(case))
    said = read_all(manager)
    assert ledger_of(manager).records("u") == sessions  # to read changes nothing
    return f"{said} {go_on(manager)}"


def assert_folds_in_any_order(sessions, rng):
    for sid, entries in sessions.items():
        shuffled = rng.sample(list(entries.items()), len(entries))
        whole, parts, cut = SessionState(sid), SessionState(sid), rng.randint(0, len(entries))
        whole.apply(entries)
        parts.apply(dict(shuffled[:cut]))
        parts.apply(dict(shuffled[cut:]))
        assert state_of(whole) == state_of(parts)


def state_of(state):
    """Return what a fold says."""
    chats = [
        (
            chat.id,
            chat.name,
            chat.deleted,
            chat.base,
            chat.head.value,
            [n.id for n in state.path(chat.head.value).nodes],
        )
        for chat in state.chats_by_age()
    ]
    configs = [state.chat_config(chat.id).settings() for chat in state.chats_by_age()]
    return state.name, state.active_chat(), chats, configs, sorted(state.nodes), state.n


def read_all(manager):
    """Read and show whatever there is; return about how much that is."""
    value = manager.snapshot("u")
    snapshot.parse(value)
    shown = [report.tree(value), report.sessions(manager), report.stats(manager.stats("u")), repr(manager)]
    shown += [manager._repr_html_(), json.dumps(manager.to_records("u"))]
    count = 0
    for session in manager.sessions("u"):
        shown += [session.name, session.state, session.description, repr(session), session._repr_html_()]
        assert not any(
            view_of(session).record.text(e)
            for e, entry in view_of(session).record.entries.items()
            if entry["kind"] == "purged"
        )
        shown += [report.chats(session), report.hits(session.search("e"), "e"), repr(session.stats)]
        for chat in session.chats:
            count += len(chat.turns)
            shown += [repr(chat), chat._repr_html_(), report.log(chat), report.branches(chat), repr(chat.changes)]
            shown += [repr(part) for turn in chat.turns for part in (turn, turn.prompt, turn.reply)]
            shown += [turn._repr_html_() for branch in chat.branches for turn in branch.turns]
            record, path = view_of(chat).record, view_of(chat).path(chat.id)
            shown += [json.dumps([messages(record, sent_before(record, path)), chat.config.settings()])]
            exchange.to_markdown(chat)
            assert exchange.from_json(exchange.to_json(chat), "x")
            preview(chat)
    told = ViewState(manager)
    shown += [json.dumps(told.update("saved", everything=True, chats=set(), full=True), allow_nan=False)]
    shown += [json.dumps(told.everything(), allow_nan=False)]
    for text in shown:
        text.encode()
    return f"{len(manager.sessions('u'))} sessions, {min(count, 9)} turns"


def preview(chat):
    try:
        report.preview(chat.preview("x"))
    except RobotaError as error:  # what it is asked with cannot be sent
        refusal(error)


def go_on(manager):
    """Do what a user does next, in each session; return what came of it."""
    said = []
    for session in manager.sessions("u"):
        for act in ACTS:
            try:
                act(session)
            except RobotaError as error:
                said.append(type(error).__name__)
                refusal(error)
        manager.flush("u")
        snapshot.parse(manager.snapshot("u"))
    return " ".join(said)


ACTS = (
    lambda session: session.active_chat and session.active_chat.undo(),
    lambda session: session.active_chat and session.active_chat.send("and now?"),
    lambda session: session.active_chat and session.active_chat.redo(),
    lambda session: session.active_chat and session.active_chat.checkout(1),
    lambda session: session.active_chat and session.active_chat.fork("a fork"),
    lambda session: session.create_chat().send("anew"),
    lambda session: session.chats[0].purge(1),
    lambda session: session.chats[0].retry(),
    lambda session: session.chats[0].delete(),
)


# -- several snapshots


def merged(case):
    values = json.loads(case)
    if not isinstance(values, list) or len(values) < 3:
        return REFUSED
    try:
        one, two, three = (snapshot.check_sessions(value.get("sessions")) for value in values[:3])
    except (SnapshotError, AttributeError) as error:
        return refusal(error)
    merge = snapshot.merge
    union = merge(one, two, three)
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == union == merge(one, merge(two, three)) == merge(three, two, one)
    assert merge(one, one) == one
    assert merge(union, two) == union
    whole = {sid: without_dangling(entries) for sid, entries in union.items()}
    assert {sid: without_dangling(entries) for sid, entries in whole.items()} == whole
    try:
        snapshot.parse(snapshot.dump(whole))
    except SnapshotError as error:
        assert "is missing" not in str(error)
        return refusal(error)
    for sid, entries in whole.items():
        states = []
        for order in ((one, two, three), (three, two, one)):
            state = SessionState(sid)
            for part in order:
                state.apply({eid: entry for eid, entry in part.get(sid, {}).items() if eid in entries})
            states.append(state_of(state))
        assert states[0] == states[1]
    return f"{len(union)} sessions, closed: {whole == union}, apart: {min(map(len, (one, two, three)))}"


# -- a notebook's file


def a_file(case):
    path = Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}.ipynb"
    path.write_bytes(case)
    try:
        notebook = file.load(path)
    except SnapshotError as error:
        return refusal(error)
    finally:
        path.unlink()
    before = json.dumps(notebook)
    try:
        saved, riding = output.read(notebook)
        there = snapshot.merge(saved, riding)
        left = output.settle(notebook)
    except SnapshotError as error:
        assert json.dumps(notebook) == before
        return refusal(error)
    assert snapshot.merge(*output.read(notebook)) == there
    assert output.settle(notebook) == left
    read_all(taken_over(there))
    try:
        file.write_notebook(path, notebook)
    except SnapshotError as error:
        assert not path.exists()
        return f"not written: {refusal(error)}"
    try:
        again = file.load(path)
        assert snapshot.merge(*output.read(again)) == there
    finally:
        path.unlink()
    return f"{len(saved)} sessions, {len(riding)} riding, {min(left, 3)} left"


def some_file(rng, case, other):
    """Change the JSON of a notebook, or some of its bytes."""
    if rng.random() < 0.1 or not (is_json(case) and is_json(other)):
        return mutations.as_bytes(rng, case, other)
    return mutations.as_snapshot(rng, case, other)


def smaller_file(case):
    return (mutations.smaller_snapshot if is_json(case) else mutations.shorter)(case)


def is_json(case):
    try:
        return isinstance(json.loads(case), dict)
    except (ValueError, RecursionError):
        return False


# -- a chat's file


def an_export(case):
    text = mutations.decoded(case)
    try:
        talk = exchange.from_markdown(text, "chat.md")
    except (SnapshotError, InvalidName) as error:
        return refusal(error)
    assert_comes_back(talk)
    return f"{min(len(talk.turns), 4)} turns, {min(len(talk.settings), 3)} settings"


def a_talk(case):
    value = json.loads(case)
    try:
        name, settings, turns = value
        name = exchange.make.check_name(name, "chat")
        settings = exchange.settings_from(settings)
        turns = [(asked + "", answered + "", {**ending}) for asked, answered, ending in turns]
    except (TypeError, ValueError, AttributeError, InvalidName, SnapshotError):
        return REFUSED
    assert_comes_back(exchange.Talk(name=name, settings=settings, turns=turns))
    return f"{min(len(turns), 4)} turns, {min(len(settings), 3)} settings"


def assert_comes_back(talk):
    """Add a chat with these turns, write it, and read it again."""
    manager = taken_over({})
    session = manager.create_session("u", "S")
    chat, is_new = exchange.add(session, talk)
    assert is_new
    text = exchange.to_markdown(chat)
    assert exchange.is_export(text.encode(), ".md")
    for variant in (text, text.replace("\r", "").replace("\n", "\r\n") if "\r" not in text else text):
        again = exchange.from_markdown(variant, "chat.md")
        assert again.name == chat.name
        assert {key: text for key, text in again.settings.items() if text} == chat.config.settings()
        assert [turn[:2] for turn in again.turns] == [tuple(map(exchange.make.clean, turn[:2])) for turn in talk.turns]
        assert exchange.add(session, again) == (chat, False) or not talk.turns
    parsed(manager.snapshot("u"))
    chat._repr_html_()


TARGETS = [
    Target("snapshot", mutate=mutations.as_snapshot, check=a_snapshot, smaller=mutations.smaller_snapshot),
    Target("merge", mutate=mutations.as_snapshot, check=merged, smaller=mutations.smaller_snapshot),
    Target("file", mutate=some_file, check=a_file, smaller=smaller_file),
    Target("export", mutate=mutations.as_text, check=an_export),
    Target("talk", mutate=mutations.as_json, check=a_talk, smaller=mutations.smaller_json),
]
