"""A model that thinks before it answers, in a real kernel, from the endpoint to the second turn of a chat."""

import json
import threading

import pytest

from robota_nb.testing import FaultServer, http
from support.patience import PATIENCE


def chunk(reason=None, **delta):
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: %b\n\n" % json.dumps({"model": "deepseek-reasoner", "choices": [choice]}).encode()


KEEP_ALIVE = b": keep-alive\n\n"
END = chunk("stop") + b"data: [DONE]\n\n"
THOUGHTS = [chunk(content=None, reasoning_content=text) for text in ("Perhaps ", "```python\nwrong()\n```", " no.")]
ANSWER = [chunk(content=text, reasoning_content=None) for text in ("```python\n", "right()\n```")]


@pytest.fixture
def deepseek():
    with FaultServer() as server:
        yield server


@pytest.fixture
def asking(kernel, deepseek):
    """A kernel that asks a server like DeepSeek's."""
    kernel.ok(f"%robota endpoint add deep {deepseek.base_url} --model deepseek-reasoner")
    kernel.ok("%robota chat open Deep --provider deep")
    return kernel


def test_thoughts_are_shown_nowhere_but_on_the_turn_and_not_sent_back(asking, deepseek):
    deepseek.steps(http(), KEEP_ALIVE, chunk(role="assistant", content=None), *THOUGHTS, *ANSWER, END)
    deepseek.steps(http(), *THOUGHTS, chunk(content="<think>Hm.</think>\n\nYes."), END)
    cell = asking.ok("%%robota -o first --format code\nhow?", "cell-1")
    assert cell.answer == "```python\nright()\n```"
    assert [payload["text"] for payload in cell.reply["payload"]] == ["right()"]
    assert asking.ok("%%robota -o second\nsure?", "cell-2").answer == "Yes."
    assert asking.value("first.reasoning") == "Perhaps ```python\nwrong()\n``` no."
    assert asking.value("second.reasoning").endswith("no.Hm.")
    sent = [[message["content"] for message in request["messages"]] for request in deepseek.requests]
    assert sent == [["how?"], ["how?", "```python\nright()\n```", "sure?"]]
    again = asking.ok("%%robota -o second\nsure?", "cell-2")
    assert (again.answer, asking.value("(second.replayed, second.reasoning[-3:])")) == ("Yes.", (True, "Hm."))
    assert "wrong" not in asking.ok("%robota chat log").text + asking.ok("%robota chat preview").text


def test_where_the_chat_says_so_they_are_recorded(asking, deepseek):
    asking.ok("%robota chat set thinking=keep")
    deepseek.steps(http(), *THOUGHTS, chunk(content="42"), END)
    asking.ok("%%robota\nhow many?", "cell-1")
    assert "thinking" not in deepseek.requests[0]
    asking.ok("%robota export deep.json")
    asking.ok("import json; [exported] = json.load(open('deep.json'))['sessions'].values()")
    found = asking.value("[''.join(entry['reasoning']) for entry in exported.values() if 'reasoning' in entry]")
    assert found == ["Perhaps ```python\nwrong()\n``` no."]
    assert ["params", "thinking", '"keep"'] in asking.value(
        "[row for e in exported.values() for row in e.get('more', ())]"
    )
    assert (
        asking.value("[e for e in exported.values() if 'thinking' in {**e.get('set', {}), **e.get('params', {})}]")
        == []
    )


def test_the_limit_that_went_into_thinking_is_told(asking, deepseek):
    deepseek.steps(http(), *THOUGHTS, chunk("length"), b"data: [DONE]\n\n")
    assert asking.ok("%%robota\nhow?").answer == "*— the limit went into thinking: raise max_tokens*"


@pytest.mark.slow("a sign of life comes after a second or two")
@pytest.mark.parametrize(
    ("first", "sign"),
    [(THOUGHTS[0], "thinking · "), (chunk(content="<think>Hm."), "thinking · "),
     (KEEP_ALIVE, "waiting for deepseek-reasoner · ")],
)  # fmt: skip
def test_a_live_sign_stands_where_the_answer_will_and_is_gone_at_the_end(asking, deepseek, first, sign):
    seen = threading.Event()
    close = chunk(content="</think>") if b"<think>" in first else b""
    deepseek.steps(http(), first, lambda: seen.wait(PATIENCE), close, chunk(content="42"), END)
    running = asking.begin("%%robota\nhow many?", "cell-1")
    running.shows(f"*— {sign}")
    seen.set()
    live = running.finish()
    assert live.answer == "42"
    replayed = asking.ok("%%robota\nhow many?", "cell-1")
    assert [output["data"] for output in live.outputs] == [output["data"] for output in replayed.outputs]
    assert len(deepseek.requests) == 1


@pytest.mark.slow("a sign of life comes after two seconds")
def test_nothing_of_it_is_left_where_no_answer_comes(asking, deepseek):
    asked = threading.Event()
    deepseek.steps(http(), KEEP_ALIVE, lambda: asked.wait(PATIENCE))
    running = asking.begin("%%robota\nhow many?")
    running.shows("waiting for deepseek-reasoner")
    asking.interrupt()
    cell = running.finish()
    asked.set()
    assert cell.outputs == [cell.error]
    assert cell.error["ename"] == "Interrupted"


LONG_THOUGHT = ("Hm, is it so? " * 60 + "\n\n") * 12


CELLS = {
    "%%robota\nhow many?": "",
    "print('before')\nget_ipython().run_cell_magic('robota', '', 'how many?')": "before\n",
}


@pytest.mark.parametrize("source", CELLS)
def test_thoughts_that_were_shown_as_an_answer_leave_no_empty_outputs_where_a_cell_shows_nothing_else(
    asking, deepseek, source
):
    seen = threading.Event()
    shown = [chunk(content=LONG_THOUGHT), chunk(content="And so"), lambda: seen.wait(PATIENCE)]
    deepseek.steps(http(), *shown, chunk(content="</think>42"), END)
    running = asking.begin(source)
    running.shows("is it so?")
    seen.set()
    cell = running.finish()
    assert cell.shown == ["42"]
    assert cell.text == CELLS[source]  # what else a cell shows stays
    assert cell.text or len(cell.outputs) == 1
