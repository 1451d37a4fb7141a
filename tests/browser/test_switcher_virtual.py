"""The switcher's virtual list, in a browser: what is rendered, and that nothing moves under the reader's eyes."""

import random
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.labextension import SOURCE

pytestmark = pytest.mark.slow("drives real applications in a browser")

HELPERS = """
window.errors = [];
addEventListener('error', event => errors.push(event.message));
window.frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
window.frames = async count => { while (count--) await frame(); };
// Frames pass until nothing has moved in three of them.
window.settled = async () => {
    let last, same = 0;
    while (same < 3) {
        await frame();
        const now = JSON.stringify([list.element.scrollTop, indexes(), indexes().map(heightOf)]);
        same = now === last ? same + 1 : 0;
        last = now;
    }
};
window.box = element => element.getBoundingClientRect();
window.view = () => box(list.element);
window.rows = () => [...list.element.querySelectorAll('.row')];
window.indexes = () => rows().map(row => Number(row.dataset.index));
window.heightOf = index => box(list.shown(index)).height;
window.topOf = index => box(list.shown(index)).top - view().top;
window.firstVisible = () => indexes().find(index => topOf(index) + heightOf(index) > 1);
window.end = () => list.element.scrollHeight - list.element.clientHeight;
window.grow = (index, height) => { heights.set(index, height); list.shown(index).style.height = `${height}px`; };
// Each pair of rows without a gap or an overlap, and no part of the view without a row.
window.faults = () => {
    const place = index => ({ index, top: topOf(index), bottom: topOf(index) + heightOf(index) });
    const found = [], shown = indexes().map(place);
    shown.forEach((row, i) => {
        const next = shown[i + 1];
        if (next && next.index <= row.index) found.push(`${next.index} stands after ${row.index}`);
        if (next?.index === row.index + 1 && Math.abs(next.top - row.bottom) > 0.5)
            found.push(`row ${row.index} ends at ${row.bottom}, the next begins at ${next.top}`);
    });
    const bottom = Math.min(view().height, box(list.element.firstElementChild).bottom - view().top);
    let covered = 0;
    for (const row of shown) if (row.top <= covered + 1) covered = Math.max(covered, row.bottom);
    if (list.count && covered < bottom - 1) found.push(`covered to ${covered} of ${bottom}`);
    return found;
};
window.make = async (options = {}) => {
    const { VirtualList } = await import('/switcher/virtual.js');
    const { count = 2000, width = 400, height = 600, style = '', ...others } = options;
    const { tall = index => 30 + index * 7919 % 400, ...rest } = others;
    Object.assign(window, { heights: new Map(), rendered: [], released: [], ranges: [] });
    window.list = new VirtualList({
        estimate: 60,
        render: index => {
            rendered.push(index);
            const row = document.createElement('div');
            Object.assign(row, { className: 'row', tabIndex: 0, textContent: `row ${index}` });
            row.dataset.index = index;
            row.style.overflow = 'hidden';
            const fixed = heights.get(index) ?? tall(index);
            if (fixed !== null) row.style.height = `${fixed}px`;
            return row;
        },
        release: (index, element) => released.push([index, element.textContent]),
        onRange: (first, last) => ranges.push([first, last]),
        ...rest
    });
    list.element.style.cssText += `; width: ${width}px; height: ${height}px; ${style}`;
    document.body.append(list.element);
    list.reset(count);
    await settled();
};
"""
"""What a page's tests are made of; `rows` are of fixed heights unless `tall` says null, which is the text's height."""


class Files(SimpleHTTPRequestHandler):
    """Serves the labextension's source, and an empty page."""

    extensions_map = {".js": "text/javascript", "": "application/octet-stream"}

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=str(SOURCE))

    def do_GET(self):
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href='data:,'><body style='margin: 20px'>")

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(context, url):
    """A page with the helpers; no test leaves errors in it, such as of loops of a ResizeObserver."""
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.evaluate(f"{HELPERS} null")
    yield page
    assert page.evaluate("errors") == errors == []


@pytest.fixture
def run(page):
    """Runs statements, and returns what they return; a list is made first if options are given."""

    def run(body, options=None, value=None):
        made = f"await make({options});" if options is not None else ""
        return page.evaluate(f"async value => {{ {made} {body} }}", value)

    return run


def wheel(page, by):
    """Turn the wheel over the list, and wait until it has an effect."""
    before = page.evaluate("list.element.scrollTop")
    box = page.locator(".robota-virtual").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.wheel(0, by)
    page.wait_for_function("before => list.element.scrollTop !== before", arg=before)
    page.evaluate("settled()")


# What is rendered


@pytest.mark.parametrize("tall", ["() => 56", "index => 30 + index * 7919 % 400", "() => 20.3"])
def test_only_rows_around_the_view_are_in_the_dom(run, tall):
    for place in ("0", "end() / 2", "end()"):
        count, above, below, faults = run(
            f"list.element.scrollTop = {place}; await settled();"
            "const [first, last] = [indexes()[0], indexes().at(-1)];"
            "const below = last < 1999 && topOf(last) + heightOf(last) - 600;"
            "return [rows().length, first && topOf(first), below, faults()]",
            f"{{ tall: {tall} }}" if place == "0" else None,
        )
        assert count <= 3 * 600 / 20 + 12
        assert above == 0 or -2600 < above <= -600  # a view's height or five rows, and the rest of a row
        assert below is False or 600 <= below < 2600
        assert not faults


def test_at_least_five_rows_are_rendered_on_each_side_of_rows_higher_than_the_view(run):
    run("list.reveal(1000, { align: 'start' })", "{ tall: () => 900 }")
    assert run("await settled(); return indexes()") == list(range(995, 1006))


def test_rows_are_in_the_order_of_their_indexes_inside_one_element(run):
    body = "list.reveal({}); await settled(); return [list.element.children.length, indexes()]"
    for index in (1500, 20, 1999, 700, 690, 715):
        children, indexes = run(body.format(index), "{}" if index == 1500 else None)
        assert children == 1
        assert indexes == list(range(indexes[0], indexes[-1] + 1))


def test_rows_that_stay_in_range_are_not_rendered_again(run):
    again, kept, gone = run(
        "const [before, focused] = [new Set(rows()), list.shown(3)]; focused.focus(); rendered.length = 0;"
        "for (let i = 0; i < 20; i++) { list.element.scrollTop += 20; await frame(); }"
        "await settled();"
        "return [rendered, list.shown(3) === focused && document.activeElement === focused,"
        "[...before].filter(row => !row.isConnected).length]",
        "{}",
    )
    assert again == sorted(set(again))
    assert kept
    assert not gone  # each was in the view or in the 600 px above it


def test_a_list_that_is_told_to_stay_does_not_follow_as_it_grows(run):
    before, after, end = run(
        "const before = list.element.scrollTop; list.stay(); grow(list.count - 1, 3000); await settled();"
        "return [before, list.element.scrollTop, end()]",
        "{ follow: true }",
    )
    assert before == after < end - 1000


def test_each_row_that_leaves_is_released_once(run):
    released, gone = run(
        "list.reveal(1000); list.reveal(0); await settled(); list.dispose(); return [released, rows().length]",
        "{}",
    )
    assert not gone
    assert sorted(index for index, _ in released) == run("return rendered.sort((a, b) => a - b)")
    assert all(text == f"row {index}" for index, text in released)


def test_the_owner_is_told_which_rows_are_rendered_after_its_own_call_has_ended(run):
    within, ranges, indexes = run(
        "ranges.length = 0; list.reveal(1000); const within = ranges.length; await settled();"
        "return [within, ranges, indexes()]",
        "{}",
    )
    assert within == 0
    assert ranges == [[indexes[0], indexes[-1]]]


def test_the_owner_may_change_the_list_when_it_is_told_of_the_rows(run):
    text, faults, count = run(
        "await settled(); return [list.shown(1000).style.height, faults(), list.count]",
        "{ onRange: (first, last) => { if (list.count < 2500) { list.splice(last, list.count + 100);"
        " heights.set(1000, 77); list.update(1000); list.reveal(1000); } } }",
    )
    assert (text, faults, count) == ("77px", [], 2500)


def test_an_empty_list_and_one_that_fits_in(run):
    assert run("return [rows().length, end(), list.count, list.atEnd]", "{ count: 0, tall: () => 100 }") == [
        0,
        0,
        0,
        True,
    ]
    run("list.toEnd(); list.reveal(3); list.update(0); list.keep(2); await settled()")
    assert run("list.reset(3); await settled(); return [indexes(), end(), faults()]") == [[0, 1, 2], 0, []]
    assert run("list.splice(0, 0); await settled(); return [rows().length, list.count]") == [0, 0]


def test_an_element_of_the_owners_is_used(run):
    assert run(
        "const own = document.createElement('section'); own.style.overflowY = 'scroll';"
        "await make({ element: own }); list.reveal(500); await settled();"
        "const { overflowAnchor, overflowY } = own.style;"
        "return [list.element === own, overflowAnchor, overflowY, indexes().includes(500), faults()]"
    ) == [True, "none", "scroll", True, []]


# Nothing jumps


@pytest.mark.parametrize("height", [5, 400, 3000.5])
@pytest.mark.parametrize("follow", ["true", "false"])
def test_the_visible_rows_stay_as_rows_above_change_their_height(run, height, follow):
    moves = run(
        "list.reveal(1000, { align: 'start' }); await settled();"
        "const [first, before] = [firstVisible(), topOf(firstVisible())], moves = [];"
        "for (const above of [3, 1, 2]) { grow(first - above, value); await frame();"
        " moves.push(topOf(first) - before); }"
        "await settled(); moves.push(topOf(first) - before, ...faults()); return moves",
        f"{{ follow: {follow} }}",
        height,
    )
    assert moves == pytest.approx([0] * 4, abs=1)


def test_small_changes_above_do_not_add_up(run):
    move = run(
        "list.reveal(1000, { align: 'start' }); await settled(); const before = topOf(1000);"
        "for (let i = 1; i <= 60; i++) { grow(999 - i % 3, 100 + i * 0.7); await frame(); }"
        "return topOf(1000) - before",
        "{}",
    )
    assert move == pytest.approx(0, abs=1)


def test_the_first_visible_row_grows_downwards(run):
    move, grown = run(
        "list.element.scrollTop = 20000; await settled(); const first = firstVisible();"
        "const [before, next] = [topOf(first), topOf(first + 1)]; grow(first, heightOf(first) + 250); await frame();"
        "return [topOf(first) - before, topOf(first + 1) - next]",
        "{}",
    )
    assert (move, grown) == pytest.approx((0, 250), abs=1)


def test_each_turn_of_the_wheel_up_through_unmeasured_rows_moves_the_content_as_far_as_it_turns(page, run):
    run("list.reveal(1500, { align: 'start' }); await settled()", "{}")
    for _ in range(12):
        index, before = run("const index = firstVisible(); return [index, topOf(index)]")
        wheel(page, -250)
        after, faults = run("return [topOf(value), faults()]", value=index)
        assert after - before == pytest.approx(250, abs=1)
        assert not faults


def test_in_no_frame_of_a_scroll_up_through_unmeasured_rows_does_the_content_move_more_than_it_is_scrolled(run):
    jumps, faults = run(
        "list.reveal(1500, { align: 'start' }); await settled(); const jumps = [], found = [];"
        "for (let i = 0; i < 150; i++) {"
        "    const index = firstVisible(), before = topOf(index);"
        "    list.element.scrollTop -= 90; await frame();"
        "    jumps.push(Math.abs(topOf(index) - before - 90)); found.push(...faults());"
        "} return [Math.max(...jumps), found]",
        "{}",
    )
    assert jumps <= 1
    assert not faults


def test_a_row_that_is_rendered_anew_above_does_not_move_the_visible_ones(run):
    body = (
        "list.reveal(1000, { align: 'start' }); await settled(); const before = topOf(1000), old = list.shown(998);"
        "heights.set(998, 777); list.update(998); const isNew = list.shown(998) !== old && !old.isConnected;"
        "await frame(); return [topOf(1000) - before, isNew, heightOf(998), released.at(-1), faults()]"
    )
    assert run(body, "{}") == [pytest.approx(0, abs=1), True, 777, [998, "row 998"], []]


def test_an_update_of_a_row_out_of_view_renders_nothing(run):
    assert run("rendered.length = 0; list.update(900); await settled(); return rendered", "{}") == []


# Follow


def test_a_list_that_follows_begins_at_its_end_and_another_at_its_top(run):
    place = "return [list.element.scrollTop, end(), list.atEnd]"
    at, end, is_at_end = run(place, "{ follow: true }")
    assert at == end > 0
    assert is_at_end
    at, end, is_at_end = run(place, "{ follow: false }")
    assert at == 0
    assert end > 0
    assert not is_at_end


def test_a_list_that_follows_stays_at_the_end_in_each_frame_as_rows_grow_and_are_added(run):
    rests = run(
        "const rests = [], look = async () => { await frame(); rests.push(end() - list.element.scrollTop,"
        " Math.abs(topOf(list.count - 1) + heightOf(list.count - 1) - 600)); };"
        "for (let i = 0; i < 30; i++) { grow(1999, 100 + i * 37.3); await look(); }"
        "for (let i = 0; i < 5; i++) { list.splice(list.count, list.count + 1); await look(); }"
        "grow(2004, 10); await look(); grow(2003, 900); await look(); list.splice(1990, 1991); await look();"
        "return rests",
        "{ follow: true }",
    )
    assert max(rests) <= 1, rests


def test_a_list_that_does_not_follow_stays_where_it_is_as_its_end_grows(run):
    move = run(
        "list.toEnd(); await settled(); const before = topOf(1999); grow(1999, 3000); await frame();"
        "list.splice(2000, 2010); await settled(); return [topOf(1999) - before, list.atEnd]",
        "{ tall: () => 50 }",
    )
    assert move == [pytest.approx(0, abs=1), False]


@pytest.mark.parametrize("up", [3, 10, 120, 3000])
def test_a_reader_who_turns_the_wheel_up_is_left_alone_and_followed_again_at_the_end(page, run, up):
    run("", "{ follow: true }")
    wheel(page, -up)
    moves = run(
        "const first = firstVisible(), before = topOf(first), moves = [];"
        "for (let i = 0; i < 10; i++) { if (list.shown(1999)) grow(1999, 500 + i * 50); await frame();"
        " moves.push(topOf(first) - before); }"
        "list.splice(2000, 2001); await frame(); moves.push(topOf(first) - before); return moves"
    )
    assert moves == pytest.approx([0] * 11, abs=1)
    wheel(page, 100_000)
    assert run("grow(2000, 1500); await frame(); return [end() - list.element.scrollTop, list.atEnd]") == [0, True]


def test_the_keys_scroll_away_from_the_end_while_it_grows_and_back(page, run):
    run("list.shown(1999).focus({ preventScroll: true })", "{ follow: true }")
    stream = "let height = 400; window.timer = setInterval(() => list.shown(1999) && grow(1999, height += 5), 10)"
    run(stream)
    page.keyboard.press("PageUp")
    page.wait_for_function("!list.atEnd")
    run("clearInterval(timer); await settled(); window.first = firstVisible(); window.before = topOf(first)")
    run("if (list.shown(1999)) grow(1999, 9000); await settled()")
    assert run("return topOf(first) - before") == pytest.approx(0, abs=1)
    page.keyboard.press("End")
    page.wait_for_function("list.atEnd")
    assert run("list.splice(2000, 2001); await settled(); return end() - list.element.scrollTop") == 0


@pytest.mark.parametrize(
    "event",
    [
        "new WheelEvent('wheel', { deltaY: -1 })",
        "new KeyboardEvent('keydown', { key: 'PageUp' })",
        "new KeyboardEvent('keydown', { key: 'Home' })",
    ],
)
def test_following_ends_before_a_scroll_up_has_moved_anything(run, event):
    assert run(
        f"const top = list.element.scrollTop; list.element.dispatchEvent({event});"
        "grow(1999, 900); await settled(); return list.element.scrollTop - top",
        "{ follow: true }",
    ) == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    "event",
    [
        "new WheelEvent('wheel', { deltaY: 1 })",
        "new KeyboardEvent('keydown', { key: 'PageDown' })",
        "new KeyboardEvent('keydown', { key: 'a' })",
    ],
)
def test_other_keys_and_the_wheel_down_do_not_end_it(run, event):
    assert run(
        f"list.element.dispatchEvent({event}); grow(1999, 900); await settled(); return list.atEnd",
        "{ follow: true }",
    )


def test_a_key_in_a_field_of_a_row_is_the_field_s(run):
    assert run(
        "const field = list.shown(1999).appendChild(document.createElement('textarea'));"
        "field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true }));"
        "grow(1999, 900); await settled(); return list.atEnd",
        "{ follow: true }",
    )


def test_a_drag_of_the_scrollbar_ends_following(run):
    # The browser here shows no scrollbar: what a drag does is to set scrollTop at once.
    assert run(
        "list.element.scrollTop /= 2; await settled(); const first = firstVisible(), before = topOf(first);"
        "list.splice(2000, 2050); await settled(); return [topOf(first) - before, list.atEnd]",
        "{ follow: true }",
    ) == [pytest.approx(0, abs=1), False]


def test_a_scroll_that_was_not_reported_yet_is_the_readers_all_the_same(run):
    rest = run(
        "list.element.scrollTop -= 500; list.splice(2000, 2001); await settled();return end() - list.element.scrollTop",
        "{ follow: true, tall: () => 40 }",
    )
    assert rest == 540


def test_near_the_end_is_the_end(run):
    assert run(
        "list.element.scrollTop -= 900; await settled(); const away = list.atEnd;"
        "list.element.scrollTop += 885; await settled(); const near = [list.atEnd, end() - list.element.scrollTop];"
        "grow(1999, 800); await frame(); return [away, ...near, end() - list.element.scrollTop]",
        "{ follow: true }",
    ) == [False, True, pytest.approx(15, abs=1), 0]


def test_to_end_follows_again(run):
    assert run(
        "list.reveal(100); await settled(); const away = list.atEnd; list.toEnd(); const at = list.atEnd;"
        "await settled(); grow(1999, 2000); await frame(); return [away, at, end() - list.element.scrollTop]",
        "{ follow: true }",
    ) == [False, True, 0]


def test_a_short_list_that_follows_keeps_to_the_end_once_it_is_longer_than_the_view(run):
    assert run(
        "for (let i = 2; i <= 30; i++) { list.splice(i - 1, i); await frame(); } return end() - list.element.scrollTop",
        "{ follow: true, count: 1, tall: () => 50 }",
    ) == 0  # fmt: skip


def test_the_wheel_reaches_the_end_of_a_list_that_has_become_longer_out_of_view(page, run):
    run("list.splice(100, 300); await settled()", "{ count: 100, tall: () => 60 }")
    wheel(page, 100_000)
    assert run("return end() - list.element.scrollTop") == 0


def test_a_list_that_has_become_so_short_that_all_is_in_view_follows_again(run):
    rest = run(
        "list.element.scrollTop = 300; await settled(); list.splice(1, 2); await settled();"
        "grow(1, 2000); await frame(); return end() - list.element.scrollTop",
        "{ follow: true, count: 100, tall: () => 50 }",
    )
    assert rest == 0


# Reveal


PLACES = {
    "start": "topOf(index)",
    "end": "topOf(index) + heightOf(index) - 600",
    "center": "topOf(index) + heightOf(index) / 2 - 300",
}


@pytest.mark.parametrize("align", PLACES)
def test_a_far_row_is_revealed_where_it_should_be_at_once_and_stays_there(run, align):
    for index in (1500, 300, 1700, 1690, 12):  # down, up, and near
        places = run(
            f"const index = value; list.reveal(index, {{ align: '{align}' }}); const at = {PLACES[align]};"
            f"await settled(); return [at, {PLACES[align]}, faults()]",
            "{}" if index == 1500 else None,
            index,
        )
        assert places == [pytest.approx(0, abs=1), pytest.approx(0, abs=1), []]


@pytest.mark.parametrize("align", PLACES)
def test_rows_much_lower_than_estimated_fill_the_view_at_once(run, align):
    faults, place = run(
        f"const index = 1000; list.reveal(index, {{ align: '{align}' }}); return [faults(), {PLACES[align]}]",
        "{ estimate: 500, tall: () => 18 }",
    )
    assert not faults
    assert place == pytest.approx(0, abs=1)


def test_the_nearest_place_moves_as_little_as_possible(run):
    def reveal(index, options=None):
        return run(
            "list.reveal(value); await settled(); return [topOf(value), topOf(value) + heightOf(value)]", options, index
        )

    assert reveal(1000, "{ tall: index => index === 1200 ? 900 : 50 }")[1] == pytest.approx(600, abs=1)  # down
    assert reveal(995)[0] == pytest.approx(600 - 6 * 50, abs=1)  # it was in view
    assert reveal(500)[0] == pytest.approx(0, abs=1)  # up
    assert reveal(1200)[0] == pytest.approx(0, abs=1)  # higher than the view: as much as fits in
    run("list.element.scrollTop += 100; await settled()")
    assert reveal(1200)[0] == pytest.approx(-100, abs=1)  # it covers the view


def test_the_first_and_the_last_row_are_revealed_as_far_as_the_list_goes(run):
    assert (
        run("list.reveal(1999, { align: 'start' }); await settled(); return end() - list.element.scrollTop", "{}") == 0
    )
    assert run("list.reveal(0, { align: 'end' }); await settled(); return list.element.scrollTop") == 0


def test_to_reveal_a_row_that_is_in_view_does_not_end_following(run):
    assert run(
        "list.reveal(1999); grow(1999, 900); await frame(); return end() - list.element.scrollTop",
        "{ follow: true }",
    ) == 0  # fmt: skip


# Splice


def test_rows_before_a_splice_keep_their_elements_and_heights(run):
    same, rendered, faults = run(
        "list.reveal(1000, { align: 'start' }); await settled();"
        "const before = topOf(1000), old = new Map(indexes().map(index => [index, list.shown(index)]));"
        "rendered.length = 0; heights.set(1002, 222); list.splice(1002, 1500);"
        "const same = [...old].map(([index, row]) => [index, list.shown(index) === row]);"
        "await settled(); return [[same, topOf(1000) - before, heightOf(1002), list.count], rendered, faults()]",
        "{}",
    )
    kept, move, height, count = same
    assert all(is_same == (index < 1002) for index, is_same in kept)
    assert (move, height, count) == (pytest.approx(0, abs=1), 222, 1500)
    assert rendered[0] == 1002
    assert not faults


def test_the_heights_of_rows_before_a_splice_are_known_and_those_of_the_others_are_forgotten(run):
    ends = run(
        "const ends = [end()]; list.reveal(1500); await settled(); ends.push(end());"
        "list.reveal(0); list.splice(1600, 2000); await settled(); ends.push(end());"
        "list.splice(1000, 2000); await settled(); return [...ends, end()]",
        "{}",
    )
    assert ends[1] != ends[0]
    assert ends[2:] == [ends[1], ends[0]]


def test_fewer_rows_than_the_place_of_the_reader_show_the_end_and_stay_there(run):
    assert run(
        "list.reveal(1500); await settled(); list.splice(0, 20); await settled();"
        "const rest = end() - list.element.scrollTop, first = firstVisible(), before = topOf(first);"
        "list.splice(20, 2000); await settled(); return [rest, topOf(first) - before, faults()]",
        "{}",
    ) == [0, pytest.approx(0, abs=1), []]


def test_a_reset_forgets_all_and_shows_the_top_or_the_end(run):
    for follow, place in (("false", 0), ("true", "end")):
        at, end, count, old = run(
            "list.reveal(700); list.keep(700); await settled(); const old = rows();"
            "list.reset(1000); await settled();"
            "return [list.element.scrollTop, end(), list.count, old.filter(row => row.isConnected).length]",
            f"{{ follow: {follow} }}",
        )
        assert at == (end if place == "end" else 0)
        assert (count, old) == (1000, 0)


# Hidden and resized


@pytest.mark.parametrize("hidden", ["display: none", "height: 0"])
@pytest.mark.parametrize("follow", ["true", "false"])
def test_a_list_that_is_hidden_at_first_is_rendered_when_it_is_shown(run, hidden, follow):
    shown = "list.element.style.display = ''; list.element.style.height = '600px'; await settled();"
    assert run("return rows().length", f"{{ follow: {follow}, style: '{hidden}' }}") == 0
    run("list.splice(1000, 1500); list.update(3); await settled()")
    at, end, faults, count = run(shown + "return [list.element.scrollTop, end(), faults(), rows().length]")
    assert at == (end if follow == "true" else 0)
    assert count > 5
    assert not faults


def test_a_row_to_reveal_is_revealed_when_the_list_is_shown(run):
    assert run(
        "list.reveal(800, { align: 'start' }); await settled();"
        "list.element.style.display = ''; await settled(); return topOf(800)",
        "{ style: 'display: none' }",
    ) == pytest.approx(0, abs=1)


@pytest.mark.parametrize("follow", ["true", "false"])
def test_a_list_that_is_hidden_and_shown_again_is_where_it_was(run, follow):
    place = "list.reveal(1000, { align: 'start' });" if follow == "false" else ""
    assert run(
        f"{place} await settled(); const first = firstVisible(), before = topOf(first), row = list.shown(first);"
        "list.element.style.display = 'none'; await frames(3); list.splice(2000, 2000); rendered.length = 0;"
        "list.element.style.display = ''; list.splice(2000, 2000); await settled();"
        "return [topOf(first) - before, list.shown(first) === row, faults(), rendered]",
        f"{{ follow: {follow} }}",
    ) == [pytest.approx(0, abs=1), True, [], []]


def test_a_list_that_was_moved_in_the_document_is_where_it_was_after_a_refresh(run):
    assert run(
        "list.reveal(1000, { align: 'start' }); await settled(); const other = document.createElement('div');"
        "document.body.append(other); other.append(list.element); list.refresh(); await settled(); return topOf(1000)",
        "{}",
    ) == pytest.approx(0, abs=1)


TEXTS = "render: index => { const row = document.createElement('div'); row.className = 'row';\
 row.dataset.index = index; row.textContent = 'some words '.repeat(3 + index * 37 % 90); return row; }"
"""Rows as high as their texts."""


@pytest.mark.parametrize("widths", [(320, 800, 320), (800, 320, 800)])
def test_a_change_of_width_measures_anew_and_leaves_the_first_visible_row_where_it_is(run, widths):
    run("list.reveal(1000, { align: 'start' }); await settled()", f"{{ width: {widths[0]}, {TEXTS} }}")
    for width in widths[1:]:
        moves, faults = run(
            "const before = heightOf(1000); list.element.style.width = `${value}px`; await frame();"
            "const at = topOf(1000); await settled(); return [[at, topOf(1000), heightOf(1000) === before], faults()]",
            value=width,
        )
        assert moves == [pytest.approx(0, abs=1), pytest.approx(0, abs=1), False]
        assert not faults


def test_a_change_of_width_leaves_a_list_that_follows_at_its_end(run):
    rests = run(
        "const rests = []; for (const width of [800, 320, 500]) {"
        " list.element.style.width = `${width}px`; await frame();"
        " rests.push(end() - list.element.scrollTop); await settled();"
        " rests.push(end() - list.element.scrollTop, ...faults()); } return rests",
        f"{{ width: 320, follow: true, {TEXTS} }}",
    )
    assert rests == [0] * 6


def test_a_change_of_height_fills_the_view_and_is_not_the_readers(run):
    assert run(
        "for (const height of [900, 200, 1200]) {"
        " list.element.style.height = `${height}px`; void end(); await settled(); }"
        "list.splice(2000, 2001); await settled(); return [end() - list.element.scrollTop, faults()]",
        "{ follow: true }",
    ) == [0, []]


# Keep


def test_a_kept_row_stays_with_its_focus_in_the_order_of_the_rows_until_it_is_let_go(run):
    inside, after, last = run(
        "const row = list.shown(4); row.focus(); list.keep(4); const inside = [];"
        "for (const far of [1500, 50, 8]) { list.reveal(far, { align: 'start' }); await settled();"
        " inside.push([list.shown(4) === row, document.activeElement === row, indexes().includes(far), faults()]); }"
        "list.reveal(1500); await settled(); const order = indexes(); list.keep(null); await settled();"
        "return [inside, order, [row.isConnected, list.shown(4) === undefined, indexes()]]",
        "{}",
    )
    assert inside == [[True, True, True, []]] * 3
    assert after[0] == 4
    assert after[1:] == last[2]
    assert last[:2] == [False, True]


def test_a_kept_row_below_the_view_stands_last_and_is_gone_when_its_row_is_new(run):
    assert run(
        "list.reveal(1800); list.keep(1800); list.reveal(0); await settled(); const kept = indexes().at(-1);"
        "list.splice(1000, 2000); await settled(); return [kept, indexes().at(-1) < 1000]",
        "{}",
    ) == [1800, True]


# Anything


@pytest.mark.parametrize("seed", range(6))
def test_after_any_operations_the_rows_tile_the_view(run, seed):
    chance = random.Random(seed)

    def step():
        return chance.choice(
            [
                lambda: f"list.splice(Math.min({chance.randrange(400)}, list.count), {chance.randrange(400)});",
                lambda: f"list.splice(list.count, list.count + {chance.randrange(1, 20)});",
                lambda: f"heights.set({chance.randrange(400)}, {chance.choice([0, 1, 20.4, 333.3, 2500])});",
                lambda: f"list.update(indexes()[{chance.randrange(30)}] ?? 7);",
                lambda: (
                    f"if (rows().length) grow(indexes()[{chance.randrange(30)} % rows().length],"
                    f" {chance.choice([0, 3.5, 40, 41, 700.25])});"
                ),
                lambda: f"list.element.scrollTop {chance.choice(['=', '+=', '-='])} {chance.randrange(5000)};",
                lambda: (
                    f"list.reveal({chance.randrange(400)}, {{ align:"
                    f" '{chance.choice(['nearest', 'start', 'end', 'center'])}' }});"
                ),
                lambda: "list.toEnd();",
                lambda: f"list.keep({chance.choice(['null', chance.randrange(400)])});",
                lambda: f"list.element.style.height = '{chance.choice([0, 90, 300.5, 800])}px';",
                lambda: f"list.element.style.display = '{chance.choice(['none', ''])}';",
                lambda: f"list.reset({chance.randrange(3, 500)});",
                lambda: "await frame();",
            ]
        )()

    run("", f"{{ count: 300, follow: {'true' if seed % 2 else 'false'} }}")
    for _ in range(25):
        steps = [step() for _ in range(chance.randrange(1, 7))]
        found = run(
            " ".join(steps)
            + "await settled(); if (!list.element.clientHeight) return [];"
            + "const found = faults(), at = list.atEnd, before = end() - list.element.scrollTop;"
            + "if (at !== before <= 25) found.push(`${before} from the end, but atEnd ${at}`);"
            + "if (rows().length > 150) found.push(`${rows().length} rows`); return found"
        )
        assert not found, steps
