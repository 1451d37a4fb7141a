"""What settings may be called: what is known is told when it is wrong, what is not known is sent."""

import pytest

from robota_nb.core.record.config import Config, settings_from
from robota_nb.errors import InvalidName, SnapshotError


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"user": "12345"}, {"user": '"12345"'}),
        ({"user": '"12345"'}, {"user": '"12345"'}),
        ({"seed": "7", "stop": '["END"]'}, {"seed": "7", "stop": '["END"]'}),
        ({"body.provider": '{"order": ["one"]}'}, {"body.provider": '{"order": ["one"]}'}),
        ({"body.temperature": "hot", "body.temprature": 1}, {"body.temperature": '"hot"', "body.temprature": "1"}),
        (
            {"guided_json": "{}", "top_n": 3, "mirostat_tau": 5},
            {"guided_json": "{}", "top_n": "3", "mirostat_tau": "5"},
        ),
        ({"temperature": None, "stream_options": "null"}, {"stream_options": "null"}),
        ({"temperature": 1, "top_k": ""}, {"temperature": "1", "top_k": ""}),
        ({"pictures": "none"}, {"pictures": '"none"'}),
        ({"pictures": '"latest"'}, {"pictures": '"latest"'}),
        ({"pictures": "all"}, {"pictures": ""}),
        ({"pictures": ""}, {"pictures": ""}),
        ({"body.pictures": "none"}, {"body.pictures": '"none"'}),
    ],
)
def test_what_may_be_right_is_taken(given, stored):
    assert settings_from(given) == stored


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("stops", "stop"),
        ("top_ks", "top_k"),
        ("picture", "pictures"),
    ],
)
def test_a_misspelt_parameter_is_told_with_the_nearest_and_how_it_is_sent_all_the_same(given, near):
    with pytest.raises(InvalidName, match=rf"{given}.*did you mean '{near}'\?.*body\.{given}="):
        settings_from({given: "1"})
    assert settings_from({f"body.{given}": "1"}) == {f"body.{given}": "1"}


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("temperature", "hot", "a number"),
        ("max_tokens", 1.5, "a whole number"),
        ("max_tokens", True, "a whole number"),
        ("logprobs", "1", "true or false"),
        ("tools", "{}", "a list"),
        ("stop", "7", "text or a list"),
        ("chat_template_kwargs", "{enable_thinking:false}", "an object"),
    ],
)
def test_a_value_that_no_server_takes_is_told_before_it_is_sent(key, value, kind):
    with pytest.raises(SnapshotError, match=rf"^{key} is {kind}, not .*body\.{key}="):
        settings_from({key: value})


@pytest.mark.parametrize("value", ["some", "None", 1, True, [], "[]"])
def test_what_a_setting_of_the_chat_itself_may_be_is_said(value):
    with pytest.raises(SnapshotError, match="^pictures is all, latest or none, not"):
        settings_from({"pictures": value})


def test_what_format_1_0_may_have_recorded_under_its_name_is_still_a_parameter():
    assert Config(provider="p", params={"thinking": '{"type": "enabled"}'}).decoded_params() == {
        "thinking": {"type": "enabled"}
    }


@pytest.mark.parametrize("value", ['"none"', '"all"', '"other"', '"', ""])
def test_a_setting_of_the_chat_itself_is_no_parameter_whatever_text_a_stranger_wrote(value):
    config = Config(provider="p", params={"pictures": value, "seed": "1"})
    assert config.decoded_params() == {"seed": 1}
    assert config.choice("pictures") == ("none" if value == '"none"' else "all")


@pytest.mark.parametrize(
    "given",
    [{"body.api_base": "x"}, {"body.messages": "[]"}, {"body.api_key": "x"}, {"body.": "1"}, {"extra_body": "{}"},
     {"body.extra_body": '{"base_url": "x"}'}, {"body.extra_body": {"api_key": "x"}}],
    ids=str,
)  # fmt: skip
def test_no_field_of_a_body_names_a_server_or_holds_a_key_or_the_messages(given):
    with pytest.raises((InvalidName, SnapshotError)):
        settings_from(given)
