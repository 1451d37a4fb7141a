"""Settings that are no parameters of a request, for ever: read by every version, and sent by none as a parameter.

Never edit the golden file: a new format gets a new one.
"""

import json
import re

import pytest

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.config import Config
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import UNKNOWN, kind_of
from robota_nb.core.rules.effects import Answered, ByHand, from_op, to_op
from support.core import new_manager
from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.1-options.json").read_text(encoding="utf-8"))
SID, MAIN = "s_" + "a" * 32, "c_" + "1" * 32
AT = "2026-11-30T09:00:00Z"
ORDER, GOOGLE = '{"order": ["one"]}', '{"google": {}}'

CONFIG = make.config_entry(
    provider="lab",
    model="m",
    system="",
    params={"temperature": "0.2", "body.provider": ORDER, "body.extra_body": GOOGLE},
)
CONFIG_ID = make.entry_id(CONFIG)
SESSION = make.session_entry(n=1, at=AT, name="Routed")
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Main", config=CONFIG_ID)
ASKED = make.user_message(
    n=3, at=AT, chat=MAIN, parent=None, text="hi", cell=["cell-1", 0, "0123456789abcdef"],
    hand={"body.user-tier": ("", '"gold"'), "model": ("", "m")},
    set_={"body.provider": ORDER}, options={"body.provider": "{}", "seed": "7"},
)  # fmt: skip
ANSWERED = make.assistant_message(
    n=4, at=AT, chat=MAIN, parent=make.entry_id(ASKED), text="ho", config=CONFIG_ID, model="m", finish_reason="stop",
    usage=None,
)  # fmt: skip
SET = make.set_entry(n=5, at=AT, chat=MAIN, key="body.provider", value='{"order": ["two"]}')
UNSET = make.set_entry(n=6, at=AT, chat=MAIN, key="body.extra_body", value=None)
DID = Answered(
    chat=MAIN, turn=make.entry_id(ANSWERED), hand=(ByHand("body.user-tier", "", '"gold"'),), options=(("body.x", "1"),)
)
EFFECTS = make.effects_entry(n=7, at=AT, cell="cell-2", source="123456789abcdef0", ops=[to_op(DID)])
ENTRIES = [CONFIG, SESSION, CHAT, ASKED, ANSWERED, SET, UNSET, EFFECTS]


@pytest.fixture
def state():
    state = SessionState(SID)
    state.apply(snapshot.parse(GOLDEN)[SID])
    return state


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    assert GOLDEN["sessions"] == {SID: {make.entry_id(entry): entry for entry in ENTRIES}}


def test_the_golden_file_is_read_and_kept_as_it_stands():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert ledger_of(manager).records("u") == GOLDEN["sessions"]


def test_they_are_one_with_the_parameters(state):
    node = state.nodes[make.entry_id(ANSWERED)]
    assert node.set == {"body.provider": ORDER}
    assert node.options == {"body.provider": "{}", "seed": "7"}
    assert node.hand == {"body.user-tier": ["", '"gold"'], "model": ["", "m"]}
    assert state.node_config(node).decoded_params() == {
        "temperature": 0.2, "provider": {}, "extra_body": {"google": {}}, "seed": 7,
    }  # fmt: skip
    assert state.chat_config(MAIN).decoded_params() == {"temperature": 0.2, "provider": {"order": ["two"]}}
    assert from_op(EFFECTS["ops"][0]) == DID


def test_to_a_reader_of_format_1_0_none_is_a_setting_and_no_name_is_odd():
    """It takes keys of this form alone, in whatever object, and sends what stands in these fields."""

    def objects(value):
        if isinstance(value, dict):
            yield value
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from objects(inner)

    for entry in ENTRIES:
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", key) for found in objects(entry) for key in found)
        sent = {key for field in ("params", "set", "options", "hand") for key in entry.get(field, {})}
        assert not [key for key in sent if key.startswith(("body", "provider", "extra"))]
        assert entry["kind"] != "set"


@pytest.mark.parametrize("key", ["name", "deleted", "temperature", "body.api_key", "body.messages", "body."])
def test_an_entry_of_another_setting_has_no_part_in_the_state(key):
    assert kind_of({**SET, "key": key}) is UNKNOWN


@pytest.mark.parametrize(
    "row",
    [[], ["options"], ["options", "body.x"], ["options", "seed", "1"], ["name", "body.x", "1"], ["set", "body.x", 1]],
)  # fmt: skip
def test_rows_of_another_form_are_as_if_they_were_not_there(row):
    question = {**ASKED, "more": [*ASKED["more"], row]}
    reply = {**ANSWERED, "parent": make.entry_id(question)}
    state = SessionState(SID)
    state.apply({make.entry_id(entry): entry for entry in (SESSION, CONFIG, CHAT, question, reply)})
    assert state.nodes[make.entry_id(reply)].options == {"seed": "7"}


@pytest.mark.parametrize("field", ["api_base", "base_url", "Authorization", "api_key", "messages", "stream", "url"])
def test_what_a_stranger_wrote_steers_no_request_elsewhere(field):
    params = {f"body.{field}": '"x"', "body.extra_body": json.dumps({field: "x"})}
    assert Config(provider="p", params=params).decoded_params() == {}
