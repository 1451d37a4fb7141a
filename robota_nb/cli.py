"""The command ``robota-nb``: run, show, verify and settle notebooks."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from robota_nb._version import __version__
from robota_nb.carriers import file, output
from robota_nb.core import snapshot
from robota_nb.core.modes import MODES
from robota_nb.core.reprs import count
from robota_nb.errors import RobotaError, SnapshotError
from robota_nb.notebook import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robota_nb.headless import FrontEnd

NOTEBOOK = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="robota-nb")
def main() -> None:
    """Notebooks with conversations in them."""


@contextmanager
def _errors() -> Iterator[None]:
    """Let errors leave as one line and exit code 1."""
    try:
        yield
    except RobotaError as error:
        raise click.ClickException(report.plain(str(error))) from None


@main.command()
@click.argument("notebook", type=NOTEBOOK)
@click.option("-o", "--output", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead.")
@click.option("--replay", type=click.Choice(MODES), help="auto: replay what is recorded; strict: never ask; off: ask.")
@click.option("--kernel", "kernel_name", help="The kernel to run it with; by default the notebook's own.")
@click.option("--timeout", type=int, help="Seconds that a cell may take; by default as long as it likes.")
def run(notebook: Path, target: Path | None, replay: str | None, kernel_name: str | None, timeout: int | None) -> None:
    """Run NOTEBOOK, and keep its outputs and conversations, also if a cell fails."""
    from robota_nb import headless

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
    try:
        click.echo(report.tree(value, marks) if value is not None else "no conversations")
    except SnapshotError as error:
        click.echo(report.plain(f"the snapshot cannot be read: {error}"))
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
@click.argument("notebook", type=NOTEBOOK)
def verify(notebook: Path) -> None:
    """Check each entry in NOTEBOOK against its id; exit code 1 if anything is wrong."""
    with _errors():
        click.echo(report.verified(_united(file.load(notebook))))


@main.command()
@click.argument("notebook", type=NOTEBOOK)
def settle(notebook: Path) -> None:
    """Move what rides in the outputs of NOTEBOOK into its metadata."""
    with _errors(), file.changing(notebook) as content:
        before = sum(1 for _ in output.riders(content))
        left = output.settle(content)
        value = content["metadata"].get(snapshot.KEY)
    if not before:
        click.echo("nothing to settle")
    elif value is not None:
        click.echo(f"settled: {report.summary(value['sessions'])}")
    if left:
        raise click.ClickException(
            f"{count(left, 'entry')} stay in the outputs: what they hang from was deleted or cleared"
        )


def _united(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the snapshot of a notebook: what is in its metadata, and what rides in its outputs."""
    return snapshot.dump(snapshot.merge(*output.read(notebook)))
