"""Makes the types of the messages for the labextension's JavaScript, of the `TypedDict`s that the kernel has."""

import inspect
from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, get_args, get_origin, is_typeddict

from robota_nb.carriers import messages as bridge
from robota_nb.core.record.json_types import fields
from robota_nb.switcher import messages as views

FILE = Path(__file__).parents[2] / "robota_nb" / "labextension" / "messages.d.ts"

NAMESPACES = {
    "BridgeMessage": (bridge, "What a page and a kernel say to each other about the open document."),
    "ViewMessage": (views, "What a kernel and an open view of its chats say to each other."),
}

HEAD = """\
// Made by `python -m tests.typedefs` of carriers/messages.py and switcher/messages.py in robota_nb: change those.
// For the type checker and for editors; no browser loads it.
"""

PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", object: "unknown", NoneType: "null"}


def made():
    """Return the text of the file."""
    return "\n".join([HEAD, *(namespace(name, *about) for name, about in NAMESPACES.items())])


def namespace(name, module, doc):
    """Return the declaration of all public types of a module, in its order."""
    public = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    aliases = {key: value for key, value in public.items() if get_origin(value) in (Literal, UnionType)}
    known = {value: key for key, value in aliases.items()}
    parts = []
    for key, value in public.items():
        if key in aliases:
            parts.append([f"type {key} =", *(f"  | {member}" for member in typed(value, {}).split(" | "))])
            parts[-1][-1] += ";"
        elif is_typeddict(value):
            lines = [
                f"{field}{'' if required else '?'}: {typed(hint, known)};"
                for field, (hint, required) in fields(value).items()
            ]
            parts.append([*comment(inspect.getdoc(value)), f"interface {key} {{", *indented(lines), "}"])
    body = [line for part in parts for line in ["", *part]][1:]
    return "\n".join([*comment(doc), f"declare namespace {name} {{", *indented(body), "}", ""])


def typed(hint, known):
    """Return a type as TypeScript writes it; those in *known* by their name."""
    if hint in known:
        return known[hint]
    args = get_args(hint)
    match get_origin(hint):
        case None:
            return PLAIN.get(hint) or hint.__name__
        case o if o is Literal:
            return " | ".join(f"'{arg}'" for arg in args)
        case o if o is UnionType:
            return " | ".join(typed(arg, known) for arg in args)
        case o if o is list:
            item = typed(args[0], known)
            return f"({item})[]" if get_origin(args[0]) is UnionType and args[0] not in known else f"{item}[]"
        case o if o is dict:
            return f"Record<string, {typed(args[1], known)}>"
    raise TypeError(f"TypeScript has nothing for {hint}")


def comment(doc):
    """Return the lines of a comment."""
    lines = doc.replace("``", "`").splitlines()
    if len(lines) == 1:
        return [f"/** {lines[0]} */"]
    return ["/**", *(f" * {line}".rstrip() for line in lines), " */"]


def indented(lines):
    return [f"  {line}".rstrip() for line in lines]
