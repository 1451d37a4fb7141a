"""What answers have beside their text, in a notebook that runs twice: shown, kept, and replayed to the byte."""

import json

import nbformat
import pytest
from nbconvert import HTMLExporter

from robota_nb.testing.servers.local_server import DONE, event
from support.notebook import content, run, write

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SOURCES = ["https://one.example/a", "javascript:alert(1)"]
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}


def chunk(delta, reason=None, **more):
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more})


def answers(server):
    """Have the server cite sources, draw a picture, and refuse, in this order."""
    server.raw(chunk({"content": "So[1][2]."}, citations=SOURCES) + chunk({}, "stop") + DONE)
    server.raw(chunk({"content": "", "images": [IMAGE]}) + chunk({}, "stop") + DONE)
    server.raw(chunk({"refusal": "No."}) + chunk({}, "stop") + DONE)
    server.raw(
        chunk({"content": "", "images": [{"image_url": "data:image/png;base64,AAAA"}]}) + chunk({}, "stop") + DONE
    )


def left(path):
    cells = [cell for cell in content(path)["cells"] if cell["source"][0].startswith("%%robota")]
    return [[output["data"] for output in cell["outputs"]] for cell in cells]


@pytest.mark.slow("runs a notebook twice")
@pytest.mark.usefixtures("connected")
def test_all_of_it_is_shown_and_replayed_to_the_byte(server, tmp_path):
    answers(server)
    asks = (f"%%robota\n{text}" for text in ("is it so?", "draw", "a bomb", "draw badly"))
    path = write(tmp_path / "besides.ipynb", "%load_ext robota_nb", *asks)
    run(path)
    cited, drawn, refused, lost = live = left(path)
    items = "1. [one.example/a](https://one.example/a)\n2. javascript:alert(1&#41;"
    assert items in "".join(cited[0]["text/markdown"])
    assert drawn[0]["image/png"].strip() == PIXEL
    assert "No.\n\n*— the model refused to answer*" in "".join(refused[0]["text/markdown"])
    assert "1 picture of the answer not kept" in "".join(lost[0]["text/markdown"])
    sent = [message["content"] for message in server.requests[-1]["messages"]]
    assert sent == ["is it so?", "So[1][2].", "draw", "[1 picture]", "a bomb", "No.", "draw badly"]
    run(path)
    assert left(path) == live
    assert len(server.requests) == 4
    page, _ = HTMLExporter().from_notebook_node(nbformat.reads(json.dumps(content(path)), 4))
    assert 'href="https://one.example/a"' in page
    assert PIXEL in page
    assert 'href="javascript:' not in page
