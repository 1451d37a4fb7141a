"""What commands say: plain text from plain values; nothing in it depends on when it is said."""

from __future__ import annotations

from collections import Counter
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import named_part, size_of
from robota_nb.core.record.besides import besides_of
from robota_nb.core.record.controls import strip_controls
from robota_nb.core.record.entries import to_text
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import is_message, kind_of
from robota_nb.core.record.names import Names
from robota_nb.core.record.nodes import Path
from robota_nb.core.record.parameters import CHOICES
from robota_nb.core.record.relations import references
from robota_nb.core.record.steps import steps_of
from robota_nb.core.record.text import acts, count
from robota_nb.core.rules import history
from robota_nb.core.rules.provenance import is_foreign, meanings
from robota_nb.core.rules.stats import at_least, cost_of
from robota_nb.core.rules.summaries import counting, span
from robota_nb.display.marks import why
from robota_nb.sync.chat_files import ChatImported
from robota_nb.sync.persistence import Saving

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from robota_nb.core.chat import Chat, Hit
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.ports import Entries, Level
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import ChatState
    from robota_nb.core.record.nodes import Node, Trail
    from robota_nb.core.rules.modes import Mode
    from robota_nb.core.rules.search import Match
    from robota_nb.core.rules.stats import Stats, Tally
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Preview, Turn
    from robota_nb.providers.finder import Found
    from robota_nb.providers.keys.secret import KeySource
    from robota_nb.providers.registry import EndpointCheck, EndpointState
    from robota_nb.sync.chat_files import EntriesImported
    from robota_nb.sync.persistence import FileWritten, SnapshotWritten
    from robota_nb.sync.reader import Adopted
    from robota_nb.sync.recovery import Recovered
    from robota_nb.sync.remains import Remains

_Notes: TypeAlias = "Mapping[str, list[dict[str, Any]]]"
"""What entries of kinds that are shown beside a turn say, by the id of the message that they refer to."""

_WIDTH = 72
_LISTED = 10
"""How many lines of a list are shown where there may be many."""

_NAMED = 3
"""How many of the files of a turn are named in its line."""

_SCREENFUL = 100
"""How many turns, branches, chats or sessions a cell lists: what is longer, nobody looks at in an output."""

FOREIGN = "◇"
"""Marks a turn that somebody else wrote."""

_OUTSIDE = " · asked outside of cells"

NO_CONVERSATION = "no conversation yet: write a %%robota cell, or %robota new NAME"

_HOW_TO_CONNECT = (
    "This is the offline model. To connect a real one: set OPENAI_API_KEY before the kernel starts, or run "
    "%robota endpoint find, which looks for servers on this machine, or add one to c.RobotaMagics.endpoints"
)


def plain(text: str) -> str:
    r"""Return a text for people: without controls but ``\n`` and ``\t``, and without what only acts on other text."""
    return "".join(char for char in strip_controls(text) if not acts(char))


def status(manager: SessionManager, level: Level) -> str:
    """Say where the user is, and how far the conversations have got."""
    session = manager.active_session()
    chat = session.active_chat if session else None
    if session is None or chat is None:
        where_ = f"{session.name} ▸ no chat yet" if session else "no conversation yet"
        line = f"{where_} · new chats ask {model(manager.default_config())} · write a %%robota cell to begin"
        return "\n".join([line, *_connect(manager.default_config())])
    turns = chat.turns
    tokens = sum(t.usage.input_tokens + t.usage.output_tokens for t in turns if t.usage)
    more = "at least " if any(t.usage is None or t.usage.at_least for t in turns) else ""
    parts = [f"{session.name} ▸ {chat.name}", model(chat.config), count(len(turns), "turn")]
    parts += [f"{more}{tokens} tokens"] if tokens else []
    parts += [level] + ([f"replay {mode}"] if (mode := runtime_of(manager).mode) != "auto" else [])
    lines = [" · ".join(plain(part) for part in parts)]
    view, runtime = view_of(session), runtime_of(session)
    nodes, marked = view.path(chat.id).nodes, runtime.marked
    if theirs := [node for node in nodes if is_foreign(marked, node)]:
        what = ", ".join(meanings(runtime.foreign, theirs))
        lines.append(plain(f"{count(len(theirs), 'turn')} on the path of this chat: foreign, {what}"))
    return "\n".join([*lines, *_connect(chat.config)])


def _connect(config: Config) -> list[str]:
    if config.provider != "offline":
        return []
    return [_HOW_TO_CONNECT]


def model(config: Config) -> str:
    """Name who is asked."""
    name = config.provider if config.model in ("", config.provider) else f"{config.provider}/{config.model}"
    return short(name) or "no model"


def chosen(name: str) -> str:
    """Say which chat was chosen, as the cell names it: what else could be said of it, cells below may change."""
    return plain(f"▸ {name}")


def sessions(manager: SessionManager) -> str:
    """List the sessions."""
    active, found = manager.active_session(), manager.sessions()
    lines = [
        f"{'▸' if session is active else ' '} {session.name} · {count(len(session.chats), 'chat')} · {session.state}"
        for session in found[:_SCREENFUL]
    ]
    lines += _more(len(found), "session")
    return plain("\n".join(lines)) or "no session yet: %robota session open NAME creates one"


def chats(session: Session) -> str:
    """List the chats of a session."""
    found = session.chats
    lines = [
        f"{'▸' if chat.id == session.active_id else ' '} {chat.name} · {model(chat.config)} · "
        f"{count(len(view_of(session).path(chat.id)), 'turn')}"
        for chat in found[:_SCREENFUL]
    ]
    lines += _more(len(found), "chat")
    return plain("\n".join(lines)) or "no chat yet: %robota new NAME creates one"


def _more(number: int, noun: str) -> list[str]:
    """Say how much of a list is not shown, and what shows it."""
    left = number - _SCREENFUL
    return [f"… {count(left, f'more {noun}')}: robota-nb show NOTEBOOK lists all"] if left > 0 else []


def settings(given: Mapping[str, str]) -> str:
    """List settings."""
    unset = {key: f'"{values[0]}"' for key, values in CHOICES.items()}
    return plain("\n".join(f"{key} = {short(value) or unset.get(key, '(none)')}" for key, value in given.items()))


def log(chat: Chat) -> str:
    """Show the turns of a chat, a line each for question and answer, with the names of what went along.

    What somebody else wrote is marked.

    Not where replay is strict: that is for outputs that are to be the same for everybody.
    """
    view, runtime = view_of(chat), runtime_of(chat)
    path, record = view.path(chat.id), view.record
    foreign = runtime.marked
    marked: list[Node] = []
    trails = list(islice(path.trail.back(), _SCREENFUL))[::-1]
    earlier = len(path) - len(trails)
    lines = [f"  … {count(earlier, 'earlier turn')}: %robota export PATH.md writes all"] if earlier else []
    for number, trail in enumerate(trails, earlier + 1):
        node = trail.node
        theirs = is_foreign(foreign, node)
        marked += [node] if theirs else []
        along = f"{_sent_along(record, node)}{_OUTSIDE if record.is_outside(node) else ''}{_summed_up(record, trail)}"
        came = f"{_came_along(record, node)}{_called(record, node)}"
        lines += [
            f"{number:>3}{FOREIGN if theirs else ' '} {short(record.text(node.user))}{along}",
            f"     {short(record.text(node.id))}{came}{_ending(node.finish_reason)}",
        ]
    lines += [f"{FOREIGN} foreign: {what}" for what in meanings(runtime.foreign, marked)]
    return plain("\n".join([chat.name, *lines]))


def _summed_up(record: SessionState, trail: Trail) -> str:
    """Say which turns were sent as a summary when the last one of these was asked."""
    before = Path(trail).first(trail.size - 1)
    summary = counting(record, record.node_config(trail.node), before)
    return f" · asked with a {span(summary.turns)}" if summary else ""


def _sent_along(record: SessionState, node: Node) -> str:
    return _along((one.name, size_of(record.entries[one.id])) for one in record.attached(node.user))


def _called(record: SessionState, node: Node) -> str:
    calls = sum(len(step.calls) for step in steps_of(record.entries[node.id]))
    return f" · {count(calls, 'call')}" if calls else ""


def _came_along(record: SessionState, node: Node) -> str:
    pictures = besides_of(record, node.id).pictures if record.has_pictures(node.id) else ()
    return _along(("", len(picture.data)) for picture in pictures)


def _along(found: Iterable[tuple[str, int]]) -> str:
    """Name files and pictures, with their sizes; of one that was purged, none is known."""
    said = [f" + {short(name) or 'picture'}{f' ({-(-size // 1000)} kB)' if size else ''}" for name, size in found]
    return "".join([*said[:_NAMED], *([f" + {len(said) - _NAMED} more"] if said[_NAMED:] else [])])


def other_sessions(elsewhere: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """List the sessions of other notebooks; their ids open them here."""
    lines = []
    for place, sessions_ in elsewhere.items():
        lines.append(f"in {place}:")
        for sid, entries in sessions_.items():
            state = SessionState.of(sid, entries)
            lines.append(f"  {state.name} · {count(len(state.live_chats()), 'chat')} · {sid}")
    return plain("\n".join(lines))


def stats(counted: Stats, prices: Mapping[str, Mapping[str, float]] | None = None, used: str = "") -> str:
    """Say what was counted; *prices* are those of a million tokens, ``input`` and ``output``, by provider.

    *used* is what the next ask sends, of one chat.
    """
    chats_ = f"{count(counted.sessions, 'session')}, {count(counted.chats, 'chat')}"
    lines = [
        f"{chats_}, {count(counted.on_path, 'turn')} on the path, {count(counted.branches, 'branch')} beside it",
        *(f"  {short(name)}: {tally(one)}" for name, one in counted.models.items()),
        *(
            f"  at {short(name)}: {_cost(one, price)}{_saved(counted, name, price)}"
            for name, one, price in _priced(counted, prices or {})
        ),
        f"in this kernel: asked {tally(counted.asked)}; replayed {tally(counted.replayed)}",
        *([f"the next ask sends about {used}"] if used else []),
    ]
    return plain("\n".join(lines))


def used_of(tokens: int, window: int) -> str:
    """Say how many tokens are sent, and of how many that fit, if that is known."""
    return f"{tokens:,} of {window:,} tokens" if window else f"{tokens:,} tokens"


def _priced(counted: Stats, prices: Mapping[str, Mapping[str, float]]) -> list[tuple[str, Tally, Mapping[str, float]]]:
    return [(name, one, prices[name]) for name, one in counted.providers.items() if prices.get(name)]


def _saved(counted: Stats, name: str, price: Mapping[str, float]) -> str:
    one = counted.saved.get(name)
    return f"; replay has saved {_cost(one, price)} in this kernel" if one else ""


def _cost(one: Tally, price: Mapping[str, float]) -> str:
    """Say what tokens cost, at least if a server did not count all of them."""
    cost = cost_of(one, price)
    about = "at least" if one.at_least else "about"
    return f"{about} {cost:,.2f}" if cost >= 1 else f"{about} {cost:.2g}"


def tally(one: Tally) -> str:
    """Say how many turns and tokens these are."""
    return f"{count(one.turns, 'turn')}, {at_least(one)}{one.input_tokens:,} tokens in, {one.output_tokens:,} out"


def preview(shown: Preview, window: int = 0) -> str:
    """Show what an ask would send; *window*: how many tokens the endpoint takes, 0 if that is not known."""
    request = shown.request
    size = f"{shown.size:,} bytes (about {shown.tokens:,}{f' of {window:,}' if window else ''} tokens)"
    who = f"{short(request.model) or 'its model'} at {short(shown.provider)}"
    lines = [f"{who}: {count(len(request.messages), 'message')}, {size}"]
    given = {**shown.choices, **request.params}
    lines += [f"{short(key)} = {short(str(value))}" for key, value in given.items()]
    lines += [f"{message['role']:>9}  {short(_text(message['content']))}" for message in request.messages]
    if shown.summary:
        lines += [f"the {span(shown.summary.turns)}, by {short(shown.summary.model)}:", shown.summary.text]
    return plain("\n".join(lines))


def _text(content: str | list[dict[str, Any]]) -> str:
    """Return a request's content as text; a picture, and a file that is no text, as a mark."""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text") or f"[{named_part(part)}]" for part in content)


def hits(found: Sequence[Hit], text: str) -> str:
    """List what a search has found."""
    lines = []
    for hit in found:
        where_ = f"{hit.chat.name} {hit.number}" if hit.number else f"{hit.chat.name} ⎇"
        lines += [f"{where_}: {short(hit.turn.prompt.content)}", f"    {short(hit.turn.text)}"]
    return plain("\n".join(lines)) or f"nothing in this session holds {short(text)!r}"


def matches(found: Sequence[Match], most: int | None = _SCREENFUL) -> str:
    """List what a search has found in sessions and notebooks, a line each; empty if there is nothing."""
    lines = [_match_line(match) for match in found[:most]]
    left = len(found) - len(lines)
    lines += [f"… {count(left, 'older turn')}: a longer text finds fewer"] if left else []
    return plain("\n".join(lines))


def _match_line(match: Match) -> str:
    marks = {"undone": match.number is None, "deleted": match.deleted, "foreign": match.foreign}
    place = " ".join([match.chat, *([] if match.number is None else [str(match.number)])])
    parts = [match.notebook, f"{match.session} ▸ {place}", match.at[: len("2026-01-01")]]
    parts += [mark for mark, is_set in marks.items() if is_set]
    return f"{' · '.join(filter(None, parts))}: {match.excerpt}"


# -- endpoints


def endpoints(states: Sequence[EndpointState], objects: Sequence[str], problems: Sequence[str]) -> str:
    """List the endpoints, and where their keys are; never where they themselves are: outputs are saved."""
    lines = [f"{state.name} · {state.model or 'no default model'} · {_key_state(state)}" for state in states]
    lines += [f"{name} · a provider object of this kernel" for name in objects]
    lines += [f"cannot be used: {problem}" for problem in problems]
    return plain("\n".join(lines))


def _key_state(state: EndpointState) -> str:
    if not state.needs_key:
        return "needs no key"
    if state.key_source:
        return f"takes its key from {key_source(state.name, state.key_source)}"
    return f"has no key: %robota endpoint key {state.name}"


def key_source(name: str, source: KeySource | None) -> str:
    """Say where the key of an endpoint is, and how to remove it from there."""
    if source is None or source.place == "environment":
        return str(source or "nowhere")
    place = f"{source} in this kernel" if source.place == "typed" else str(source)
    return f"{place} (%robota endpoint key {name} --forget removes it)"


def found(servers: Sequence[Found], taken: Sequence[str], quoted: Callable[[str], str]) -> str:
    """List the servers that were found, each with the line that makes it an endpoint, or with that which asks it.

    *taken* are the names that endpoints have; *quoted* returns a name as it has to be typed.
    """
    lines = []
    for server in servers:
        models = ", ".join(map(quoted, server.models[:_SHOWN])) + (", …" if len(server.models) > _SHOWN else "")
        lines.append(f"{server.name} at {server.url}: {models or 'no model yet'}{_whose(server)}")
        model = f" --model {quoted(server.models[0])}" if server.models else ""
        if server.name in taken:
            lines.append(f"    %robota chat open NAME --provider {server.name}{model}")
        else:
            key = f" --key-env {server.key_env}" if server.key_env else ""
            lines.append(f"    %robota endpoint add {server.name} {server.url}{key}{model}")
    return plain("\n".join(lines)) or (
        "no model server answers at the usual ports of this machine: start one (ollama serve) and look again, "
        "or name one with %robota endpoint add"
    )


_SHOWN = 20
"""How many models of a server are listed."""


def _whose(server: Found) -> str:
    if server.owner is None:
        return ""
    whose = "whose process this is cannot be told" if server.owner < 0 else f"another user's process ({server.owner})"
    return f" · {whose}: it can read what you ask"


def added(name: str) -> str:
    """Say that an endpoint was added, and how it is asked."""
    return f"{name} can be asked in this kernel: %robota chat open NAME --provider {name}"


def checked(check: EndpointCheck) -> str:
    """Say what an endpoint has answered when it was tested."""
    if not check.is_server:
        return f"{check.name} is no server: there is nothing to test"
    if check.models is None:
        return f"{check.name} can be reached and has no list of models: ask one, if that fails check its base_url"
    said = f"{check.name} can be reached, and has {count(len(check.models), 'model')}"
    if not check.model:
        return said
    return f"{said}, {check.model} {'is one of them' if check.offers_model else 'is none of them'}"


def branches(chat: Chat) -> str:
    """List what was asked beside the path."""
    found, lines = chat.branches, list[str]()
    for branch in found[:_SCREENFUL]:
        place = f"after turn {branch.after}" if branch.after else "from the start"
        lines.append(f"{branch.number:>3}  {place}: {count(branch.size, 'turn')}, {branch.id[:10]}")
        lines += [f"     {short(prompt)}" for prompt in branch.prompts(_LISTED)]
        lines += [f"     … and {branch.size - _LISTED} more"] if branch.size > _LISTED else []
    lines += _more(len(found), "branch")
    return plain("\n".join(lines)) or f"{plain(chat.name)}: there are no branches"


def redone(chat: Chat, turn: Turn | None) -> str:
    """Say what redo did."""
    if turn is None:
        return plain(f"{chat.name}: there is nothing to redo")
    return plain(f"{chat.name}: {short(turn.prompt.content)!r} is back")


def nothing_to_compact(chat: Chat, keep: int) -> str:
    """Say why there is no summary."""
    turns = count(len(view_of(chat).path(chat.id)), "turn")
    return plain(f"{chat.name}: there is nothing to sum up: it has {turns}, and the last {keep} are sent as they are")


def not_compacted(chat: Chat) -> str:
    """Say what undoing a compaction did."""
    return plain(f"{chat.name}: all turns are sent as they are")


def cleared(chat: Chat) -> str:
    """Say what clear did."""
    return plain(f"{chat.name}: begins anew; what was said is kept as a branch")


def checked_out(chat: Chat, turn: Turn) -> str:
    """Say where checkout went."""
    return plain(f"{chat.name}: goes on after {short(turn.prompt.content)!r}")


def purged(what: str, left: Remains, *, open_here: bool = True) -> str:
    """Say what purge did, and where the text still stands, or may.

    Parameters
    ----------
    what
        What is gone, with its verb, as in ``turn 2 is``.
    left
        What the purge has not reached.
    open_here
        Whether a kernel and an open notebook held it, which is to be saved now; else it was a file.
    """
    where = "this kernel, the store and the notebook's metadata" if open_here else "the file and the store"
    said = [f"{what} gone from {where}"]
    said += [f"it still stands in code cell {cell}: edit its source, and clear its output" for cell in left.cells]
    if left.in_outputs:
        said.append("outputs may carry it until they are cleared, or 'robota-nb purge' has gone through the saved file")
    said += [f"{short(chat)} is asked with the same system prompt or settings: they stay there" for chat in left.chats]
    said += [
        f"the store still has some of it for {place}: 'robota-nb purge' takes it from there" for place in left.notebooks
    ]
    said += [f"{path} may still hold it: delete that copy" for path in left.files]
    said.append(
        f"{'save the notebook; ' if open_here else ''}copies, git's history and whoever was asked still have it"
    )
    return plain("\n".join(said))


def undone(chat: Chat, turn: Turn | None) -> str:
    """Say what undo did."""
    if turn is None:
        return plain(f"{chat.name}: there is nothing to undo")
    return plain(f"{chat.name}: took back {short(turn.prompt.content)!r}; it is kept as a branch")


def nothing_to_ask_again(chat: Chat) -> str:
    """Say that a chat has no turn that retry could ask again."""
    return plain(f"{chat.name}: there is nothing to ask again")


_FRESH = ("asked", "replayed", "recorded")
_WORDS = {"cut": "broken off"}
"""What the states of answers are called in a count, if not as they are."""


def replay(page: NotebookPage, mode: Mode) -> str:
    """Say how many answers are fresh and how many are not, and of these each with its reason."""
    rows, counted = [], Counter[str]()
    for cell, mark in page.marks():
        state = "fresh" if mark.state in _FRESH else _WORDS.get(mark.state, mark.state)
        counted[state] += 1
        if state != "fresh":
            number = page.page.position(cell.key) + 1
            asked = short(page.prompt_of(mark.judged.turn)) if mark.judged else ""
            rows.append(f"code cell {number}  {state}  {why(page, cell.key, mark)}" + (f"  {asked!r}" if asked else ""))
    said = ", ".join(
        f"{number} {state}" for state, number in sorted(counted.items(), key=lambda one: one[0] != "fresh")
    )
    head = f"replay: {mode} · answers of cells: {said or 'none yet'}"
    more = ["run these cells to ask again, or let stale ones stand: %robota replay accept"] if counted["stale"] else []
    return "\n".join(plain(line) for line in [head, *rows, *more])


def accepted(count_: int) -> str:
    """Say how many stale answers stand now."""
    if not count_:
        return "no answer is stale"
    return f"{count(count_, 'answer')} stand{'s' if count_ == 1 else ''} for what the page asks now"


def verified(value: Mapping[str, Any]) -> str:
    """Check a snapshot, and say what it holds."""
    parsed = snapshot.parse(value)
    return f"verified: {summary(parsed)}"


def turns(parsed: Mapping[str, Mapping[str, Any]]) -> int:
    """Return how many turns there are among entries."""
    return len(_messages(parsed, "assistant"))


def summary(parsed: Mapping[str, Mapping[str, Any]]) -> str:
    """Count what a parsed snapshot holds."""
    entries = sum(map(len, parsed.values()))
    return f"{count(len(parsed), 'session')}, {count(turns(parsed), 'turn')}, {count(entries, 'entry')}"


def written(snapshot_: SnapshotWritten) -> str:
    """Say what a snapshot holds, and how far it got."""
    saving = {
        Saving.NOT_WANTED: "",
        Saving.BEGUN: " · saving",
        Saving.IMPOSSIBLE: " · nothing here saves the notebook on request: save it as usual",
    }
    return f"snapshot: {summary(snapshot_.entries)} · {snapshot_.level}{saving[snapshot_.saving]}"


def written_to_file(file: FileWritten) -> str:
    """Say what was written into a notebook file."""
    return f"snapshot: {summary(file.entries)} · saved in {file.path.name}"


def adopted(found: Adopted) -> str:
    """Say what a notebook has brought."""
    if found.document is not None:
        return f"resumed: {summary(found.document)}"
    return f"added: {summary(found.new)}" if found.new else "nothing new: all of it is here"


def recovered(found: Recovered) -> str:
    """Say what was added from the store, what of it has no place here, and where else there is something."""
    lines = [f"added: {summary(found.new)}" if found.new else "nothing to recover for this notebook"]
    prompts = [short(to_text(entry["content"])) for entry in _messages(found.new, "user")]
    lines += [f"  {prompt}" for prompt in prompts[:_LISTED]]
    lines += [f"  and {len(prompts) - _LISTED} more"] if len(prompts) > _LISTED else []
    if found.left:
        lines.append(
            f"{count(found.left, 'entry')} stay in the store: what they follow is not in this notebook any more"
        )
    if found.elsewhere:
        lines.append("not saved elsewhere; %robota recover PATH adds it here:")
        lines += [f"  {place} · {count(number, 'entry')}" for place, number in found.elsewhere.items()]
    return plain("\n".join(lines))


def imported(found: ChatImported | EntriesImported) -> str:
    """Say what was imported; of a text the same when the cell runs again."""
    if isinstance(found, ChatImported):
        return f"{found.chat.name} is here: {count(found.turns, 'turn')}"
    return f"in the session {', '.join(session.name for session in found.sessions)}: {summary(found.entries)}"


def _messages(parsed: Mapping[str, Mapping[str, Any]], role: str) -> list[Mapping[str, Any]]:
    found = [
        entry
        for entries in parsed.values()
        for entry in entries.values()
        if is_message(entry) and entry.get("role") == role
    ]
    return sorted(found, key=lambda entry: entry["n"])


def outline(value: object) -> list[dict[str, Any]]:
    """Return the sessions, chats, turns and branches of a snapshot, nested, as plain JSON.

    Parameters
    ----------
    value
        The snapshot as it stands in metadata.

    Raises
    ------
    SnapshotError
        If it is not a readable snapshot.
    """
    return outlined(snapshot.parse(value))


def outlined(sessions: Entries, only: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return what `outline` does of entries that were checked; *only*: of the chats of these ids, where given."""
    states = {sid: SessionState.of(sid, entries) for sid, entries in sessions.items()}
    return [_session(state, sessions[sid], only) for sid, state in states.items() if not state.is_purged]


def _session(state: SessionState, entries: Mapping[str, Any], only: Collection[str] | None) -> dict[str, Any]:
    names = Names({chat.id: chat.names for chat in state.live_chats()}).shown
    active, told = state.active_chat(), _Told(state, _notes(entries), names)
    wanted = (chat for chat in state.live_chats() if only is None or chat.id in only)
    chats = [{**told.chat(chat), "active": chat.id == active} for chat in wanted]
    return {"id": state.id, "name": state.name, "chats": chats}


def _notes(entries: Mapping[str, Any]) -> _Notes:
    """Return what entries say of messages: those fields that their kind shows, by the message's id, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in sorted(entries.values(), key=lambda entry: entry.get("n", 0)):
        if shown := kind_of(entry).shown:
            said = {name: entry[name] for name in ("kind", *shown) if name in entry}
            for target in {link.target for link in references(entry)}:
                found.setdefault(target, []).append(said)
    return found


class _Told:
    """What has been told of a session so far: of what several chats or branches have in common, each is told once."""

    def __init__(self, state: SessionState, notes: _Notes, names: Mapping[str, str]) -> None:
        self._state = state
        self._notes = notes
        self._names = names  # of chats, by their ids
        self._turns: set[str] = set()
        self._chats: dict[Trail, str] = {}  # what stands on the path of a chat, and the name of that chat

    def chat(self, chat: ChatState) -> dict[str, Any]:
        """Describe a chat: what it has *begun* with, if a chat before it has the same, its turns, and its branches."""
        path = self._state.chat_path(chat.id)
        new = list(takewhile(lambda trail: trail not in self._chats, path.trail.back()))[::-1]
        begun = path.trail.first(len(path) - len(new))
        turns = [self._turn(trail.node) for trail in new]
        name = self._names[chat.id]
        self._chats.update(dict.fromkeys(new, name))
        return {
            "id": chat.id,
            "name": name,
            "model": model(self._state.chat_config(chat.id)),
            **({"begun": {"turns": begun.size, "chat": self._chats[begun]}} if begun.size else {}),
            "turns": turns,
            "branches": list(self._branches(chat.id, path)),
        }

    def _branches(self, chat: str, path: Path) -> Iterator[dict[str, Any]]:
        """Describe what stands beside the path of a chat.

        *after* counts the turns before it; where these are not all of the path, *of* is the last one of them.
        """
        off = (node for node in self._state.turns_of(chat) if node not in path)
        told: set[Trail] = set()
        for fork in history.in_order(history.forks(self._state, path, off)):
            new = list(takewhile(lambda trail: trail not in told, islice(fork.trail.back(), fork.size)))[::-1]
            told.update(new)
            shared = fork.size - len(new)
            before = fork.trail.first(fork.trail.size - len(new)).node
            yield {
                "after": fork.after + shared,
                **({"of": {"id": before.id, "prompt": short(self._state.text(before.user))}} if shared else {}),
                "turns": [self._turn(trail.node) for trail in new],
            }

    def _turn(self, node: Node) -> dict[str, Any]:
        state = self._state
        again = node.id in self._turns
        self._turns.add(node.id)
        answer = state.entries[node.id]
        prompt, reply = state.text(node.user), state.text(node.id)
        files = (one for one in state.attached(node.user) if one.name)
        along = [{"name": one.name, "bytes": size_of(state.entries[one.id])} for one in files]
        told = [] if again else [*self._notes.get(node.user, ()), *self._notes.get(node.id, ())]
        return {
            "id": node.id,
            "prompt": short(prompt) if again else prompt,
            "reply": short(reply) if again else reply,
            "model": answer.get("model", ""),
            "finish_reason": node.finish_reason,
            "at": answer.get("at", ""),
            **({"files": along} if along else {}),
            **({"again": True} if again else {}),
            **({"notes": told} if told else {}),
        }


def tree(value: object, marks: Mapping[str, str] | None = None) -> str:
    """Draw the outline of a snapshot.

    Parameters
    ----------
    value
        The snapshot as it stands in metadata.
    marks
        What to say of a turn, by its id, such as ``asked`` or ``replayed``.
    """
    return drawn(outline(value), marks)


def drawn(
    sessions: Iterable[Mapping[str, Any]], marks: Mapping[str, str] | None = None, most: int | None = None
) -> str:
    """Draw an outline, as `tree` does; of its lines at most so many, and then one that says what shows the others."""
    lines = (line for session in sessions for line in _session_lines(session, marks or {}))
    shown = list(map(plain, islice(lines, most)))
    if next(lines, None) is not None:
        shown.append("… and more: a pipe gets all, as in robota-nb show NOTEBOOK | less")
    return "\n".join(shown) or "no conversations"


def _session_lines(session: Mapping[str, Any], marks: Mapping[str, str]) -> Iterator[str]:
    yield session["name"]
    for number, chat in enumerate(session["chats"], 1):
        last = number == len(session["chats"])
        yield f"{'└─' if last else '├─'} {chat['name']} · {chat['model']}{' ▸' if chat['active'] else ''}"
        for line in _chat_lines(chat, marks):
            yield f"{'  ' if last else '│ '} {line}"


def _chat_lines(chat: Mapping[str, Any], marks: Mapping[str, str]) -> Iterator[str]:
    begun = chat.get("begun", {"turns": 0})
    if begun["turns"]:
        span = f"1-{begun['turns']}" if begun["turns"] > 1 else "  1"
        yield f"{span}  as in {short(begun['chat'])}"
    for number, turn in enumerate(chat["turns"], begun["turns"] + 1):
        yield f"{number:>3}  {_turn_line(turn, marks)}"
        yield from (f"       {_note_line(note)}" for note in turn.get("notes", ()))
    for branch in chat["branches"]:
        yield f"     {branch_head(branch)}:"
        for number, turn in enumerate(branch["turns"], branch["after"] + 1):
            yield f"     {number:>3}  {_turn_line(turn, marks)}"
            yield from (f"            {_note_line(note)}" for note in turn.get("notes", ()))


def branch_head(branch: Mapping[str, Any]) -> str:
    """Say where a branch of an outline begins."""
    if "of" in branch:
        return f"⎇ after {branch['after']} beside the path, {branch['of']['prompt']!r}"
    return f"⎇ after {branch['after']}" if branch["after"] else "⎇ from the start"


def _turn_line(turn: Mapping[str, Any], marks: Mapping[str, str]) -> str:
    mark = f" · {marks[turn['id']]}" if turn["id"] in marks else ""
    along = "".join(f" + {file['name']}" for file in turn.get("files", ()))
    return f"{short(turn['prompt'])}{along}{mark}{_ending(turn['finish_reason'])}"


def _note_line(note: Mapping[str, Any]) -> str:
    values = (f"{name} {short(str(value))}" for name, value in note.items() if name != "kind")
    return f"{note['kind']}: {', '.join(values)}"


def _ending(reason: str) -> str:
    return "" if reason == "stop" else f" · {short(reason)}"


def short(text: str) -> str:
    """Return the first words of a text, on one line."""
    line = " ".join(text[: 4 * _WIDTH].split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
