"""Where what is displayed now goes, and whether an update would find it there."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where outputs go; two are equal where it is the same place.

    Parameters
    ----------
    publisher
        What publishes them: the shell's own publisher, or one that keeps them, as ``%%capture`` does.
    request
        The id of the message that they are an answer to.
    holders
        The ids of the widgets that catch them.
    is_captured
        Whether something else than a front end takes them.
    """

    publisher: object
    request: str
    holders: frozenset[str]
    is_captured: bool

    @property
    def stays(self) -> bool:
        """Whether outputs there are the cell's, which the notebook keeps."""
        return not self.is_captured and not self.holders

    def follows_updates(self, request: str | None) -> bool:
        """Say whether an output can be updated there while the kernel executes *request*.

        Only those of the cell that runs can: an ``ipywidgets.Output`` keeps what it caught as it was, ``%%capture``
        shows each update as one more output, and what comes after the end of its cell is nobody's to update.
        """
        return self.stays and self.request == request


def keeps_outputs(shell: Any) -> bool:
    """Say whether outputs go into a notebook: a kernel's do, and those of a shell that does more than print them."""
    if getattr(shell, "kernel", None) is not None:
        return True
    publisher = getattr(shell, "display_pub_class", None)
    return publisher is not None and publisher.__module__ != "IPython.core.displaypub"  # that one prints


def is_console(shell: Any) -> bool:
    """Say whether a console, such as ``jupyter console`` or Qt's, has sent the code that runs.

    It is one that a person types into, and that has no cells. It shows plain text alone, and no updates. Colab's
    notebooks are said to be none whatever they send.
    """
    if getattr(shell, "kernel", None) is None or "google.colab" in sys.modules:
        return False
    request = shell.get_parent() or {}
    return request.get("content", {}).get("allow_stdin") is True and "cellId" not in request.get("metadata", {})


def place(shell: Any) -> Place:
    """Return where the outputs of the code that calls this go.

    Parameters
    ----------
    shell
        The IPython shell.
    """
    publisher = shell.display_pub
    request = str((getattr(publisher, "parent_header", None) or {}).get("msg_id", ""))
    return Place(publisher, request, _holders(request), not isinstance(publisher, shell.display_pub_class))


def _holders(request: str) -> frozenset[str]:
    """Return the ids of the widgets that catch the outputs of a request: the front end looks for the same trait."""
    ipywidgets = sys.modules.get("ipywidgets")
    if ipywidgets is None or not request:
        return frozenset()
    instances = getattr(ipywidgets.widgets.widget, "_instances", None)
    every = ipywidgets.Widget.widgets if instances is None else instances  # the public name is deprecated
    outputs = ((model, one) for model, one in list(every.items()) if isinstance(one, ipywidgets.Output))
    return frozenset(model for model, one in outputs if one.msg_id == request)
