"""Presets: what a chat is given by one, what a notebook keeps of it, and what becomes of that where there is none."""

import pytest

from robota_nb.frontends import headless
from support.notebook import answers, content, edit, run, write

REVIEWER = "{'model': 'm-1', 'system': 'Review.', 'params': {'temperature': 0.5, 'stop': ['END']}}"
CONFIG = "%config RobotaMagics.presets = "
NEW = "%robota new Sources --preset reviewer"


def test_a_chat_is_opened_with_what_a_preset_says(kernel, server):
    kernel.ok(f"{CONFIG}{{'reviewer': {REVIEWER}}}")
    for line in (NEW, "%robota chat open Others --preset reviewer --model m-2 --set temperature=1"):
        kernel.ok(line)
        kernel.ok("%robota ask hello")
    first, second = server.requests
    assert (first["model"], first["temperature"], first["stop"]) == ("m-1", 0.5, ["END"])
    assert first["messages"][0] == {"role": "system", "content": "Review."}
    assert (second["model"], second["temperature"], second["stop"]) == ("m-2", 1, ["END"])
    assert kernel.complete("%robota new X --preset re") == ["%robota new X --preset reviewer"]


def test_a_bad_preset_is_told_when_it_is_set_and_harms_no_other(kernel, server):
    told = kernel.ok(
        f"{CONFIG}{{'typo': {{'modle': 'x'}}, 'flat': {{'temperature': 1}}, 'hot': {{'params': {{'temperature': 'x'}}}}"
        f", 'no': 1, 'num': {{'model': 1}}, 'a b': {{}}, 'in': {{'params': {{'model': 'x'}}}}, 'reviewer': {REVIEWER}}}"
    ).text.splitlines()
    assert [line.partition(":")[0] for line in told] == ["robota_nb"] * 7
    for line, words in zip(
        told,
        ["'modle' (did you mean 'model'?)", "a parameter stands in 'params'", "preset 'hot'", "it is a dictionary",
         "model is a string", "cannot be named 'a b'", "model stands beside 'params'"],
        strict=True,
    ):  # fmt: skip
        assert words in line
    assert "did you mean 'model'?" in kernel.run("%robota new X --preset typo").error["evalue"]
    error = kernel.run("%robota new X --preset reviewr").error["evalue"]
    assert error.startswith("no preset 'reviewr' (did you mean 'reviewer'?): there are typo, ")
    kernel.ok(NEW)
    assert "Sources" in kernel.ok("%robota chat list").text
    assert "\nX" not in kernel.ok("%robota chat list").text  # no chat is left of what failed


@pytest.mark.slow("runs a notebook in three kernels")
def test_a_notebook_keeps_what_a_preset_says_and_replays_where_there_is_none(connected, server):
    path = write(connected / "preset.ipynb", f"%load_ext robota_nb\n{CONFIG}{{'reviewer': {REVIEWER}}}", NEW,
                 "%%robota\nHi")  # fmt: skip
    run(path)
    first = answers(path)
    assert "reviewer" not in str(content(path)["metadata"])
    edit(path, 0, "%load_ext robota_nb")
    front = run(path, replay="strict")
    assert (front.requests, answers(path)) == (0, first)
    assert "the preset 'reviewer' is not here: what was recorded of it stands in its place" in front.notices
    edit(path, 1, NEW.replace("Sources", "New ones"))
    with pytest.raises(headless.Failure, match="no preset 'reviewer': there are none in c.RobotaMagics.presets"):
        run(path)
