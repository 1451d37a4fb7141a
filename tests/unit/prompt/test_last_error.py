"""`{{ Err }}`: the last error as text, what of it a model is told, and what not. And sources of what cells define."""

import linecache
import sys
from pathlib import Path

import IPython
import pytest

from robota_nb.errors import PromptError, ProviderError
from robota_nb.prompt import fields
from robota_nb.prompt.last_error import MAX_ERROR, last_error, with_error
from support.kernel import Kernel

CELL = "/tmp/ipykernel_123/4567.py"
IN_IPYTHON = str(Path(IPython.__file__).parent / "core" / "interactiveshell.py")


@pytest.fixture(autouse=True)
def _no_error(monkeypatch):
    """Each test begins as a fresh kernel does."""
    monkeypatch.delattr(sys, "last_value", raising=False)
    monkeypatch.delattr(sys, "last_exc", raising=False)


@pytest.fixture
def fail(monkeypatch):
    """Run code as a cell, or another file, that fails; then it is the last error."""

    def fail(code, filename=CELL, **names):
        lines = code.splitlines(keepends=True)
        monkeypatch.setitem(linecache.cache, filename, (len(code), None, lines, filename))
        try:
            exec(compile(code, filename, "exec"), {"__name__": "__main__", **names})
        except BaseException as error:
            error.__traceback__ = error.__traceback__.tb_next  # without this frame
            monkeypatch.setattr(sys, "last_value", error, raising=False)
        return names

    return fail


def users_code():
    return int("x")


def test_a_traceback_shows_the_code_of_the_cell(fail):
    fail("def half(n):\n    return n / 0\n\nhalf(3)\n")
    lines = [line for line in last_error().splitlines() if set(line) - set(" ~^")]
    assert lines == [
        "Traceback (most recent call last):",
        '  File "<cell>", line 4, in <module>',
        "    half(3)",
        '  File "<cell>", line 2, in half',
        "    return n / 0",
        "ZeroDivisionError: division by zero",
    ]


@pytest.mark.parametrize(
    "filename", [CELL, "C:\\Temp\\ipykernel_1\\23.py", "/tmp/xpython_7/89.py", "<ipython-input-3-0a1b>"]
)
def test_a_cell_is_called_so_in_every_kernel(filename, fail):
    fail("1 / 0\n", filename)
    assert 'File "<cell>", line 1' in last_error()


@pytest.mark.parametrize("filename", ["/home/ada/secret-project/helper.py", "C:\\Users\\ada\\helper.py", "helper.py"])
def test_a_file_is_named_without_its_directories_and_with_its_code(filename, fail):
    fail("x = 1\nx / 0\n", filename)
    text = last_error()
    assert 'File "helper.py", line 2, in <module>\n    x / 0\n' in text
    assert "ada" not in text


def test_the_frames_of_ipython_are_left_out(fail):
    fail("users_code()\n", IN_IPYTHON, users_code=users_code)
    text = last_error()
    assert "interactiveshell" not in text
    assert "users_code()" not in text
    assert 'File "test_last_error.py"' in text
    fail("users_code()\n", "<decorator-gen-3>", users_code=users_code)
    assert "decorator-gen" not in last_error()


def test_an_error_of_ipython_alone_has_no_traceback(fail):
    fail("raise ValueError('no such magic')\n", IN_IPYTHON)
    assert last_error() == "ValueError: no such magic"


def test_causes_and_groups_are_told_and_tidied(fail):
    fail("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('x') from error\n", "/home/ada/a.py")
    text = last_error()
    assert "ZeroDivisionError" in text
    assert "direct cause" in text
    assert text.endswith("KeyError: 'x'")
    assert "ada" not in text
    group = (
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ExceptionGroup('both', [error, OSError('y')])\n"
    )
    fail(group, "/home/ada/b.py")
    assert "ada" not in last_error()
    assert "both (2 sub-exceptions)" in last_error()


def test_a_syntax_error_shows_where(fail):
    fail("x = (1\n", "/home/ada/a.py")
    assert 'File "a.py", line 1\n    x = (1\n' in last_error()
    assert "ada" not in last_error()
    assert "SyntaxError: '(' was never closed" in last_error()


def test_no_values_of_variables_no_colours_no_home(fail, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("USERPROFILE", "/home/ada")
    fail(
        "password = 'hunter2'[::-1]\nraise OSError(f'\\x1b[31mno file /home/ada/x.csv or /home/adam or /a/home/ada')\n"
    )
    assert "2retnuh" not in last_error()
    assert last_error().endswith("OSError: no file ~/x.csv or /home/adam or /a/home/ada")


def test_of_a_long_error_the_end_counts(fail):
    fail("raise ValueError('a' + 'b' * 50_000 + 'c')\n")
    text = last_error()
    assert len(text) == MAX_ERROR
    assert text.startswith("…\nb")
    assert text.endswith("bc")


def test_an_endless_recursion_is_short(fail):
    fail("def f():\n    f()\nf()\n")
    assert len(last_error()) < 2000
    assert "RecursionError" in last_error()


@pytest.mark.parametrize("name", ["last_value", "last_exc"])
def test_either_name_that_python_gives_it(name, monkeypatch):
    monkeypatch.setattr(sys, name, ValueError("x"), raising=False)
    assert last_error() == "ValueError: x"


def test_an_error_that_counts_as_false_is_one(monkeypatch):
    class Empty(Exception):
        def __len__(self):
            return 0

    monkeypatch.setattr(sys, "last_value", Empty("x"), raising=False)
    assert last_error().endswith("Empty: x")


# -- in a prompt


def expand(text, namespace):
    return fields.expand(text, namespace).text


def test_it_stands_in_a_prompt(fail):
    fail("1 / 0\n")
    assert expand("Why? {{ Err }}", with_error({})) == f"Why? \n```\n{last_error()}\n```"
    assert expand("Why? {{Err}}", with_error({})) == f"Why? \n```\n{last_error()}\n```"
    assert expand("{{ Err | head(1) | json }}", with_error({})) == '"Traceback (most recent call last):"'


def test_a_variable_of_that_name_goes_first(fail):
    fail("1 / 0\n")
    assert expand("{{ Err }}", with_error({"Err": "mine"})) == "mine"
    assert list(with_error({"Err": 1})) == ["Err"]
    assert len(with_error({"Err": 1})) == 1


def test_other_variables_stay_what_they_are():
    space = {"x": 1}
    view = with_error(space)
    assert expand("{{ x }}", view) == "1"
    space["y"] = 2
    assert expand("{{ y }}", view) == "2"
    assert "z" not in view
    assert (list(view), len(view)) == (["x", "y", "Err"], 3)
    with pytest.raises(PromptError, match="did you mean 'Err'"):
        expand("{{ err }}", view)


def test_it_is_looked_for_only_where_it_stands(monkeypatch):
    class Mute(Exception):
        def __str__(self):
            raise AssertionError("nobody asked")

    monkeypatch.setattr(sys, "last_value", Mute(), raising=False)
    assert expand("{{ x }} and Err", with_error({"x": 1})) == "1 and Err"


def test_without_an_error_it_says_so():
    with pytest.raises(PromptError, match=r"no error yet for {{ Err }}: run the cell that fails first; "):
        expand("{{ Err }}", with_error({}))


def test_our_own_errors_are_not_meant(monkeypatch):
    for error in (
        PromptError("x"),
        ProviderError("x"),
        type("Interrupted", (KeyboardInterrupt,), {"__module__": "robota_nb.x"})(),
    ):
        monkeypatch.setattr(sys, "last_value", error, raising=False)
        with pytest.raises(
            PromptError, match=rf"robota_nb's own \({type(error).__name__}\): run the cell that fails once more"
        ):
            last_error()


# -- in a real kernel, which sets the last error, and knows the cells

SOURCES = """
import dataclasses

@dataclasses.dataclass
class Point:
    x: int

    class Inner:
        pass

class Methods:
    def one(self):
        return 1

def twice(n):
    return 2 * n
"""
ASK = "import json; from robota_nb.prompt.last_error import with_error; from robota_nb.prompt.fields import expand"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        kernel.ok(ASK)
        kernel.ok(SOURCES)
        yield kernel


def filled(kernel, field):
    return kernel.value(f"expand('`{{{{ {field} }}}}`', with_error(get_ipython().user_ns)).text").strip("`")


def test_a_real_kernel_tells_its_last_error(kernel):
    assert kernel.run("def half(n):\n    return n / 0\n").status == "ok"
    assert kernel.run("half(3)").status == "error"
    lines = [line for line in filled(kernel, "Err").splitlines() if set(line) - set(" ~^")]
    assert lines == [
        "Traceback (most recent call last):",
        '  File "<cell>", line 1, in <module>',
        "    half(3)",
        '  File "<cell>", line 2, in half',
        "    return n / 0",
        "ZeroDivisionError: division by zero",
    ]


def test_a_real_kernel_tells_errors_of_syntax_and_of_magics(kernel):
    assert kernel.run("x = = 1").status == "error"
    text = filled(kernel, "Err")
    assert "x = = 1" in text
    assert text.endswith("SyntaxError: invalid syntax")
    assert "ipykernel" not in text
    kernel.run("%%time\n1 / 0")  # which older IPythons show as an error, and call a success
    assert "IPython" not in filled(kernel, "Err")
    assert filled(kernel, "Err").endswith("ZeroDivisionError: division by zero")


def test_a_real_kernel_has_the_source_of_what_its_cells_define(kernel):
    assert filled(kernel, "twice | source") == "def twice(n):\n    return 2 * n"
    assert filled(kernel, "Methods | source") == "class Methods:\n    def one(self):\n        return 1"
    point = filled(kernel, "Point | source")
    assert point == "@dataclasses.dataclass\nclass Point:\n    x: int\n\n    class Inner:\n        pass"
    assert filled(kernel, "Point.Inner | source") == "class Inner:\n    pass"
    assert filled(kernel, "Methods.one | source") == "def one(self):\n    return 1"


def test_a_class_defined_anew_has_its_new_source(kernel):
    kernel.ok("class Again:\n    x = 1\n")
    kernel.ok("class Again:\n    x = 2\n")
    assert filled(kernel, "Again | source") == "class Again:\n    x = 2"
    kernel.ok("class Again:\n    x = 1\n")
    assert filled(kernel, "Again | source") == "class Again:\n    x = 1"
