"""Lets a line of ``%robota`` end in a question mark, which IPython would take for a request for help."""

from __future__ import annotations

import re

_QUESTION = re.compile(r"(?P<before>\s*(?:[\w.\[\]'\"]+\s*=\s*)?)%robota[ \t]+(?P<rest>\S.*\?)[ \t]*$")


def protect(lines: list[str]) -> list[str]:
    """Return the lines of a cell with such lines spelt out as calls (IPython's input transformer).

    Parameters
    ----------
    lines
        With their line ends. ``%robota?`` alone still asks for help, and the text of a cell magic stays as it is.
    """
    if lines and lines[0].lstrip().startswith("%%"):
        return lines
    return [_protected(line) for line in lines]


def _protected(line: str) -> str:
    match = _QUESTION.fullmatch(line.rstrip("\n"))
    if match is None:
        return line
    end = "\n" if line.endswith("\n") else ""
    return f"{match['before']}get_ipython().run_line_magic('robota', {match['rest']!r}){end}"
