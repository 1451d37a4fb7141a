"""What may be typed next within the braces of a field: the user's variables, what is in them, and filters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.prompt.fields import FILTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Offer", "in_field", "variables_of"]


class Offer(NamedTuple):
    """Something that may be typed next, and what it is, in a word."""

    text: str
    type: str


def variables_of(shell: Any) -> Mapping[str, object]:
    """Return the variables that the user of an IPython shell has made, by name."""
    hidden = shell.user_ns_hidden
    public = ((name, value) for name, value in list(shell.user_ns.items()) if not name.startswith("_"))
    return {name: value for name, value in public if hidden.get(name, shell) is not value}


def in_field(before: str, variables: Mapping[str, object]) -> tuple[str, list[Offer]] | None:
    """Return what may stand at the end of *before* within the braces of a field, and the word that it replaces.

    Parameters
    ----------
    before
        What stands on the line up to the cursor.
    variables
        The user's; of the one that is named, the attributes are listed, and nothing is looked up in it.

    Returns
    -------
    (str, list of Offer) or None
        None if there is no field at the cursor.
    """
    opened = _FIELD.search(before)
    if opened is None:
        return None
    typed = opened["typed"]
    if opened["piped"]:
        found = [Offer(name, "filter") for name in FILTERS]
    elif root := opened["root"]:
        value = variables.get(root)
        found = [Offer(name, "attribute") for name in dir(value)] if root in variables else []
    else:
        found = [Offer(name, "variable") for name in sorted(variables, key=str.casefold)]
    public = (offer for offer in found if not offer.text.startswith("_"))
    return typed, [offer for offer in public if offer.text.startswith(typed)]


_FIELD = re.compile(
    r"""
    (?<!\{)\{\{[ \t]*
    (?: (?P<root>[^\W\d]\w*)\. | (?P<piped>[^{}\n]*\|[ \t]*) )?
    (?P<typed>\w*)\Z
    """,
    re.VERBOSE,
)
