"""Tab completion of ``robota-nb`` in bash, zsh and fish: click's own, for which every file is a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import get_completion_class

if TYPE_CHECKING:
    from click import Command

_FILES = {
    "bash": (
        "compopt -o default",
        """compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -X '!*.ipynb' -- "$2"; compgen -d -- "$2")""",
    ),
    "zsh": ("_path_files -f", "_files -g '*.ipynb'"),
    "fish": ("__fish_complete_path $metadata[2]", "__fish_complete_suffix .ipynb"),
}
"""How a shell completes any file, as click has it, and how notebooks and folders."""

SHELLS = tuple(_FILES)
"""The shells that there is a script for."""


def script(command: Command, name: str, shell: str) -> str:
    """Return what a shell has to run once, so that it completes a command.

    Parameters
    ----------
    command
        The command.
    name
        How it is called in the shell.
    shell
        One of `SHELLS`.
    """
    complete = get_completion_class(shell)
    assert complete is not None
    variable = f"_{name.replace('-', '_').upper()}_COMPLETE"  # which click looks at
    return complete(command, {}, name, variable).source().replace(*_FILES[shell])
