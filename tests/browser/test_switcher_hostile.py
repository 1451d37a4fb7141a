"""Names, questions and answers from strangers in the switcher: they are text, and nothing but text."""

import re

import pytest

from robota_nb.core.inside import view_of
from robota_nb.core.record.entries import source_hash
from support.core import new_manager
from support.hostile import snap, talk
from support.jupyter import IN_BOTH
from support.notebook import write
from support.page import MODEL
from support.provider import Parrot
from support.switcher import LOAD, Switcher, prompts_of

pytestmark = pytest.mark.slow("drives real applications in a browser")

RUN = "window.pwned=1"
HOSTILE = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    f"<a href='javascript:{RUN}'>click</a>",
    f"[click](javascript:{RUN})",
    f"[click](JaVaScRiPt:{RUN})",
    f"[click](java\tscript:{RUN})",
    f"[click](&#106;avascript:{RUN})",
    f"[click](data:text/html,<script>{RUN}</script>)",
    f"<javascript:{RUN}>",
    "![x](https://evil.example/beacon.png)",
    "<img src=https://evil.example/beacon.png>",
    '<button data-commandlinker-command="apputils:print" data-commandlinker-args="{}">x</button>',
    "<form id=main><input name=attributes><input name=childNodes></form>",
    "<a id=jupyterapp></a><a id=jupyterapp name=commands>x</a>",
    "<img name=querySelector><img name=body>",
    "<style>*{display:none!important}</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;<img src=1 onerror={RUN}>'>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"$\\href{{javascript:{RUN}}}{{x}}$",
    "$\\cssId{main}{x}\\class{jp-mod-hidden}{y}$",
    "\u202egnp.exe\u202c and \u2066hidden\u2069",
    "__proto__",
    "constructor",
    f"{{{{ constructor.constructor('{RUN}')() }}}}",
    f"</textarea></title><script>{RUN}</script>",
    f"`<img src=x onerror={RUN}>` and ```\n<script>{RUN}</script>",
    f'x" onmouseover="{RUN}" autofocus onfocus="{RUN}',
]  # fmt: skip
FORBIDDEN = (
    "script, style, link, meta, iframe, form, object, embed, base, [onerror], [onload], "
    "svg:not(mjx-container svg, .robota-sign)"
)


def from_a_stranger():
    """A snapshot in which everything that a stranger can write is hostile."""
    manager = new_manager(providers=Parrot("<b>model</b>"), max_chats=0, max_active_sessions=0)
    manager.create_session(name=f"<img src=x onerror={RUN}>").create_chat(f"<svg onload={RUN}>").send("hello")
    session = manager.create_session(name=f"x'><script>{RUN}</script>")
    for number, text in enumerate(HOSTILE):
        name = text.replace("\n", " ").replace("\t", " ")[:90]
        session.create_chat(f"{name} {number}" if view_of(session).find(name) else name).send(text)
    everything = session.create_chat("All of it")
    for text in HOSTILE:
        everything.send(text)
    return manager.snapshot()


@pytest.fixture
def visited(opened, work, context):
    """The notebook of a stranger, opened and run, and the addresses that were asked for outside."""
    outside = []
    context.on(
        "request",
        lambda request: (
            None if request.url.startswith(("http://127.0.0.1", "blob:", "data:")) else outside.append(request.url)
        ),
    )
    path = write(work / "stranger.ipynb", LOAD, "%robota ui", metadata={"robota_nb": from_a_stranger()})
    page = opened(path)
    page.run()
    return page, Switcher(page.page).ready(), outside


def untouched(page, outside):
    """Nothing has run, nobody was asked, and the page is as it was."""
    assert page.page.evaluate("() => window.pwned ?? null") is None
    assert page.page.evaluate("() => ({}).polluted ?? Object.keys(Object.prototype).length") == 0
    assert page.page.evaluate("() => typeof window.jupyterapp.commands.execute") == "function"
    assert outside == []
    assert set(page.errors) <= {"Cannot read properties of undefined (reading 'schema')"}  # Notebook's own


def within(switcher):
    return switcher.root.evaluate(
        "(root, forbidden) => [...root.querySelectorAll(forbidden)].map(element => element.outerHTML.slice(0, 200))",
        FORBIDDEN,
    )


def links(switcher):
    return switcher.root.evaluate(
        "root => [...root.querySelectorAll('a')].map(a => [a.getAttribute('href'), a.rel, a.target])"
    )


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 30


@IN_BOTH
@pytest.mark.usefixtures("jupyter")
def test_nothing_of_it_runs_is_fetched_or_is_more_than_text(visited):
    page, switcher, outside = visited
    switcher.active("All of it")
    names = switcher.root.locator(".robota-chat .robota-name")
    names.first.wait_for()
    scroller = switcher.root.locator(".robota-transcript")
    seen = set()
    for number in range(len(HOSTILE) - 1, -1, -1):
        article = switcher.root.get_by_label(f"Turn {number + 1} of {len(HOSTILE)}")
        while not article.count():
            scroller.evaluate("list => { list.scrollTop -= 150; }")
            page.page.evaluate("() => new Promise(requestAnimationFrame)")
        article.scroll_into_view_if_needed()
        assert article.locator(".robota-prompt").text_content() == HOSTILE[number]
        article.locator(".robota-prompt").hover()
        seen.add(number)
        assert within(switcher) == []
        for href, rel, target in links(switcher):
            assert href.startswith(("https://", "mailto:"))
            assert (rel, target) == ("noopener noreferrer", "_blank")
    assert len(seen) == len(HOSTILE)
    assert switcher.root.locator("img").count() == 0
    untouched(page, outside)


@pytest.mark.usefixtures("jupyter")
def test_every_chat_can_be_chosen_and_its_name_is_its_name(visited):
    page, switcher, outside = visited
    rows = switcher.root.locator(".robota-chat")
    for text in ("__proto__", "constructor", HOSTILE[0], HOSTILE[1], HOSTILE[13]):
        switcher.part("filter").fill(text)
        row = rows.filter(has=page.page.get_by_text(text, exact=True)).first
        row.locator(".robota-choose").click()
        switcher.root.locator(".robota-chat.robota-active .robota-name").get_by_text(text, exact=True).wait_for()
        switcher.turn(text).first.wait_for()
    switcher.part("session").evaluate("select => select.focus()")
    assert within(switcher) == []
    untouched(page, outside)


def test_the_panel_the_status_bar_and_the_text_instead_are_as_safe(visited):
    page, switcher, outside = visited
    page.page.evaluate("() => void window.jupyterapp.commands.execute('robota:open-chats')")
    panel = Switcher(page.page, "#robota-nb-chats").ready()
    panel.active("All of it")
    assert within(panel) == []
    page.page.locator(".robota-status-button").get_by_text("All of it").wait_for()
    page.save()
    (output,) = page.file()["cells"][1]["outputs"]
    html = "".join(output["data"]["text/html"])
    assert set(re.findall(r"<\s*/?\s*([a-z]+)", html)) == {"pre"}
    assert "&lt;script&gt;" in html
    untouched(page, outside)


def test_what_a_model_says_while_it_is_seen_arriving_is_as_safe(opened, work, server, context):
    outside = []
    context.on(
        "request", lambda r: None if r.url.startswith(("http://127.0.0.1", "blob:", "data:")) else outside.append(r.url)
    )
    page = opened(write(work / "live.ipynb", LOAD, "%robota ui"))
    page.run()
    switcher = Switcher(page.page).ready()
    server.reply = lambda body: list(body["messages"][-1]["content"])
    for text in HOSTILE:
        server.requests.clear()
        switcher.send(text, wait=False)
        page.page.wait_for_function(
            "([root, text]) => [...root.querySelectorAll('.robota-prompt')].at(-1)?.textContent === text",
            arg=[switcher.root.element_handle(), text],
        )
        switcher.rests()
        assert within(switcher) == []
    untouched(page, outside)


@pytest.mark.usefixtures("lab")
def test_the_ways_of_the_panel_in_and_out_are_as_safe(opened, work, server, context):
    outside = []
    context.on(
        "request", lambda r: None if r.url.startswith(("http://127.0.0.1", "blob:", "data:")) else outside.append(r.url)
    )
    everything = "\n\n".join(HOSTILE)
    odd = f"class Odd(str):\n    __repr__ = lambda self: str(self)\nodd = Odd({everything!r})\nprint(odd)"
    path = write(work / "stranger.ipynb", odd, LOAD, metadata={"robota_nb": from_a_stranger()})
    page = opened(path)
    page.page.keyboard.press("Control+Shift+Y")
    panel = Switcher(page.page, "#robota-nb-chats")
    panel.turn(HOSTILE[-1]).wait_for()  # from the file, before any code has run
    assert within(panel) == []
    page.run()
    panel.ready().active("All of it")

    panel.part("draft").press("Control+k")
    panel.part("filter").fill("pwned")  # what was said
    hits = panel.root.locator(".robota-hit")
    hits.filter(has_text="onload").first.wait_for()
    assert within(panel) == []
    panel.part("filter").fill("")
    panel.chat_menu("All of it", "Model and settings…")
    panel.part("settings").wait_for()
    panel.part("provider").select_option("openai")
    panel.part("system").fill(everything)
    panel.part("settings-save").click()
    panel.part("settings").wait_for(state="detached")
    panel.page.keyboard.press("Escape")

    page.select(0)
    panel.menu(panel.part("attach"), "The selected cell")
    draft = panel.part("draft")
    draft.press_sequentially("See @od")
    panel.root.get_by_role("option", name="odd").wait_for()
    assert within(panel) == []
    draft.press("Enter")
    panel.menu(panel.part("attach"), "See what is sent")
    shown = panel.part("preview").locator("pre")
    assert HOSTILE[0] in shown.inner_text()
    assert within(panel) == []
    server.requests.clear()
    draft.press("Enter")
    panel.root.get_by_label(f"Turn {len(HOSTILE) + 1} of {len(HOSTILE) + 1}").locator(".robota-foot").wait_for()
    panel.rests()
    assert within(panel) == []
    assert HOSTILE[0] in prompts_of(server.requests[0])[-1]
    turn = panel.root.locator(".robota-turn").last
    turn.hover()
    turn.locator("[data-part=makeCell]").click()
    page.cell(2).wait_for()
    sources = page.page.evaluate(f"() => [...{MODEL}.cells].map(cell => cell.sharedModel.getSource())")
    (made,) = (source for source in sources if source.startswith("%%robota"))
    assert made.partition("\n")[0].endswith("--raw")
    untouched(page, outside)


FORGED = "\n\n".join([*HOSTILE[:3], *HOSTILE[6:12], *HOSTILE[14:18], "the end of it"])
"""What an answer may bring along that no model gave: it stands in the output of a cell, as if one had."""


RUNNING = "script, iframe, object, embed, [onerror], [onload], [data-commandlinker-command], [href^='javascript:' i]"


@pytest.mark.usefixtures("jupyter")
def test_an_answer_in_a_cell_of_a_notebook_with_a_crafted_name_is_markdown_and_runs_nothing(opened, work, server):
    source = "%%robota\nasked"
    forged = talk(prompt="asked", answer=FORGED, cell=["cell-1", 0, source_hash(source)])
    name = f"{HOSTILE[1].replace('/', '')} {HOSTILE[15].replace('/', '')[:40]} \u202egnp.ipynb"
    page = opened(
        write(work / name, LOAD, source, "%%robota\nlive", "%robota ui", metadata={"robota_nb": snap(forged)})
    )
    server.reply = lambda body: list(FORGED)
    page.run()
    answer = page.page.locator(".jp-RenderedMarkdown.jp-OutputArea-output")
    answer.get_by_text("the end of it").nth(1).wait_for()
    assert [element.evaluate("e => e.outerHTML") for element in answer.locator(RUNNING).all()] == []
    for element in answer.locator(
        ":is(a, button):not(robota-answer-line *)"
    ).all():  # in that line is ours: it asks again
        element.dispatch_event("click")
    switcher = Switcher(page.page).ready()
    assert within(switcher) == []
    untouched(page, [])
    assert len(server.requests) == 1
