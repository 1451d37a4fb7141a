"""The reference, made from the real objects while the pages are built: nothing in it is written twice.

Directives: ``robota-commands NOUN`` and ``robota-cell`` (from the table of commands), ``robota-filters``,
``robota-options`` (the traits of the magics), ``robota-cli`` (the click commands). What they make can be linked to.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any

import click
from sphinx.util.docutils import SphinxDirective

from robota_nb.cli.main import main
from robota_nb.magics.commands import CELL, COMMANDS
from robota_nb.magics.robota import RobotaMagics
from robota_nb.prompt.fields import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment
    from traitlets import TraitType

    from robota_nb.magics.spec import Arg, Spec


def block(name: str, argument: str = "", content: Iterable[str] = ()) -> Iterator[str]:
    """Yield a directive or a fence."""
    yield from ("", f"````{name} {argument}".rstrip(), *content, "````", "")


# -- %robota


def command(spec: Spec, *words: str) -> Iterator[str]:
    """Yield a section on a command, or on the line of a cell; *words* name it in links, where a % cannot stand."""
    yield from (f"({'-'.join(words)})=", f"### `{spec.line}`", "", spec.summary)
    yield from block("text", content=usage(spec.line, (argument.usage for argument in spec.arguments)))
    yield from block("{program}", " ".join(words))
    for argument in spec.arguments:
        yield from block("{option}", written(argument), [argument.help])
    if spec.examples:
        yield from block("", content=spec.examples)


def usage(line: str, parts: Iterable[str]) -> list[str]:
    """Return a usage line in lines that can be seen whole, none of its parts cut."""
    whole = " ".join((line, *(part.replace(" ", "\0") for part in parts)))
    wrapped = textwrap.wrap(whole, 72, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return [text.replace("\0", " ") for text in wrapped]


def written(argument: Arg) -> str:
    """Return how an argument is written, each of its flags with what it takes."""
    return ", ".join(f"{flag} {argument.metavar}".strip() for flag in argument.flags) or argument.metavar


def commands(wanted: str = "") -> Iterator[str]:
    """Yield a section for each command of a noun; without one, for those that have none."""
    nouns = {spec.words[0] for spec in COMMANDS if len(spec.words) > 1}
    for spec in COMMANDS:
        noun = spec.words[0] if spec.words else ""
        if (noun if noun in nouns else "") == wanted:
            yield from command(spec, "robota", *spec.words)


def cell() -> Iterator[str]:
    """Yield a section for the line of a cell."""
    yield from command(CELL, "robota", "cell")


def filters() -> Iterator[str]:
    """Yield a table of the filters of a field in a prompt."""
    yield from ("| filter | |", "| --- | --- |")
    for name, known in FILTERS.items():
        yield f"| `{name}{'(N)' if known.counts else ''}` | {known.help} |"


# -- %config RobotaMagics


def options() -> Iterator[str]:
    """Yield each option of the magics with its type and default."""
    for name, trait in sorted(RobotaMagics.class_own_traits(config=True).items()):
        about = (
            f":type: {takes(trait)}",
            f":default: `{trait.default_value_repr()}`",
            "",
            inspect.cleandoc(trait.help),
        )
        yield from block("{confval}", f"RobotaMagics.{name}", about)


def takes(trait: TraitType[Any, Any]) -> str:
    """Return what a trait can be."""
    if values := getattr(trait, "values", None):
        return " or ".join(f"`{value!r}`" for value in values)
    least = getattr(trait, "min", None)
    return trait.info() if least is None else f"{trait.info()}, at least {least}"


# -- robota-nb


def cli(what: click.Command = main, words: tuple[str, ...] = ("robota-nb",)) -> Iterator[str]:
    """Yield a section for each click command below these words that does something."""
    context = click.Context(what, info_name=" ".join(words))
    if isinstance(what, click.Group):
        for name in what.list_commands(context):
            yield from cli(what.commands[name], (*words, name))
        return
    yield from (f"({'-'.join(words)})=", f"## `{context.info_name}`", "", inspect.cleandoc(what.help or ""))
    yield from block("text", content=usage(context.command_path, what.collect_usage_pieces(context)))
    yield from block("{program}", context.info_name or "")
    for parameter in what.get_params(context):
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            yield from block("{option}", record[0].replace(" / ", ", "), [record[1]])


# -- what docstrings name


NO_INVENTORY = [("py:class", r"(?!robota_nb\.)(\w+\.)*\w+")]
"""Python's own names and those of other packages: to know their pages, a build would have to ask the network."""


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.Element) -> nodes.Node | None:
    """Find what a docstring or an annotation names by its last words, as in `Session.chats`; else return None."""
    if node.get("refdomain") != "py":
        return None
    python: Any = env.domains["py"]
    wanted = node["reftarget"].rpartition(".")[2] if node["reftarget"].startswith("robota_nb.") else node["reftarget"]
    found = [name for name in python.objects if name == wanted or name.endswith(f".{wanted}")]
    if len(found) != 1 or not app.builder:
        return None
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, shown)


def parsable(  # noqa: PLR0917 - as autodoc calls it
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Write defaults that Python shows in angle brackets as Python, else nothing in the signature is a link."""
    if signature:
        signature = re.sub(r"<function (\w+)( at 0x\w+)?>", r"\1", signature.replace("<factory>", "..."))
    return signature, returns


def directive(makes: Callable[..., Iterator[str]]) -> type[SphinxDirective]:
    """Return a directive whose content is the MyST text that a function makes, line by line."""

    class Generated(SphinxDirective):
        optional_arguments = 1

        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes("\n".join(makes(*self.arguments)), allow_section_headings=True)

    return Generated


def configure(app: Sphinx, config: Config) -> None:
    """Say how docstrings are read, in one place with what reads them."""
    config.default_role = "py:obj"
    config.smartquotes = False  # a -- in a help text is what is typed
    config.nitpick_ignore_regex = [*config.nitpick_ignore_regex, *NO_INVENTORY]
    config.autodoc_member_order = "bysource"
    config.autodoc_typehints = "signature"
    config.napoleon_google_docstring = False
    config.napoleon_use_rtype = False


def setup(app: Sphinx) -> dict[str, bool]:
    """Make it known to Sphinx."""
    for extension in ("sphinx.ext.autodoc", "sphinx.ext.napoleon"):
        app.setup_extension(extension)
    for makes in (commands, cell, filters, options, cli):
        app.add_directive(f"robota-{makes.__name__}", directive(makes))
    app.connect("config-inited", configure)
    app.connect("autodoc-process-signature", parsable)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
