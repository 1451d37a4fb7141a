"""Cells that fail as they should."""

import json

from support.provider import FRAGMENTS


def failed(kernel, code, kind="ProviderError"):
    """Run a cell that must fail with one short line, and return its execution."""
    cell = kernel.run(code)
    assert cell.status == "error"
    error = cell.error
    assert error["ename"] == kind
    assert error["traceback"] == [f"{kind}: {error['evalue']}"]
    assert len(error["evalue"]) < 300
    assert "127.0.0.1" not in error["evalue"]
    assert "://" not in error["evalue"]
    assert_discreet(cell)
    return cell


def assert_discreet(cell):
    text = json.dumps([message["content"] for message in cell.messages] + [cell.reply], default=str).casefold()
    assert not [fragment for fragment in FRAGMENTS if fragment.casefold() in text]
