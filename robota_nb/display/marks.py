"""What a mark says in words: why an answer is not the one that the page would get now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.record.text import short

if TYPE_CHECKING:
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.rules.marks import Mark


def why(page: NotebookPage, cell: str, mark: Mark) -> str:
    """Return in one sentence why a cell has its mark; empty where there is nothing to explain.

    Parameters
    ----------
    page
        The notebook.
    cell
        The key of the cell.
    mark
        What is said of it.
    """
    match mark.state:
        case "stale":
            return _why_stale(page, cell, mark)
        case "out":
            return "undo, clear or checkout has taken it out of memory"
        case "cut":
            return "the answer broke off; it is asked again when the cell runs"
        case "purged":
            return "what it said was removed"
        case "failed":
            return "its last run failed, so there is no answer to see"
        case "edited":
            return "it has not run since it was edited; its former answer is in memory"
    return ""


def _why_stale(page: NotebookPage, cell: str, mark: Mark) -> str:
    assert mark.judged is not None
    reason = mark.judged.why
    match mark.judged.kind:
        case "cell" if reason == cell:
            return "an earlier ask of this cell has another answer now"
        case "cell":
            return f"code cell {page.page.position(reason) + 1} above says something else now"
        case "outside":
            return "what was asked outside cells before it is something else now"
        case "gone":
            return "an answer that was sent before it is not there any more"
        case "along":
            return f"{short(reason)}, which went along with it, was edited or is gone"
        case "setting":
            return f"{short(reason)} is another one now"
        case "chat":
            return f"it would go to {short(page.record.chat_name(reason))!r} now"
    return ""
