"""The command ``robota-nb``: run, show, verify and settle notebooks, and what git needs to know of them."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from robota_nb._version import __version__
from robota_nb.carriers import file, output
from robota_nb.cli import shells
from robota_nb.core.record import snapshot
from robota_nb.core.record.text import count
from robota_nb.core.rules.modes import MODES
from robota_nb.display import report
from robota_nb.display.hints import told
from robota_nb.errors import RobotaError, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robota_nb.core.record.types import Snapshot
    from robota_nb.frontends.headless import FrontEnd

NAME = "robota-nb"
NOTEBOOK = click.Path(exists=True, dir_okay=False, path_type=Path)
NOTEBOOKS = click.argument("notebooks", type=NOTEBOOK, nargs=-1, required=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=NAME)
def main() -> None:
    """Notebooks with conversations in them."""


@contextmanager
def _errors() -> Iterator[None]:
    """Let errors leave as one line and exit code 1."""
    try:
        yield
    except RobotaError as error:
        raise click.ClickException(report.plain(told(error))) from None


@main.command()
@click.argument("notebook", type=NOTEBOOK)
@click.option("-o", "--output", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead.")
@click.option("--replay", type=click.Choice(MODES), help="auto: replay what is recorded; strict: never ask; off: ask.")
@click.option("--kernel", "kernel_name", help="The kernel to run it with; by default the notebook's own.")
@click.option("--timeout", type=int, help="Seconds that a cell may take; by default as long as it likes.")
def run(notebook: Path, target: Path | None, replay: str | None, kernel_name: str | None, timeout: int | None) -> None:
    """Run NOTEBOOK, and keep its outputs and conversations, also if a cell fails."""
    from robota_nb.frontends import headless

    options = {"kernel_name": kernel_name} if kernel_name else {}
    with _errors(), _progress(notebook.name) as progress:
        try:
            front, failure = (
                headless.run(notebook, target, replay=replay, progress=progress, timeout=timeout, **options),
                None,
            )
        except headless.Failure as error:
            front, failure = error.front, error
    _summarise(front)
    if failure:
        raise click.ClickException(
            report.plain(f"a cell failed: {failure}; what ran before it is in {front.path.name}")
        )


@contextmanager
def _progress(label: str) -> Iterator[Any]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield progress


def _summarise(front: FrontEnd) -> None:
    shown = front.shown()
    marks = {turn: "asked" if turn in front.asked else "replayed" for turn in shown}
    value = front.notebook.metadata.get(snapshot.KEY)
    for notice in front.notices:
        click.echo(f"note: {report.plain(notice)}", err=True)
    if value is None and front.requests is None:
        click.echo("no conversations: no cell has used robota_nb")
        return
    try:
        click.echo(report.tree(value, marks) if value is not None else "no conversations")
    except SnapshotError as error:
        click.echo(report.plain(f"the snapshot cannot be read: {told(error)}"))
    asked = sum(mark == "asked" for mark in marks.values())
    requests = "an unknown number of requests" if front.requests is None else count(front.requests, "request")
    click.echo(f"{count(asked, 'turn')} asked, {len(marks) - asked} replayed, {requests}")


@main.command()
@click.argument("notebook", type=NOTEBOOK)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, with the whole texts.")
def show(notebook: Path, as_json: bool) -> None:
    """Show the sessions, chats, turns and branches in NOTEBOOK."""
    with _errors():
        value = _united(file.load(notebook))
        outline = {"sessions": report.outline(value)}
        click.echo(json.dumps(outline, indent=1, ensure_ascii=sys.stdout.isatty()) if as_json else report.tree(value))


@main.command()
@NOTEBOOKS
def verify(notebooks: tuple[Path, ...]) -> None:
    """Check each entry in NOTEBOOKS against its id; exit code 1 if anything is wrong."""
    _for_each(notebooks, _verified)


@main.command()
@NOTEBOOKS
def settle(notebooks: tuple[Path, ...]) -> None:
    """Move what rides in the outputs of NOTEBOOKS into their metadata."""
    _for_each(notebooks, _settled)


def _for_each(notebooks: tuple[Path, ...], do: Callable[[Path], str]) -> None:
    """Say what was done with each notebook, also if it fails with one of them; the exit code is 1 then."""
    failed = False
    for notebook in notebooks:
        name = f"{notebook}: " if len(notebooks) > 1 else ""
        try:
            click.echo(report.plain(name + do(notebook)))
        except RobotaError as error:
            failed = True
            click.echo(report.plain(f"{name}Error: {told(error)}"), err=True)
    if failed:
        sys.exit(1)


def _verified(notebook: Path) -> str:
    saved, riding = output.read(file.load(notebook))
    said = report.verified(snapshot.dump(snapshot.merge(saved, riding)))
    if turns := report.turns(riding):
        said += f"; {count(turns, 'turn')} in the outputs, gone when these are cleared: 'robota-nb settle' moves them"
    return said


def _settled(notebook: Path) -> str:
    with file.changing(notebook) as content:
        before = sum(1 for _ in output.riders(content))
        left = output.settle(content)
        value = content["metadata"].get(snapshot.KEY)
    said = f"settled: {report.summary(value['sessions'])}" if before and value is not None else "nothing to settle"
    if left:
        raise SnapshotError(
            f"{said}; {count(left, 'entry')} stay in the outputs: what they hang from was deleted or cleared"
        )
    return said


@main.command("diff")
@click.argument("before", metavar="A", type=NOTEBOOK)
@click.argument("after", metavar="B", type=NOTEBOOK)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, with the whole texts.")
@click.option("--exit-code", is_flag=True, help="End with exit code 1 if there are differences.")
def diff_(before: Path, after: Path, as_json: bool, exit_code: bool) -> None:
    """Say which turns were added, edited or removed from notebook A to notebook B.

    A null device stands for no notebook, as in git.
    """
    from robota_nb.cli.git import compare

    with _errors():
        found = compare.changes(*(_held(path) for path in (before, after)))
    click.echo(json.dumps(found, indent=1, ensure_ascii=sys.stdout.isatty()) if as_json else compare.lines(found))
    if exit_code and found:
        sys.exit(1)


def _held(path: Path) -> dict[str, Any]:
    if str(path) == os.devnull:
        return {}
    sessions: dict[str, Any] = _united(file.load(path))["sessions"]
    return sessions


@main.command("strip")
@click.argument("notebooks", metavar="[NOTEBOOK]...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
def strip_(notebooks: tuple[Path, ...]) -> None:
    """Take the conversations out of each NOTEBOOK.

    Without one, or with -, read a notebook from the input and write it to the output, as a filter of git does.
    """
    from robota_nb.cli.git import strip

    with _errors():
        if notebooks in ((), (Path("-"),)):
            data = strip.stripped(sys.stdin.buffer.read(), "the input")
            sys.stdout.buffer.write(data)
            return
        for notebook in notebooks:
            with file.changing(notebook) as content:
                found = strip.strip(content)
            click.echo(f"{report.plain(notebook.name)}: {'stripped' if found else 'there are no conversations'}")


class _NotMerged(click.ClickException):
    exit_code = 2  # git takes more than 128 as a failure of the whole merge


@main.command("merge")
@click.argument("base", type=NOTEBOOK)
@click.argument("ours", type=NOTEBOOK)
@click.argument("theirs", type=NOTEBOOK)
@click.option("--path", "name", help="What messages call the notebook; by default the name of OURS.")
def merge_(base: Path, ours: Path, theirs: Path, name: str | None) -> None:
    """Merge THEIRS into OURS; BASE is what both come from.

    The conversations of both are kept. Exit code 1: conflicts are left in the cells. 2: nothing was merged, and OURS
    is as it was. This is a merge driver of git; 'robota-nb git setup' makes it known there.
    """
    from robota_nb.cli.git import merge

    called = report.plain(name or ours.name)
    try:
        conflicts = merge.merge_file(base, ours, theirs, called)
    except RobotaError as error:
        raise _NotMerged(f"not merged: {told(error)}") from None
    for conflict in conflicts:
        click.echo(f"{called}: {conflict}", err=True)
    if conflicts:
        sys.exit(1)


@main.group()
def git() -> None:
    """Use robota_nb for the notebooks of a git repository."""


@git.command()
@click.option("--strip/--no-strip", default=None, help="Keep conversations out of commits, or not any more.")
@click.option("--remove", is_flag=True, help="Undo it.")
def setup(strip: bool | None, remove: bool) -> None:
    """Let this repository merge and show its notebooks with robota_nb."""
    from robota_nb.cli.git import setup as repository

    with _errors():
        click.echo(repository.remove(Path.cwd()) if remove else repository.set_up(Path.cwd(), strip=strip))


@git.command()
@click.argument("notebook", type=NOTEBOOK)
def textconv(notebook: Path) -> None:
    """Write NOTEBOOK as text for 'git diff': its conversations to read, what is no notebook as it is."""
    from robota_nb.cli.git.readable import readable

    with _errors():
        sys.stdout.buffer.write(readable(file.read_bytes(notebook)))


@main.command()
@click.argument("shell", type=click.Choice(shells.SHELLS))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands, options and notebooks.

    \b
    bash: eval "$(robota-nb completion bash)" in ~/.bashrc
    zsh:  eval "$(robota-nb completion zsh)" in ~/.zshrc, after compinit
    fish: robota-nb completion fish | source in ~/.config/fish/config.fish
    """  # noqa: D301 - click's sign for lines to be left alone is a backspace
    click.echo(shells.script(main, NAME, shell))


def _united(notebook: dict[str, Any]) -> Snapshot:
    """Return the snapshot of a notebook: what is in its metadata, and what rides in its outputs."""
    return snapshot.dump(snapshot.merge(*output.read(notebook)))
