"""What the kernel says to its users, read from the code: the texts that a language has to have words for."""

import ast
import re
from string import Formatter

from robota_nb import errors
from robota_nb.display.hints import HINTS as OF_COMMANDS
from robota_nb.magics.commands import CELL, COMMANDS, GROUPS
from robota_nb.switcher.words import HINTS as OF_CLICKS
from support.paths import ROOT

PACKAGE = ROOT / "robota_nb"

ROOMS = ["carriers", "core", "kernel", "prompt", "providers", "stores", "switcher", "sync"]
"""Rooms from which an error or a notice may reach the panel. What cells and programs alone are told stays English."""

MORE = ["errors.py", "display/notices.py", "display/marks.py", "magics/presets.py"]

SAYING = [
    "carriers/damage.py", "core/live.py", "core/rules/asking.py", "display/marks.py", "display/notices.py",
    "kernel/frontend_messages.py", "kernel/marks.py", "prompt/images.py", "prompt/files.py", "providers/faults.py",
    "providers/keys/check.py", "providers/keys/lookup.py", "providers/keys/system_keyring.py", "providers/obstacles.py",
    "providers/openai/answer.py", "providers/openai/provider.py", "providers/openai/reply.py",
    "providers/openai/request.py", "providers/openai/responses_reply.py", "providers/openai/sse.py",
    "providers/openai/transport.py", "providers/server_errors.py", "stores/faults.py", "switcher/hub.py",
]  # fmt: skip
"""Modules of which every phrase is said, in whatever way it gets there."""

ONLY_IN_CELLS = {
    "kernel/loading_cell.py",  # what it says stands in the output of the cell
    "kernel/extension.py",
    "providers/keys/secret.py",  # errors of Python, for programs
}

CALLS = {name for name in errors.__all__ if isinstance(getattr(errors, name), type)} | {"Notice", "Fault", "Remark"}
METHODS = {"__init__", "error", "broken", "_notify"}
NOT_SAID = {
    "version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/", "Unterminated string",
    "\\b407\\b|proxy auth", "not yet valid", "ip address mismatch", "refuse once",
}  # fmt: skip
"""Texts of others, by which these modules know what has happened; and names of the code."""

_FIELD = re.compile(r"\{\w*(?:!r|:[^{}]+)?\}")


def message_texts():
    """Every text of a message, with ``{0}``, ``{1!r}`` for what is filled in, and where it stands."""
    found = {}
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            _collect(path, found)
    for name in MORE:
        _collect(PACKAGE / name, found)
    return found


def _collect(path, found):
    name = path.relative_to(PACKAGE).as_posix()
    if name in ONLY_IN_CELLS:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for line, text in _phrases(tree) if name in SAYING else _said(tree):
        if is_phrase(text) and text not in NOT_SAID:
            found.setdefault(text, f"{name}:{line}")


def _said(tree):
    """The texts that errors and notices are made with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            is_call = isinstance(called, ast.Name) and called.id in CALLS
            if is_call or (isinstance(called, ast.Attribute) and called.attr in METHODS and not _is_log(called)):
                for argument in [*node.args, *(word.value for word in node.keywords if word.arg != "hint")]:
                    yield from _texts(argument)


def _texts(node):
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node.lineno, template(node)


def _is_log(called):
    return isinstance(called.value, ast.Name) and called.value.id == "log"


def _phrases(tree):
    """All texts of a module but docstrings, patterns, and what is logged."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        elif isinstance(node, ast.AnnAssign):
            skipped |= {id(inner) for inner in ast.walk(node.annotation)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("re.", "log.")):
            skipped |= {id(inner) for inner in ast.walk(node)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "_row":
            skipped |= {id(inner) for argument in node.args[1:] for inner in ast.walk(argument)}
        elif isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values if isinstance(part, ast.Constant)}
    for node in ast.walk(tree):
        if id(node) not in skipped:
            yield from _texts(node) if isinstance(node, ast.JoinedStr | ast.Constant) else ()


def template(node):
    """A text of the code as a catalogue names it: what is filled in is numbered."""
    if isinstance(node, ast.Constant):
        return node.value
    text, number = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += part.value
        else:
            text += f"{{{number}{'!r' if part.conversion == ord('r') else ''}}}"
            number += 1
    return text


def is_phrase(text):
    """Whether it has two words or more."""
    words = re.findall(r"[A-Za-z]{2,}", _FIELD.sub(" ", text))
    return len(words) >= 2 and " " in text.strip() and not text.isupper()


def hint_texts():
    """Every next step, in the words of a notebook and in those of somebody who clicks."""
    return list(dict.fromkeys(unescaped(text) for text in [*OF_COMMANDS.values(), *OF_CLICKS.values()]))


def unescaped(text):
    """A text for ``str.format`` as a catalogue names it: braces that stand for themselves stand there once."""
    parts = []
    for literal, name, _, conversion in Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            parts.append(f"{{{name}{'!r' if conversion == 'r' else ''}}}")
    return "".join(parts)


def help_texts():
    """What the help of commands says."""
    found = [*GROUPS]
    for spec in (CELL, *COMMANDS):
        found += [spec.summary, *(argument.help for argument in spec.arguments)]
    tree = ast.parse((PACKAGE / "magics" / "parser.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "say"]
    found += [node.args[0].value for node in calls if isinstance(node.args[0], ast.Constant)]
    return list(dict.fromkeys(found))


def fields(text):
    """What is filled in a text."""
    return sorted(_FIELD.findall(text))
