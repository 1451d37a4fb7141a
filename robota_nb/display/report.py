"""What commands say: plain text from plain values; nothing in it depends on when it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.controls import strip_controls
from robota_nb.core.record.entries import to_text
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import is_message, kind_of
from robota_nb.core.record.relations import references
from robota_nb.core.record.text import acts, count
from robota_nb.core.rules.provenance import MEANING, is_foreign
from robota_nb.sync.chat_files import ChatImported
from robota_nb.sync.persistence import Saving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from robota_nb.core.chat import Chat, Hit
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Level
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import ChatState
    from robota_nb.core.record.nodes import Node, Path
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.replay import Replay
    from robota_nb.core.rules.stats import Stats, Tally
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Preview, Turn
    from robota_nb.providers.keys.secret import KeySource
    from robota_nb.providers.registry import EndpointCheck, EndpointState
    from robota_nb.sync.chat_files import EntriesImported
    from robota_nb.sync.persistence import FileWritten, SnapshotWritten
    from robota_nb.sync.reader import Adopted
    from robota_nb.sync.recovery import Recovered

_Notes: TypeAlias = "Mapping[str, list[dict[str, Any]]]"
"""What entries of kinds that are shown beside a turn say, by the id of the message that they refer to."""

_WIDTH = 72
_LISTED = 10
"""How many lines of a list are shown where there may be many."""

FOREIGN = "◇"
"""Marks a turn that somebody else wrote."""

NO_CONVERSATION = "no conversation yet: write a %%robota cell, or %robota new NAME"

_HOW_TO_CONNECT = (
    "This is the offline model. To connect a real one: set OPENAI_API_KEY before the kernel starts, or run "
    "%robota chat set provider=ollama model=llama3, or add a server to c.RobotaMagics.endpoints"
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
    parts = [f"{session.name} ▸ {chat.name}", model(chat.config), count(len(turns), "turn")]
    parts += [f"{tokens} tokens"] if tokens else []
    parts += [level] + ([f"replay {mode}"] if (mode := runtime_of(manager).replay.mode) != "auto" else [])
    lines = [" · ".join(plain(part) for part in parts)]
    view, runtime = view_of(session), runtime_of(session)
    nodes = view.path(chat.id).nodes
    if gone := sum(_is_gone(runtime.replay, view, node) for node in nodes):
        lines.append(f"{count(gone, 'turn')} on the path of this chat: the cell is gone")
    if theirs := sum(is_foreign(runtime.foreign, node) for node in nodes):
        lines.append(f"{count(theirs, 'turn')} on the path of this chat: foreign, {MEANING}")
    return "\n".join([*lines, *_connect(chat.config)])


def _is_gone(replay: Replay, view: SessionView, node: Node) -> bool:
    return replay.document.listed and node.cell is not None and replay.owner(view, node) is None


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
    active = manager.active_session()
    lines = [
        f"{'▸' if session is active else ' '} {session.name} · {count(len(session.chats), 'chat')} · {session.state}"
        for session in manager.sessions()
    ]
    return plain("\n".join(lines)) or "no session yet: %robota session open NAME creates one"


def chats(session: Session) -> str:
    """List the chats of a session."""
    lines = [
        f"{'▸' if chat.id == session.active_id else ' '} {chat.name} · {model(chat.config)} · "
        f"{count(len(view_of(session).path(chat.id).nodes), 'turn')}"
        for chat in session.chats
    ]
    return plain("\n".join(lines)) or "no chat yet: %robota new NAME creates one"


def settings(given: Mapping[str, str]) -> str:
    """List settings."""
    return plain("\n".join(f"{key} = {short(value) or '(none)'}" for key, value in given.items()))


def log(chat: Chat) -> str:
    """Show the turns of a chat, a line each for question and answer; what somebody else wrote is marked.

    Not where replay is strict: that is for outputs that are to be the same for everybody.
    """
    view, runtime = view_of(chat), runtime_of(chat)
    marked, lines = False, []
    for number, (node, turn) in enumerate(zip(view.path(chat.id).nodes, chat.turns, strict=True), 1):
        theirs = is_foreign(runtime.foreign, node) and runtime.replay.mode != "strict"
        marked |= theirs
        lines += [
            f"{number:>3}{FOREIGN if theirs else ' '} {short(turn.prompt.content)}",
            f"     {short(turn.text)}{_ending(turn.finish_reason)}",
        ]
    lines += [f"{FOREIGN} foreign: {MEANING}"] if marked else []
    return plain("\n".join([chat.name, *lines]))


def other_sessions(elsewhere: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """List the sessions of other notebooks; their ids open them here."""
    lines = []
    for place, sessions_ in elsewhere.items():
        lines.append(f"in {place}:")
        for sid, entries in sessions_.items():
            state = SessionState(sid)
            state.apply(entries)
            lines.append(f"  {state.name} · {count(len(state.live_chats()), 'chat')} · {sid}")
    return plain("\n".join(lines))


def stats(counted: Stats) -> str:
    """Say what was counted."""
    chats_ = f"{count(counted.sessions, 'session')}, {count(counted.chats, 'chat')}"
    lines = [
        f"{chats_}, {count(counted.on_path, 'turn')} on the path, {count(counted.branches, 'branch')} beside it",
        *(f"  {short(name)}: {tally(one)}" for name, one in counted.models.items()),
        f"in this kernel: asked {tally(counted.asked)}; replayed {tally(counted.replayed)}",
    ]
    return plain("\n".join(lines))


def tally(one: Tally) -> str:
    """Say how many turns and tokens these are."""
    return f"{count(one.turns, 'turn')}, {one.input_tokens:,} tokens in, {one.output_tokens:,} out"


def preview(shown: Preview) -> str:
    """Show what an ask would send."""
    request = shown.request
    size = f"{shown.size:,} bytes (about {shown.size // 4:,} tokens)"
    who = f"{short(request.model) or 'its model'} at {short(shown.provider)}"
    lines = [f"{who}: {count(len(request.messages), 'message')}, {size}"]
    lines += [f"{short(key)} = {short(str(value))}" for key, value in request.params.items()]
    lines += [f"{message['role']:>9}  {short(_text(message['content']))}" for message in request.messages]
    return plain("\n".join(lines))


def _text(content: str | list[dict[str, Any]]) -> str:
    """Return a request's content as text; a picture as a mark."""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "[picture]") for part in content)


def hits(found: Sequence[Hit], text: str) -> str:
    """List what a search has found."""
    lines = []
    for hit in found:
        where_ = f"{hit.chat.name} {hit.number}" if hit.number else f"{hit.chat.name} ⎇"
        lines += [f"{where_}: {short(hit.turn.prompt.content)}", f"    {short(hit.turn.text)}"]
    return plain("\n".join(lines)) or f"nothing in this session holds {short(text)!r}"


# -- endpoints


def endpoints(states: Sequence[EndpointState], objects: Sequence[str]) -> str:
    """List the endpoints, and where their keys are; never where they themselves are: outputs are saved."""
    lines = [f"{state.name} · {state.model or 'no default model'} · {_key_state(state)}" for state in states]
    lines += [f"{name} · a provider object of this kernel" for name in objects]
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


def added(name: str) -> str:
    """Say that an endpoint was added, and how it is asked."""
    return f"{name} can be asked in this kernel: %robota chat open NAME --provider {name}"


def checked(check: EndpointCheck) -> str:
    """Say what an endpoint has answered when it was tested."""
    if check.models is None:
        return f"{check.name} is no server: there is nothing to test"
    said = f"{check.name} can be reached, and has {count(len(check.models), 'model')}"
    if not check.model:
        return said
    return f"{said}, {check.model} {'is one of them' if check.offers_model else 'is none of them'}"


def branches(chat: Chat) -> str:
    """List what was asked beside the path."""
    lines = []
    for branch in chat.branches:
        place = f"after turn {branch.after}" if branch.after else "from the start"
        lines.append(f"{branch.number:>3}  {place}: {count(len(branch.turns), 'turn')}, {branch.id[:10]}")
        lines += [f"     {short(turn.prompt.content)}" for turn in branch.turns]
    return plain("\n".join(lines)) or f"{plain(chat.name)}: there are no branches"


def redone(chat: Chat, turn: Turn | None) -> str:
    """Say what redo did."""
    if turn is None:
        return plain(f"{chat.name}: there is nothing to redo")
    return plain(f"{chat.name}: {short(turn.prompt.content)!r} is back")


def cleared(chat: Chat) -> str:
    """Say what clear did."""
    return plain(f"{chat.name}: begins anew; what was said is kept as a branch")


def checked_out(chat: Chat, turn: Turn) -> str:
    """Say where checkout went."""
    return plain(f"{chat.name}: goes on after {short(turn.prompt.content)!r}")


def purged(chat: Chat, number: int, cell: int) -> str:
    """Say what purge did, and where the text still stands."""
    said = [f"{chat.name}: turn {number} is gone from this kernel, the store and the notebook's metadata"]
    if cell:
        said.append(f"it still stands in code cell {cell}: edit its source, and clear its output")
    said.append("save the notebook; copies, git's history and whoever was asked still have it")
    return plain("\n".join(said))


def undone(chat: Chat, turn: Turn | None) -> str:
    """Say what undo did."""
    if turn is None:
        return plain(f"{chat.name}: there is nothing to undo")
    return plain(f"{chat.name}: took back {short(turn.prompt.content)!r}; it is kept as a branch")


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
    return [_session(sid, entries) for sid, entries in snapshot.parse(value).items()]


def _session(sid: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    state = SessionState(sid)
    state.apply(entries)
    active, notes = state.active_chat(), _notes(entries)
    chats = [{**_chat(state, chat, notes), "active": chat.id == active} for chat in state.live_chats()]
    return {"id": sid, "name": state.name, "chats": chats}


def _notes(entries: Mapping[str, Any]) -> _Notes:
    """Return what entries say of messages: those fields that their kind shows, by the message's id, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in sorted(entries.values(), key=lambda entry: entry.get("n", 0)):
        if shown := kind_of(entry).shown:
            said = {name: entry[name] for name in ("kind", *shown) if name in entry}
            for target in {link.target for link in references(entry)}:
                found.setdefault(target, []).append(said)
    return found


def _chat(state: SessionState, chat: ChatState, notes: _Notes) -> dict[str, Any]:
    path = state.path(chat.head.value)
    off = [node for node in state.nodes.values() if node.chat == chat.id and node not in path]
    parents = {node.parent for node in off}
    return {
        "id": chat.id,
        "name": chat.name,
        "model": model(state.chat_config(chat.id)),
        "turns": [_turn(state, node, notes) for node in path.nodes],
        "branches": [_branch(state, path, leaf, notes) for leaf in off if leaf.id not in parents],
    }


def _branch(state: SessionState, path: Path, leaf: Node, notes: _Notes) -> dict[str, Any]:
    """Describe the turns from where a branch leaves the path to its end; *after* counts turns of the path."""
    nodes = state.path(leaf.id).nodes
    shared = sum(node in path for node in nodes)
    return {"after": shared, "turns": [_turn(state, node, notes) for node in nodes[shared:]]}


def _turn(state: SessionState, node: Node, notes: _Notes) -> dict[str, Any]:
    answer = state.entries[node.id]
    told = [*notes.get(node.user, ()), *notes.get(node.id, ())]
    return {
        "id": node.id,
        "prompt": state.text(node.user),
        "reply": state.text(node.id),
        "model": answer.get("model", ""),
        "finish_reason": node.finish_reason,
        "at": answer.get("at", ""),
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
    lines = [line for session in outline(value) for line in _session_lines(session, marks or {})]
    return plain("\n".join(lines)) or "no conversations"


def _session_lines(session: Mapping[str, Any], marks: Mapping[str, str]) -> Iterator[str]:
    yield session["name"]
    for number, chat in enumerate(session["chats"], 1):
        last = number == len(session["chats"])
        yield f"{'└─' if last else '├─'} {chat['name']} · {chat['model']}{' ▸' if chat['active'] else ''}"
        for line in _chat_lines(chat, marks):
            yield f"{'  ' if last else '│ '} {line}"


def _chat_lines(chat: Mapping[str, Any], marks: Mapping[str, str]) -> Iterator[str]:
    for number, turn in enumerate(chat["turns"], 1):
        yield f"{number:>3}  {_turn_line(turn, marks)}"
        yield from (f"       {_note_line(note)}" for note in turn.get("notes", ()))
    for branch in chat["branches"]:
        yield f"     ⎇ after {branch['after']}:" if branch["after"] else "     ⎇ from the start:"
        for number, turn in enumerate(branch["turns"], branch["after"] + 1):
            yield f"     {number:>3}  {_turn_line(turn, marks)}"
            yield from (f"            {_note_line(note)}" for note in turn.get("notes", ()))


def _turn_line(turn: Mapping[str, Any], marks: Mapping[str, str]) -> str:
    mark = f" · {marks[turn['id']]}" if turn["id"] in marks else ""
    return f"{short(turn['prompt'])}{mark}{_ending(turn['finish_reason'])}"


def _note_line(note: Mapping[str, Any]) -> str:
    values = (f"{name} {short(str(value))}" for name, value in note.items() if name != "kind")
    return f"{note['kind']}: {', '.join(values)}"


def _ending(reason: str) -> str:
    return "" if reason == "stop" else f" · {short(reason)}"


def short(text: str) -> str:
    """Return the first words of a text, on one line."""
    line = " ".join(text[: 4 * _WIDTH].split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
