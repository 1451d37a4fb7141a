"""Long histories: made by the package itself, without asking anybody for each of their turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.plan import Arriving, Plan
from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.nodes import Asked
from robota_nb.core.recording import record_turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from robota_nb.core.chat import Chat
    from robota_nb.core.ports import Request

USER = "user"


class Model:
    """A provider that answers at once, and the registry that holds it."""

    def default(self) -> tuple[str, str]:
        """Return what new chats ask."""
        return "openai", "fake-model"

    def get(self, _: str) -> Model:
        """Return the provider, whatever its name."""
        return self

    def stream(self, request: Request) -> Iterator[TextDelta | Finish]:
        """Answer."""
        yield TextDelta(f"answer to {len(request.messages)} messages")
        yield Finish(reason="stop", model="fake-model", usage=Usage(input_tokens=10, output_tokens=5))


def new_chat(name: str = "Long") -> Chat:
    """Return a chat without turns, in a session and a manager of its own, without limits."""
    manager = SessionManager(providers=Model(), max_chats=0)
    return manager.create_session(USER).create_chat(name)


def add_turns(chat: Chat, turns: Iterable[tuple[str, str]], *, cells: bool = False) -> Chat:
    """Record turns (question, answer) at the chat's end, and return it; with *cells*, each is of a cell of its own."""
    for number, (question, answer) in enumerate(turns):
        cell = Asked(cell_id(number), 0, source_hash(source(question))) if cells else None
        plan = Plan(text=question, before=(), place=chat.head, config=chat.config, cell=cell)
        usage = Usage(input_tokens=1_000 + 40 * number, output_tokens=300 + number % 500)
        turn = Arriving(view=view_of(chat), chat=chat.id, plan=plan, parts=[answer])
        record_turn(ledger_of(chat), turn, Finish(reason="stop", model="fake-model", usage=usage))
    return chat


def talk(count: int) -> Iterator[tuple[str, str]]:
    """Yield short turns, each with texts of its own."""
    for number in range(count):
        yield f"message number {2 * number} of a long chat", f"message number {2 * number + 1} of a long chat"


def dump(chat: Chat) -> dict[str, Any]:
    """Return the snapshot of the chat's manager."""
    return snapshot.dump(ledger_of(chat).records(USER))


def conversation(count: int, *, cells: bool = False) -> dict[str, Any]:
    """Return the snapshot of a chat of so many short turns."""
    return dump(add_turns(new_chat(), talk(count), cells=cells))


def cell_id(number: int) -> str:
    """Return the id of the cell that has asked a turn."""
    return f"cell-{number}"


def source(question: str) -> str:
    """Return the source of the cell that has asked a question."""
    return f"%%robota\n{question}"
