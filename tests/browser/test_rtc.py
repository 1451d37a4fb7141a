"""Two people in one notebook, with JupyterLab's real-time collaboration, in an environment of its own.

``ROBOTA_NB_RTC_PYTHON`` names its Python: one with robota_nb, jupyterlab and jupyter-collaboration.
"""

import os
import sqlite3
import threading
from contextlib import closing

import pytest

from robota_nb.core.record import snapshot
from support.jupyter import JupyterServer
from support.notebook import write
from support.page import MODEL, Notebook, prompts
from support.require import require

pytestmark = pytest.mark.slow("drives two browsers in a JupyterLab of its own")

PYTHON = os.environ.get("ROBOTA_NB_RTC_PYTHON")

EACH = 10
"""Questions of each person."""

ASKED = sorted(f"question {number}" for number in range(2 * EACH))
LOAD, STATUS = 0, 2 * EACH + 1
"""The cells above and below the questions."""

COUNT_WRITES = f"""() => {{
    const shared = {MODEL}.sharedModel;
    window.writes = [];
    shared.ydoc.on('update', (bytes, origin, ydoc, {{ local, changed }}) => {{
        if (local && changed.get(shared.ymeta.get('metadata'))?.has('robota_nb')) window.writes.push(bytes.length);
    }});
}}"""


@pytest.fixture(scope="module")
def collaboration(chromium, model, tmp_path_factory):
    """A running JupyterLab in which people share their documents."""
    require("rtc", PYTHON, "ROBOTA_NB_RTC_PYTHON names no Python with jupyter-collaboration")
    root = tmp_path_factory.mktemp("rtc")
    running = JupyterServer(root, "lab", python=PYTHON, **model.environment()).start()
    yield running
    running.stop()


@pytest.fixture
def two(collaboration, browser, server, tmp_path):
    """Opens a notebook for two people, each in a browser of their own."""
    people = []

    def open_(*sources):
        path = write(collaboration.work / f"{tmp_path.name}.ipynb", *sources)
        for _ in range(2):
            page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
            people.append(Notebook(page, collaboration, path).open())
        return people

    yield open_
    for person in people:
        person.page.context.close()
    collaboration.end_kernels()
    assert [person.errors for person in people] == [[]] * len(people)


@pytest.fixture
def questions(two):
    """A notebook in which two people are about to ask."""
    people = two("%load_ext robota_nb", *[f"%%robota\n{prompt}" for prompt in ASKED], "%robota")
    people[0].run(LOAD)
    return people


@pytest.fixture
def asked(questions, server):
    """The notebook, when its people have asked one question each."""
    one, other = questions
    for person, number in ((one, 1), (other, 2)):
        person.start(number)
    for person in questions:
        person.idle()
        person.holds(*ASKED[:2])
    server.requests.clear()
    return questions


def ask_at_once(people, server, *, before_the_answers=lambda: None):
    """Have people ask all questions, each their half; none is answered before the last is asked."""
    server.gate = threading.Event()
    for number in range(1, EACH + 1):
        for at, person in enumerate(people):
            person.start(at * EACH + number)
    before_the_answers()
    server.gate.set()


def replays_in_the_order_of_the_page(notebook, server):
    """What the second person asked has not seen all that stands above it: it is asked once more, then no more."""
    for requests in (EACH, 0):
        server.requests.clear()
        notebook.restart_and_run_all()
        assert len(server.requests) == requests


def saved(notebook):
    """Wait until the server has saved the document as it stands."""
    notebook.is_saved()


def settle(people):
    """Leave nothing for a tab to write that would bring back by the way what is lost."""
    for person in people:
        saved(person)


def filed(notebook):
    """Whether the store knows the entries that it files under the notebook's path as saved."""
    with closing(sqlite3.connect(notebook.jupyter.store)) as store:
        rows = store.execute("SELECT DISTINCT saved FROM entry WHERE document = ?", [os.fsencode(notebook.path)])
        return [bool(saved) for (saved,) in rows]


def test_all_that_two_people_ask_at_once_is_in_both_tabs_and_in_the_file_and_replays(questions, server):
    one, other = questions
    for person in questions:
        person.page.evaluate(COUNT_WRITES)
    ask_at_once(questions, server)
    for person in questions:
        person.idle()
        person.holds(*ASKED)
        assert person.prompts() == ASKED
    snapshot.parse(one.value())
    assert len(server.requests) == len(ASKED)
    assert [one.output(n).partition(": ")[2] for n in range(1, len(ASKED) + 1)] == ASKED  # each has its own answer

    writes = [person.page.evaluate("() => window.writes") for person in questions]
    assert sum(map(len, writes)) < EACH, writes

    saved(one)
    assert sorted(prompts(one.file()["metadata"]["robota_nb"])) == ASKED
    replays_in_the_order_of_the_page(other, server)
    assert set(other.prompts()) == set(ASKED)


def test_what_the_server_has_saved_on_its_own_is_known_as_saved(asked):
    one, other = asked
    for _ in range(EACH):  # showing the status changes the document, which is saved anew
        saved(other)
        other.run(STATUS)
        if "saved" in other.output(STATUS):
            break
    other.shows(STATUS, "saved")
    assert sorted(prompts(one.file()["metadata"]["robota_nb"])) == ASKED[:2]
    assert filed(one) == [True]


def test_a_tab_that_is_closed_during_the_asks_loses_nothing(questions, server):
    one, other = questions
    ask_at_once(questions, server, before_the_answers=one.close)
    other.holds(*ASKED)
    saved(other)
    assert sorted(prompts(other.file()["metadata"]["robota_nb"])) == ASKED
    replays_in_the_order_of_the_page(other, server)
    assert [other.output(n).partition(": ")[2] for n in range(1, len(ASKED) + 1)] == ASKED


def test_what_one_takes_out_of_the_document_is_put_back_for_both(asked):
    one, other = asked
    settle(asked)
    before = one.value()
    # Not that it is gone: what was put back may come with it.
    one.page.evaluate(
        f"""() => {{
            {MODEL}.metadataChanged.connect((_, {{ key }}) => {{ window.isChanged ||= key === 'robota_nb'; }});
        }}"""
    )
    other.page.evaluate(f"() => {MODEL}.deleteMetadata('robota_nb')")
    one.page.wait_for_function("() => window.isChanged")
    for person in asked:
        person.holds(*ASKED[:2])
        assert person.value() == before


def test_a_turn_outlives_an_older_value_that_another_writes_over_it(asked):
    """A shared document has one value, and the last one to write it wins."""
    one, other = asked
    older = other.value()
    one.run(3)
    for person in asked:
        person.holds(*ASKED[:3])
    settle(asked)
    other.page.evaluate(
        f"robota_nb => {MODEL}.sharedModel.updateMetadata({{ mine: 'kept', robota_nb }})",
        older,
    )
    for person in asked:
        person.page.wait_for_function(f"() => {MODEL}.getMetadata('mine') === 'kept'")
        person.holds(*ASKED[:3])
