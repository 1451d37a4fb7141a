"""``%robota`` and ``%%robota`` as IPython sees them: two magics, their settings, and how errors leave.

This is loaded with the extension, so it imports nothing that only a command needs.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from IPython.core.magic import (
    MAGIC_NO_VAR_EXPAND_ATTR,
    MagicAlias,
    Magics,
    cell_magic,
    line_magic,
    magics_class,
    no_var_expand,
)
from traitlets import Bool, Dict, Enum, Float, Integer, TraitError, Unicode, observe, validate

from robota_nb.core.rules.modes import POLICIES, RERUNS
from robota_nb.errors import ProviderError, RobotaError
from robota_nb.magics.spelling import NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from robota_nb.magics.runner import Runner


@magics_class
class RobotaMagics(Magics):
    """Conversations with language models, kept in the notebook.

    Parameters
    ----------
    shell
        The shell the magics are for.
    runner
        Gives what runs the commands; called when the first one is run.
    """

    endpoints = Dict(
        help="""OpenAI-compatible servers by name, such as
        {'lab': {'base_url': 'https://llm.lab.example/v1', 'key_env': 'LAB_KEY', 'model': 'llama3'}}.
        The key is in the environment variable that key_env names, or %robota endpoint key asks for it; it never
        stands here. 'headers' and 'query' go with each request ('$NAME' in them is an environment variable), 'body'
        into each request; 'api', 'timeouts', 'context_window', 'price', 'organization' and 'insecure' are in the
        how-to. For a server of another kind, 'provider' names the provider of an installed package, and that provider
        may have settings of its own."""
    ).tag(config=True)
    presets = Dict(
        help="""Settings of chats by a name of yours, such as
        {'reviewer': {'model': 'gpt-4o', 'system': 'Review what you are shown.', 'params': {'temperature': 0.2}}},
        for %robota chat open NAME --preset reviewer. 'provider', 'model', 'system' and 'params' may stand there. The
        notebook keeps what a preset says, not its name."""
    ).tag(config=True)
    provider = Unicode(help="The provider or endpoint of new chats; empty: openai if it has a key, else offline.").tag(
        config=True
    )
    model = Unicode(help="The model of new chats; empty for the endpoint's default.").tag(config=True)
    alias = Unicode(help="A short name, such as ai, for %ai and %%ai beside %robota and %%robota.").tag(config=True)
    autosnapshot = Bool(True, help="Put each turn into the notebook as soon as it is recorded.").tag(config=True)
    rerun = Enum(
        RERUNS,
        "replay",
        help="""What a cell does that has run in this kernel: 'replay' shows the answer that is recorded, 'ask' asks
        anew, 'append' goes on after what it has asked (for people who use one cell as an input line).""",
    ).tag(config=True)
    show_while_streaming = Bool(
        True,
        help="""Show an answer while it arrives; False shows it when it is whole, as --at-end does for one ask. Where an
        output cannot be updated, as in an Output widget or below %%capture, that is done anyway.""",
    ).tag(config=True)
    remote_pictures = Bool(
        False,
        help="""Show the pictures of public servers (https) that answers name, instead of links to them. A picture's
        address can carry what you have asked to its server, without a click.""",
    ).tag(config=True)
    short_errors = Bool(True, help="Show errors as one line; False shows the whole traceback.").tag(config=True)
    max_active_sessions = Integer(10, min=0, help="How many active sessions you may have; 0 for any number.").tag(
        config=True
    )
    max_chats = Integer(50, min=0, help="How many chats a session may have; 0 for any number.").tag(config=True)
    max_messages = Integer(
        0,
        min=0,
        help="""How many messages of a chat go into a request at most; 0 for all. Of more, the older ones leave in
        blocks of half as many, so that most requests begin as the one before did. The record keeps all.""",
    ).tag(config=True)
    tools = Enum(
        POLICIES,
        "ask",
        help="""What comes of a model's call of a tool that is not marked as safe: 'ask' has you asked before each,
        'allow' runs it, 'never' offers no tools. While text of others is sent along, you are asked anyway.""",
    ).tag(config=True)
    max_rounds = Integer(
        10, min=1, help="How many requests an answer that calls tools may make; then it ends as it stands."
    ).tag(config=True)
    max_result = Integer(
        50_000, min=100, help="How many characters of a tool's result a model is told; of more, beginning and end."
    ).tag(config=True)
    mark_unfinished = Bool(
        True,
        help="""Tell the model of its earlier answers that did not end by themselves how they ended, as in
        '[interrupted by the user]'. That stands in requests alone, not in the record.""",
    ).tag(config=True)

    answer_timeout = Float(
        1800, min=0, help="How many seconds a whole answer may take, waits included; 0 for any time."
    ).tag(config=True)
    silence_timeout = Float(600, min=1, help="How many seconds a server may say nothing.").tag(config=True)
    max_retry_wait = Float(
        60,
        min=0,
        help="""How many seconds a busy server may ask to wait before it is asked again by itself;
        if it asks for more, the ask fails and says for how much.""",
    ).tag(config=True)

    def __init__(self, shell: InteractiveShell, runner: Callable[[], Runner]) -> None:
        super().__init__(shell=shell)
        self._runner = runner

    @observe("endpoints")
    def _tell_unusable(self, change: Mapping[str, Any]) -> None:
        """Tell of endpoints that cannot be used: the others can, so the setting is taken."""
        from robota_nb.providers.endpoint import usable_endpoints

        _tell(usable_endpoints(_new(change))[1])

    @observe("presets")
    def _tell_faulty(self, change: Mapping[str, Any]) -> None:
        """Tell of presets that cannot be used, as of endpoints."""
        from robota_nb.magics.presets import faulty

        _tell(faulty(_new(change)))

    @validate("alias")
    def _free(self, proposal: Mapping[str, Any]) -> str:
        name: str = proposal["value"]
        others = [magics[name] for magics in self._table.values() if name in magics and not self._is_ours(magics[name])]
        if name and (others or name == NAME or not name.isidentifier()):
            raise TraitError(f"RobotaMagics.alias cannot be {name!r}: give a word that is no magic yet, such as 'ai'")
        return name

    @observe("alias")
    def _renamed(self, change: Mapping[str, Any]) -> None:
        self.forget(change["old"])
        self.register_alias()

    @property
    def _table(self) -> dict[str, dict[str, Any]]:
        assert self.shell is not None
        found: dict[str, dict[str, Any]] = self.shell.magics_manager.magics
        return found

    def _is_ours(self, magic: object) -> bool:
        return getattr(magic, "__self__", None) is self

    def register_alias(self) -> None:
        """Make the magics known under their short name, too."""
        if self.alias:
            for magics in self._table.values():
                if self._is_ours(magics.get(NAME)):
                    magics[self.alias] = magics[NAME]

    def forget(self, name: str) -> None:
        """Take the magics of this name away."""
        for magics in self._table.values():
            if self._is_ours(magics.get(name)):
                del magics[name]

    def names(self) -> dict[str, str]:
        """Return what the magics are called now, each with the words that an alias of IPython puts before its line."""
        magics = [(name, magic) for kind in self._table.values() for name, magic in kind.items()]
        found = {name: "" for name, magic in magics if self._is_ours(magic)}
        aliases = [(name, magic) for name, magic in magics if isinstance(magic, MagicAlias)]
        while new := [(name, alias) for name, alias in aliases if name not in found and alias.magic_name in found]:
            found |= {name: " ".join(filter(None, (found[to.magic_name], to.magic_params))) for name, to in new}
        for name, alias in aliases:
            if name in found:
                setattr(alias, MAGIC_NO_VAR_EXPAND_ATTR, True)  # IPython would fill in what is in braces
        return found

    @no_var_expand
    @line_magic
    def robota(self, line: str) -> object:
        """Talk to language models, and manage the conversations of this notebook.

        Examples::

            %robota                                  where am I?
            %robota chat open Debugging --model gpt-4o
            %robota ask "What is a closure?"
            %robota help                             all commands

            %%robota
            The text of the cell goes to the active chat; {{ name }} stands for a variable.
        """
        with self._edge():
            return self._runner().line(line)

    @no_var_expand
    @cell_magic("robota")  # type: ignore[arg-type] # IPython types the decorator for a function without a name
    def robota_cell(self, line: str, cell: str) -> None:
        """Send the text of the cell to the active chat; see ``%robota help ask`` for the options."""
        with self._edge():
            self._runner().cell(line, cell)

    @contextmanager
    def _edge(self) -> Iterator[None]:
        """Let errors leave as one line, unless the user wants them whole."""
        try:
            yield
        except RobotaError as error:
            from robota_nb.display.code_page import printable
            from robota_nb.display.hints import HINTS
            from robota_nb.display.report import plain

            error.reword(HINTS)  # runners and front ends show the text of an error, too, not only its traceback
            if not self.short_errors:
                raise
            lines = [f"{type(error).__name__}: {plain(str(error))}"]
            if isinstance(error, ProviderError) and error.said not in str(error):  # the line has no room for all of it
                lines.append(f"It said: {plain(error.said)}")
            short = list(map(printable, lines))
            error._render_traceback_ = lambda: short  # type: ignore[attr-defined] # IPython's own hook
            raise error from None


def _new(change: Mapping[str, Any]) -> dict[Any, Any]:
    """Return what has been added to a dictionary of settings, or is another value there."""
    was = change["old"] if isinstance(change["old"], dict) else {}
    return {name: value for name, value in change["new"].items() if was.get(name) != value}


def _tell(errors: Mapping[str, Exception]) -> None:
    for error in errors.values():
        print(f"robota_nb: {error}")  # noqa: T201 - the user has to know
