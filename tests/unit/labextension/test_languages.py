"""Every text of the page stands in one table, and each language has words for all of it."""

import json
import re

import pytest

from robota_nb.display.languages import CATALOGUES
from support.labextension import SOURCE
from support.node import in_node

LANGUAGES = sorted(path.name for path in CATALOGUES.iterdir() if path.is_dir())
MODULES = sorted(path for path in SOURCE.rglob("*.js") if path.name not in ("strings.js", "marked.js"))
SCHEMA = json.loads((SOURCE / "schemas" / "robota_nb" / "chats.json").read_text(encoding="utf-8"))

BUNDLE = """
    const filled = text => text.replace(/%%/g, '%% ').replace(/%(\\d+)/g, () => 'undefined').replace(/%% /g, '%');
    const bundle = {  // as JupyterLab's: it fills in %1 by itself
        __: text => filled((values[0][text] ?? [text])[0]),
        _n: (one, many, count) => filled((values[0][one] ?? [count === 1 ? one : many])[0])
    };
    const strings = await import(`${SOURCE}/switcher/strings.js`);
    const { STRINGS, named, speak, t } = strings;
"""


@pytest.fixture(scope="module")
def table():
    """The texts in English, by their keys."""
    return in_node("const { STRINGS } = await import(`${SOURCE}/switcher/strings.js`); return STRINGS;")


def catalogue(language):
    path = CATALOGUES / language / "LC_MESSAGES" / "robota_nb.json"
    return json.loads(path.read_text(encoding="utf-8"))


def texts_of_settings():
    for part in (SCHEMA, *SCHEMA["properties"].values()):
        yield part["title"]
        yield part["description"]


def escaped(text):
    return text.replace("%", "%%")


# -- nothing is missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_page_is_in_the_catalogue_and_nothing_else(language, table):
    texts = {escaped(text if isinstance(text, str) else text[0]) for text in [*table.values(), *texts_of_settings()]}
    assert catalogue(language).keys() - {""} == texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_says_its_language_as_the_application_does(language):
    head = catalogue(language)[""]
    assert head["language"] == language.replace("_", "-")  # with an underscore, the page would stay English
    assert head["domain"] == "robota_nb"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_the_english_text_fills_in(language):
    for english, said in catalogue(language).items():
        if english:
            assert said[0]
            assert sorted(re.findall(r"\{\w+\}", said[0])) == sorted(re.findall(r"\{\w+\}", english)), english
            assert said[0].count("%%") * 2 == said[0].count("%"), english


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_with_a_plural_has_two_values(language, table):
    plurals = {escaped(text[0]) for text in table.values() if not isinstance(text, str)}
    for english, said in catalogue(language).items():
        if english:
            assert len(said) == (2 if english in plurals else 1), english  # one value is taken for no plural


# -- what is said


def test_texts_are_english_until_a_language_is_known():
    assert in_node(f"{BUNDLE} return [t('newChat'), t('turns', {{ count: 1 }}), t('turns', {{ count: 2 }})];", {}) == [
        "New chat", "1 turn", "2 turns",
    ]  # fmt: skip


def test_texts_are_said_in_the_language_of_the_application():
    said = in_node(
        f"""{BUNDLE} speak(bundle, 'ko-KR');
        return [
            t('newChat'), t('turns', {{ count: 1 }}), t('noAsk'), t('loadHint'), t('forkOf', {{ name: '%1 {{name}}' }}),
            named('state', 'paused'), named('level', 'of a later version'), strings.language
        ];""",
        catalogue("ko_KR"),
    )
    assert said == [
        "새 대화", "턴 1개", "%%robota 셀이나 빈 셀을 고르고 다시 시도하세요.",
        "이 노트북에서 %load_ext robota_nb를 실행해 대화에 쓸 수 있게 합니다", "“%1 {name}” 대화의 포크",
        "일시 중지", "of a later version", "ko-KR",
    ]  # fmt: skip


def test_dates_are_written_in_the_language_of_the_application():
    said = in_node(
        f"""{BUNDLE} speak(bundle, 'ko-KR');
        const {{ day }} = await import(`${{SOURCE}}/switcher/listing.js`);
        return [day('2025-03-04T12:00:00Z', new Date('2025-06-01T12:00:00Z')), day('never')];""",
        {},
    )
    assert said == ["3월 4일", ""]


def test_what_a_language_lacks_stays_english():
    assert in_node(f"{BUNDLE} speak(bundle, 'xx'); return [t('noAsk'), t('turns', {{ count: 1 }})];", {}) == [
        "Select a %%robota cell, or an empty one, and try again.", "1 turn",
    ]  # fmt: skip


# -- nothing stands outside

TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`(?:[^`\\]|\\.)*`"
    r"|(?<=[(,=:\[!&|?{;\s])/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*",
    re.DOTALL,
)
PHRASE = re.compile(r"[A-Za-z]{2,}[,.:]? [A-Za-z]{2,}|\A[A-Z][a-z]+[ .…!?]*\Z")
"""Two words, or a word as a sentence begins with."""

SHOWS = re.compile(r"(\btextContent =|\.title =|\b(title|label|caption|placeholder|alt|'aria-\w+'):|\},)\Z")
"""What stands before a text that is shown: a single word counts there, too."""

NOT_SHOWN = re.compile(
    r"(console\.\w+\(|throw new \w+\(|\bcheck\([^;]*|description:|\.key ==="
    r"|'aria-(hidden|expanded|haspopup|autocomplete)':|key:|\bname( ===|:)|\[|rel:|closest\()\Z"
)
"""What stands before a text for programs and programmers."""

OTHERS = {
    "Robota",  # a name: the category of commands
    "robota_nb",
    "temperature = 0.2",  # what is typed
    "%load_ext robota_nb",
    "# %pip install robota_nb",
    "%robota chat fork ",
    "robota prompt",  # the language's name for CodeMirror
    "use strict",
    "Tab", "Enter", "Home", "End",  # keys
    "the snapshot is nested too deep",  # for the kernel, which says it in a notice
    "the snapshot has ${whole.length.toLocaleString('en')} characters, over the cap",
}  # fmt: skip
DATA = {"entities.js", "inert.js", "icon.js", "icons.js"}
"""Modules of tables: entities, elements and pictures."""


def literals(source):
    """The texts in a module, each with what stands before it."""
    for token in TOKEN.finditer(source):
        is_name = source[token.end() :].startswith(":")  # of a property
        if token[0][0] in "'\"`" and not is_name:
            yield token[0][1:-1], " ".join(source[: token.start()].split())[-120:]


def shown_outside(source):
    found = []
    for text, before in literals(source):
        words = re.sub(r"\$\{[^}]*\}", " ", text)
        is_shown = PHRASE.search(words) or (SHOWS.search(before) and re.search(r"[A-Za-z]{2}", words))
        if is_shown and text not in OTHERS and not NOT_SHOWN.search(before) and "import _receive" not in text:
            found.append(text)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_text_that_is_shown_stands_outside_the_table(module):
    assert module.name in DATA or shown_outside(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "h('button', { type: 'button' }, 'send')", "h('p', {}, `Sent ${count} turns`)", "this.node.title = 'stop'",
        "button.textContent = 'Stop'", "h('input', { placeholder: 'find' })", "{ label: 'open' }",
        "const words = 'No chats yet.';",
    ],
)  # fmt: skip
def test_the_scan_finds_what_is_shown(line):
    assert shown_outside(line)
