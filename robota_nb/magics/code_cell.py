"""Where the code of an answer goes: into the cell that the code of a former answer was put into, or into a new one.

Nothing is remembered for that: a cell that holds exactly the code of a former answer is one that nobody has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.events import Notice
from robota_nb.core.inside import runtime_of
from robota_nb.core.record.entries import source_hash
from robota_nb.display.formats import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.turn import Turn
    from robota_nb.magics.host import Host

__all__ = ["put_code"]


def put_code(turn: Turn, shell: InteractiveShell, host: Host) -> None:
    """Put the code of an answer into a cell below the one that runs, and tell the user what is not there.

    Parameters
    ----------
    turn
        What was answered just now.
    shell
        Has the front end insert a cell.
    host
        Has it change one.
    """
    page, code = host.page(), code_of(turn.text)
    notices = list[str]()
    if code.others:
        left = "is shown alone" if code.text else "is not put into a cell"
        notices.append(f"the answer has code that is no Python ({', '.join(code.others)}): it {left}")
    if code.text:
        former = {source_hash(text) for text in _former(page, turn)}
        made = next((cell for cell in _below(page) if cell[1] in former), None)
        if made is None:
            shell.set_next_input(code.text)
            if former and host.replaces_cells:
                notices.append("the cell with the former code was changed, or is gone: the new code is in a new cell")
        elif made[1] != source_hash(code.text):
            host.replace_cell(*made, code.text)
    for text in notices:
        runtime_of(host.manager).emit(Notice(text=text))


def _former(page: NotebookPage, turn: Turn) -> Iterator[str]:
    """Yield the code of what the running cell was answered before."""
    for node in page.record.of_cell(page.here_id) if page.here_id else ():
        view = page.record.view_of(node.chat)
        if view and node.id != turn.id and (text := code_of(view.record.text(node.id)).text):
            yield text


def _below(page: NotebookPage) -> Iterator[tuple[str, str]]:
    """Yield the id and the hash of the source of each cell below the running one, as a front end lists them."""
    is_below = False
    for cell in page.page.cells if page.page.listed else ():
        if is_below:
            yield cell.key, cell.source
        is_below = is_below or cell.id == page.here_id
