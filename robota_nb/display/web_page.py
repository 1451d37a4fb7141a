"""Conversations as one page that needs nothing else: no script, no server, no kernel.

The page says what was said, to a phone and to a screen reader, too. Its policy lets nothing in but the pictures that it
carries and its own style.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from robota_nb.core.record.attachments import picture_type
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.text import count
from robota_nb.core.rules.provenance import is_foreign
from robota_nb.core.turn import Turn
from robota_nb.display import besides, report
from robota_nb.display.calls import call_plain, problem_said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from robota_nb.core.ports import Entries, Image
    from robota_nb.core.record.nodes import Node
    from robota_nb.display.web_text import WebText

__all__ = ["Shows", "WebPage", "is_page"]

_BEGINS = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="robota_nb">
"""

_HEAD = """<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
"""

_STYLE = """<style>
:root { color-scheme: light dark; --line: #8884; --dim: #5d5d5d; --asked: #8881; --link: #0b57b8;
 color: #1a1a1a; background: #fff }
@media (prefers-color-scheme: dark) { :root { --dim: #b3b3b3; --link: #8ab8ff; color: #e8e8e8; background: #161616 } }
body { margin: 0 auto; padding: 1rem; max-width: 46rem; font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.5em 0 .5em; unicode-bidi: isolate }
h1 { font-size: 1.7rem } h2 { font-size: 1.4rem; border-bottom: 1px solid var(--line); padding-bottom: .2em }
h3 { font-size: 1.15rem } h4, h5, h6 { font-size: 1rem }
a { color: var(--link) }
article { border-top: 1px solid var(--line); padding-bottom: .5rem } article:target { outline: 2px solid var(--link) }
article > h3, article > h4 { font-size: .9rem; margin: 1rem 0 .4rem; color: var(--dim) }
.about, .note { color: var(--dim); font-size: .9rem; unicode-bidi: isolate }
.asked { background: var(--asked); border-radius: .5rem; padding: .6rem .8rem; margin: .4rem 0 }
.written { white-space: pre-wrap; unicode-bidi: plaintext }
.branch { border-left: 3px solid var(--line); padding-left: .8rem }
pre { white-space: pre-wrap; background: var(--asked); border-radius: .3rem; padding: .6rem .8rem; margin: .6rem 0 }
code { font: .9em/1.45 ui-monospace, monospace }
.formula { font-style: italic }
.table { overflow-x: auto } table { border-collapse: collapse; overflow-wrap: normal }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top }
blockquote { margin: .6rem 0; padding-left: .8rem; border-left: 3px solid var(--line); color: var(--dim) }
img { max-width: 100%; height: auto } summary { cursor: pointer }
ul, ol { padding-left: 1.6rem }
</style>
"""

_FOREIGN = f"{report.FOREIGN} foreign"
_MEANING = f"{_FOREIGN}: not known to the store of whoever made this page"
_REMOVED = "removed for good"


def is_page(data: bytes) -> bool:
    """Say whether the content of a file is such a page, so that a new one may take its place."""
    return data.startswith(_BEGINS.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Shows:
    """What a page shows besides the questions and answers on the path of each chat.

    Parameters
    ----------
    branches
        What was asked beside the path.
    system
        System prompts.
    thoughts
        What models thought before they answered, where that is recorded.
    tools
        What models said and called before they answered, and what the tools returned; without, how many calls it were.
    pictures
        The pictures of questions and answers; without them, it says where they were.
    """

    branches: bool = False
    system: bool = False
    thoughts: bool = False
    tools: bool = False
    pictures: bool = True


@dataclass(slots=True)
class WebPage:
    """Makes the page, and counts what is on it.

    Parameters
    ----------
    title
        What it is called.
    text
        Makes HTML of texts.
    shows
        What is shown.
    foreign
        The ids of the entries that somebody else wrote.

    Attributes
    ----------
    chats, turns, pictures
        How many are on it.
    foreign_turns
        How many of the turns somebody else wrote.
    """

    title: str
    text: WebText
    shows: Shows
    foreign: AbstractSet[str] = frozenset()
    chats: int = 0
    turns: int = 0
    pictures: int = 0
    foreign_turns: int = 0
    _system: str = ""  # what was shown last of the chat
    _places: dict[tuple[str, str], int] = field(default_factory=dict)  # by session and turn, on the page

    def html(self, sessions: Entries, outline: Iterable[Mapping[str, Any]]) -> str:
        """Return the page of these sessions: those chats of them that the *outline* names."""
        shown = [session for session in outline if session["chats"]]
        made, links = list[str](), list[str]()
        for session in shown:
            state = SessionState.of(session["id"], sessions[session["id"]])
            where = f"{session['name']} ▸ " if len(shown) > 1 else ""
            for chat in session["chats"]:
                self.chats += 1
                name = self.text.line(f"{where}{chat['name']}")
                links.append(f'<li><a href="#chat-{self.chats}">{name}</a></li>\n')
                made += [f'<section aria-labelledby="chat-{self.chats}">\n<h2 id="chat-{self.chats}">{name}</h2>\n']
                made += [*self._chat(state, chat), "</section>\n"]
        body = "".join(made)
        title = self.text.line(self.title)
        said = f"{count(self.chats, 'chat')}, {count(self.turns, 'turn')}"
        legend = f'<p class="note">{_MEANING}</p>\n' if self.foreign_turns else ""
        listed = f'<nav aria-label="Chats">\n<ul>\n{"".join(links)}</ul>\n</nav>\n' if len(links) > 1 else ""
        return (
            f"{_BEGINS}{_HEAD}<title>{title}</title>\n{_STYLE}</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
            f'<p class="about">Conversations of a notebook: {said}</p>\n{legend}</header>\n{listed}'
            f"<main>\n{body}</main>\n</body>\n</html>\n"
        )

    # -- a chat

    def _chat(self, state: SessionState, chat: Mapping[str, Any]) -> Iterator[str]:
        self._system = ""
        yield f'<p class="about">{self.text.line(chat["model"])}</p>\n'
        begun = chat.get("begun", {"turns": 0, "chat": ""})
        if begun["turns"]:
            said = f"{count(begun['turns'], 'turn')}, as in {begun['chat']}"
            yield f'<p class="note">Begins with {self.text.line(said)}</p>\n'
        yield from self._turns(state, chat["turns"], begun["turns"], 3)
        if not chat["turns"] and not begun["turns"]:
            yield '<p class="note">Nothing was asked here</p>\n'
        for branch in chat["branches"] if self.shows.branches else ():
            yield f'<div class="branch">\n<h3>{self._head(state, branch)}</h3>\n'
            yield from self._turns(state, branch["turns"], branch["after"], 4)
            yield "</div>\n"

    def _head(self, state: SessionState, branch: Mapping[str, Any]) -> str:
        """Return where a branch begins; what a turn beside the path asks is cut only here."""
        if "of" in branch:
            asked = self.text.beginning(state.text(state.nodes[branch["of"]["id"]].user))
            return f"Branch after turn {branch['after']} of another one: {asked}"
        return f"Branch after turn {branch['after']}" if branch["after"] else "Branch from the start"

    def _turns(self, state: SessionState, turns: Iterable[Mapping[str, Any]], before: int, level: int) -> Iterator[str]:
        """Yield the turns of a path or a branch, below headings of a level."""
        for number, outlined in enumerate(turns, before + 1):
            node = state.nodes[outlined["id"]]
            key = state.id, node.id
            if key in self._places:
                asked = self.text.beginning(state.text(node.user))
                yield f'<p class="note">{number}: <a href="#turn-{self._places[key]}">{asked}</a>, as above</p>\n'
                continue
            self.turns += 1
            self._places[key] = self.turns
            turn = Turn.from_record(state, node)
            if self.shows.system and turn.config.system not in ("", self._system):
                self._system = turn.config.system
                written = self._written(self._system)
                yield f'<details class="note">\n<summary>System prompt</summary>\n{written}</details>\n'
            yield from self._turn(state, node, turn, number, level)

    # -- a turn

    def _turn(self, state: SessionState, node: Node, turn: Turn, number: int, level: int) -> Iterator[str]:
        place = self.turns
        is_theirs = is_foreign(self.foreign, node)
        self.foreign_turns += is_theirs
        theirs = f" · {_FOREIGN}" if is_theirs else ""
        yield f'<article id="turn-{place}" aria-labelledby="asked-{place}">\n'
        yield f'<h{level} id="asked-{place}">{number} · Question{theirs}</h{level}>\n<div class="asked" dir="auto">\n'
        yield self._written(turn.prompt.content) if _says(state, node.user) else self._note(_REMOVED)
        yield from self._pictures(turn.prompt.images, "question")
        for one in turn.prompt.files:
            size = one.absent[1] if one.absent else len(one.data)
            yield self._note(f"with the file {one.name}, {size:,} bytes")
        said = " · ".join(part for part in ("Answer", self.text.beginning(turn.model)) if part)
        yield f'</div>\n<h{level}>{said}</h{level}>\n<div dir="auto">\n'
        if not _says(state, node.id):
            yield self._note(_REMOVED)
        if self.shows.thoughts and turn.reasoning:
            thoughts = self.text.markdown(turn.reasoning, level)
            yield f'<details class="note">\n<summary>Thoughts</summary>\n{thoughts}</details>\n'
        yield from self._steps(turn)
        yield self.text.markdown(turn.text, level)
        yield from self._pictures(turn.images, "answer")
        yield from self._sources(turn)
        if _says(state, node.id) and turn.finish_reason != "stop":
            yield f'<p class="note">ended with: {self.text.beginning(turn.finish_reason)}</p>\n'
        yield from map(self._note, besides.notes(turn.besides, is_whole=turn.finish_reason == "stop"))
        yield "</div>\n</article>\n"

    def _steps(self, turn: Turn) -> Iterator[str]:
        calls = sum(len(step.calls) for step in turn.steps)
        if calls and not self.shows.tools:
            yield self._note(f"after {count(calls, 'call')} of tools")
        for step in turn.steps if self.shows.tools else ():
            if step.text.strip():
                yield f'<div class="note">{self._written(step.text)}</div>\n'
            for call in step.calls:
                line, result = self.text.line(call_plain(call)), self._written(call.result)
                yield f'<details class="note">\n<summary>{line}</summary>\n{result}</details>\n'
            if step.problem:
                yield self._note(problem_said(step))

    def _written(self, text: str) -> str:
        return f'<div class="written">{self.text.plain(text)}</div>\n'

    def _note(self, text: str) -> str:
        return f'<p class="note">{self.text.line(text)}</p>\n'

    def _pictures(self, pictures: Iterable[Image], of: str) -> Iterator[str]:
        for number, picture in enumerate(pictures, 1):
            name = f"picture {number} of the {of}"
            media_type = picture_type(picture.data)  # not what a stranger says that it is
            if not self.shows.pictures or not media_type:
                yield self._note(f"{name} is not shown" + ("" if media_type else ": no PNG, JPEG, GIF or WebP"))
                continue
            self.pictures += 1
            data = base64.b64encode(picture.data).decode()
            yield f'<p><img src="data:{media_type};base64,{data}" alt="{name}"></p>\n'

    def _sources(self, turn: Turn) -> Iterator[str]:
        if turn.sources:
            items = "".join(f"<li>{self.text.link(source.title, source.url)}</li>\n" for source in turn.sources)
            yield f'<p class="note">Sources</p>\n<ol>\n{items}</ol>\n'
            if left := turn.besides.more_sources:
                yield self._note(f"and {count(left, 'more source')}, not kept")


def _says(state: SessionState, eid: str) -> bool:
    return not state.entries.kind(eid).is_stub
