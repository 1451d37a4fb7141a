"""``%robota`` and ``%%robota`` as IPython sees them: two magics, their settings, and how errors leave.

This is loaded with the extension, so it imports nothing that only a command needs.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from traitlets import Bool, Dict, Enum, Float, Integer, Unicode

from robota_nb.core.rules.modes import RERUNS
from robota_nb.errors import RobotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        stands here. For a server of another kind, 'provider' names the provider of an installed package, and that
        provider may have settings of its own."""
    ).tag(config=True)
    provider = Unicode(help="The provider or endpoint of new chats; empty: openai if it has a key, else offline.").tag(
        config=True
    )
    model = Unicode(help="The model of new chats; empty for the endpoint's default.").tag(config=True)
    autosnapshot = Bool(True, help="Put each turn into the notebook as soon as it is recorded.").tag(config=True)
    rerun = Enum(
        RERUNS,
        "replace",
        help="""What an edited cell does that ran before: 'replace' asks in the place of its former turn,
        'append' at the end of the chat (for people who use one cell as an input line).""",
    ).tag(config=True)
    short_errors = Bool(True, help="Show errors as one line; False shows the whole traceback.").tag(config=True)
    max_active_sessions = Integer(10, min=0, help="How many active sessions you may have; 0 for any number.").tag(
        config=True
    )
    max_chats = Integer(50, min=0, help="How many chats a session may have; 0 for any number.").tag(config=True)
    max_messages = Integer(
        0, min=0, help="How many messages of a chat go into a request; 0 for all. The record keeps all."
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

    @no_var_expand
    @line_magic
    def robota(self, line: str) -> object:
        """Talk to language models, and manage the conversations of this notebook.

        Examples::

            %robota                                  where am I?
            %robota chat open Debugging --model gpt-4o
            %robota ask What is a closure?
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
            from robota_nb.display.hints import HINTS
            from robota_nb.display.report import plain

            error.reword(HINTS)  # runners and front ends show the text of an error, too, not only its traceback
            if not self.short_errors:
                raise
            short = [f"{type(error).__name__}: {plain(str(error))}"]
            error._render_traceback_ = lambda: short  # type: ignore[attr-defined] # IPython's own hook
            raise error from None
