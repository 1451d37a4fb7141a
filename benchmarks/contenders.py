"""Who is measured: what each needs installed, and the cells that do the same thing with each.

Each does what its own pages show for "ask, and see the answer". In a cell, ``BASE_URL`` stands for the server, and
``NUMBER`` for a number that no other cell of that kernel has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
HISTORY = "history.json"
"""The file in which a kernel finds the messages to begin with: [{"role": …, "content": …}, …]."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """Something that asks a model from a notebook.

    Parameters
    ----------
    name
        What it is called in the tables.
    package
        The distribution whose version is told.
    requirements
        What is installed to have it, besides ipykernel.
    room
        The contender in whose environment it runs; empty for its own.
    load
        The cell that loads it, and all that it needs to know of the server.
    fresh
        The cell that begins an empty conversation; empty if each question is one.
    ask
        The cell that asks in the conversation, and shows the answer.
    history
        The cell that puts what is in `HISTORY` into the conversation; or, for who is *asked*, readies it for that.
    asked
        Whether a long conversation is made by asking every question of it, for want of another way.
    most
        The longest history that it is measured with.
    streams
        Whether the answer is seen while it arrives.
    shows
        How the answer is seen.
    document
        Whether its kernel is told of its document, by the labextension; the history comes from there.
    environment, files
        Variables, and files in its home.
    note
        What else a reader has to know.
    """

    name: str
    package: str
    load: str
    ask: str
    fresh: str = ""
    history: str = ""
    asked: bool = False
    requirements: tuple[str, ...] = ()
    room: str = ""
    most: int = 1_000
    streams: bool = True
    shows: str = "plain text"
    document: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


OURS = Contender(
    name="robota_nb",
    package="robota-nb",
    requirements=(str(ROOT),),
    load="%load_ext robota_nb",
    fresh="%robota chat open chat NUMBER",
    ask="%%robota\nGo NUMBER.",
    most=20_000,
    shows="rendered Markdown",
    document=True,
    note="from a wheel of this checkout; its history comes from the notebook; every turn is stored, and sent to it",
)

BARE = Contender(
    name="bare",
    package="openai",
    room=OURS.name,
    load="from openai import OpenAI",
    fresh="client = OpenAI()\nmessages = []",
    ask="""\
messages.append({"role": "user", "content": "Go NUMBER."})
answer = []
for chunk in client.chat.completions.create(model="fake-model", messages=messages, stream=True):
    if chunk.choices and (delta := chunk.choices[0].delta.content):
        answer.append(delta)
        print(delta, end="")
messages.append({"role": "assistant", "content": "".join(answer)})""",
    history=f"import json\nmessages = json.load(open({HISTORY!r}))",
    most=20_000,
    note="a loop over the typed chunks that prints each, and a list of messages",
)

RAW = Contender(
    name="raw POST",
    package="openai",
    room=OURS.name,
    load="import http.client, json, urllib.parse",
    fresh="messages = []",
    history=f"""\
messages = json.load(open({HISTORY!r}))
body = json.dumps({{"model": "fake-model", "messages": messages, "stream": True}})
connection = http.client.HTTPConnection(urllib.parse.urlsplit("BASE_URL").netloc)""",
    ask="""\
connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
connection.getresponse().read()""",
    most=20_000,
    note="the same bytes, ready made; what nothing can be faster than",
)

PEERS = (
    Contender(
        name="chatlas",
        package="chatlas",
        requirements=("chatlas",),
        load="from chatlas import ChatOpenAICompletions",
        fresh='chat = ChatOpenAICompletions(base_url="BASE_URL", model="fake-model")',
        ask='_ = chat.chat("Go NUMBER.")',
        history=f"""\
import json
from chatlas import AssistantTurn, UserTurn
kinds = {{"user": UserTurn, "assistant": AssistantTurn}}
chat.set_turns([kinds[message["role"]](message["content"]) for message in json.load(open({HISTORY!r}))])""",
        most=5_000,
        shows="rendered Markdown",
    ),
    Contender(
        name="jupyter-ai-magics",
        package="jupyter-ai-magics",
        requirements=("jupyter-ai-magics", "langchain-openai<1"),
        load="%load_ext jupyter_ai_magics",
        fresh="%ai reset",
        ask="%%ai openai-chat-custom:fake-model\nGo NUMBER.",
        history="%config AiMagics.max_history = 10_000",
        asked=True,
        streams=False,
        shows="rendered Markdown",
        environment={"OPENAI_API_BASE": "BASE_URL"},
        note="sends the last 2 exchanges unless `AiMagics.max_history` is raised, as it is for the long histories",
    ),
    Contender(
        name="jupyter-ai-magic-commands",
        package="jupyter-ai-magic-commands",
        requirements=("jupyter-ai-magic-commands",),
        load="%load_ext jupyter_ai_magic_commands\n%ai alias local openai/fake-model --api-base BASE_URL",
        fresh="%ai reset",
        ask="%%ai local\nGo NUMBER.",
        history="%config AiMagics.max_history = 10_000",
        asked=True,
        streams=False,
        shows="rendered Markdown",
        environment={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        note="as jupyter-ai-magics; litellm is told not to fetch its prices from the internet as it is imported",
    ),
    Contender(
        name="cellmage",
        package="cellmage",
        requirements=("cellmage[langchain]",),
        load="%load_ext cellmage",
        fresh="%llm_config --clear-history",
        ask="%%llm -m fake-model\nGo NUMBER.",
        asked=True,
        environment={"CELLMAGE_API_BASE": "BASE_URL", "OPENAI_API_BASE": "BASE_URL"},
        note="keeps one of answers that are equal, so its long conversation here has half the messages; as it is "
        "loaded, it looks on the internet for tables of tokens and prices",
    ),
    Contender(
        name="JupyterChatbook",
        package="JupyterChatbook",
        requirements=("JupyterChatbook",),
        load="%load_ext JupyterChatbook",
        fresh="%%chat_meta -i go --prompt -m fake-model --base_url BASE_URL\n.",
        ask="%%chat -i go -f markdown --no_clipboard\nGo NUMBER.",
        asked=True,
        streams=False,
        shows="rendered Markdown",
    ),
    Contender(
        name="llm",
        package="llm",
        requirements=("llm",),
        load="import llm",
        fresh='conversation = llm.get_model("local").conversation()',
        ask="""\
for chunk in conversation.prompt("Go NUMBER."):
    print(chunk, end="")""",
        history=f"""\
import json
kinds = {{"user": llm.user, "assistant": llm.assistant}}
history = [kinds[message["role"]](message["content"]) for message in json.load(open({HISTORY!r}))]
conversation.prompt("Begin.", messages=history).text()""",
        most=5_000,
        environment={"LLM_USER_PATH": "."},
        files={"extra-openai-models.yaml": "- {model_id: local, model_name: fake-model, api_base: 'BASE_URL'}\n"},
    ),
)

CONTENDERS = (OURS, BARE, *PEERS)
