"""Tell a repository to use robota_nb for its notebooks: git's local configuration, and lines in ``.gitattributes``.

The configuration says what is run, by the path of this Python: it is not shared. The attributes only name it, and
are: where the configuration is missing, git does what it does without them.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from robota_nb.carriers.atomic import explained, replace_file
from robota_nb.errors import GitError

_NAME = "robota-nb"
_PATTERN = "*.ipynb"
_ATTRIBUTES = f"{_PATTERN} merge={_NAME} diff={_NAME}".encode()
_WITH_STRIP = _ATTRIBUTES + f" filter={_NAME}".encode()


def set_up(directory: Path, *, strip: bool | None = None) -> str:
    """Set up the repository that holds a directory; return what was done, as text.

    Parameters
    ----------
    directory
        Where to look for the repository.
    strip
        Whether conversations are to stay out of what is committed; None leaves it as it is.

    Raises
    ------
    GitError
        If there is no repository, or git refuses.
    SnapshotError
        If ``.gitattributes`` cannot be read or written.
    """
    root = _root(directory)
    if strip is None:
        strip = any(line.strip() == _WITH_STRIP for line in _lines(root))
    elif strip and (other := _other_filter(root)):
        raise GitError(
            f"the filter {other!r} cleans {_PATTERN} here, and git runs one a file; nothing was changed. To have "
            f"both, let its command (git config filter.{other}.clean) begin with '{_NAME} strip - |', "
            "and leave out --strip"
        )
    _configure(root, f"merge.{_NAME}.name", "notebooks with conversations (robota_nb)")
    _configure(root, f"merge.{_NAME}.driver", f"{_command('merge')} --path %P %O %A %B")
    _configure(root, f"diff.{_NAME}.textconv", _command("git", "textconv"))
    if strip:
        _configure(root, f"filter.{_NAME}.clean", _command("strip", "-"))
        _configure(root, f"filter.{_NAME}.smudge", "cat")  # required means both ways
        _configure(root, f"filter.{_NAME}.required", "true")
    else:
        _forget(root, "filter")
    _put_line(root, _WITH_STRIP if strip else _ATTRIBUTES)
    kept = "stay out of commits" if strip else "merge as a union"
    said = f"set up: in {root.name}, conversations in {_PATTERN} {kept}; commit .gitattributes"
    if find_spec("nbdime"):
        return said
    return f"{said}. Cells are merged as text: with pip install 'robota-nb[git]', as cells"


def remove(directory: Path) -> str:
    """Undo `set_up`; return what was done, as text.

    Raises
    ------
    GitError, SnapshotError
        As `set_up` does.
    """
    root = _root(directory)
    for kind in ("merge", "diff", "filter"):
        _forget(root, kind)
    _put_line(root, None)
    return f"removed: in {root.name}, git treats {_PATTERN} as it does without robota_nb"


def _command(*words: str) -> str:
    """Return the command line that git is to run, also where this environment is not active.

    ``-P`` keeps Python from importing what lies in the repository.
    """
    line = shlex.join([Path(sys.executable).as_posix(), "-P", "-m", "robota_nb", *words])
    return line.replace("%", "%%") if words[0] == "merge" else line  # git fills in what stands behind %


def _git(directory: Path, *words: str, also: int = 0) -> str:
    """Run git, and return what it says; it may end with 0 or *also*."""
    try:
        done = subprocess.run(["git", *words], cwd=directory, capture_output=True, check=False)  # noqa: S603, S607 - git
    except OSError:
        raise GitError("git cannot be run; install it, or put it on the PATH") from None
    if done.returncode not in (0, also):
        said = done.stderr.decode(errors="replace").strip().splitlines() or [""]
        raise GitError(f"git {words[0]} has failed ({said[-1]})")
    return os.fsdecode(done.stdout).removesuffix("\n")


def _root(directory: Path) -> Path:
    try:
        return Path(_git(directory, "rev-parse", "--show-toplevel"))
    except GitError as error:
        if "git cannot be run" in str(error):
            raise
        raise GitError(
            "git finds no repository with a work tree here; go to one, or make one with 'git init'"
        ) from None


def _configure(root: Path, key: str, value: str) -> None:
    _git(root, "config", "--local", "--replace-all", key, value)


def _forget(root: Path, kind: str) -> None:
    if _git(root, "config", "--local", "--get-regexp", rf"^{kind}\.{_NAME}\.", also=1):
        _git(root, "config", "--local", "--remove-section", f"{kind}.{_NAME}")


def _other_filter(root: Path) -> str | None:
    """Return the filter that git runs on notebooks now, if it is somebody else's, such as nbstripout or git-lfs."""
    said = _git(root, "check-attr", "filter", "--", f"any{_PATTERN.removeprefix('*')}")
    name = said.rpartition(": ")[2]
    return None if name in ("unspecified", "unset", "set", _NAME) else name


def _lines(root: Path) -> list[bytes]:
    path = root / ".gitattributes"
    with explained(path, "read"):
        return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def _is_ours(line: bytes) -> bool:
    return line.strip() in (_ATTRIBUTES, _WITH_STRIP)


def _put_line(root: Path, ours: bytes | None) -> None:
    """Let *ours* be the only line of this module in ``.gitattributes``, and the last one: of two the later counts."""
    path = root / ".gitattributes"
    before = _lines(root)
    if ours and [line.strip() for line in before if _is_ours(line)] == [ours]:
        return  # it may be that somebody has put a line after it, and means it
    lines = [line for line in before if not _is_ours(line)]
    if ours:
        end = b"\r\n" if before and before[0].endswith(b"\r\n") else b"\n"
        lines = [line if line.endswith(b"\n") else line + end for line in lines] + [ours + end]
    if not lines and before:
        with explained(path, "written"):
            path.unlink()
    elif lines != before:
        replace_file(path, b"".join(lines))
