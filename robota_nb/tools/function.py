"""Functions that a model may call: what it is told of them, and its arguments as they take them."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import re
import sys
from contextlib import suppress
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, get_type_hints, overload

from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.types import ToolSpec
from robota_nb.errors import ToolError
from robota_nb.tools.canonical import to_text
from robota_nb.tools.results import error_text
from robota_nb.tools.validation import faults_of, for_pydantic, schema_maker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from docstring_parser import Docstring
    from pydantic import BaseModel

__all__ = ["InvalidArguments", "Tool", "tool"]

P = ParamSpec("P")
R = TypeVar("R")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME_IT = "give it one, as in tool(function, name='look_up')"
_MISSING = inspect.Parameter.empty


class InvalidArguments(ValueError):
    """A model has called a tool with arguments that it does not take; the text says why, for the model."""


class Tool(Generic[P, R]):
    """A function that a model may call; made by `tool`. It is called as the function itself.

    Parameters
    ----------
    function
        What is called.
    name
        What the model calls it; else the function's own name.
    safe
        Whether it only reads what is the user's own, so that nobody has to be asked first.

    Attributes
    ----------
    spec
        What the model is told of it.
    source
        The hash of its source without its decorators, if it is a function of the notebook; else empty.
    is_async
        Whether a call returns a coroutine.

    Raises
    ------
    ToolError
        If it cannot be offered to a model; the text says why, and what to do.
    """

    def __init__(self, function: Callable[P, R], *, name: str = "", safe: bool = False) -> None:
        self.function = function
        self.safe = safe
        self.name = _name(function, name)
        self.is_async = inspect.iscoroutinefunction(_code(function))
        said = _Docs(function)
        self._parameters = _parameters(function, self.name)
        self._model = _model(self._parameters, said, self.name)
        schema = self._model.model_json_schema(schema_generator=schema_maker())
        self.spec = ToolSpec(
            name=self.name, description=said.description, parameters=to_text(schema | {"additionalProperties": False})
        )
        self.source = _source(function)
        for attribute in ("__module__", "__qualname__", "__doc__"):
            with suppress(AttributeError):
                setattr(self, attribute, getattr(_code(function), attribute))
        self.__name__, self.__wrapped__ = self.name, function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        return self.function(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Tool[..., R]:
        """Return the tool of an object, if it stands in a class as a method does."""
        bind = getattr(self.function, "__get__", None)
        return self if instance is None or bind is None else Tool(bind(instance, owner), name=self.name, safe=self.safe)

    def __repr__(self) -> str:
        return f"<Tool {self.name}({', '.join(self._parameters)}){', safe' if self.safe else ''}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        # A decorated function is not found under its own name: the tool is. So pickle has to look for that.
        path = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is self:
            return path
        same = isinstance(found, Tool) and found.function is self.function
        return _rebuilt, (found if same else self.function, self.name, self.safe)

    def __copy__(self) -> Tool[P, R]:
        return self

    def __deepcopy__(self, _: object) -> Tool[P, R]:
        return self

    def arguments(self, text: str) -> dict[str, Any]:
        """Return what the function is to be called with. Its types check that; the function itself is not called.

        Parameters
        ----------
        text
            The arguments as the model wrote them: a JSON object. Nothing at all is an empty one.

        Returns
        -------
        dict
            A value for each of the function's parameters by its name, converted to its type; its default, if the
            model gives none.

        Raises
        ------
        InvalidArguments
            If they do not fit. The text has a line for each fault, at most `MAX_FAULTS`.

        Examples
        --------
        >>> @tool
        ... def rows(table: str, limit: int = 20) -> list[str]:
        ...     "Return the first rows of a table."
        >>> rows.arguments('{"table": "cities", "limit": "5"}')
        {'table': 'cities', 'limit': 5}
        """
        from pydantic import ValidationError

        text = text.strip() or "{}"
        errors = list[ValidationError]()
        try:
            found = self._model.model_validate_json(text)
        except ValidationError as error:
            errors.append(error)
        except Exception as error:  # a type of the user's has a validator that fails
            raise InvalidArguments(error_text(error)) from error
        if unknown := _unknown(text, self._parameters):
            # Not by pydantic's own setting: some versions pass it on to the types of parameters, and others do not.
            errors.append(ValidationError.from_exception_data(self.name, unknown))
        if errors:
            raise InvalidArguments("\n".join(faults_of(*errors)))
        return {name: getattr(found, f"p{number}") for number, name in enumerate(self._parameters)}

    def call(self, arguments: Mapping[str, Any]) -> R:
        """Call the function with what `arguments` has returned, and return what it returns."""
        by_place, by_name = list[Any](), dict[str, Any]()
        for name, parameter in self._parameters.items():
            if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                by_place.append(arguments[name])
            else:
                by_name[name] = arguments[name]
        call: Callable[..., R] = self.function
        return call(*by_place, **by_name)


@overload
def tool(function: Callable[P, R], /, *, name: str = "", safe: bool = False) -> Tool[P, R]: ...
@overload
def tool(*, name: str = "", safe: bool = False) -> Callable[[Callable[P, R]], Tool[P, R]]: ...
def tool(
    function: Callable[P, R] | None = None, /, *, name: str = "", safe: bool = False
) -> Tool[P, R] | Callable[[Callable[P, R]], Tool[P, R]]:
    """Make a function a tool, which a model may be offered; it is still called as before.

    The model is told its name, what its docstring says (in the style of numpy, Google or reST), and the types of its
    parameters. Before each call, the user is asked.

    Parameters
    ----------
    function
        What is called; left out where `tool` is a decorator with settings, as in ``@tool(safe=True)``.
    name
        What the model calls it: at most 64 letters, digits, ``_`` and ``-``. Else, the function's own name.
    safe
        Whether it only reads what is the user's own, so that nobody has to be asked first.

    Raises
    ------
    ToolError
        If it cannot be offered to a model; the text says why, and what to do.

    Examples
    --------
    >>> @tool(safe=True)
    ... def temperature(city: str) -> str:
    ...     "Return how warm it is in a city."
    ...     return "7 °C"
    >>> temperature
    <Tool temperature(city), safe>
    >>> temperature("Oslo")
    '7 °C'
    >>> temperature.spec.parameters
    '{"additionalProperties":false,"properties":{"city":{"type":"string"}},"required":["city"],"type":"object"}'
    """
    if function is None:
        return functools.partial(_made, name=name, safe=safe)
    return _made(function, name=name, safe=safe)


def _made(function: Callable[P, R], *, name: str, safe: bool) -> Tool[P, R]:
    if isinstance(function, Tool):
        if not name and safe in (False, function.safe):
            return function
        return Tool(function.function, name=name or function.name, safe=safe or function.safe)
    return Tool(function, name=name, safe=safe)


def _rebuilt(function: Callable[..., Any], name: str, safe: bool) -> Tool[..., Any]:
    return Tool(function.function if isinstance(function, Tool) else function, name=name, safe=safe)


# -- the function


def _code(function: Any) -> Any:
    """Return the function that runs, of what is called: of a partial, of an object with ``__call__``."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__


def _name(function: Any, name: str) -> str:
    """Return what the model calls a function, or raise `ToolError`."""
    if not callable(function):
        raise ToolError(f"an object of type {type(function).__name__} cannot be called: give a function")
    if isinstance(function, type):
        raise ToolError(f"{function.__name__!r} is a class: give a function, or a method of an object of it")
    inner = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    own = getattr(inner, "__name__", None) or type(inner).__name__
    if not name and own == "<lambda>":
        raise ToolError(f"a lambda has no name: {_NAME_IT}")
    if not _NAME.fullmatch(name or own):
        raise ToolError(
            f"{(name or own)[:100]!r} is no name that models can call (1 to 64 of a-z, A-Z, 0-9, _ and -): {_NAME_IT}"
        )
    return name or own


def _parameters(function: Any, name: str) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function with their types, or raise `ToolError`."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ToolError(
            f"{name!r} does not say which parameters it has: offer a function of your own that calls it"
        ) from None
    except NameError as error:
        raise _unknown_type(name, error) from error
    for parameter in parameters.values():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            stars, instead = (
                ("*", "list[str]") if parameter.kind is inspect.Parameter.VAR_POSITIONAL else ("**", "dict[str, str]")
            )
            raise ToolError(
                f"{name!r} takes {stars}{parameter.name}, which a model cannot name: "
                f"take one parameter instead, such as {parameter.name}: {instead}"
            )
    hints, fixed = _hints(function, name), _fixed(function)
    return {
        key: parameter.replace(annotation=hints.get(key, parameter.annotation))
        for key, parameter in parameters.items()
        if key not in fixed
    }


def _fixed(function: Any) -> Collection[str]:
    """Return the parameters that a partial gives by name: they are not the model's to change."""
    return function.keywords if isinstance(function, functools.partial) else ()


def _hints(function: Any, name: str) -> dict[str, Any]:
    try:
        return get_type_hints(_code(function), include_extras=True)
    except NameError as error:
        raise _unknown_type(name, error) from error
    except (TypeError, AttributeError, SyntaxError) as error:
        raise ToolError(f"{name!r} has a hint that is no type ({error}): mend it, or leave it out") from error


def _unknown_type(name: str, error: NameError) -> ToolError:
    return ToolError(
        f"{name!r} has a hint with {error.name!r}, which is not defined: define or import it outside of functions"
    )


def _model(parameters: Mapping[str, inspect.Parameter], said: _Docs, name: str) -> type[BaseModel]:
    """Return a model of the arguments, or raise `ToolError`.

    Its fields have names of their own, as a parameter may have one that pydantic keeps for itself, such as ``copy``.
    """
    from pydantic import Field, create_model

    fields = dict[str, Any]()
    for number, parameter in enumerate(parameters.values()):
        options: dict[str, Any] = {"alias": parameter.name}
        if description := said.parameters.get(parameter.name):
            options["description"] = description
        if parameter.default is not _MISSING:  # a factory gives that very object, and says nothing of it in the schema
            options["default_factory"] = functools.partial(_same, parameter.default)
        fields[f"p{number}"] = _hint(parameter, name), Field(**options)
    return create_model("Arguments", **fields)


def _unknown(text: str, known: Collection[str]) -> list[Any]:
    """Return what stands in the JSON text of an object under names that are not known, as errors of pydantic."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):  # of which pydantic has told
        return []
    if not isinstance(given, dict):
        return []
    return [
        {"type": "extra_forbidden", "loc": (name,), "input": value}
        for name, value in given.items()
        if name not in known
    ]


def _same(value: Any) -> Any:
    return value


def _hint(parameter: inspect.Parameter, name: str) -> Any:
    """Return the type of a parameter, or raise `ToolError` if a model cannot give a value of it."""
    from pydantic import TypeAdapter

    hint = parameter.annotation
    if hint is _MISSING:
        return Any
    try:
        usable = for_pydantic(hint)
        TypeAdapter(usable).json_schema(schema_generator=schema_maker())
    except Exception as error:  # a type of the user's may raise anything
        said = hint.__name__ if isinstance(hint, type) else str(hint)[:100]
        instead = f"take its name or its path in its place, as in {parameter.name}: str"
        if getattr(error, "code", "") == "typed-dict-version":
            instead = "import TypedDict from typing_extensions, or use Python 3.12 or later"
        raise ToolError(f"a model cannot write {parameter.name} of {name!r}, which is a {said}: {instead}") from error
    return usable


# -- what is said of it


class _Docs:
    """What a docstring says: what the function does, and what its parameters are."""

    def __init__(self, function: Any) -> None:
        text = _docstring(function)
        self.description, self.parameters = text, dict[str, str]()
        if text and (parsed := _parsed(text)) is not None:
            parts = (parsed.short_description, parsed.long_description)
            self.description = "\n\n".join(part.strip() for part in parts if part)
            for each in parsed.params:
                for name in each.arg_name.split(","):
                    self.parameters[name.strip().lstrip("*")] = (each.description or "").strip()


def _docstring(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function):
        return inspect.getdoc(function) or ""
    return inspect.getdoc(type(function).__call__) or inspect.getdoc(type(function)) or ""


def _parsed(text: str) -> Docstring | None:
    from docstring_parser import ParseError, parse

    try:
        return parse(text)
    except ParseError:
        return None


def _source(function: Any) -> str:
    """Return the hash of the source of a function of the notebook; empty for another one, or without its source."""
    code = inspect.unwrap(_code(function))
    if getattr(code, "__module__", None) != "__main__":
        return ""
    try:
        text = dedent(inspect.getsource(code))
    except (OSError, TypeError):
        return ""
    return source_hash(_undecorated(text))


def _undecorated(text: str) -> str:
    """Return the source of a function without its decorators, and without what stands behind it."""
    for source, above in ((text, 0), (f"if 1:\n{indent(text, ' ')}", 1)):  # a string in it may stand further left
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = text.splitlines(keepends=True)[
                    node.lineno - 1 - above : (node.end_lineno or node.lineno) - above
                ]
                return dedent("".join(lines)).rstrip()
    return text.rstrip()
