"""What can be said to ``%robota`` and ``%%robota``: one table, from which parser, help and completion are made.

To add a command, add a row to `COMMANDS`, and to `robota_nb.magics.handlers` what it does; nothing else has to know.
"""

from __future__ import annotations

from dataclasses import replace

from robota_nb.magics.spec import Arg, Kind, Spec, Takes

__all__ = ["CELL", "COMMANDS", "GROUPS", "MEANT", "NODES", "SPECS", "Arg", "Kind", "Spec", "Takes", "verbs"]


def _key(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def _option(*flags: str, metavar: str, help: str, takes: Takes = "value", kind: Kind = "") -> Arg:  # noqa: A002
    return Arg(name=_key(flags[0]), flags=flags, metavar=metavar, help=help, takes=takes, kind=kind)


def _switch(*flags: str, help: str) -> Arg:  # noqa: A002
    return Arg(name=_key(flags[0]), flags=flags, help=help, takes="switch")


def _name(kind: Kind, help: str) -> Arg:  # noqa: A002
    return Arg(name="name", metavar="NAME", takes="words", kind=kind, required=True, help=help)


_SET = _option(
    "--set",
    metavar="KEY=VALUE",
    takes="pairs",
    help="a parameter of the requests, as in 'stop=[\"END\"]'; may be repeated",
)
_PROVIDER = _option("--provider", "-p", metavar="P", kind="provider", help="who is asked: an endpoint's name")
_MODEL = _option("--model", "-m", metavar="M", kind="model", help="the model's name at the provider")
_PRESET = _option(
    "--preset", metavar="PRESET", kind="preset", help="settings of yours by their name in c.RobotaMagics.presets"
)

_ASKING = (
    _option("--chat", "-c", metavar="C", kind="chat", help="ask this chat; the active chat stays active"),
    _option("--session", "-s", metavar="S", kind="session", help="ask in this session"),
    _PROVIDER,
    _MODEL,
    _SET,
    _option("--out", "-o", metavar="VAR", kind="variable", help="store the Turn in this variable"),
    _switch("--fresh", help="ask live, even if the answer is recorded"),
    _switch("--once", help="ask without recording the turn"),
    _switch("--at-end", help="show the answer when it is whole, not while it arrives"),
    _switch("--raw", help="send {{ name }} as it stands"),
    _switch("--append", help="go on at the end of the chat, also if this cell was edited or ran before"),
    _option(
        "--image", "-i", metavar="EXPR", takes="values", kind="expression",
        help="send a picture along: a variable (a figure, an image) or a file; may be repeated",
    ),
    _option(
        "--file", metavar="PATH", takes="values", kind="path",
        help="send a file along: text, PDF, WAV, MP3, or a variable that holds one; may be repeated",
    ),
    _option(
        "--cells", metavar="WHICH", kind="cells",
        help="send cells of the notebook along: above, or names and tags, as in load,clean; prompts are left out",
    ),
    _switch("--outputs", help="with --cells: and what these cells show, as text and pictures"),
    _option(
        "--tool", metavar="NAME", takes="values", kind="function",
        help="offer the model a function of this notebook, which asks you before each call; may be repeated",
    ),
    _option(
        "--into", metavar="TYPE", kind="expression",
        help="have the answer be a value of this type, as Person or list[Row]; with -o, turn.value is it",
    ),
    _option(
        "--repair", metavar="N", takes="number",
        help="with --into: how often it is asked again for what is no such value; 1 if not given",
    ),
    _option(
        "--prompt", metavar="NAME [FIELD=EXPR]...", takes="filled", kind="library",
        help="send a prompt of the library (%robota prompts), with these in its fields, above the text",
    ),
    _option(
        "--format", "-f", metavar="F", kind="format",
        help="show the answer as markdown, text, json, or as code, which goes into a new cell",
    ),
)  # fmt: skip

_TEXT = Arg(
    name="text", metavar="TEXT", takes="text", kind="prompt", required=True,
    help="the rest of the line, without quotes around all of it; after --, just as it stands",
)  # fmt: skip
_OUT = _option("--out", "-o", metavar="VAR", kind="variable", help="store the Turn in this variable")
_RAW = _switch("--raw", help="send {{ name }} as it stands")
_NUMBER = Arg(name="number", metavar="N", takes="number", required=True, help="the turn's number in the log, from 1")


_TOOLS = Arg(name="names", metavar="NAME", takes="list", kind="function", required=True, help="the names of functions")
_WHICH_SESSION, _WHICH_CHAT = (
    Arg(name="name", metavar="NAME", takes="words", kind=kind, help=f"the {kind}'s name; the active one if not given")
    for kind in ("session", "chat")
)

CELL = Spec(
    words=("ask",),
    magic="%%robota",
    summary="Send the text of the cell to the active chat; without one, what stands on this line.",
    arguments=_ASKING,
    examples=(
        "%%robota",
        "%%robota --chat Debugging -o answer",
        "%%robota --set temperature=0.2 --fresh",
        "%%robota --file data.csv --file notes.pdf",
        "%%robota --cells above --outputs",
        "%%robota --prompt review code=train",
    ),
)
"""The line of a ``%%robota`` cell: it asks, like ``%robota ask``, with the cell as the text."""

COMMANDS = (
    Spec(words=(), summary="Show where you are: session, chat, model, turns, and where they are saved."),
    Spec(
        words=("ask",),
        summary="Send one line to the active chat.",
        arguments=(*_ASKING, _TEXT),
        examples=('%robota ask "What is a closure?"', "%robota ask -o answer --raw Explain {{ braces }}"),
    ),
    Spec(
        words=("session", "open"),
        summary="Create a session, or make it the active one.",
        arguments=(_name("session", "the session's name; spaces need no quotes"),),
        examples=("%robota session open Python Development",),
    ),
    Spec(
        words=("session", "list"),
        summary="List the sessions of this notebook.",
        arguments=(_switch("--all", help="and those of other notebooks that the store on this machine holds"),),
        examples=("%robota session list --all",),
    ),
    Spec(
        words=("session", "rename"),
        summary="Rename the active session; its former name still finds it.",
        arguments=(_name("", "the new name"),),
        examples=("%robota session rename Data Cleaning",),
    ),
    Spec(
        words=("session", "describe"),
        summary="Say what the active session is about.",
        arguments=(Arg(name="text", metavar="TEXT", takes="text", required=True, help="the rest of the line"),),
        examples=("%robota session describe Cleaning the sensor data of May",),
    ),
    *(
        Spec(words=("session", verb), summary=summary, arguments=(_WHICH_SESSION,))
        for verb, summary in (
            ("pause", "Let nobody ask in a session for now."),
            ("resume", "Let a paused session go on."),
            ("archive", "Put a session away: it can be read, not asked."),
            ("restore", "Bring an archived session back."),
            ("terminate", "End a session for good: it can be read, and never asked again."),
        )
    ),
    Spec(
        words=("session", "delete"),
        summary="Delete a session; opening its name brings it back.",
        arguments=(_WHICH_SESSION,),
        examples=("%robota session delete Data Cleaning",),
    ),
    Spec(
        words=("session", "purge"),
        summary="Remove a session for good, deleted or not, with its chats and names; say where it still stands.",
        arguments=(_name("session", "the session's name, or its id"),),
        examples=("%robota session purge Old Talks",),
    ),
    Spec(words=("session", "stats"), summary="Count the turns and tokens of the active session."),
    Spec(
        words=("chat", "open"),
        summary="Create a chat, or switch to it; a new one inherits the settings of the active chat.",
        arguments=(
            _name("chat", "the chat's name; spaces need no quotes"),
            _PROVIDER,
            _MODEL,
            _option("--system", metavar="TEXT", help="the system prompt, in quotes"),
            _SET,
            _PRESET,
        ),
        examples=(
            "%robota chat open Feature Development",
            '%robota chat open Debugging --model gpt-4o --system "Be brief." --set temperature=0.2',
            "%robota chat open Review --preset reviewer",
        ),
    ),
    Spec(words=("chat", "list"), summary="List the chats of the active session."),
    Spec(
        words=("chat", "switch"),
        summary="Make another chat the active one.",
        arguments=(_name("chat", "the chat's name, former name or id"),),
        examples=("%robota chat switch Debugging",),
    ),
    Spec(
        words=("chat", "rename"),
        summary="Rename the active chat; its former name still finds it.",
        arguments=(_name("", "the new name"),),
        examples=("%robota chat rename Bug Hunt",),
    ),
    Spec(words=("chat", "log"), summary="Show the turns of the active chat."),
    Spec(
        words=("chat", "preview"),
        summary="Show what the next ask would send, and how much that is.",
        arguments=(replace(_TEXT, required=False, help="the prompt, if it is to be counted"),),
        examples=("%robota chat preview", '%robota chat preview "And now?"'),
    ),
    Spec(words=("chat", "undo"), summary="Take the last turn off the path; it is kept as a branch."),
    Spec(words=("chat", "redo"), summary="Put the turn that was taken back last on the path again."),
    Spec(
        words=("chat", "edit"),
        summary="Ask another question in the place of a turn; what stood there is kept as a branch.",
        arguments=(_OUT, _RAW, _NUMBER, _TEXT),
        examples=('%robota chat edit 2 "What is a closure, in one sentence?"',),
    ),
    Spec(
        words=("chat", "retry"),
        summary="Ask the last question again; its answer so far is kept as a branch.",
        arguments=(_OUT,),
    ),
    Spec(
        words=("chat", "fork"),
        summary="Start a chat that goes on from here, and make it the active one.",
        arguments=(
            Arg(name="at", flags=("--at",), metavar="N", takes="number",
                help="from after this turn; 0: from the start; by default from where the chat has got to"),
            _name("chat", "the new chat's name; spaces need no quotes"),
        ),
        examples=("%robota chat fork Another Way", "%robota chat fork --at 2 Another Way"),
    ),
    Spec(words=("chat", "branches"), summary="List what was asked beside the path of the active chat."),
    Spec(
        words=("chat", "checkout"),
        summary="Go to the end of a branch.",
        arguments=(
            Arg(name="branch", metavar="B", required=True,
                help="its number in the list of branches, or the beginning of a turn's id"),
        ),
        examples=("%robota chat checkout 1",),
    ),
    Spec(words=("chat", "clear"), summary="Begin anew in this chat; what was said is kept as a branch."),
    Spec(
        words=("chat", "compact"),
        summary="Send a summary in the place of all but the last turns; prompts and record stay as they are.",
        arguments=(
            Arg(name="keep", flags=("--keep",), metavar="N", takes="number",
                help="how many of the last turns are sent as they are; 4 if not given"),
            Arg(name="writer", flags=("--with",), metavar="M", kind="model",
                help="the model that writes it, at the chat's provider"),
            _switch("--undo", help="send all turns again"),
            replace(_TEXT, required=False, help="what the summary is to heed besides"),
        ),
        examples=(
            "%robota chat compact",
            "%robota chat compact --keep 2 --with gpt-4o-mini Keep all file names.",
            "%robota chat compact --undo",
        ),
    ),
    Spec(
        words=("chat", "search"),
        summary="Find a text in the questions and answers of this session, branches too.",
        arguments=(Arg(name="text", metavar="TEXT", takes="text", required=True, help="the rest of the line"),),
        examples=("%robota chat search group by",),
    ),
    Spec(
        words=("chat", "delete"),
        summary="Delete a chat; opening its name brings it back.",
        arguments=(_WHICH_CHAT,),
        examples=("%robota chat delete Bug Hunt",),
    ),
    Spec(
        words=("chat", "purge"),
        summary="Remove for good what a turn says, such as a secret, or all of a chat; say where it still stands.",
        arguments=(
            replace(_NUMBER, required=False),
            Arg(name="branch", flags=("--branch",), metavar="N", takes="number",
                help="all turns of a branch, by its number in %robota chat branches"),
            _switch("--all", help="the whole chat: its branches, names, settings and system prompts, too"),
            _option("--chat", "-c", metavar="C", kind="chat", help="with --all: this chat, which may be a deleted one"),
        ),
        examples=("%robota chat purge 2", "%robota chat purge --branch 1", "%robota chat purge --all --chat Secrets"),
    ),
    Spec(words=("chat", "stats"), summary="Count the turns and tokens of the active chat."),
    Spec(
        words=("chat", "set"),
        summary="Change settings of the active chat.",
        arguments=(
            Arg(name="set", metavar="KEY=VALUE", takes="pairs", required=True,
                help="provider, model, system, or a parameter of the requests"),
        ),
        examples=("%robota chat set temperature=0.2 max_tokens=500", '%robota chat set system="Be brief."'),
    ),
    Spec(
        words=("new",),
        summary="Create a chat, or switch to it: short for chat open.",
        arguments=(_name("chat", "the chat's name; spaces need no quotes"), _PRESET),
        examples=("%robota new Feature Development", "%robota new Review --preset reviewer"),
    ),
    Spec(
        words=("switch",),
        summary="Make another chat the active one: short for chat switch.",
        arguments=(_name("chat", "the chat's name, former name or id"),),
        examples=("%robota switch Debugging",),
    ),
    Spec(
        words=("search",),
        summary="Find a text in all that was asked and answered in this notebook, also what was undone or deleted.",
        arguments=(
            _switch("--all", help="and in the other notebooks that the store on this machine holds"),
            Arg(name="text", metavar="TEXT", takes="text", required=True, help="the rest of the line"),
        ),
        examples=("%robota search group by", "%robota search --all group by"),
    ),
    Spec(
        words=("snapshot",),
        summary="Put the conversations into the notebook, and say how far they got.",
        arguments=(
            _switch("--save", help="save the notebook, too"),
            _option("--to", metavar="PATH", kind="path", help="put them into this notebook file, or make it"),
            _switch("--replace", help="write over a snapshot that cannot be read"),
        ),
        examples=("%robota snapshot --save", '%robota snapshot --to "my copy.ipynb"'),
    ),
    Spec(words=("snapshot", "show"), summary="Show what the snapshot of this notebook holds."),
    Spec(words=("snapshot", "verify"), summary="Check every entry of the snapshot against its id."),
    Spec(
        words=("snapshot", "strip"),
        summary="Take the conversations out of the open notebook; this kernel and the store keep them.",
    ),
    Spec(
        words=("resume",),
        summary="Add the snapshot of this notebook, or of another one, to this kernel.",
        arguments=(
            Arg(name="path", metavar="PATH", kind="path", help="the notebook file; in quotes if it has spaces"),
        ),
        examples=("%robota resume", "%robota resume yesterday.ipynb"),
    ),
    Spec(
        words=("recover",),
        summary="Add the turns that no notebook has saved, from the store on this machine.",
        arguments=(
            Arg(name="path", metavar="PATH", kind="path",
                help="another notebook's, such as this one's former path; by default this notebook's own"),
            _switch("--saved", help="also what was saved once, and is not in the notebook now"),
        ),
        examples=("%robota recover", "%robota recover Untitled.ipynb", "%robota recover --saved"),
    ),
    Spec(
        words=("export",),
        summary="Write the active chat into a file: Markdown to read, or JSON with all of its branches.",
        arguments=(
            Arg(name="path", metavar="PATH", kind="path", required=True,
                help="ends in .md (the path up to here, without pictures and files) or in .json (everything)"),
        ),
        examples=("%robota export debugging.md", "%robota export debugging.json"),
    ),
    Spec(
        words=("import",),
        summary="Add a chat from a file that was exported; one that is here already stays as it is.",
        arguments=(Arg(name="path", metavar="PATH", kind="path", required=True, help="ends in .md or .json"),),
        examples=("%robota import debugging.md",),
    ),
    Spec(words=("endpoint", "list"), summary="List the servers that can be asked."),
    Spec(
        words=("endpoint", "find"),
        summary="Look for model servers on this machine, and say how each is added; none is asked or chosen.",
    ),
    Spec(
        words=("endpoint", "add"),
        summary="Make an OpenAI-compatible server, or a provider object of yours, known in this kernel.",
        arguments=(
            _option("--key-env", metavar="VAR", help="the environment variable that holds the key, never the key"),
            _MODEL,
            _switch("--insecure", help="speak plain http beyond this machine, in a network of your own"),
            _option("--object", metavar="EXPR", kind="expression",
                help="in the place of the URL: a variable that holds a provider"),
            Arg(name="name", metavar="NAME", required=True, help="what chats call it"),
            Arg(name="url", metavar="URL", help="where it is; usually ends in /v1"),
        ),
        examples=(
            "%robota endpoint add lab https://llm.lab.example/v1 --key-env LAB_KEY --model llama3",
            "%robota endpoint add mine --object provider",
        ),
    ),
    Spec(
        words=("endpoint", "key"),
        summary="Ask for a server's key out of sight, and keep it in this kernel.",
        arguments=(
            Arg(name="name", metavar="NAME", kind="provider", required=True, help="the endpoint's name"),
            _switch("--save", help="keep it in the system's keyring instead, for other kernels"),
            _switch("--forget", help="remove it from this kernel and from the keyring"),
        ),
        examples=("%robota endpoint key openai", "%robota endpoint key lab --save"),
    ),
    Spec(
        words=("endpoint", "test"),
        summary="See whether a server can be reached, and takes the key; nothing is asked.",
        arguments=(Arg(name="name", metavar="NAME", kind="provider", required=True, help="the endpoint's name"),),
        examples=("%robota endpoint test lab",),
    ),
    Spec(
        words=("tool", "add"),
        summary="Offer functions of this notebook to the model, in the asks below this cell.",
        arguments=(_TOOLS,),
        examples=("%robota tool add rows temperature",),
    ),
    Spec(
        words=("tool", "remove"),
        summary="Offer them no more from here on.",
        arguments=(_TOOLS,),
        examples=("%robota tool remove rows",),
    ),
    Spec(words=("tool", "list"), summary="List the tools that are offered here, and which of them ask."),
    *(
        Spec(words=("tool", verb), summary=summary, arguments=(_TOOLS,), examples=(f"%robota tool {verb} rows",))
        for verb, summary in (
            ("allow", "Let calls of a tool run unasked in this kernel, unless text of others is sent along."),
            ("ask", "Be asked before each call of a tool, also of one that only reads."),
            ("deny", "Refuse all calls of a tool in this kernel."),
        )
    ),
    Spec(
        words=("replay",),
        summary="Say which answers are stale, and why; or set how recorded answers are used.",
        arguments=(
            Arg(name="mode", metavar="MODE", kind="mode",
                help="auto: replay what is recorded; stale: and ask only what had an answer; strict: never; "
                "off: always"),
        ),
        examples=("%robota replay", "%robota replay strict"),
    ),
    Spec(
        words=("replay", "accept"),
        summary="Let stale answers stand for what the page would ask now.",
        arguments=(
            Arg(name="which", metavar="CHAT|N", takes="list", kind="chat",
                help="those of a chat, or of code cells by their numbers in %robota replay; all without"),
        ),
        examples=("%robota replay accept", "%robota replay accept 3 4", "%robota replay accept Debugging"),
    ),
    Spec(
        words=("fix",),
        summary="Put a cell below that asks why the last error came, with its code and variables, for you to run.",
        examples=("%robota fix",),
    ),
    Spec(
        words=("prompts",),
        summary="List the library of prompts: files of this repository, and your own, for --prompt NAME.",
    ),
    Spec(
        words=("ui",),
        summary="Show the switcher: the chats at a glance, and a place to talk.",
        examples=("%robota ui",),
    ),
    Spec(
        words=("help",),
        summary="Tell how a command is used, or list them all.",
        arguments=(
            Arg(name="command", metavar="COMMAND", takes="list", kind="command", help="the command's words"),
        ),
        examples=("%robota help", "%robota help chat open"),
    ),
    Spec(words=("version",), summary="Say which version of robota_nb this kernel has."),
)  # fmt: skip

SPECS = {spec.words: spec for spec in COMMANDS}
"""Each command by its words."""

NODES = {spec.words[:length] for spec in COMMANDS for length in range(len(spec.words) + 1)}
"""What a command's words may begin with: the commands, and nouns that need a verb."""

GROUPS = {
    "Asking": ("ask", "new", "switch", "fix", "prompts"),
    "Conversations": ("chat", "session", "search", "ui"),
    "Notebooks and files": ("replay", "snapshot", "resume", "recover", "export", "import"),
    "Models": ("endpoint", "tool"),
    "This package": ("help", "version"),
}
"""The first words of the commands, as the overview groups them."""

MEANT = {
    "chats": "chat list", "clear": "chat clear", "compact": "chat compact", "compress": "chat compact",
    "continue": "chat switch", "cost": "chat stats", "create": "chat open",
    "delete": "chat delete", "edit": "chat edit", "fork": "chat fork", "branch": "chat fork", "find": "search",
    "history": "chat log", "list": "chat list", "load": "resume", "log": "chat log",
    "logs": "chat log",
    "model": "chat set model=NAME", "models": "endpoint test NAME", "new": "chat open", "open": "chat open",
    "parameters": "chat set", "provider": "chat set provider=NAME", "providers": "endpoint list",
    "redo": "chat redo", "regenerate": "chat retry", "rename": "chat rename", "reset": "chat clear",
    "retry": "chat retry", "save": "snapshot --save", "sessions": "session list",
    "set": "chat set", "show": "chat log", "stats": "chat stats", "system": "chat set system=TEXT",
    "temperature": "chat set temperature=0.2", "tokens": "chat stats", "undo": "chat undo", "usage": "chat stats",
}  # fmt: skip
"""What other tools call a command, and what it is here."""


def verbs(words: tuple[str, ...]) -> list[str]:
    """Return the words that may follow these in a command."""
    size = len(words)
    return list(dict.fromkeys(s.words[size] for s in COMMANDS if len(s.words) > size and s.words[:size] == words))
