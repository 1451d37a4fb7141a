"""Each language has words for all that users read, and whatever comes in from strangers, translating ends well."""

import json
import re

import pytest

from robota_nb.display.hints import HINTS as OF_COMMANDS
from robota_nb.display.hints import told as told_in_cells
from robota_nb.display.languages import CATALOGUES, MOST, translated
from robota_nb.errors import ProviderError, RobotaError
from robota_nb.magics.parser import help_text
from robota_nb.switcher.words import HINTS as OF_CLICKS
from robota_nb.switcher.words import told
from support.languages import fields, help_texts, hint_texts, message_texts

LANGUAGES = sorted(path.name for path in CATALOGUES.iterdir() if path.is_dir())
HANGUL = re.compile("[가-힣]")
PLURAL = "{0}; turn{1} {2} of the chat sent some"
"""Its ``{1}`` is the s of a plural, which another language may not have."""


def catalogue(language):
    return json.loads((CATALOGUES / language / "kernel.json").read_text(encoding="utf-8"))


def korean(text):
    return translated(text, "ko-KR")


# -- nothing is missing


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("part", "texts"), [("messages", message_texts), ("hints", hint_texts), ("help", help_texts)])
def test_every_text_of_the_kernel_is_in_the_catalogue_and_nothing_else(language, part, texts):
    assert sorted(catalogue(language)[part]) == sorted(texts())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_the_english_text_fills_in(language):
    said = {english: text for part in catalogue(language).values() for english, text in part.items()}
    assert all(said.values())
    wrong = [text for text in said if text != PLURAL and fields(said[text]) != fields(text)]
    assert wrong == []


def test_the_scan_finds_what_is_said_in_every_way():
    found = message_texts()
    assert "that chat is gone: choose another one" in found  # an error
    assert "no chat {0!r} in {1!r}{2}" in found  # with something filled in
    assert "limits the rate" in found  # a row of a table
    assert "it would go to {0!r} now" in found  # a reason of a mark
    assert "this kernel starts fresh: {0}" in found  # a notice


# -- what is said


def test_every_message_is_said_in_korean_whatever_is_filled_in():
    for english in message_texts():
        text = re.sub(r"\{\w*!r\}", "'model-1'", english)
        text = re.sub(r"\{\w*(?::[^{}]+)?\}", "17", text)
        said = korean(text)
        assert HANGUL.search(said), text
        assert said == text or not re.search(r"\{\d|\{model|\{near", said)


def test_every_next_step_is_said_in_korean_behind_what_happened():
    names = {
        "at": "3",
        "name": "lab",
        "source": "x",
        "more": "",
        "variable": "KEY",
        "note": "",
        "step": "copy it again",
    }
    for hints, tell in ((OF_COMMANDS, told_in_cells), (OF_CLICKS, told)):
        for key in hints:
            happened, _, step = korean(tell(RobotaError("nothing was typed", hint=key, **names))).partition(": ")
            assert happened == "아무것도 입력하지 않았습니다"
            assert HANGUL.search(step), key


def test_names_stand_in_a_translation_as_they_are():
    said = korean(
        "no chat 'in \"it\" in' in 'My {0} Session' (did you mean 'y'?): choose one from the list, or start a new one"
    )
    assert "'in \"it\" in'" in said
    assert "'My {0} Session'" in said
    assert "'y'" in said
    assert said.endswith("목록에서 고르거나 새로 시작하세요")


def test_what_a_server_said_stays_in_its_words():
    error = ProviderError("endpoint 'lab' limits the rate", hint="endpoint.choose", said="the prompt is empty")
    said = korean(told(error))
    assert said.startswith("엔드포인트 'lab': 요청 속도를 제한합니다: 대화 메뉴에서 다른 엔드포인트의 모델을 고르세요")
    assert said.endswith("(서버의 말: the prompt is empty)")


def test_a_guess_at_the_end_is_told_in_korean():
    assert korean("no variable 'on' for {{ on }} (did you mean 'one'?): define it") == (
        "변수 'on' 이(가) 없습니다({{ on }})('one' 을(를) 뜻하셨나요?): 정의하세요"
    )


def test_counts_are_told_in_korean():
    text = "not in this notebook's file: 1 session, 3 turns, 10 entries; %robota recover adds them"
    assert korean(text) == "이 노트북의 파일에 없습니다: 세션 1개, 턴 3개, 항목 10개; %robota recover로 더합니다"


def test_help_is_korean_but_for_what_is_typed():
    said = help_text(("chat", "fork"), korean)
    assert said.startswith("%robota chat fork [--at N] NAME")
    assert "여기서 이어지는 대화를 시작하고 활성 대화로 바꿉니다." in said
    assert "새 대화의 이름" in said
    assert help_text(()) != help_text((), korean)


# -- what stays as it is


@pytest.mark.parametrize("locale", ["en", "fr-FR", "", "../ko_KR", "ko_KR/..", "x" * 10_000])
def test_a_language_that_is_not_known_is_english(locale):
    assert translated("nothing was typed", locale) == "nothing was typed"


@pytest.mark.parametrize(
    "text",
    [
        "", "{0}", "{", "something else", "x" * MOST + " and", "nothing was typed" + " " * MOST,
        "1 turn, " * 100, "is , not 'a'; " * 70, "'" * MOST, "the a of the b is " * 50, ": " * 400, "; : , and " * 90,
    ],
)  # fmt: skip
def test_a_text_that_is_not_known_stays(text):
    assert korean(text) == text
