"""What to do next, in the words of somebody who works in a notebook: commands, and settings of the extension."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.errors import RobotaError

HINTS: Mapping[str, str] = MappingProxyType({
    "account.quota": "add credit there, or %robota chat set provider=NAME chooses another endpoint",
    "answer.invalid": "--repair 2 has it asked again more often, or ask another model with --model",
    "answer.silent": (
        "interrupt the kernel and run the cell again, or ask another model with --model; "
        "c.RobotaMagics.silence_timeout says when it is given up"
    ),
    "ask.shorten": (
        "%robota chat compact sends a summary of its beginning, chat fork --at or chat clear makes it shorter, "
        "c.RobotaMagics.max_messages limits it, %robota chat preview shows it"
    ),
    "attached.clear": (
        "%robota chat clear goes on without them, %robota chat set model=NAME chooses a model that takes them"
    ),
    "attached.fork": (
        "%robota chat fork NAME --at {at} goes on before them, "
        "%robota chat set model=NAME chooses a model that takes them"
    ),
    "attached.now": "ask without it, or %robota chat set model=NAME chooses a model that takes it",
    "cells.unseen": (
        "run it in JupyterLab, Notebook 7 or robota-nb run, or take --cells off, and send what it needs in the prompt"
    ),
    "chat.ask": "write a %%robota cell",
    "chat.branches": "%robota chat branches lists them",
    "chat.compact": "%robota chat compact makes a summary, and has it sent",
    "chat.create": "%robota new NAME creates one",
    "chat.deleted": "%robota chat open brings it back",
    "chat.edit": "ask something else, %robota chat edit takes its place",
    "chat.list": "%robota chat list shows them, %robota new creates one",
    "chat.preview": "%robota chat preview shows all that is sent",
    "chat.set": "set it anew with %robota chat set",
    "chat.shorten": (
        "%robota chat compact sends a summary of its beginning, chat clear or chat fork --at makes it shorter, "
        "c.RobotaMagics.max_messages limits it"
    ),
    "chat.turns": "%robota chat log shows them",
    "config.endpoint": "it belongs to a server in c.RobotaMagics.endpoints",
    "config.key": "%robota endpoint key NAME asks for the key of a server",
    "endpoint.add": "add it with c.RobotaMagics.endpoints = {{{name!r}: {{'base_url': …, 'key_env': …}}}}",
    "endpoint.choose": "%robota chat set provider=NAME chooses one",
    "endpoint.list": "%robota endpoint list shows them, endpoint add adds one",
    "file.absent": "--file PATH with it brings it back, or %robota chat fork NAME --at {at} goes on before it",
    "file.absent_first": "--file PATH with it brings it back",
    "file.exported": "give a file that %robota export has written",
    "key.again": "run %robota endpoint key {name} again",
    "key.check": "check {source} (%robota endpoint key {name} --forget removes it){more}",
    "key.env": (
        "if it does, name a variable for it: key_env in its settings, or --key-env of %robota endpoint add"
    ),
    "key.missing": (
        "run %robota endpoint key {name}, or set the environment variable {variable} before Jupyter starts{note}"
    ),
    "key.replace": "{step}; %robota endpoint key {name} --forget removes it",
    "limit.chats": "go on in one of them, or raise c.RobotaMagics.max_chats (0 for any number)",
    "limit.sessions": (
        "pause or archive one of them, or raise c.RobotaMagics.max_active_sessions (0 for any number)"
    ),
    "model.choose": "check its name, or %robota chat set model=NAME chooses another",
    "model.name": "name one with --model",
    "model.unlisted": "run the cell again to send it anyway, or %robota chat set model=NAME chooses another",
    "param.max_tokens": "%robota chat set max_tokens=NUMBER with a smaller number",
    "pictures.fork": (
        "%robota chat set pictures=none goes on without them, %robota chat fork NAME --at {at} before them, "
        "%robota chat set model=NAME chooses a model that takes them"
    ),
    "prompt.raw": "--raw sends the braces as they stand",
    "replay.miss": "run the notebook with %robota replay auto, then save it",
    "replay.new": "run its cell with %robota replay auto, then save it",
    "replay.stale": "%robota replay says why; run their cells, or let them stand with %robota replay accept",
    "run.trust": "look at what has changed, then ask again, or run it with robota-nb run --trust",
    "session.active": "it can be asked as it is",
    "session.archived": "%robota session restore brings it back",
    "session.deleted": "%robota session open brings it back",
    "session.list": "%robota session list shows them, %robota session open creates one",
    "session.paused": "%robota session resume lets it go on",
    "session.terminated": "that is for good; open another with %robota session open NAME",
    "session.unknown": "a later version of robota_nb knows that state",
    "snapshot.open_here": "leave out --to, and save it as usual",
    "snapshot.replace": "%robota snapshot --replace writes over it",
    "snapshot.replace_file": "name the file, %robota snapshot --to PATH --replace",
    "snapshot.resume": "%robota resume PATH",
    "store.list": "%robota recover lists what there is",
    "timeout.answer": "ask for less, or raise c.RobotaMagics.answer_timeout",
    "timeout.silence": "ask again, or raise c.RobotaMagics.silence_timeout",
    "tool.allow": "%robota tool allow NAME lets it run in this kernel, @tool(safe=True) marks one that only reads",
    "turn.retry": "%robota chat retry asks again",
    "turn.rounds": "say what is still to be done, or raise c.RobotaMagics.max_rounds",
})  # fmt: skip
"""The same keys as `robota_nb.errors.HINTS`."""


def told(error: RobotaError) -> str:
    """Return the text of an error as its user reads it in a notebook."""
    return error.in_words(HINTS)
