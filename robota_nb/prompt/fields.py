r"""Fill variables into a prompt: ``{{ name }}``, ``{{ frame.columns[0] }}``, ``{{ rows | head(5) | json }}``.

What is between the braces is looked up, never evaluated: attributes, indices, and the filters in `FILTERS`. Braces are
read so:

- The *exact* form has one space inside, on both sides. It is filled in wherever it stands, and a name that is no
  variable is an error.
- With other spaces, or none, it is filled in if it begins with a variable. Not in a formula, nor directly behind ``^``
  or ``_``: there, braces are LaTeX's.
- What begins with a variable, and goes on with a call, an operator or an unknown filter, is an error: nothing of it is
  computed here.
- Everything else is text and stays as it stands: JSON, LaTeX, f-strings, Jinja, Helm. What looks as if a variable was
  meant is told of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from robota_nb.core.events import Notice
from robota_nb.core.record.text import short
from robota_nb.errors import PromptError, nearest
from robota_nb.prompt.markup import Markup
from robota_nb.prompt.source import source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "EXPRESSION",
    "FILTERS",
    "MAX_BYTES",
    "Expanded",
    "Filter",
    "expand",
    "find",
    "names",
    "said_of",
    "text_of",
    "value_of",
]

MAX_BYTES = 1_000_000
"""A prompt beyond this is refused (a message of a snapshot has the same cap)."""

_RAW = "prompt.raw"
"""The hint to send braces as they stand."""

_MEND = "mend it"
_NAME = r"[^\W\d]\w*"
EXPRESSION = re.compile(
    rf"""
        (?P<root> (?!__) {_NAME} )
        (?P<steps> (?: \.(?!_){_NAME} | \[ (?: -?[0-9]{{1,9}} | "[^"\\\n]*" | '[^'\\\n]*' ) \] )* )
    """,
    re.VERBOSE,
)
"""A variable and what to look up in it, as `find` takes it."""

_STEP = re.compile(
    rf"""\.(?P<attribute>{_NAME}) | \[(?P<number>-?[0-9]+)\] | \[(?P<quote>["'])(?P<key>.*?)(?P=quote)\]""", re.VERBOSE
)
_FILTER = re.compile(rf"\|[ \t]*(?P<name>{_NAME})(?:\([ ]*(?P<count>[0-9]{{1,9}})[ ]*\))?")
_FILTERS = re.compile(rf"(?:[ \t]*{_FILTER.pattern})*".replace("?P<name>", "?:").replace("?P<count>", "?:"))

# A field is read piece by piece, each of them once: so no text takes longer than its length.
_OPEN = re.compile(r"(?<!\{)\{\{(?P<space>[ \t]*)(?=[^\W\d])")  # two braces, not three
_CLOSE = re.compile(r"(?P<space>[ \t]*)\}\}")
_REST = re.compile(r"(?P<rest>[^{}\n]*)\}\}")
_SINGLE = re.compile(rf"(?<!\{{)\{{{EXPRESSION.pattern}\}}(?!\}})", re.VERBOSE)

_CALL = re.compile(r"\((?P<args>[^()]*)\)(?P<more>.*)")
_SLICE = re.compile(r"\[[ ]*:[ ]*(?P<count>[0-9]{1,9})[ ]*\][ \t]*")
_OPERATOR = re.compile(
    r"""
    [ \t]* (?: \*\*? | //? | << | >> | [=!<>]= | \|\| | && | [-+%@&<>|] ) [ \t]* -? [\w("'\[]
    | [ \t]+ if \b .* \b else \b
    | [ \t]+ (?: and | or | in | not[ ]in | is | is[ ]not ) [ \t]+ [^\s,]+ [ \t]* $
    """,
    re.VERBOSE,
)
_OTHERS = re.compile(r"[\w^\\$]|(?<!%)\}")
"""What stands before braces of LaTeX, shells and the like: before these, nobody means a variable."""

_TEMPLATE = re.compile(
    r"""
    \{% | \{\# | \{\{- | -\}\} | \{\{ \s* _\(
    | \{\{ \s* (?: \. | (?: if|else|end|endif|endfor|range|with|define|include|template|block )\b )
    """,
    re.VERBOSE,
)
"""What shows that a text is a template of another language (Jinja, Go, Helm)."""

_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+>")
_ONLY_ADDRESS = re.compile(r"<[^\n\[\](){},;:=]* at 0x[0-9A-Fa-f]+>{1,2}")
_LISTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """A prompt as it is sent.

    Parameters
    ----------
    text
        The text, with its fields filled in.
    notices
        What its user should know of the braces in it; no part of the conversation.
    """

    text: str
    notices: tuple[Notice, ...] = ()

    def above(self, other: Expanded) -> Expanded:
        """Return it with another one below it, as a paragraph of its own."""
        text = "\n\n".join(filter(str.strip, (self.text, other.text)))
        return Expanded(text=text, notices=(*self.notices, *other.notices))

    def with_notices(self, texts: Iterable[str]) -> Expanded:
        """Return it with more to be known of it."""
        return replace(self, notices=(*self.notices, *(Notice(text=text) for text in texts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What may follow a ``|`` in a field.

    Parameters
    ----------
    apply
        What it does with a value; with a count, too, if it *counts*.
    counts
        Whether it may be given a number, as ``head(20)``.
    help
        What it does, in a few words.
    """

    apply: Callable[..., Any]
    help: str
    counts: bool = False


def _head(value: Any, count: int = 5) -> Any:
    if isinstance(value, str):
        return "".join(value.splitlines(keepends=True)[:count]).rstrip("\r\n")
    if isinstance(value, Mapping):
        return dict(islice(value.items(), count))
    return value[:count]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _describe(value: Any) -> str:
    if not isinstance(value, type) and callable(getattr(value, "describe", None)):
        described = value.describe()
        to_string = getattr(described, "to_string", None)
        return str(to_string() if callable(to_string) else described)
    return said_of(value)


def said_of(value: Any) -> str:
    """Return what can be said of a value without looking through it: its type, shape and length."""
    parts = [_type_of(value)]
    if not isinstance(value, type):
        parts += [f"{name} {said}" for name in ("shape", "dtype") if (said := getattr(value, name, None)) is not None]
        with suppress(TypeError):  # it has no length
            parts.append(f"length {len(value)}")
    return ", ".join(parts)


def _type_of(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


FILTERS: Mapping[str, Filter] = {
    "describe": Filter(apply=_describe, help="what describe() of a frame says; of others type, shape and length"),
    "head": Filter(apply=_head, counts=True, help="the first lines of a text, items, or rows: 5, or as many as said"),
    "json": Filter(apply=_json, help="as JSON"),
    "repr": Filter(apply=repr, help="as Python shows it in a list"),
    "source": Filter(apply=source_of, help="the text of a function, class or module, also of one made in a cell"),
    "str": Filter(apply=str, help="as print shows it"),
}
"""The filters by name; to add one, add a row."""


def expand(text: str, namespace: Mapping[str, Any]) -> Expanded:
    """Return *text* with every field replaced by its value; what is filled in is not looked at again.

    Parameters
    ----------
    text
        The text of a cell that the user runs; never restored or received text.
    namespace
        The user's variables.

    Returns
    -------
    Expanded
        Text goes in as it is, other values as `str` shows them; of an object that `str` shows as an address in memory
        only, its type. What has several lines stands in a Markdown fence, unless the field stands in code already.

    Raises
    ------
    PromptError
        If a name, attribute or index does not exist or fails, if braces that begin with a variable ask for more than
        to look something up, or if the prompt becomes larger than `MAX_BYTES`.
    """
    markup = Markup(text)
    fields, left = _sorted_out(text, markup, namespace)
    values = [_value_of(field, namespace) for field in fields]
    parts: list[str] = []
    end = 0
    for field, value in zip(fields, values, strict=True):
        parts += (text[end : field.start], markup.laid_out(value.text, field.start, field.end))
        end = field.end
    parts.append(text[end:])
    if fields and (size := sum(map(_size, parts))) > MAX_BYTES:
        largest = max(zip(values, fields, strict=True), key=lambda pair: len(pair[0].text))[1]
        raise PromptError(
            f"the prompt would have {size:,} bytes, over the cap of {MAX_BYTES:,}; "
            f"fill in less than {largest.text}, such as with | head(20)"
        )
    return Expanded(text="".join(parts), notices=tuple(_notices(fields, values, left, namespace)))


def names(text: str) -> list[str]:
    """Return the variables that the fields of *text* begin with, each once, in order; also such as do not exist."""
    markup = Markup(text)
    fields = (braces for braces in _braces(text) if braces.is_field)
    return list(dict.fromkeys(field.root for field in fields if field.exact or not _is_math(field.start, text, markup)))


# -- what is a field


@dataclass(frozen=True, slots=True, kw_only=True)
class _Braces:
    """Braces that begin with a name: of these, a field looks up *found*, and *rest* is what is no part of one."""

    start: int
    text: str
    found: re.Match[str]
    filters: str = ""
    rest: str = ""
    spaces: tuple[str, str] = ("", "")
    row: int
    """Where the row of braces begins that this one is in, as the second of ``{{a}}{{b}}``."""
    is_field: bool = True

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def root(self) -> str:
        return self.found["root"]

    @property
    def expression(self) -> str:
        return self.root + self.found["steps"]

    @property
    def exact(self) -> bool:
        return self.spaces == (" ", " ") and self.is_field

    @property
    def said(self) -> str:
        """The text, to be recognised."""
        return short(self.text)


def _braces(text: str) -> Iterator[_Braces]:
    end = row = 0
    for opened in _OPEN.finditer(text):
        found = EXPRESSION.match(text, opened.end())
        if opened.start() < end or not found:
            continue
        filters = _FILTERS.match(text, found.end())
        assert filters  # they may be none
        whole = _CLOSE.match(text, filters.end())
        closed = whole or _REST.match(text, found.end())
        if not closed:
            continue
        row = row if opened.start() == end else opened.start()
        end = closed.end()
        yield _Braces(
            start=opened.start(),
            text=text[opened.start() : end],
            found=found,
            filters=filters[0] if whole else "",
            rest="" if whole else closed["rest"],
            spaces=(opened["space"], whole["space"] if whole else ""),
            row=row,
            is_field=whole is not None and all(map(_is_known, _FILTER.finditer(filters[0]))),
        )


def _is_known(used: re.Match[str]) -> bool:
    known = FILTERS.get(used["name"])
    return known is not None and (known.counts or used["count"] is None)


def _is_math(at: int, text: str, markup: Markup) -> bool:
    return text[max(at - 1, 0) : at] in ("^", "_") or markup.in_formula(at)


def _sorted_out(text: str, markup: Markup, namespace: Mapping[str, Any]) -> tuple[list[_Braces], list[_Braces]]:
    """Return what is filled in, and what is left alone though it looks like a variable; raise for what is wrong."""
    fields, left = [], []
    template = _TEMPLATE.search(text) is not None
    for braces in _braces(text):
        known = braces.root in namespace
        if braces.exact:
            if known or not template:  # there, a name that is no variable of ours is one of theirs
                fields.append(braces)
        elif not known:
            others = template or _is_others(braces, text) or markup.in_formula(braces.start)
            if _is_like_a_variable(braces) and not others:
                left.append(braces)
        elif _is_math(braces.start, text, markup):
            if not _is_others(braces, text) or (text[braces.start - 1] in "^_" and not markup.in_formula(braces.start)):
                left.append(braces)  # such as report_{{year}}.csv
        elif braces.is_field:
            fields.append(braces)
        elif not template and (mistake := _mistake(braces)):
            raise PromptError(mistake, hint=_RAW)
        elif not _is_others(braces, text):
            left.append(braces)
    if not template:
        left += _single_braces(text, markup, namespace)
    return fields, sorted(left, key=lambda braces: braces.start)


def _single_braces(text: str, markup: Markup, namespace: Mapping[str, Any]) -> Iterator[_Braces]:
    """Yield what other tools would fill in, ``{name}`` of a variable; not in code, where it is an f-string's."""
    for found in _SINGLE.finditer(text):
        if found["root"].startswith("_") or found["root"] not in namespace:
            continue
        braces = _Braces(start=found.start(), text=found[0], found=found, row=found.start())
        if not (_is_others(braces, text) or markup.in_formula(braces.start) or markup.in_code(braces.start)):
            yield braces


def _is_like_a_variable(braces: _Braces) -> bool:
    return not braces.rest or (braces.rest.startswith("(") and braces.found["steps"] != "")


def _is_others(braces: _Braces, text: str) -> bool:
    """Return whether these braces are LaTeX's or a shell's, by what stands before them."""
    return braces.row > 0 and _OTHERS.match(text, braces.row - 1) is not None


# -- what is wrong


def _mistake(braces: _Braces) -> str:
    """Return what is wrong with braces that begin with a variable, and what is right; nothing if they are others'."""
    rest = braces.rest
    if rest.startswith("("):
        return f"nothing is called in {braces.said}: {_right_call(braces) or _in_a_cell(braces)}"
    if used := _wrong_filter(braces):
        return used
    if rest.startswith("["):
        count = _SLICE.fullmatch(rest)
        right = f"write {{{{ {braces.expression} | head({count['count']}) }}}}" if count else _in_a_cell(braces)
        return f"only a number or a name in quotes is looked up by [ ] in {braces.said}: {right}"
    if rest.startswith("._"):
        return f"names that begin with _ are not looked up in {braces.said}: {_in_a_cell(braces)}"
    if _OPERATOR.match(rest.removeprefix(_filters_of(rest))):
        return f"nothing is computed in {braces.said}: {_in_a_cell(braces)}"
    return ""


def _filters_of(rest: str) -> str:
    filters = _FILTERS.match(rest)
    return filters[0] if filters else ""


def _in_a_cell(braces: _Braces) -> str:
    code = short(braces.text[2:-2].strip())
    return f"do it in a cell, as in result = {code}, and write {{{{ result }}}}"


def _right_call(braces: _Braces) -> str:
    """Return the filter that does what a method does, such as ``| head(3)`` for ``.head(3)``; nothing if none does."""
    *_, last = (None, *_STEP.finditer(braces.found["steps"]))
    called = _CALL.fullmatch(braces.rest)
    if not last or not called or last["attribute"] not in FILTERS:
        return ""
    more = called["more"].strip()
    if _filters_of(more) != more:
        return ""
    count = called["args"].strip()
    used = f"({count})" if FILTERS[last["attribute"]].counts and count.isdecimal() else ""
    right = f"{braces.expression.removesuffix(last[0])} | {last['attribute']}{used}"
    return f"write {{{{ {right} {more}".rstrip() + " }}"


def _wrong_filter(braces: _Braces) -> str:
    """Return what is wrong with the filters; nothing if there are none, or they are right."""
    rest = braces.filters or braces.rest
    for used in _FILTER.finditer(_filters_of(rest)):
        name = used["name"]
        if name not in FILTERS:
            return f"no filter {name!r} for {braces.said}{nearest(name, FILTERS)}: there are {', '.join(FILTERS)}"
        known = FILTERS[name]
        if (used["count"] and not known.counts) or rest[used.end() : used.end() + 1] == "(":
            takes = f"a number or nothing, as in | {name}(20)" if known.counts else "nothing"
            return f"the filter {name!r} takes {takes}, not what {braces.said} gives it: mend it"
    return ""


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def find(
    found: re.Match[str], namespace: Mapping[str, Any], *, where: str = "", remedy: str = _MEND, hint: str = ""
) -> Any:
    """Return the value of a variable, or of what is in it.

    Parameters
    ----------
    found
        A match of `EXPRESSION`; its variable is in *namespace*.
    namespace
        The user's variables.
    where
        Where it stands, for the error, such as `` for {{ x }}``.
    remedy
        What to do when it fails.
    hint
        What else can be done (see `robota_nb.errors.HINTS`).

    Raises
    ------
    PromptError
        If an attribute or an index does not exist or fails.
    """
    said = found["root"]
    value = namespace[said]
    for step in _STEP.finditer(found["steps"]):
        said += step[0]
        value = _tried(said, where, remedy, hint, _look_up, value, step)
    return value


def value_of(expression: str, namespace: Mapping[str, Any]) -> Any:
    """Return the value of an expression that a command names, such as ``models["small"]``.

    Parameters
    ----------
    expression
        A variable, with attributes and indices as in ``{{ }}``; it is looked up, never evaluated.
    namespace
        The user's variables.

    Raises
    ------
    PromptError
        If it has another form, or there is no such thing.
    """
    found = EXPRESSION.fullmatch(expression)
    if found is None:
        raise PromptError(f"{expression!r} cannot be looked up: name a variable, such as model or models[0]")
    root = found["root"]
    if root not in namespace:
        public = (name for name in namespace if not name.startswith("_"))
        raise PromptError(f"no variable {root!r}{nearest(root, public)}: define it first")
    return find(found, namespace)


def text_of(value: object, said: str) -> str:
    """Return a value as text, as a field would fill it in; *said* is what the error calls it.

    Raises
    ------
    PromptError
        If it has none but its address in memory, or that fails.
    """
    text: str = _tried(said, "", _MEND, "", str, value)
    if not issubclass(type(value), str) and _ONLY_ADDRESS.fullmatch(text):
        raise PromptError(f"{said!r} ({_type_of(value)}) has no text but an address: name a text, bytes, or a file")
    return text


# -- what it stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """The text that stands for a field; or only its *type*, where its text is an address; or it *shows* one."""

    text: str
    type: str = ""
    shows_address: bool = False


def _value_of(field: _Braces, namespace: Mapping[str, Any]) -> _Value:
    """Return what stands for a field: its variable, looked into, filtered, and as text."""
    root, where = field.root, f" for {field.text}"
    if root not in namespace:
        public = (name for name in namespace if not name.startswith("_"))
        raise PromptError(f"no variable {root!r}{where}{nearest(root, public)}: define it", hint=_RAW)
    value = find(field.found, namespace, where=where, hint=_RAW)
    said = field.expression
    for used in _FILTER.finditer(field.filters):
        said += f" {used[0]}"
        count = [] if used["count"] is None else [int(used["count"])]
        value = _tried(said, where, _MEND, _RAW, FILTERS[used["name"]].apply, value, *count)
    text: str = _tried(said, where, _MEND, _RAW, str, value)
    if not issubclass(type(value), str) and _ONLY_ADDRESS.fullmatch(text):
        return _Value(text=_type_of(value), type=_type_of(value))
    return _Value(text=text, shows_address=_ADDRESS.search(text) is not None)


# -- what is told


def _notices(
    fields: Sequence[_Braces], values: Sequence[_Value], left: Sequence[_Braces], namespace: Mapping[str, Any]
) -> Iterator[Notice]:
    if near := next((field for field in fields if "" in field.spaces), None):
        yield Notice(text=f"{near.said} was filled in: {near.root!r} is a variable", hint=_RAW)
    pairs = list(zip(fields, values, strict=True))
    if typed := [f"{field.text} ({value.type})" for field, value in pairs if value.type]:
        yield Notice(text=f"only the type is sent of {_listed(typed)}: its text is an address, new in each kernel")
    if shown := [field.text for field, value in pairs if value.shows_address]:
        yield Notice(text=f"an address, new in each kernel, is in {_listed(shown)}: it cannot be replayed there")
    if left:
        first, why = left[0], ""
        if first.root not in namespace:
            why = nearest(first.root, (name for name in namespace if not name.startswith("_")))
        elif first.is_field:
            why = f"; {{{{ {first.expression}{first.filters} }}}} would be filled in"
        yield Notice(text=f"sent as it stands: {_listed([braces.text for braces in left])}{why}")


def _listed(texts: Iterable[str]) -> str:
    """Return the first of some texts, each once, and how many more there are."""
    distinct = list(dict.fromkeys(texts))
    more = len(distinct) - _LISTED
    return ", ".join(map(short, distinct[:_LISTED])) + (f" and {more} more" if more > 0 else "")


# -- looking up


def _look_up(value: Any, step: re.Match[str]) -> Any:
    if step["attribute"]:
        return getattr(value, step["attribute"])
    return value[step["key"] if step["number"] is None else int(step["number"])]


def _tried(said: str, where: str, remedy: str, hint: str, act: Callable[..., Any], *args: Any) -> Any:
    """Call *act*; the user's objects may raise anything, and each failure is the prompt's."""
    try:
        return act(*args)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise PromptError(f"{said!r} failed{where} ({reason}); {remedy}", hint=hint) from error
