"""The switcher in a cell's output, driven as a user drives it, in JupyterLab and in Notebook 7."""

import json
import threading

import pytest

from support.jupyter import IN_BOTH
from support.notebook import content, run
from support.page import prompts
from support.switcher import Switcher, notebook, prompts_of

pytestmark = [pytest.mark.usefixtures("jupyter", "one_tab"), pytest.mark.slow("drives real applications in a browser")]

LEFT_RIGHT = ["%robota new Left", "%%robota\nl1", "%robota new Right", "%%robota\nr1"]
ASK = 5
"""The cell that is asked from."""
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel."""


@pytest.fixture
def opened_with(opened, work):
    """Opens a notebook of these cells and the switcher, runs it, and returns both."""

    def open_(*cells):
        page = opened(notebook(work, *cells))
        page.run()
        return page, Switcher(page.page).ready()

    return open_


@pytest.fixture
def talk(opened_with, server):
    """A notebook with two chats, a cell to ask from, and the switcher."""
    page, switcher = opened_with(*LEFT_RIGHT, "%%robota\nagain")
    server.requests.clear()
    return page, switcher


def asks(page, text):
    """Ask from the cell."""
    page.edit(ASK, f"%%robota\n{text}")
    page.run(ASK)


@IN_BOTH
def test_it_shows_the_chats_and_what_was_said_in_the_active_one(talk):
    _, switcher = talk
    switcher.lists("Right", "Left")
    switcher.active("Right")
    switcher.says("r1", "2: r1", "again", "3: again")


def test_the_next_cell_goes_to_the_chat_that_was_chosen_with_its_context(opened_with, server):
    cells = [f"%%robota\nq{number}" for number in range(4)]
    page, switcher = opened_with("%robota new A", "%robota new B", "%robota new C", *("1 + 1" for _ in cells))
    for number, (name, said) in enumerate([("A", []), ("B", []), ("C", []), ("A", ["q0"])]):
        switcher.choose(name)
        page.edit(4 + number, cells[number])
        page.run(4 + number)
        assert prompts_of(server.requests[-1]) == [*said, f"q{number}"]
        switcher.turn(f"q{number}").wait_for()


def test_a_chat_is_created_with_a_name_and_spoken_to(talk, server):
    page, switcher = talk
    switcher.create("Third")
    switcher.lists("Third", "Right", "Left")
    switcher.send("hello there")
    switcher.says("hello there", "1: hello there")
    assert prompts_of(server.requests[-1]) == ["hello there"]
    page.holds("hello there")


@pytest.mark.long("tests/unit/switcher has what is said, and other tests here the clicks")
def test_a_chat_is_renamed_in_place(talk):
    page, switcher = talk
    switcher.chat_menu("Left", "Rename")
    switcher.name("Port")
    switcher.lists("Right", "Port")
    page.edit(ASK, "%robota chat list")
    page.run(ASK)
    page.shows(ASK, "Port")


@pytest.mark.long("tests/unit/switcher has what is said, and other tests here the clicks")
def test_a_name_that_is_taken_is_refused_in_one_line(talk):
    _, switcher = talk
    switcher.chat_menu("Left", "Rename")
    switcher.name("Right")
    switcher.note("has a chat 'Right' already")
    switcher.lists("Right", "Left")


def test_an_answer_streams_and_can_be_stopped(talk, server):
    page, switcher = talk
    server.chunks, server.gate = ["**Well**", " met", " again"], threading.Event()
    switcher.send("stop me", wait=False)
    switcher.root.locator(".robota-arriving strong", has_text="Well").wait_for()
    switcher.part("draft").press("Escape")
    switcher.rests()
    switcher.turn("stop me").locator(".robota-reason", has_text="interrupted").wait_for()
    server.gate.set()
    assert "again" not in switcher.turn("stop me").locator(".robota-markdown").inner_text()
    server.chunks = server.gate = None
    switcher.send("and now")
    page.holds("stop me", "and now")


@pytest.mark.long("tests/unit/switcher has what is said, and other tests here the clicks")
def test_other_chats_can_be_looked_at_while_one_answers(talk, server):
    _, switcher = talk
    server.chunks, server.gate = ["one", " two"], threading.Event()
    switcher.send("slowly", wait=False)
    switcher.root.locator(".robota-arriving").get_by_text("one").wait_for()
    switcher.choose("Left")
    switcher.says("l1", "1: l1")
    switcher.row("Right").locator(".robota-running").wait_for()
    switcher.choose("Right")
    switcher.root.locator(".robota-arriving").get_by_text("one").wait_for()
    server.gate.set()
    switcher.rests()
    switcher.turn("slowly").locator(".robota-markdown", has_text="one two").wait_for()


def test_a_question_is_edited_and_the_branches_are_gone_through(talk, server):
    _, switcher = talk
    switcher.edit("again", "better")
    switcher.says("r1", "2: r1", "better", "1: better")
    switcher.turn("better").get_by_text("2/2").wait_for()
    switcher.act("better", "earlierBranch")
    switcher.says("r1", "2: r1", "again", "3: again")
    switcher.turn("again").get_by_text("1/2").wait_for()
    switcher.act("again", "laterBranch")
    switcher.says("r1", "2: r1", "better", "1: better")
    assert prompts_of(server.requests[0]) == ["r1", "better"]


@pytest.mark.long("tests/unit/switcher has what is said, and other tests here the clicks")
def test_an_edit_in_the_middle_asks_there_and_leaves_what_followed_as_a_branch(talk, server):
    _, switcher = talk
    switcher.edit("r1", "R1")
    switcher.says("R1", "1: R1")
    switcher.act("R1", "earlierBranch")
    switcher.says("r1", "2: r1", "again", "3: again")
    assert prompts_of(server.requests[0]) == ["R1"]


def test_a_question_is_asked_again(talk, server):
    _, switcher = talk
    switcher.act("again", "retry")
    switcher.says("r1", "2: r1", "again", "1: again")
    switcher.turn("again").get_by_text("2/2").wait_for()
    assert prompts_of(server.requests[0]) == ["r1", "again"]


def test_a_chat_is_forked_at_a_turn(talk, server):
    _, switcher = talk
    switcher.act("r1", "forkHere")
    switcher.active("Right 2")
    switcher.says("r1", "2: r1")
    switcher.send("elsewhere")
    assert prompts_of(server.requests[0]) == ["r1", "elsewhere"]
    switcher.choose("Right")
    switcher.says("r1", "2: r1", "again", "3: again")


def test_a_deleted_chat_comes_back_as_it_was(talk):
    _, switcher = talk
    switcher.chat_menu("Right", "Delete")
    switcher.lists("Left")
    switcher.active("Left")
    switcher.note("“Right” was deleted").locator("[data-part=offer]").click()
    switcher.lists("Right", "Left")
    switcher.active("Right")
    switcher.says("r1", "2: r1", "again", "3: again")


def test_chats_are_found_as_one_types(talk):
    _, switcher = talk
    switcher.part("filter").press_sequentially("LEF")
    switcher.lists("Left")
    switcher.part("filter").press("Enter")
    switcher.active("Left")
    switcher.part("filter").fill("nothing")
    switcher.root.get_by_text("No chats match.").wait_for()
    switcher.part("filter").press("Escape")
    switcher.lists("Right", "Left")


def test_the_keyboard_does_it_all(talk, server):
    page, switcher = talk
    keys = page.page.keyboard
    switcher.part("draft").focus()
    keys.press("Control+k")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("F2")
    switcher.part("name").wait_for()
    keys.type("Port")
    keys.press("Enter")
    switcher.lists("Right", "Port")
    keys.press("Enter")
    switcher.active("Port")
    keys.press("ArrowUp")
    keys.press("Delete")
    switcher.lists("Port")
    switcher.note("“Right” was deleted")
    switcher.part("draft").focus()
    keys.type("first line")
    keys.press("Shift+Enter")
    keys.type("second line")
    keys.press("Enter")
    switcher.says("l1", "1: l1", "first line\nsecond line", "1: first line\nsecond line")
    assert prompts_of(server.requests[-1]) == ["l1", "first line\nsecond line"]


def test_keys_for_the_switcher_are_not_the_notebook_s(talk):
    page, switcher = talk
    before = page.page.locator(".jp-Notebook .jp-Cell").count()
    switcher.row("Left").locator(".robota-choose").focus()
    for key in ("d", "d", "a", "x", "ArrowDown", "m"):
        page.page.keyboard.press(key)
    assert page.page.locator(".jp-Notebook .jp-Cell").count() == before


@pytest.mark.long("tests/unit/switcher has what is said, and other tests here the clicks")
def test_two_views_show_the_same(talk):
    page, switcher = talk
    page.edit(ASK, "%robota ui")
    page.run(ASK)
    page.page.locator(".jp-OutputArea .robota-switcher").nth(1).wait_for()
    views = [switcher, Switcher(page.page, number=1).ready()]
    views[0].choose("Left")
    views[1].active("Left")
    views[1].send("from the second")
    for view in views:
        view.says("l1", "1: l1", "from the second", "1: from the second")
    views[0].chat_menu("Right", "Delete")
    views[1].lists("Left")


@pytest.mark.long("tests/unit/switcher has what is said, and other tests here the clicks")
def test_what_a_magic_does_is_seen_at_once(talk):
    page, switcher = talk
    asks(page, "from the cell")
    switcher.turn("from the cell").wait_for()
    page.edit(ASK, "%robota switch Left")
    page.run(ASK)
    switcher.active("Left")
    page.edit(ASK, "%robota chat undo")
    page.run(ASK)
    switcher.says()


def test_a_page_that_is_loaded_again_shows_it_again(talk, server):
    page, switcher = talk
    switcher.choose("Left")
    page.save()
    page.reload()
    switcher = Switcher(page.page).ready()
    switcher.active("Left")
    switcher.says("l1", "1: l1")
    switcher.send("still here")
    assert prompts_of(server.requests[-1]) == ["l1", "still here"]


@IN_BOTH
def test_after_a_restart_it_shows_what_the_notebook_holds_and_comes_back_with_its_cell(talk, server):
    page, switcher = talk
    switcher.choose("Left")
    page.holds("l1", "r1", "again")
    page.restart()
    page.page.locator(".jp-OutputArea .robota-loader").get_by_role("button", name="Load").wait_for()
    switcher.lists("Right", "Left")
    page.run()
    switcher = Switcher(page.page).ready()
    switcher.lists("Right", "Left")
    assert server.requests == []


def test_what_was_done_by_clicks_is_saved_and_run_all_asks_nothing(talk, server):
    page, switcher = talk
    switcher.send("from the switcher")
    switcher.act("again", "retry")
    switcher.says("r1", "2: r1", "again", "2: again")
    switcher.create("Third")
    switcher.send("in the third")
    switcher.act("in the third", "forkHere")
    switcher.active("Third 2")
    switcher.choose("Left")
    switcher.chat_menu("Left", "Rename")
    switcher.name("Port")
    switcher.active("Port")  # the kernel has done it
    page.holds("in the third")
    page.save()
    asked = len(server.requests)
    page.restart_and_run_all()
    assert len(server.requests) == asked
    switcher = Switcher(page.page).ready()
    switcher.lists("Third", "Third 2", "Right", "Port")
    switcher.choose("Third")
    switcher.says("in the third", "3: in the third")
    page.save()
    assert sorted(prompts(page.file()["metadata"]["robota_nb"])) == [
        "again", "again", "from the switcher", "in the third", "l1", "r1",
    ]  # fmt: skip


@pytest.mark.long("tests/unit/switcher has what is said, and other tests here the clicks")
def test_sessions_are_created_renamed_paused_and_deleted(talk, server):
    _, switcher = talk
    switcher.menu(switcher.part("session-menu"), "New session")
    switcher.name("Elsewhere")
    switcher.lists()
    switcher.send("hello")
    switcher.lists("hello")
    switcher.menu(switcher.part("session-menu"), "Pause")
    switcher.part("session").get_by_text("Elsewhere · paused").wait_for(state="attached")
    switcher.send("refused", wait=False)
    switcher.note("is paused")
    assert switcher.part("draft").input_value() == "refused"
    switcher.menu(switcher.part("session-menu"), "Resume")
    switcher.part("session").select_option(label="Session 1")
    switcher.lists("Right", "Left")
    switcher.part("session").select_option(label="Elsewhere")
    switcher.lists("hello")
    switcher.menu(switcher.part("session-menu"), "Delete session")
    switcher.lists("Right", "Left")
    switcher.note("“Elsewhere” was deleted").locator("[data-part=offer]").click()
    switcher.lists("hello")
    assert len(server.requests) == 1


def test_pictures_and_files_that_were_sent_are_shown(opened_with):
    png = f"import base64\nwith open('dot.png', 'wb') as file:\n    _ = file.write(base64.b64decode('{DOT}'))"
    _, switcher = opened_with(f"{png}\ntext = 'a,b' * 4000", "%%robota --image 'dot.png' --file text\nwhat is this?")
    picture = switcher.turn("what is this?").locator(".robota-picture")
    picture.wait_for()
    switcher.page.wait_for_function("image => image.naturalWidth === 1", arg=picture.element_handle())
    files = switcher.turn("what is this?").locator(".robota-files")
    assert (files.inner_text(), files.get_attribute("aria-label")) == ("text (12 kB)", "Files of the prompt")


@IN_BOTH
@pytest.mark.parametrize("widgets", ["saved", "not saved"])
def test_a_saved_notebook_shows_what_was_said_without_its_kernel(opened, work, server, widgets):
    path = notebook(work, "%robota new Left", "%%robota\nhello")
    run(path)
    saved = content(path)
    assert saved["metadata"]["widgets"]
    if widgets == "not saved":
        del saved["metadata"]["widgets"]
        path.write_text(json.dumps(saved))
    switcher = Switcher(opened(path).page)
    switcher.row("Left").wait_for(state="attached")
    switcher.turn("hello").wait_for()


def test_the_model_of_a_chat_is_changed_for_what_is_asked_from_now_on(talk, server):
    _, switcher = talk
    server.model = "other-model"  # which it lists
    switcher.chat_menu("Right", "Model and settings…")
    switcher.part("settings").get_by_text("to choose from").wait_for()
    switcher.part("model").fill("other-model")
    switcher.part("model").press("Enter")
    switcher.row("Right").get_by_text("other-model · 2 turns").wait_for()
    switcher.send("and now?")
    assert server.requests[0]["model"] == "other-model"


def test_the_cell_that_asked_is_gone_to(talk):
    page, switcher = talk
    page.cell(0).click()
    switcher.act("r1", "goToCell")
    page.cell(4).and_(page.page.locator(".jp-mod-active")).wait_for()


def test_an_edit_that_is_refused_loses_nothing(talk, server):
    _, switcher = talk
    server.fail(500)
    server.fail(500)
    server.fail(500)
    switcher.edit("again", "better")
    switcher.note("500")
    assert switcher.part("edit-area").input_value() == "better"
    server.reset()
    switcher.part("edit-area").press("Enter")
    switcher.says("r1", "2: r1", "better", "1: better")


def test_an_answer_that_a_cell_waits_for_is_seen_and_stopped(talk, server):
    page, switcher = talk
    server.chunks, server.gate = ["so far", " and no further"], threading.Event()
    page.edit(ASK, "%%robota\nfrom the cell")
    page.start(ASK)
    switcher.root.locator(".robota-arriving").get_by_text("so far").wait_for()
    switcher.part("stop").click()
    switcher.rests()
    page.idle()
    server.gate.set()
    assert "and no further" not in page.output(ASK)
    page.holds("from the cell")


@IN_BOTH
def test_without_the_application_s_help_the_widget_does_the_same(opened_with, server, context):
    context.route("**/robota_nb/static/*/chats.js", lambda route: route.abort())
    page, switcher = opened_with(*LEFT_RIGHT)
    assert page.page.evaluate("() => globalThis[Symbol.for('robota_nb.services')] ?? null") is None
    switcher.choose("Left")
    server.reply = lambda _: "so it is: $x^2$"
    switcher.send("what is it?")
    switcher.root.locator(".robota-turn .robota-maths", has_text="$x^2$").wait_for()
    assert switcher.root.locator(".robota-turn [data-part=goToCell]").count() == 0
    switcher.chat_menu("Left", "Fork")
    switcher.name("Fork of it")
    switcher.lists("Left", "Fork of it", "Right")
