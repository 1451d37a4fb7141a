"""The command ``robota-nb``: run, show, search, export, verify and settle notebooks, and what git needs of them."""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from robota_nb._version import __version__
from robota_nb.carriers import file, output
from robota_nb.cli import shells
from robota_nb.core.record import snapshot
from robota_nb.core.record.relations import missing_of
from robota_nb.core.record.text import count
from robota_nb.core.rules.modes import MODES
from robota_nb.display import report
from robota_nb.display.code_page import printable
from robota_nb.display.hints import told
from robota_nb.errors import RobotaError, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robota_nb.core.ports import Entries
    from robota_nb.frontends.headless import FrontEnd

NAME = "robota-nb"
_MOST_LINES = 1000
"""How many lines a terminal is shown; a file or a pipe gets all."""

NOTEBOOK = click.Path(exists=True, dir_okay=False, path_type=Path)
NOTEBOOKS = click.argument("notebooks", type=NOTEBOOK, nargs=-1, required=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=NAME)
def main() -> None:
    """Notebooks with conversations in them."""


def _say(text: str, *, err: bool = False) -> None:
    """Write a line as far as the output has characters for it: that of a pipe on Windows has few."""
    click.echo(printable(text, sys.stderr if err else sys.stdout), err=err)


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
@click.option(
    "--replay",
    type=click.Choice(MODES),
    help="auto: replay what is recorded, ask the rest; stale: of the rest, ask only what had an answer; "
    "strict: never ask; off: always ask.",
)
@click.option(
    "--stale", is_flag=True, help="Ask only what is stale or edited, as with --replay stale; new is an error."
)
@click.option(
    "--trust",
    is_flag=True,
    help="Ask also where somebody else has changed a chat's server, settings or name.",
)
@click.option(
    "--allow-tool",
    "allow",
    multiple=True,
    metavar="NAME",
    help="Let models call this function of the notebook, as nobody is there to be asked; while text of others is sent "
    "along, with --trust alone. May be repeated.",
)
@click.option("--kernel", "kernel_name", help="The kernel to run it with; by default the notebook's own.")
@click.option("--timeout", type=int, help="Seconds that a cell may take; by default as long as it likes.")
def run(
    notebook: Path,
    target: Path | None,
    *,
    replay: str | None,
    stale: bool,
    trust: bool,
    allow: tuple[str, ...],
    kernel_name: str | None,
    timeout: int | None,
) -> None:
    """Run NOTEBOOK, and keep its outputs and conversations, also if a cell fails."""
    from robota_nb.frontends import headless

    if stale and replay not in (None, "stale"):
        raise click.UsageError(f"--stale and --replay {replay} exclude each other: leave one of them out")
    replay = "stale" if stale else replay
    options: dict[str, Any] = {"replay": replay, "trust": trust, "allow": allow, "timeout": timeout}
    options |= {"kernel_name": kernel_name} if kernel_name else {}
    with _errors(), _progress(notebook.name) as progress:
        try:
            front, failure = headless.run(notebook, target, progress=progress, **options), None
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
        _say(f"note: {report.plain(notice)}", err=True)
    if value is None and front.requests is None:
        _say("no conversations: no cell has used robota_nb")
        return
    try:
        _say(report.tree(value, marks) if value is not None else "no conversations")
    except SnapshotError as error:
        _say(report.plain(f"the snapshot cannot be read: {told(error)}"))
    asked = sum(mark == "asked" for mark in marks.values())
    requests = "an unknown number of requests" if front.requests is None else count(front.requests, "request")
    _say(f"{count(asked, 'turn')} asked, {len(marks) - asked} replayed, {requests}")


@main.command()
@click.argument("notebook", type=NOTEBOOK)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, with the whole texts.")
def show(notebook: Path, as_json: bool) -> None:
    """Show the sessions, chats, turns and branches in NOTEBOOK."""
    with _errors():
        sessions = report.outlined(_held(notebook))
        if as_json:
            _say(_json({"sessions": sessions}))
        else:
            _say(report.drawn(sessions, most=_MOST_LINES if sys.stdout.isatty() else None))


@main.command("search")
@click.argument("text")
@click.argument("folder", metavar="[DIR]", type=click.Path(exists=True, path_type=Path), default=".")
def search_(text: str, folder: Path) -> None:
    """Find TEXT in all that was asked and answered in the notebooks of DIR and of its folders.

    One line for each turn, with the chat first that was used last; by default of the working directory. What was
    undone or deleted is found and marked, and so is what somebody else wrote: your store does not know it. Exit code
    1: nothing was found. 2: a notebook could not be read, and the others were searched.
    """
    from robota_nb.cli.search import search

    if not text.strip():
        raise click.UsageError("there is no text to look for")
    problems: list[str] = []
    with _errors():
        found = search(text, folder, problems.append)
    if found:
        _say(report.matches(found, most=_MOST_LINES if sys.stdout.isatty() else None))
    for problem in problems:
        _say(report.plain(f"Error: {problem}"), err=True)
    sys.exit(2 if problems else 0 if found else 1)


@main.command("import")
@click.argument("export", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--chat", "chats", metavar="NAME", multiple=True, help="This conversation, by its title or id.")
@click.option(
    "--into", "notebook", metavar="NOTEBOOK", type=click.Path(dir_okay=False, path_type=Path), help="Where it goes."
)
def import_(export: Path, chats: tuple[str, ...], notebook: Path | None) -> None:
    """List the conversations in FILE, or put those that are named into a notebook.

    FILE is an export of ChatGPT or Claude, zipped or not, or a log of llm: its logs.db, or what 'llm logs --json -n 0'
    prints. Branches come along. What comes in is marked as foreign, for everybody and for good. The notebook must not
    be open; it is made if there is none.
    """
    from robota_nb.cli.imports import into, source
    from robota_nb.cli.imports import told as words
    from robota_nb.cli.imports.talks import named

    if (notebook is None) == bool(chats):
        raise click.UsageError(
            "name conversations with --chat, and a notebook with --into; without both, they are listed"
        )
    with _errors():
        program, talks = source.read(export)
        if notebook is None:
            _say(words.listed(program, talks))
        else:
            done = into.put(notebook, program, named(talks, chats))
            _say(words.imported(program, notebook.name, done))


def _pattern(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> list[re.Pattern[str]]:
    """Read regular expressions."""
    try:
        return [re.compile(text) for text in given]
    except re.error as error:
        raise click.BadParameter(f"{report.plain(str(error.pattern))!r} is no regular expression: {error}") from None


@main.command()
@click.argument("notebook", type=NOTEBOOK)
@click.option("--html", "as_html", is_flag=True, help="As one page that needs nothing else; the one form there is.")
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write here instead of beside the notebook.",
)
@click.option("--chat", "chats", metavar="NAME", multiple=True, help="Only this chat; can be given again.")
@click.option("--branches", is_flag=True, help="Also what was asked beside the path.")
@click.option("--system", is_flag=True, help="Also system prompts.")
@click.option("--thoughts", is_flag=True, help="Also what models thought, where that is recorded.")
@click.option("--tools", is_flag=True, help="Also which tools models have called, and what these returned.")
@click.option("--pictures/--no-pictures", default=True, help="Pictures of questions and answers, or where they were.")
@click.option(
    "--redact",
    "patterns",
    metavar="PATTERN",
    multiple=True,
    callback=_pattern,
    help="Without what this regular expression finds; can be given again. Keys are never in it.",
)
def export(
    notebook: Path,
    target: Path | None,
    *,
    as_html: bool,
    chats: tuple[str, ...],
    patterns: list[re.Pattern[str]],
    **shown: bool,
) -> None:
    """Write the conversations of NOTEBOOK as a page to give away: what each chat remembers, without scripts."""
    from robota_nb.cli.export import write_page
    from robota_nb.display.web_page import Shows

    if not as_html:
        raise click.UsageError("in which form? Add --html")

    def tell(text: str) -> None:
        _say(f"note: {report.plain(text)}", err=True)

    with _errors():
        target = target or notebook.with_suffix(".html")
        said = write_page(notebook, target, Shows(**shown), chats=chats, patterns=patterns, notify=tell)
        _say(report.plain(said))


@main.command()
@NOTEBOOKS
def verify(notebooks: tuple[Path, ...]) -> None:
    """Check each entry in NOTEBOOKS against its id; exit code 1 if anything is wrong."""
    _for_each(notebooks, _verified)


@main.command()
@NOTEBOOKS
def check(notebooks: tuple[Path, ...]) -> None:
    """Say which cells of NOTEBOOKS have no fresh answer, and why; nothing is run, and nobody is asked.

    Exit code 0: all answers are fresh. 1: there are stale, edited or new cells, or an output shows what is not the
    recorded answer. 2: it cannot be told without a run, as with prompts that have fields.
    """
    from robota_nb.cli import check as checking
    from robota_nb.cli.configured import alias

    codes, short_name = set[int](), alias()

    def checked(notebook: Path) -> str:
        said = checking.check(file.load(notebook), alias=short_name)
        codes.add(said.exit_code)
        if said.findings:
            return "\n".join(map(str, said.findings))
        return f"fresh: {count(said.asking, 'asking cell')}" if said.asking else "nothing to check: no cell asks"

    _for_each(notebooks, checked)
    sys.exit(1 if 1 in codes else max(codes, default=0))


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
            _say(report.plain("\n".join(name + line for line in do(notebook).splitlines())))
        except RobotaError as error:
            failed = True
            _say(report.plain(f"{name}Error: {told(error)}"), err=True)
    if failed:
        sys.exit(1)


def _verified(notebook: Path) -> str:
    saved, riding = output.read(file.load(notebook))
    held = snapshot.merge(saved, riding)
    said = f"verified: {report.summary(held)}"
    if missing := sum(len(missing_of(entries)) for entries in held.values()):
        said += f"; {count(missing, 'turn')} that others follow cannot be found: outputs were cleared, or cells deleted"
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
        raise SnapshotError(f"{said}; {count(left, 'entry')} stay in the outputs: what they refer to is nowhere")
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
    _say(_json(found) if as_json else compare.lines(found))
    if exit_code and found:
        sys.exit(1)


def _json(value: object) -> str:
    """Return JSON as the output can show it: a terminal, or a code page, is given escapes."""
    is_unicode = codecs.lookup(sys.stdout.encoding or "utf-8").name.startswith("utf")
    return json.dumps(value, indent=1, ensure_ascii=sys.stdout.isatty() or not is_unicode)


def _held(path: Path) -> Entries:
    """Return the entries of a notebook: those in its metadata, and those that ride in its outputs."""
    if os.path.normcase(path) == os.devnull:
        return {}
    return snapshot.merge(*output.read(file.load(path)))


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
            _say(f"{report.plain(notebook.name)}: {'stripped' if found else 'there are no conversations'}")


@main.command("purge")
@click.argument("notebook", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--chat", "chats", metavar="NAME", multiple=True, help="This chat, by its name or id; can be given again."
)
@click.option("--session", "sessions", metavar="NAME", multiple=True, help="This session; can be given again.")
@click.option("--all", "everything", is_flag=True, help="All conversations.")
def purge_(notebook: Path, *, chats: tuple[str, ...], sessions: tuple[str, ...], everything: bool) -> None:
    """Remove chats or sessions of NOTEBOOK for good, deleted ones too, from the file and from your store.

    Their questions, answers, names, settings, system prompts, pictures and files go, and a merge with an older copy
    does not bring them back, as it does what 'strip' takes out. Cells and outputs stay: it says which still show
    them. The notebook must not be open. There is no way back.
    """
    from robota_nb.cli.purge import purge

    if everything == bool(chats or sessions):
        raise click.UsageError("what is to go? Name it with --chat or --session, or say --all")

    def tell(text: str) -> None:
        _say(f"note: {report.plain(text)}", err=True)

    with _errors():
        _say(purge(notebook, chats=chats, sessions=sessions, everything=everything, notify=tell))


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
        _say(f"{called}: {conflict}", err=True)
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
        _say(repository.remove(Path.cwd()) if remove else repository.set_up(Path.cwd(), strip=strip))


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
    _say(shells.script(main, NAME, shell))
