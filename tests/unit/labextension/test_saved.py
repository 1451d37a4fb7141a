"""What the front end reads of a notebook by itself, before any kernel: it is what the kernel would say."""

import json
import random

import pytest

from robota_nb.core.inside import view_of
from robota_nb.core.record.names import Names
from robota_nb.core.record.nodes import Stamp
from robota_nb.core.record.snapshot import parse
from robota_nb.core.rules import history
from robota_nb.core.users import default_user
from robota_nb.errors import RobotaError
from robota_nb.switcher import rows
from robota_nb.switcher.view_state import ViewState
from support.core import new_manager
from support.hub import Reader, hub_of
from support.node import in_node
from support.operations import OPERATIONS, view_again
from support.paths import ROOT, TESTS

GOLDEN = sorted(TESTS.glob("golden/*.json"))
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))

READ = """
    const { SavedChannel } = await import(`${SOURCE}/saved.js`);
    const { Sessions } = await import(`${SOURCE}/fold.js`);
    const { ViewState } = await import(`${SOURCE}/switcher/view_state.js`);
    const read = async value => {
        const channel = new SavedChannel(new Sessions(value));
        const view = new ViewState();
        const answers = [];
        channel.onMessage(message => (message.op === 'answer' ? answers.push(message) : view.update(message)));
        const tell = async message => {
            channel.send(message);
            await null;
            await null;
            if (view.turns.length < view.count || Object.keys(view.turns).length < view.count) {
                channel.send({ op: 'want', first: 0, last: view.count });
                await null;
                await null;
            }
        };
        const seen = () => structuredClone({
            session: view.session, chat: view.chat, shown: view.shown,
            status: view.status.chat, of: view.status.session, turns: view.turns
        });
        await tell({ op: 'hello', full: true });
        const found = { first: seen(), sessions: structuredClone(view.sessions), chats: {}, branches: {}, answers };
        for (const { id: session } of found.sessions) {
            await tell({ op: 'do', id: '1', what: 'session.open', session });
            const ids = [...view.chats.keys()];
            for (const id of ids) {
                await tell({ op: 'do', id: '2', what: 'chat.switch', chat: id });
                found.chats[id] = { row: view.chats.get(id), ...seen() };
                for (const turn of seen().turns.flatMap(({ before, after }) => [before, after]).filter(Boolean)) {
                    await tell({ op: 'do', id: '2', what: 'chat.switch', chat: id });
                    await tell({ op: 'do', id: '3', what: 'branch', chat: id, turn });
                    found.branches[turn] = seen().turns.map(row => row.id);
                }
            }
        }
        return found;
    };
"""


def read_in_node(*snapshots):
    return in_node(f"{READ} return Promise.all(values.map(read));", *snapshots)


def as_the_kernel_says(snapshot):
    """What `READ` finds, by the kernel's own rules."""
    manager = new_manager()
    manager.adopt(parse(snapshot))
    state = ViewState(manager)
    state.update("", everything=True, chats=set(), full=True)
    active = manager.active_session()

    def seen(session, cid):
        chat = session.chat(cid) if cid else None
        turns = [rows.turn(session, shown) for shown in rows.path(chat)] if chat else []
        return {
            "session": session.id, "chat": cid, "shown": cid, "status": chat.name if chat else None, "of": session.name,
            "turns": turns,
        }  # fmt: skip

    empty = {"session": None, "chat": None, "shown": None, "status": None, "of": None, "turns": []}
    found = {"first": seen(active, active.active_id) if active else empty, "sessions": rows.sessions(manager)}
    found["chats"] = {
        chat.id: {"row": rows.chat(session, chat.id), **seen(session, chat.id)}
        for session in manager.sessions()
        for chat in session.chats
    }
    found["branches"] = {}
    for session in manager.sessions():
        for chat in session.chats:
            for row in found["chats"][chat.id]["turns"]:
                for turn in filter(None, (row["before"], row["after"])):
                    path = history.path_to(view_of(chat), chat.id, turn, to_end=True)
                    found["branches"][turn] = [node.id for node in path]
    return json.loads(json.dumps(found))


def agree(snapshots):
    for snapshot, read in zip(snapshots, read_in_node(*snapshots), strict=True):
        assert all("error" not in answer for answer in read.pop("answers"))
        assert read == as_the_kernel_says(snapshot)


def golden(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_golden_files_and_the_notebooks_are_read_as_the_kernel_reads_them():
    values = [golden(path) for path in GOLDEN]
    held = [golden(path)["metadata"].get("robota_nb") for path in NOTEBOOKS]
    values = [value for value in values if "format" in value] + [value for value in held if value]
    assert len(values) > 15
    agree(values)


def lived(seed, steps):
    """The snapshot of a manager to whose chats anything was done."""
    manager, pick = new_manager(), random.Random(seed)
    manager.create_session(name="S").create_chat("A").send("first")
    view = Reader(hub_of(manager))
    for _ in range(steps):
        try:
            pick.choice([one for one in OPERATIONS if one is not view_again])(manager, view, pick)
        except (RobotaError, IndexError):  # there is nothing of that kind, or it may not be
            continue
    view.fence()
    view.leave()
    manager.flush()
    return json.loads(json.dumps(manager.snapshot(default_user())))


def test_whatever_was_done_is_read_as_the_kernel_reads_it(scale):
    agree([lived(seed, steps=60) for seed in range(scale(fast=12, all=40, long=400))])


ALIKE = [
    ["A", "a", "A (2)", "А", "Aa", "Straße", "STRASSE", "ﬁ", "fi", "a\u0301", "á"],  # noqa: RUF001 - that is the point
    ["x\u200by", "xy", "x y", "x  y", "ΟΔΟΣ", "οδος", "İ", "i", "ı", "I", "Ꭰ", "ꭰ", "D", "한글", "한글"],  # noqa: RUF001
]


def test_names_that_look_alike_are_told_apart_as_the_kernel_does_it():
    for given in ALIKE:
        named = {f"id{at}": [(Stamp(at + 1, ""), name)] for at, name in enumerate(given)}
        shown = in_node(
            "const { shownNames } = await import(`${SOURCE}/names.js`); return [...shownNames(values[0])];",
            [[f"id{at}", name] for at, name in enumerate(given)],
        )
        assert dict(shown) == Names(named).shown


# -- what cannot be read

SID, EID, CID = "s_" + "a" * 32, "e_" + "b" * 32, "c_" + "c" * 32
CHAT = {"kind": "chat", "n": 2, "at": "", "chat": CID, "name": "A", "config": EID}
CONFIG = {"kind": "config", "provider": "offline"}


def of(*entries, **more):
    ids = [f"e_{at:032x}" for at in range(len(entries))]
    return {"format": {"major": 1}, "sessions": {SID: dict(zip(ids, entries, strict=True)) | more}}


UNREADABLE = {
    "text": "x",
    "a list": [],
    "no format": {"sessions": {}},
    "a later format": {"format": {"major": 2}, "sessions": {}},
    "sessions that are none": {"format": {"major": 1}, "sessions": []},
    "a session's id": {"format": {"major": 1}, "sessions": {"s_1": {}}},
    "an entry that is none": of(None),
    "no kind": of({}),
    "null": of({"kind": "later", "x": None}),
    "a fraction": of({"kind": "later", "x": 0.5}),
    "an odd key": of({"kind": "later", "X": 1}),
    "too deep": of({"kind": "later", "x": [[[[[[[[]]]]]]]]}),
    "too many": of(*[{"kind": "later"}] * 20_001),
    "too large": of(*[{"kind": "later", "x": "y" * 500_000}] * 41),
    "a long message": of(
        {"kind": "message", "n": 1, "at": "", "chat": CID, "role": "user", "content": ["x" * 1_000_001]}
    ),
    "no name": of({"kind": "session", "n": 1, "at": ""}),
    "a name in two lines": of({"kind": "session", "n": 1, "at": "", "name": "a\nb"}),
    "a number that is none": of({"kind": "session", "n": 0, "at": "", "name": "a"}),
    "a number far ahead": of({"kind": "session", "n": 2**40, "at": "", "name": "a"}),
    "settings that are not there": of({**CHAT}),
    "settings of another kind": of(CHAT, **{EID: {"kind": "session", "n": 1, "at": "", "name": "a"}}),
    "a role": of({"kind": "message", "n": 1, "at": "", "chat": CID, "role": "system", "content": []}),
    "content": of({"kind": "message", "n": 1, "at": "", "chat": CID, "role": "user", "content": "text"}),
    "a name that is set": of({"kind": "set", "n": 1, "at": "", "key": "name", "value": ""}),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_is_no_snapshot_is_refused_whole(what):
    assert in_node(REFUSED, UNREADABLE[what]) is True
    with pytest.raises(RobotaError):
        parse(UNREADABLE[what])


REFUSED = """
    const { Sessions } = await import(`${SOURCE}/fold.js`);
    const { SnapshotError } = await import(`${SOURCE}/snapshot.js`);
    try {
        return new Sessions(values[0]).living.length;
    } catch (error) {
        return error instanceof SnapshotError;
    }
"""


def test_a_circle_of_what_was_purged_ends():
    one, other = f"e_{1:032x}", f"e_{2:032x}"
    place = {"kind": "purged", "n": 3, "chat": CID, "role": "assistant"}
    stubs = {one: {**place, "parent": other}, other: {**place, "role": "tool", "parent": one}}
    head = {"kind": "head", "n": 4, "at": "", "chat": CID, "message": one}
    (read,) = read_in_node(of(CHAT, **{EID: CONFIG}, **stubs, **{"e_" + "d" * 32: head}))
    assert read["first"]["turns"] == []


def test_what_was_said_is_found_in_all_chats_and_branches():
    manager = new_manager()
    session = manager.create_session(default_user(), "S")
    chat = session.create_chat("A")
    chat.send("Savitzky and\nGolay")
    chat.send("other")
    session.create_chat("B").send("SAVITZKY")
    chat.undo()
    said = in_node(
        f"""{READ}
        const channel = new SavedChannel(new Sessions(values[0]));
        const answers = [];
        channel.onMessage(message => answers.push(message));
        ['savitzky', 'other', 'nowhere'].forEach(text => channel.send({{ op: 'do', id: text, what: 'search', text }}));
        await null;
        return answers.map(({{ hits }}) => hits.map(({{ name, number, text }}) => [name, number, text]));""",
        json.loads(json.dumps(manager.snapshot(default_user()))),
    )
    assert said == [[["B", 1, "SAVITZKY"], ["A", 1, "Savitzky and Golay"]], [["A", 0, "other"]], []]


def test_what_is_only_read_changes_nothing():
    snapshot = json.loads(json.dumps(lived(1, steps=5)))
    said = in_node(
        f"""{READ}
        const [value] = values;
        const before = JSON.stringify(value);
        const channel = new SavedChannel(new Sessions(value));
        const answers = [];
        channel.onMessage(message => answers.push(message));
        const all = 'ask chat.new chat.rename chat.delete chat.fork chat.set session.new session.delete'.split(' ');
        const {{ chat }} = channel;
        all.forEach((what, at) => channel.send({{ op: 'do', id: String(at), what, chat, text: 'x', name: 'x' }}));
        await null;
        return [answers.map(answer => Boolean(answer.error)), JSON.stringify(value) === before];""",
        snapshot,
    )
    assert said == [[True] * 8, True]
