"""Long conversations: they are there before the first cell, and no message is longer than a gateway bears."""

import pytest

from robota_nb.core.record import snapshot
from support.large import with_snapshot
from support.page import Notebook, prompts

pytestmark = pytest.mark.slow("drives real applications in a browser")

FIRST = "%load_ext robota_nb\n%robota"
GATEWAY = 10 * 2**20
"""Bytes beyond which gateways and servers drop a websocket's message."""


class Frames:
    """What the page sends over its websockets."""

    def __init__(self, page):
        self.sizes, self.pushed, self.closed = [], 0, 0
        page.on("websocket", self._watch)

    def _watch(self, socket):
        socket.on("framesent", self._sent)
        socket.on("close", self._close)

    def _sent(self, frame):
        data = frame if isinstance(frame, bytes) else frame.encode()
        self.sizes.append(len(data))
        self.pushed += b"_receive()" in data

    def _close(self, _):
        self.closed += 1


@pytest.mark.parametrize("size", [5_000_000, 12_000_000])
def test_a_long_conversation_is_there_before_the_first_cell(lab, context, work, server, size):
    path = work / "long.ipynb"
    turns = with_snapshot(path, size, FIRST, "%%robota\nand now?", "1 + 1")
    page = context.new_page()
    frames = Frames(page)
    notebook = Notebook(page, lab, path).open()
    try:
        notebook.run(0)
        notebook.shows(0, f"{turns} turns")
        assert "in the cells' outputs" not in notebook.output(0)  # the page has told it: this is not read from the file
        assert server.requests == []
        assert frames.pushed > 1
        assert max(frames.sizes) < GATEWAY
        notebook.run(1)
        assert len(server.requests[0]["messages"]) == 2 * turns + 1
        notebook.holds("and now?")
        notebook.save()
        value = notebook.file()["metadata"]["robota_nb"]
        snapshot.parse(value)
        assert len(prompts(value)) == turns + 1
        notebook.run(2)
        notebook.shows(2, "2")
        assert frames.closed == 0
        assert notebook.errors == []
    finally:
        lab.end_kernels()


def test_it_is_there_also_for_a_cell_that_is_run_before_the_kernel_has_said_anything(jupyter, context, work, server):
    path = work / "at once.ipynb"
    turns = with_snapshot(path, 5_000_000, FIRST)
    notebook = Notebook(context.new_page(), jupyter, path)
    notebook.page.goto(jupyter.page(path))
    try:
        notebook.page.wait_for_function(
            "() => [...(window.jupyterapp?.shell.widgets('main') ?? [])]"
            ".some(w => w.content?.model?.cells && w.sessionContext.session?.kernel)"
        )
        notebook.start(0)
        notebook.shows(0, f"{turns} turns")
        assert "in the cells' outputs" not in notebook.output(0)
        assert server.requests == []
    finally:
        jupyter.end_kernels()
