"""Answers as values: what is asked for as a type is one, or is asked for again; a replay gives the same value."""

import json

import pytest

TYPES = """
from pydantic import BaseModel

class City(BaseModel):
    "A city."
    name: str
    people: int
"""
GOOD = '{"name": "Oslo", "people": 700000}'


@pytest.fixture
def lab(kernel, server):
    kernel.ok(TYPES)
    kernel.ok("import json")
    return kernel


def says(server, *texts):
    """Have the server answer with these texts, one after the other."""
    for text in texts:
        server.calls(text=text)


def markdown(execution):
    found = [
        output["data"]["text/markdown"] for output in execution.outputs if "text/markdown" in output.get("data", {})
    ]
    return ["".join(text) for text in found]


def test_an_answer_is_shown_as_json_and_is_a_value(lab, server):
    says(server, GOOD)
    ran = lab.ok("%%robota --into City -o city\nWhich city?", cell_id="one")
    assert markdown(ran) == ['```json\n{\n  "name": "Oslo",\n  "people": 700000\n}\n```']
    assert lab.ok("print(repr(city.value))").text.strip() == "City(name='Oslo', people=700000)"
    sent = server.requests[-1]["response_format"]
    assert (sent["type"], sent["json_schema"]["name"], sent["json_schema"]["strict"]) == ("json_schema", "City", True)


def test_a_replay_asks_nothing_and_gives_the_same_value(lab, server):
    says(server, GOOD)
    ran = lab.ok("%%robota --into City -o city\nWhich city?", cell_id="one")
    before = len(server.requests)
    again = lab.ok("%%robota --into City -o city\nWhich city?", cell_id="one")
    assert (len(server.requests), markdown(again)) == (before, markdown(ran))
    assert lab.ok("print(city.value.name)").text.strip() == "Oslo"


def test_what_does_not_fit_is_asked_for_again_once_and_the_cell_says_so(lab, server):
    says(server, '{"name": "Oslo"}', GOOD)
    ran = lab.ok("%%robota --into City -o city\nWhich city?", cell_id="one")
    assert markdown(ran)[0] == "> *asked again, as it did not fit: people: Field required*"
    assert "people: Field required" in server.requests[-1]["messages"][-1]["content"]
    assert lab.ok("print(city.value.people, len(city.steps))").text.strip() == "700000 1"
    before = len(server.requests)
    assert markdown(lab.ok("%%robota --into City -o city\nWhich city?", cell_id="one")) == markdown(ran)
    assert len(server.requests) == before


def test_what_never_fits_is_an_error_that_says_why_and_the_turn_is_kept(lab, server):
    says(server, "Oslo", "Oslo!")
    error = lab.run("%%robota --into City -o city\nWhich city?").error
    assert error["ename"] == "AnswerInvalid"
    assert error["evalue"].startswith("the answer is no City: ")
    assert lab.ok("print(city.text)").text.strip() == "Oslo!"


@pytest.mark.parametrize("many", [0, 2])
def test_how_often_it_is_asked_again_can_be_said(lab, server, many):
    says(server, *["no"] * (many + 1))
    before = len(server.requests)
    lab.run(f"%%robota --into City --repair {many}\nWhich city?")
    assert len(server.requests) == before + many + 1


def test_lists_and_literals_are_values_and_a_list_is_a_frame(lab, server):
    says(server, f'{{"value": [{GOOD}, {GOOD}]}}', '{"value": "b"}')
    lab.ok("%%robota --into list[City] -o cities\nTwo cities?")
    assert lab.ok("print(len(cities.value), cities.value[1].name)").text.strip() == "2 Oslo"
    lab.ok("from typing import Literal")
    lab.ok("%%robota --into \"Literal['a', 'b']\" -o letter\nWhich?")
    assert lab.ok("print(letter.value)").text.strip() == "b"


def test_a_server_that_takes_no_schema_is_told_it_in_words(lab, server):
    server.fail(400, {"error": {"message": "response_format json_schema is not supported"}})
    server.fail(400, {"error": {"message": "response_format is not supported"}})
    says(server, GOOD)
    lab.ok("%%robota --into City -o city\nWhich city?")
    sent = server.requests[-1]
    assert "response_format" not in sent
    assert "Answer with JSON alone" in sent["messages"][-1]["content"]
    assert json.dumps("people") in sent["messages"][-1]["content"]
    assert lab.ok("print(city.value.name)").text.strip() == "Oslo"


@pytest.mark.parametrize(
    ("into", "said"),
    [("Cty", "no type 'Cty' (did you mean 'City'?)"), ("1+1", "names no type"), ("City(", "names no type")],
)
def test_what_is_no_type_is_said_in_one_line_and_nothing_is_sent(lab, server, into, said):
    error = lab.run(f"%%robota --into {into}\nWhich city?").error
    assert error["ename"] == "PromptError"
    assert said in error["evalue"]
    assert server.requests == []
