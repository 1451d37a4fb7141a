"""Notebooks from strangers: whatever stands where a snapshot would, the page and the kernel work, and it stays."""

import json
from uuid import uuid4

import pytest

from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from support.notebook import answers, content, write
from support.page import MODEL, Notebook, prompts

pytestmark = pytest.mark.slow("drives real applications in a browser")

LOAD = "%load_ext robota_nb"
SOURCES = [LOAD, "%%robota\nhello", "to be edited", "%robota snapshot", "%robota snapshot --replace"]
SESSION, MARKUP = "s_" + "0" * 32, "<img src=x onerror=window.pwned=1>"
LEFT = "the snapshot in this notebook cannot be read, and is left as it is"


def good(**more):
    """A snapshot with one session, and what else is to stand in it."""
    entry = make.session_entry(n=1, at="2026-01-01T00:00:00Z", name="Work")
    return {**snapshot.dump({SESSION: {make.entry_id(entry): entry}}), **more}


def session_of(key, entry):
    value = good()
    value["sessions"][SESSION][key] = entry
    return value


def genuine(**fields):
    return session_of(make.entry_id(fields), fields)


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


POLLUTION = {"polluted": True, "prototype": {"polluted": True}, "length": 7}
UNREADABLE = {
    "a session called constructor": good(sessions={"constructor": {"e_" + "0" * 32: POLLUTION}}),
    "an entry called constructor": session_of("constructor", POLLUTION),
    "an entry of 40 MB": session_of("e_" + "0" * 32, {"kind": "message", "content": ["x" * 1000] * 40_000}),
    "an entry 400 deep": session_of("e_" + "0" * 32, {"kind": "message", "content": nested(400)}),
    "a list": [1, [2], {"sessions": {}}],
    "text": f"a snapshot {MARKUP}",
    "a newer format": {"format": {"major": 99, "minor": 0}, "sessions": [{"what": "comes"}], "then": {}},
    "a session that is a list": good(sessions={SESSION: [1, 2]}),
    "markup as a session and an entry": good(sessions={MARKUP: {MARKUP: {"kind": MARKUP}}}),
}
READABLE = {  # JupyterLab itself opens no notebook with a key `constructor` right in a value of its metadata.
    "nothing": None,
    "a prototype beside the sessions": good(prototype=POLLUTION),
    "constructor in an entry": genuine(kind="later", n=2, constructor=POLLUTION),
    "400 deep beside the sessions": good(later=nested(400)),
}
SPREAD = {  # by JupyterLab itself, over the object around it: what it takes for the value is something else
    "a session called __proto__": good(sessions={"__proto__": {"e_" + "0" * 32: POLLUTION}}),
    "an entry called __proto__": session_of("__proto__", POLLUTION),
}


@pytest.fixture(scope="module")
def page(browser, servers):
    """A page of JupyterLab, for one notebook after the other."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    notebook = Notebook(context.new_page(), servers("lab"), None)
    notebook.page.goto(f"{notebook.jupyter.url}lab/workspaces/{uuid4().hex}")
    notebook.page.wait_for_selector(".jp-Launcher")
    yield notebook
    context.close()


@pytest.fixture
def shown(page, lab, work):
    """Shows a notebook in whose metadata a value stands; in the end the page is what it was."""

    def show(value, *sources):
        page.show(put(work, value, *sources))
        return page

    yield show
    lab.end_kernels()
    assert page.errors == []
    assert is_untouched(page)


def put(work, value, *sources):
    """Write a notebook with a value in its metadata; without nbformat, which would choke on some."""
    path = write(work / "hostile.ipynb", *sources or SOURCES)
    notebook = content(path)
    notebook["metadata"]["robota_nb"] = value
    path.write_text(json.dumps(notebook))
    return path


def is_untouched(notebook):
    """Whether nothing of a value has become the page's own."""
    return notebook.page.evaluate(
        """() => {
            const frame = document.body.appendChild(document.createElement('iframe')).contentWindow;
            const same = ['Object', 'Array', 'Function', 'String'].every(name => {
                const [ours, fresh] = [window, frame].map(w => Reflect.ownKeys(w[name].prototype).map(String).sort());
                return JSON.stringify(ours) === JSON.stringify(fresh);
            });
            return same && ({}).polluted === undefined && [].polluted === undefined && window.pwned === undefined
                && document.querySelector('img[src="x"]') === null;
        }"""
    )


def works(notebook):
    """Ask in a cell, edit another one, and run that."""
    notebook.run(0, 1)
    notebook.says(1, "1: hello")
    notebook.edit(2, "print(6 * 7)")
    notebook.run(2)
    notebook.says(2, "42")


def is_left(notebook, value):
    works(notebook)
    notebook.notice(LEFT)
    notebook.run(3)
    notebook.shows(3, "%robota snapshot --replace writes over it")
    assert json.loads(notebook.page.evaluate(f"() => JSON.stringify({MODEL}.getMetadata('robota_nb'))")) == value
    notebook.save()
    assert content(notebook.path)["metadata"]["robota_nb"] == value
    assert answers(notebook.path) == ["1: hello"]
    notebook.run(4)
    notebook.holds("hello")
    notebook.save()
    there = content(notebook.path)["metadata"]["robota_nb"]
    snapshot.parse(there)
    assert prompts(there) == ["hello"]


@pytest.mark.parametrize("bad", UNREADABLE)
def test_what_cannot_be_read_is_told_and_left_until_the_user_replaces_it(shown, bad):
    is_left(shown(UNREADABLE[bad]), UNREADABLE[bad])


@pytest.mark.parametrize("jupyter", ["notebook"], indirect=True)
def test_what_cannot_be_read_is_told_and_left_in_notebook_7_too(opened, work, jupyter):
    bad = good(sessions={MARKUP: POLLUTION, "constructor": POLLUTION})
    notebook = opened(put(work, bad))
    is_left(notebook, bad)
    assert set(notebook.errors) <= {"Cannot read properties of undefined (reading 'schema')"}  # Notebook's own
    assert is_untouched(notebook)


@pytest.mark.parametrize("odd", READABLE)
def test_what_is_odd_but_readable_stays_beside_what_is_added(shown, odd):
    notebook = shown(READABLE[odd])
    works(notebook)
    notebook.holds("hello")
    notebook.save()
    there = content(notebook.path)["metadata"]["robota_nb"]
    assert prompts(there) == ["hello"]
    before = READABLE[odd] or good(sessions={})
    assert {**there, "sessions": None} == {**before, "sessions": None}
    assert all(there["sessions"][sid].items() >= entries.items() for sid, entries in before["sessions"].items())


@pytest.mark.parametrize("odd", SPREAD)
def test_a_key_that_the_application_spreads_harms_nothing(shown, odd):
    notebook = shown(SPREAD[odd])
    is_left(notebook, notebook.value())


def test_a_name_with_markup_is_shown_as_text(shown):
    name = f"{MARKUP}[x](javascript:window.pwned=1)"
    notebook = shown(None, LOAD, f"%robota new {name}", "%%robota\nhello", "%%robota\nmore")
    notebook.run()
    notebook.edit(2, "%%robota\nhello again")
    notebook.run(2)
    notebook.page.locator(".jp-CodeCell[data-robota=stale]").wait_for()
    notebook.cell(2).locator("robota-answer-line", has_text=MARKUP).wait_for()
    status = notebook.page.locator(".robota-status-button")
    assert name in status.get_attribute("title")
    assert status.locator("img, a").count() == 0
    assert notebook.page.locator(".jp-Notebook img, .jp-OutputArea a").count() == 0


def test_a_long_notice_is_shown_whole_and_as_text(shown):
    text = f"{MARKUP * 9} [x](javascript:window.pwned=1) & the end"
    send = f"bridge(get_ipython()).send({{'op': 'notice', 'text': {text!r}}})"
    notebook = shown(None, LOAD, "%robota", f"from robota_nb.carriers.document import bridge\n{send}")
    notebook.run()
    notebook.notice("robota_nb: <img src=x")
    notebook.page.locator(".jp-toastContainer button", has_text="Show all").click()
    dialog = notebook.page.locator(".jp-Dialog", has_text=text)
    dialog.wait_for()
    assert dialog.locator("img, a").count() == 0
    notebook.accept()
