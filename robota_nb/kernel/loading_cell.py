"""What stands below ``%load_ext robota_nb`` in the same cell: IPython has read it before it could know our lines."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from types import FrameType


def read_anew(shell: Any) -> None:
    """Let what the running cell still has to run be what it says: its questions are asked.

    IPython hands out no way to change a cell that runs, but the list of statements that it goes through can be changed
    while it does.

    Raises
    ------
    UsageError
        If a question would be lost all the same: one in the very statement that loads the extension.
    """
    frame = _running_cell()
    result = frame.f_locals["result"] if frame else None
    if frame is None or result is None:
        return
    to_run: list[tuple[ast.stmt, str]] = frame.f_locals["to_run"]
    read = [node for node, _ in to_run]
    source = shell.transform_cell(str(result.info.raw_cell))
    anew = shell.transform_ast(shell.compile.ast_parse(source, frame.f_locals["cell_name"])).body
    below = next(number for number, node in enumerate(read) if node is frame.f_locals["node"]) + 1
    if _text(read[:below]) != _text(anew[:below]) or _loses_questions(shell, read[below - 1]):
        raise UsageError(
            "robota_nb is loaded, but IPython has read a question of this cell as a request for help: "
            "put %load_ext robota_nb into a cell above"
        )
    if _text(read[below:]) != _text(anew[below:]):
        (_, mode), (_, last_mode) = to_run[below - 1], to_run[-1]
        to_run[below:] = [(node, mode) for node in anew[below:-1]] + [(anew[-1], last_mode)]


def _running_cell() -> FrameType | None:
    """Return where IPython goes through the statements of the innermost cell; None if no cell runs."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - inspect.currentframe() is this, with a None
    while frame and frame.f_code is not InteractiveShell.run_ast_nodes.__code__:
        frame = frame.f_back
    return frame


def _text(nodes: list[ast.stmt]) -> list[str]:
    return [ast.dump(node) for node in nodes]


def _loses_questions(shell: Any, node: ast.stmt) -> bool:
    """Say whether the statement is a cell magic, such as ``%%time``, that has read its body with a question in it."""
    match node:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(attr="run_cell_magic"), args=[_, _, ast.Constant(value=str(body))])
        ):
            read = TransformerManager().transform_cell(body)  # type: ignore[no-untyped-call] # IPython's own
            return bool(read != shell.input_transformer_manager.transform_cell(body))
    return False
