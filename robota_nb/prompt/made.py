"""The sources of cells that are made of what was said: it stands in them as it was sent, and nothing is filled in."""

from __future__ import annotations

import re

from robota_nb.errors import PromptError

__all__ = ["OPTION_LINE", "PLAIN", "ask_cell", "quoted"]

OPTION_LINE = re.compile(r"#\||#@|# %%")
"""What a line begins with that is an option of another tool, at the top of a cell: it is no part of the prompt."""

PLAIN = re.compile(r"[\w@%+:,./-]+")
"""Names that need no quotes in a magic's line."""

_CHANGED = re.compile(
    r"""
    [\r\0-\x08\x0b-\x1f\x7f\x85\u2028\u2029]  # controls, and line ends that an editor makes others of
    | ^ [^\S\n]+ $                             # a line of spaces becomes an empty one
    | ^ \s* >>> | ^ \s* \.{3,} : | ^ .{,6} In[ ]\[\d+\]:  # prompts of Python and of IPython are taken off
    """,
    re.VERBOSE | re.MULTILINE,
)
"""What IPython, or the editor of a cell, does not keep."""

_BRACES = "{{"
_NOTHING = "--"
"""What argparse takes out of a line wherever it stands, also as a value."""


def quoted(name: str) -> str:
    """Return a name as it has to be typed in a magic's line."""
    if PLAIN.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ask_cell(prompt: str, *, chat: str, session: str = "") -> str:
    """Return the source of a cell that asks a prompt as it was sent.

    Parameters
    ----------
    prompt
        What was sent.
    chat, session
        The names of the chat, and of its session where it takes that to find the chat.

    Raises
    ------
    PromptError
        If a cell cannot say it.
    """
    if OPTION_LINE.match(prompt):
        raise PromptError(
            "a cell would leave out its first line, as an option of another tool: copy the prompt, and edit it"
        )
    if _CHANGED.search(prompt) or not prompt.strip():
        raise PromptError("a cell would not keep all of it as it was sent: copy the prompt, and edit it")
    if _NOTHING in (chat, session):
        raise PromptError(f"no line can name {_NOTHING!r}: give it another name, or copy the prompt")
    options = [_option("session", session)] if session else []
    options += [_option("chat", chat), *(["--raw"] if _BRACES in prompt else [])]
    end = "\n" if prompt.endswith("\n") else ""  # the last one is the cell's
    return f"%%robota {' '.join(options)}\n{prompt}{end}"


def _option(name: str, value: str) -> str:
    return f"--{name}{'=' if value.startswith('-') else ' '}{quoted(value)}"
