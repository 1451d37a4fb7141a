"""Which type does ``--into`` name? It is looked up; nothing on the line is run."""

from dataclasses import dataclass
from typing import Literal, Optional

import pytest

from robota_nb.errors import PromptError
from robota_nb.prompt.kinds import look_up


@dataclass
class Row:
    name: str

    class Inner:
        """A class in a class."""


NAMES = {"Row": Row, "Literal": Literal, "Optional": Optional, "list_": list}


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("Row", Row), (" Row ", Row), ("list[Row]", list[Row]), ("dict[str, Row]", dict[str, Row]),
        ("Row | None", Row | None),
        ("Literal['a', 'b']", Literal["a", "b"]), ("Literal[1]", Literal[1]), ("Row.Inner", Row.Inner), ("int", int),
        ("tuple[int, str]", tuple[int, str]), ("Optional[Row]", Row | None),
    ],
)  # fmt: skip
def test_a_type_is_what_its_name_stands_for(expression, kind):
    assert look_up(expression, NAMES) == kind


def test_a_variable_of_the_user_s_hides_a_built_in_type():
    assert look_up("int", {"int": Row}) is Row


@pytest.mark.parametrize(
    "expression",
    [
        "", "1 +", "print(1)", "Row()", "[Row]", "lambda: 1", "Row if 1 else 2", "__import__('os')",
        "Row.name_", "1 + 1", "Row - 1", "list[", "a" * 2000, "(" * 500, "open", "eval", "Row[int]", "f'{Row}'",
        "{}", "*Row", "Row and Row", "x := Row",
    ],
)  # fmt: skip
def test_whatever_is_no_type_is_an_error_of_one_line_and_nothing_is_run(expression):
    with pytest.raises(PromptError) as caught:
        look_up(expression, NAMES)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_near_name_is_told():
    with pytest.raises(PromptError, match=r"no type 'Rwo' \(did you mean 'Row'\?\): run the cell that defines it"):
        look_up("list[Rwo]", NAMES)
