"""Snapshots as a stranger may have written them: what is refused, and what is read and then is nothing but text."""

import json
import socket
from contextlib import contextmanager

from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.kinds import purged_stub

SID, CHAT = "s_" + "0" * 32, "c_" + "1" * 32
AT = "2026-01-01T00:00:00Z"
ID = "e_" + "2" * 32
OSC, BIDI, ZERO = "\x1b]0;owned\x07", "\u202egnp.exe\u202c", "\u200bzero\u2060width\ufeff"
MARKUP = "<img src=x onerror=window.pwned=1>"
COMMAND = '<button data-commandlinker-command="apputils:print" data-commandlinker-args="{}">x</button>'
CLOBBER = "<form id=main><input name=attributes></form><a id=jupyterapp name=commands>x</a>"


def talk(
    *,
    names=("Work", "Talk"),
    provider="openai",
    model="m",
    system="",
    params=None,
    sets=(),
    prompt="asked",
    answer="answered",
    cell=None,
    more=(),
    images=(),
    **said,
):
    """Genuine entries of a chat with one turn, in which a stranger has said what they like."""
    config = {
        "kind": "config",
        "provider": provider,
        "model": model,
        "system": [system] * bool(system),
        "params": params or {},
    }
    config = {key: value for key, value in config.items() if value not in ([], {})}
    session = make.session_entry(n=1, at=AT, name=names[0])
    chat = make.chat_entry(n=2, at=AT, chat=CHAT, name=names[1], config=make.entry_id(config))
    pictures = {make.entry_id(image): image for image in images}
    user = make.user_message(
        n=3, at=AT, chat=CHAT, parent=None, text=prompt, attached=[{"image": eid} for eid in pictures], cell=cell
    )
    reply = {
        "kind": "message", "n": 4, "at": AT, "chat": CHAT, "role": "assistant", "parent": make.entry_id(user),
        "content": [answer], "config": make.entry_id(config), "model": "m-1", "finish_reason": "stop", **said,
    }  # fmt: skip
    settings = [
        make.set_entry(n=n, at=AT, chat=CHAT, key=key, value=text)
        for n, (key, text) in enumerate(dict(sets).items(), 5)
    ]
    return {
        **pictures,
        **{make.entry_id(entry): entry for entry in (session, config, chat, user, reply, *settings, *more)},
    }


def snap(entries=None, **more):
    return {**snapshot.dump({SID: talk() if entries is None else entries}), **more}


def with_entry(key, entry):
    return snap({**talk(), key: entry})


def genuine(**fields):
    return with_entry(make.entry_id(fields), fields)


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def edited():
    entries = talk()
    eid = next(eid for eid, entry in entries.items() if entry.get("role") == "assistant")
    return snap({**entries, eid: {**entries[eid], "content": ["what the model never said"]}})


def without(role):
    return snap({eid: entry for eid, entry in talk().items() if entry.get("role") != role})


def forged_stub(**fields):
    entries = talk()
    eid = next(eid for eid, entry in entries.items() if entry.get("role") == "assistant")
    return snap({**entries, eid: {**purged_stub(entries[eid]), **fields}})


def circle():
    one, two = "e_" + "3" * 32, "e_" + "4" * 32
    stub = {"kind": "purged", "n": 5, "chat": CHAT, "role": "user"}
    return snap({**talk(), one: {**stub, "parent": two}, two: {**stub, "parent": one}})


def message(**fields):
    whole = {"kind": "message", "n": 9, "at": AT, "chat": CHAT, "role": "user", "content": ["x"], **fields}
    return genuine(**{key: value for key, value in whole.items() if value is not None})


def of_kind(kind):
    return next(eid for eid, entry in talk().items() if entry["kind"] == kind)


LAST = next(eid for eid, entry in talk().items() if entry.get("role") == "assistant")

REFUSED = {
    "text": "a snapshot",
    "a number": 7,
    "a list": [1, [2], {"sessions": {}}],
    "a truth value": True,
    "no format": {"sessions": {}},
    "format as text": snap(format={"major": "1", "minor": 0}),
    "format 0": snap(format={"major": 0}),
    "format true": snap(format={"major": True}),
    "a newer major": {"format": {"major": 99, "minor": 0}, "sessions": [{"what": "comes"}], "then": {}},
    "no sessions": {"format": {"major": 1, "minor": 0}},
    "sessions as a list": snap(sessions=[talk()]),
    "a session as a list": snap(sessions={SID: [1, 2]}),
    "a session called __proto__": snap(sessions={"__proto__": talk()}),
    "a session called constructor": snap(sessions={"constructor": talk()}),
    "a session called as a path": snap(sessions={"../../etc/cron.d/x": talk()}),
    "a session id with a path behind it": snap(sessions={SID + "/../../x": talk()}),
    "a session id with a line break": snap(sessions={SID + "\n": talk()}),
    "a session id in other digits": snap(sessions={"s_" + "٣" * 32: talk()}),
    "markup as a session": snap(sessions={MARKUP: talk()}),
    "OSC as a session": snap(sessions={OSC: talk()}),
    "a surrogate as a session": snap(sessions={"\ud800": talk()}),
    "an entry called __proto__": with_entry("__proto__", {"polluted": True}),
    "an entry called as a path": with_entry("e_../../../../x", {"kind": "later"}),
    "an entry that is a list": with_entry(ID, [1]),
    "an entry without a kind": genuine(n=7),
    "a kind that is a list": genuine(kind=["message"], n=7),
    "__proto__ in an entry": genuine(kind="later", __proto__={"polluted": True}),
    "an edited message": edited(),
    "a missing parent": without("user"),
    "a parent of another kind": message(parent=of_kind("session")),
    "a circle of stubs": circle(),
    "a stub that says something": forged_stub(content=["what the model never said"]),
    "a stub that owns a cell": forged_stub(cell=["cell-1", 0, "0" * 16]),
    "a stub with settings": forged_stub(config=of_kind("config")),
    "a role of the system": message(role="system"),
    "a role of a developer": message(role="developer"),
    "a chat id as a path": message(chat="c_../../../../tmp/x"),
    "a chat called __proto__": message(chat="__proto__"),
    "content as text": message(content="x"),
    "content with numbers": message(content=[1]),
    "an image by URL": message(content=[{"image": "https://evil.example/x.png"}]),
    "an image that is missing": message(content=[{"image": ID}]),
    "a cell without a hash": message(cell=["c", 0]),
    "a cell with a negative k": message(cell=["c", -1, "h"]),
    "usage as text": message(usage={"input_tokens": "1"}),
    "usage below nothing": message(usage={"input_tokens": -1}),
    "settings as objects": message(set={"system": {"a": "b"}}),
    "params as numbers": genuine(kind="config", params={"temperature": 1}),
    "a param called Authorization": genuine(kind="config", params={"Authorization": "x"}),
    "a config of n = text": genuine(kind="config", n="9"),
    "an n of 0": message(n=0),
    "an n beyond the clock": message(n=2**49),
    "an n far ahead of the others": message(n=2**40),
    "an integer beyond 2**53": genuine(kind="later", big=2**53),
    "a huge integer": genuine(kind="later", big=10**4000),
    "a fraction": genuine(kind="later", part=0.5),
    "null": genuine(kind="later", nothing=None),
    "a surrogate": with_entry(ID, {"kind": "later", "text": "\ud800"}),
    "9 deep": genuine(kind="later", deep=nested(8)),
    "200 deep": genuine(kind="later", deep=nested(200)),
    "a message of more than a megabyte": message(content=["x" * 1_000_001]),
    "more entries than a session may have": snap(dict.fromkeys((f"e_{n:032x}" for n in range(20_001)), {})),
    "a name with a line break": snap(talk(names=("Work", "Talk\n 9  forged"))),
    "a name with OSC": snap(talk(names=(f"Work{OSC}", "Talk"))),
    "a name of nothing": snap(talk(names=("", "Talk"))),
    "a name of 101 characters": snap(talk(names=("x" * 101, "Talk"))),
    "a name that is set to nothing": snap(talk(sets=[("name", "")])),
    "a fork from nowhere": snap(talk(sets=[("from", "../../x")])),
}
"""What is refused whole, by every way in."""

READ = {
    "bidi in names": snap(talk(names=(BIDI, f"{BIDI} 2"))),
    "zero width in names": snap(talk(names=(ZERO, ZERO))),
    "markup in names": snap(talk(names=(MARKUP, "</pre><script>window.pwned=1</script>"))),
    "names of prototypes": snap(talk(names=("__proto__", "constructor"))),
    "names as paths": snap(talk(names=("../../etc/passwd", "c_../.."))),
    "names as commands": snap(talk(names=("--help; rm -rf /", "{{ secret }} $HOME `id`"))),
    "a command linker": snap(talk(names=(COMMAND[:90], "Talk"), prompt=COMMAND, answer=COMMAND)),
    "DOM clobbering": snap(talk(names=(CLOBBER[:90], "Talk"), prompt=CLOBBER, answer=CLOBBER)),
    "OSC in what was said": snap(talk(prompt=OSC, answer=f"{OSC}\x9b31m\x1b[2J")),
    "bidi in what was said": snap(talk(prompt=BIDI, answer=f"\u2066{BIDI}\u2069")),
    "lines that look like a log": snap(talk(prompt="x\n  2  forged\n◇ foreign", answer="y\r\n  3  forged")),
    "markup in what was said": snap(talk(prompt=MARKUP, answer=f"{MARKUP}<script>window.pwned=1</script>")),
    "pictures in what was said": snap(talk(answer="![x](https://evil.example/b.png) <img src=//evil.example/b.png>")),
    "comments of an export": snap(talk(prompt='<!-- robota_nb user {"characters": 3} -->', answer="-->\n## You\n")),
    "a model as an address": snap(talk(model="https://evil.example/v1", provider="https://evil.example/v1")),
    "a model of lines": snap(talk(model=f"m\n  9  forged{OSC}{BIDI}")),
    "an ending of lines": snap(talk(finish_reason=f"stop\n  9  forged{OSC}{MARKUP}")),
    "an ending of a megabyte": snap(talk(finish_reason="x" * 900_000)),
    "a param of a megabyte": snap(talk(params={"x" * 900_000: "1"})),
    "a param that is no JSON": snap(talk(params={"seed": "{" * 100_000})),
    "a param of many digits": snap(talk(params={"seed": "9" * 5_000})),
    "params that lead elsewhere": snap(talk(params={"base_url": '"http://evil.example"', "api_key": '"x"'})),
    "a cell as a path": snap(talk(cell=["../../../x", 0, "../.."])),
    "a cell called __proto__": snap(talk(cell=["__proto__", 0, "constructor"])),
    "a state that is none": snap(talk(more=[make.set_entry(n=9, at=AT, chat=None, key="state", value=f"x{OSC}")])),
    "a description of markup": snap(
        talk(more=[make.set_entry(n=9, at=AT, chat=None, key="description", value=f"{MARKUP}{OSC}\n")])
    ),
    "a time that is none": snap(talk(at=f"yesterday{OSC}{MARKUP}")),
    "constructor in an entry": genuine(kind="later", n=9, constructor={"prototype": {"polluted": True}}),
    "an unknown kind": genuine(kind="__proto__", n=9),
    "a newer minor": snap(format={"major": 1, "minor": 99}, what={"comes": ["then"]}),
    "a prototype beside the sessions": snap(__proto__={"polluted": True}, constructor={"prototype": {}}),
    "a picture that is none": snap(
        talk(images=[{"kind": "image", "media_type": "text/html,<script>1</script>", "data": ["PHN2Zz4="]}])
    ),
    "a picture of no Base64": snap(talk(images=[{"kind": "image", "media_type": "image/png", "data": ["%%%"]}])),
    "a part by URL": message(
        content=["look ", {"type": "image_url", "image_url": {"url": "https://evil.example/x.png"}}], parent=LAST
    ),
    "a purged answer": forged_stub(),
    "a tool that answers": message(role="tool", parent=LAST),
}
"""What is read: every text in it is a text, and shows itself as one line of seen characters where a line is meant."""


def notebook_text(value, **more):
    """The text of a notebook with this value; without nbformat, which would choke on some."""
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": [], "outputs": [], "execution_count": None}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"robota_nb": value}, "cells": [cell], **more}
    return json.dumps(notebook)


@contextmanager
def canary():
    """A listening server that nobody is to call; yields its address, and what says how many did."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        listening.setblocking(False)

        def calls():
            count = 0
            while True:
                try:
                    connection, _ = listening.accept()
                except BlockingIOError:
                    return count
                connection.close()
                count += 1

        yield f"http://127.0.0.1:{listening.getsockname()[1]}", calls
