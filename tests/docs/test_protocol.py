"""docs/protocol.md names every message, with all of its fields, and no other."""

import re
from typing import get_args

import pytest

from robota_nb.carriers import messages as bridge
from robota_nb.core.record.json_types import by_op, fields
from robota_nb.switcher import messages as views
from robota_nb.switcher.actions import ACTIONS
from support.markdown import TEXTS

PAGE = TEXTS["docs/protocol.md"]
NOT_SENT = {"op", "size"}
"""The one is the name of the row; the other is noted by the kernel when a message has come."""


def rows(start, end):
    """The rows of the tables between two texts: the code of the first cell, and that of the second."""
    part = PAGE[PAGE.index(start) : PAGE.index(end)]
    return {
        name: set(re.findall(r"`(\w+)`", cells[1]))
        for line in part.splitlines()
        if line.startswith("| `") and len(cells := line.strip("| ").split(" | ", 2)) > 1
        for name in re.findall(r"`([\w.]+)`", cells[0])
    }


TABLES = {
    "to the kernel": (bridge.FromFrontEnd, "## From the front end to the kernel", "## From the kernel to the"),
    "to the front end": (bridge.FromKernel, "## From the kernel to the front end", "## The switcher, over"),
    "to a view": (views.ToView, "| from the kernel |", "| from a view |"),
    "from a view": (views.FromView, "| from a view |", "In an action, "),
}


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_name_each_message_and_its_fields(table):
    union, *between = TABLES[table]
    told = rows(*between)
    assert told.keys() == by_op(union).keys()
    for op, kind in by_op(union).items():
        needed = fields(kind).keys() - NOT_SENT - (fields(views.Arguments).keys() if kind is views.Do else set())
        assert needed <= told[op], op


@pytest.mark.parametrize("row", [views.SessionRow, views.ChatRow, views.TurnRow])
def test_the_fields_of_rows_are_named(row):
    name = row.__name__.removesuffix("Row").lower()
    text = re.search(rf"A {name}'s row has\s(.*?)(?=\sA \w+'s row has|\n\n)", PAGE, re.DOTALL)[1]
    assert fields(row).keys() <= set(re.findall(r"`(\w+)`", text))


def test_the_table_of_actions_names_each_with_what_it_takes():
    told = rows("| `what` |", "## The life of a notebook")
    del told["what"]
    assert told.keys() == set(get_args(views.ActionName)) == ACTIONS.keys()
    assert set().union(*told.values()) == fields(views.Arguments).keys()
