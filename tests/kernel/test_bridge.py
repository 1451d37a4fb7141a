"""What an open document and a living kernel say to each other, on a real kernel; docs/protocol.md is the text."""

import copy
import json

import nbformat
import pytest

from robota_nb.carriers.document import Bridge
from robota_nb.core.record import snapshot
from robota_nb.frontends.headless import FrontEnd
from support.kernel import Kernel


@pytest.fixture
def opened(kernel):
    """A kernel under an open notebook, with one answer in it."""
    kernel.front = FrontEnd(nbformat.v4.new_notebook(), "open.ipynb")
    kernel.say(kernel.front.opening())
    kernel.ok("%%robota\none", "cell-a")
    yield kernel
    kernel.front = None


def value(kernel):
    return kernel.front.notebook.metadata.get("robota_nb")


def prompts(kernel):
    sessions = (value(kernel) or {}).get("sessions", {})
    return sorted(
        text
        for entries in sessions.values()
        for entry in entries.values()
        if entry.get("role") == "user"
        for text in entry["content"]
    )


def test_a_page_that_comes_back_gets_what_it_missed_at_once(opened):
    before = copy.deepcopy(value(opened))
    opened.front.take = lambda _: None  # the page is gone, and hears nothing
    opened.ok("%%robota\ntwo", "cell-b")
    opened.front = FrontEnd(nbformat.v4.new_notebook(metadata={"robota_nb": before}), "open.ipynb")
    opened.say(opened.front.opening())
    assert prompts(opened) == ["one", "two"]
    snapshot.parse(value(opened))
    opened.ok("%%robota\nthree", "cell-c")
    assert prompts(opened) == ["one", "three", "two"]


def test_what_others_take_out_is_put_back(opened):
    whole = copy.deepcopy(value(opened))
    changes = {sid: {"add": {}, "remove": list(entries)} for sid, entries in whole["sessions"].items()}
    opened.front.notebook.metadata = nbformat.from_dict({})
    opened.say({"op": "changed", "sessions": changes})
    assert value(opened) == whole


def test_what_others_add_is_taken_over(opened, tmp_path, server):
    with Kernel(tmp_path, **server.environment()) as other:
        other.front = FrontEnd(copy.deepcopy(opened.front.notebook), "open.ipynb")
        other.ok("%load_ext robota_nb")
        other.ok("%%robota\none", "cell-a")
        other.ok("%%robota\nof another kernel", "cell-b")
        theirs = value(other)["sessions"]
    mine = value(opened)["sessions"]
    changes = {
        sid: {"add": {e: x for e, x in es.items() if e not in mine[sid]}, "remove": []} for sid, es in theirs.items()
    }
    seq = opened.front.seq
    opened.say({"op": "changed", "sessions": changes})
    assert opened.front.seq == seq  # nothing is missing, so nothing is written
    assert "of another kernel" in opened.ok("%robota snapshot show").text


def test_what_others_add_and_nobody_can_read_is_said_and_not_written_over(opened):
    (sid,) = value(opened)["sessions"]
    seq = opened.front.seq
    opened.say({"op": "changed", "sessions": {sid: {"add": {"e_" + "0" * 32: {"kind": "set"}}, "remove": []}}})
    assert "cannot be read" in opened.front.notices[-1]
    opened.ok("%%robota\ntwo", "cell-b")
    assert opened.front.seq == seq


def test_the_level_follows_what_the_front_end_reports(opened):
    def level():
        return opened.ok("%robota").text.splitlines()[0].rpartition(" · ")[2]

    assert level() == "in notebook"
    opened.say({"op": "saved", "seq": opened.front.seq})
    assert level() == "saved"
    opened.say({**opened.front.opening(), "dirty": True})
    assert level() == "in notebook"
    opened.say(opened.front.opening())
    assert level() == "saved"


def test_a_front_end_of_another_version_is_told_so(opened):
    opened.say({**opened.front.opening(), "version": "0.0.1"})
    assert "this page has robota_nb 0.0.1, this kernel" in opened.front.notices[-1]
    assert "reload the page" in opened.front.notices[-1]


def test_a_page_is_told_in_its_language_and_outputs_are_english_for_everybody(opened):
    opened.say({"op": "open", "version": "0.0.1", "locale": "ko-KR"})
    assert opened.front.notices[-1].startswith("이 페이지의 robota_nb는 0.0.1")
    assert "여기서 이어지는 대화를 시작하고" in opened.inspect("%robota chat fork")
    assert "Start a chat that goes on from here" in opened.ok("%robota help chat fork").text
    opened.say({"op": "open", "version": "0.0.1"})
    assert opened.front.notices[-1].startswith("this page has robota_nb 0.0.1")


def test_a_notice_waits_for_the_status_while_no_page_is_there(opened):
    comm = opened.comms[-1]
    content = {"comm_id": comm, "data": {}}
    opened.client.shell_channel.send(opened.client.session.msg("comm_close", content))
    opened.ok("one = 1", "cell-0")
    opened.ok("%%robota\n{{one}}", "cell-a")
    assert "{{one}} was filled in" in opened.ok("%robota").text
    assert opened.front.notices == []


def test_of_braces_the_page_is_told_when_they_are_sent_and_not_of_a_replay(opened, server):
    cell = "%%robota\n{{one}} and {{on}}"
    opened.ok("one = 1")
    opened.ok(cell, "cell-b")
    said = ["{{one}} was filled in: 'one' is a variable; --raw sends the braces as they stand"]
    said += ["sent as it stands: {{on}} (did you mean 'one'?)"]
    assert opened.front.notices == said
    assert "{{one}}" not in json.dumps(value(opened))
    asked, notebook = len(server.requests), opened.front.notebook
    opened.restart()
    opened.front = FrontEnd(notebook, "open.ipynb")
    opened.say(opened.front.opening())
    opened.ok("%load_ext robota_nb\none = 1")
    opened.ok("%%robota\none", "cell-a")
    opened.ok(cell, "cell-b")
    assert len(server.requests) == asked
    assert opened.front.notices == []


def test_what_was_not_saved_goes_along_with_a_renamed_document(tmp_path, server):
    environment = {**server.environment(), "ROBOTA_NB_STORE": str(tmp_path / "store.sqlite")}
    with Kernel(tmp_path, **environment) as kernel:
        kernel.front = FrontEnd(nbformat.v4.new_notebook(), tmp_path / "before.ipynb")
        kernel.ok("%load_ext robota_nb")
        kernel.ok("%%robota\none", "cell-a")
        kernel.say({"op": "renamed", "root": str(tmp_path), "path": "after.ipynb"})
        kernel.restart()
        kernel.front = FrontEnd(nbformat.v4.new_notebook(), tmp_path / "after.ipynb")
        kernel.say(kernel.front.opening())
        kernel.ok("%load_ext robota_nb")
        kernel.ok("%robota")
        assert prompts(kernel) == ["one"]


def test_a_character_that_a_page_has_cut_in_two_arrives_whole():
    """JavaScript counts, and cuts, the halves of what is one character here."""
    message = {"op": "renamed", "path": "a🦊é漢🐻"}
    units = json.dumps(message, ensure_ascii=False).encode("utf-16-le")
    for cut in range(2, len(units), 2):
        heard, kernel = [], Bridge()
        kernel.listen(heard.append)
        for chunk, piece in enumerate([units[:cut], units[cut:]]):
            text = piece.decode("utf-16-le", "surrogatepass")
            kernel.take({"robota_nb": {"message": "m", "chunk": chunk, "of": 2, "text": text}})
        assert [told["path"] for told in heard] == [message["path"]]


def test_of_the_cells_a_kernel_that_listens_late_hears_the_last_list_and_what_has_changed_since():
    bridge, heard = Bridge(), []
    lists = [{"op": "cells", "cells": [[name, "hash", ["e_1"]]]} for name in "ab"]
    changes = [{"op": "cells", "from": at, "gone": 1, "cells": []} for at in range(3)]
    for message in [lists[0], changes[0], lists[1], *changes[1:]]:
        bridge.deliver(message)
    bridge.listen(heard.append)
    assert heard == [lists[1], *changes[1:]]
