"""Prompts of the library in cells: sent with the cell's text, recorded as sent, replayed without their files."""

import pytest

from robota_nb.frontends import headless
from support.notebook import answers, command, edit, run, write

ASK = "%%robota --prompt review code=train\nMind the memory."
SENT = "Review 1 + 1.\n\nMind the memory."


def sent(server):
    return [request["messages"][-1]["content"] for request in server.requests]


@pytest.fixture
def prompt(connected):
    folder = connected / ".robota" / "prompts"
    folder.mkdir(parents=True)
    file = folder / "review.md"
    file.write_text("Review {{ code }}.\n")
    return file


@pytest.mark.slow("runs a notebook in five kernels")
def test_a_notebook_replays_without_its_prompt_and_asks_again_where_it_has_changed(connected, prompt, server):
    path = write(connected / "library.ipynb", "%load_ext robota_nb\ntrain = '1 + 1'", ASK, "%robota prompts")
    run(path)
    assert sent(server) == [SENT]
    first = answers(path)

    prompt.write_text("Read {{ code }}.")
    with pytest.raises(headless.Failure):
        run(path, connected / "copy.ipynb", replay="strict")

    prompt.unlink()
    front = run(path, replay="strict")
    assert (front.requests, answers(path)) == (0, first)
    assert "the prompt 'review' is not here: what was recorded of it stands in its place" in front.notices
    assert "what the prompt of the library says is known only when it runs" in command("check", path).output

    edit(path, 1, f"{ASK} Really?")
    with pytest.raises(headless.Failure, match=r"no prompt 'review': put it into .robota/prompts/review.md"):
        run(path)


def test_prompts_are_listed_completed_and_asked_in_both_magics(kernel, server):
    kernel.ok(
        "from pathlib import Path\nfolder = Path('.robota/prompts')\nfolder.mkdir(parents=True)\n"
        "_ = (folder / 'review.md').write_text('Review {{ code }}.')\ntrain = '1 + 1'"
    )
    assert kernel.ok("%robota prompts").text == "review · of this repository · Review {{ code }}.\n"
    assert kernel.complete("%%robota --prompt re") == ["%%robota --prompt review"]
    kernel.ok("%%robota --prompt review code=train")
    kernel.ok("%robota ask --prompt review code=train Mind the memory.")
    kernel.ok("%%robota --raw --prompt review\n")
    assert sent(server) == ["Review 1 + 1.", SENT, "Review {{ code }}."]
    error = kernel.run("%%robota --prompt review\nx").error["evalue"]
    assert "say what 'code' is, as in --prompt review code=" in error
    error = kernel.run("%%robota --prompt reviw\nx").error["evalue"]
    assert error.startswith("no prompt 'reviw' (did you mean 'review'?): put it into ")
    assert len(server.requests) == 3
