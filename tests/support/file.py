"""What the tests of notebook files share: a notebook, and genuine entries to write into it."""

import os

import nbformat
import pytest

from robota_nb.core.record.entries import entry_id, session_entry

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX links, modes and signals")

SESSION = "s_" + "0" * 32


def entries(*names: str) -> dict:
    """Return genuine entries, which may be told by their names."""
    made = [session_entry(n=1, at="2026-11-22T09:00:00Z", name=name) for name in names]
    return {SESSION: {entry_id(entry): entry for entry in made}}


def a_notebook(**metadata) -> nbformat.NotebookNode:
    cells = [
        nbformat.v4.new_markdown_cell("# Title\n\né 漢 🦊", id="m1"),
        nbformat.v4.new_code_cell(
            "print('a')\nprint('b')",
            id="c1",
            outputs=[
                nbformat.v4.new_output("stream", text="a\nb\n"),
                nbformat.v4.new_output(
                    "display_data", data={"text/plain": "x\ny", "application/json": {"b": [1, 2.5]}}
                ),
            ],
        ),
    ]
    return nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}, **metadata})
