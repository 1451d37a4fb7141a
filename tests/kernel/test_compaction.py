"""Compaction in cells: below the command the summary is sent, above it nothing is stale, and another kernel replays."""

import pytest

from robota_nb.frontends import headless
from support.notebook import answers, edit, outputs, run, write

ASKS = [f"%%robota\nWhat is {letter}?" for letter in "abc"]


def asked(server):
    return [[message["content"] for message in request["messages"]] for request in server.requests]


@pytest.mark.slow("runs a notebook in four kernels")
def test_cells_below_send_the_summary_and_another_kernel_asks_for_none(connected, server):
    path = write(connected / "long.ipynb", "%load_ext robota_nb", *ASKS, "%robota chat compact --keep 1 Keep names.",
                 "%%robota\nAnd d?", "%robota chat compact --undo", "%%robota\nAnd e?")  # fmt: skip
    run(path)
    first, shown = answers(path), outputs(path)
    *_, summing, after, undone = asked(server)
    assert summing[-1].startswith("Sum up this conversation")
    assert summing[-1].endswith("\n\nKeep names.")
    assert summing[:-1] == [text for turn in zip(("What is a?", "What is b?"), first[:2], strict=True) for text in turn]
    asked_before, summary, *rest = after
    assert "[1] What is a?\n\n[2] What is b?" in asked_before
    assert summary.startswith("[Summary of turns 1-2, by ")
    assert first[3] in summary
    assert rest == ["What is c?", first[2], "And d?"]
    assert undone[:2] == ["What is a?", first[0]]
    assert "Summary" not in str(undone[:-1])
    front = run(path, replay="strict")
    assert (front.requests, answers(path), outputs(path)) == (0, first, shown)
    edit(path, 4, "%robota chat compact --keep 1 Keep numbers.")
    with pytest.raises(headless.Failure, match="the summary of turns 1-2 of 'Chat 1' is not recorded"):
        run(path, replay="strict")
    assert run(path).requests == 3  # the summary, what is asked with it, and what follows an answer that is another one


def test_the_log_the_preview_and_the_status_say_what_is_sent(kernel, server):
    for cell in ASKS:
        kernel.ok(cell)
    (shown,) = kernel.ok("%robota chat compact --keep 1").outputs
    kernel.ok("%%robota\nAnd d?")
    log = kernel.ok("%robota chat log").text.splitlines()
    assert [line for line in log if "asked with" in line] == ["  4  And d? · asked with a summary of turns 1-2"]
    preview = kernel.ok("%robota chat preview").text
    assert "the summary of turns 1-2, by " in preview
    assert preview.endswith(f"{shown['data']['text/markdown'].strip()}\n")


def test_what_cannot_be_summed_up_is_said_in_a_line(kernel, server):
    kernel.ok(ASKS[0])
    said = kernel.ok("%robota chat compact").text
    assert said == "Chat 1: there is nothing to sum up: it has 1 turn, and the last 4 are sent as they are\n"
    assert len(server.requests) == 1
    error = kernel.run("%robota chat compact --undo --keep 2").error["evalue"]
    assert error == "--undo stands alone: it sends all turns again"
