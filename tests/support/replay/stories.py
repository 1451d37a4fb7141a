"""What a notebook user would find right, by the principle that what you read on the page is what the model sees.

Each story is told to a kernel: that of the rules, or the core. `sent` holds every request since the last `expect`, as
"prompt/turn … prompt". A comment says why where the answer is another one than in version 0.1.
"""

from dataclasses import replace

from support.replay.rules import Ask, AskError, Document

STORIES = []


def story(f):
    STORIES.append(f)
    return f


class S:
    """A user at a notebook: cells `nb(*sources)`, a first live pass unless go=False, then what the story does."""

    def __init__(self, kernel):
        self.kernel, self.kw, self.bad, self.heard = kernel, {}, [], 0

    def nb(self, *sources, go=True, **kw):
        self.doc, self.kw = Document(*sources), kw
        self.k = self.kernel(self.doc, **kw)
        if go:
            self.all()
        return self

    def all(self):
        return self.run(*range(len(self.doc.cells)))

    def run(self, *at):
        try:
            for i in at:
                self.k.run(self.doc.cells[i])
            return True
        except AskError as e:
            self.doc.cells[i].out.append(f"!{e}")
            return False

    def fresh(self, **kw):
        self.k = self.kernel(self.doc, self.k.save(), **{**self.kw, **kw})
        self.heard = 0
        return self

    def shows(self):
        return " ".join(o for c in self.doc.cells for o in c.out)

    def log(self):
        st = self.k.fold()
        return {c: " ".join(st.context(c)) for c in self.k.chats}

    def marks(self):
        return " ".join(self.k.mark(c) for c in self.k.page())

    def expect(self, what, live=None, out=None, sent=None, marks=None, **log):
        got, self.heard = [x for _, _, x in self.k.sent[self.heard :]], len(self.k.sent)
        for name, is_, should in [
            ("live", self.k.live, live),
            ("shows", self.shows(), out),
            ("sent", got, sent),
            ("marks", marks and self.marks(), marks),
            *((f"log of {c}", self.log().get(c), p) for c, p in log.items()),
        ]:
            if should is not None and is_ != should:
                self.bad.append(f"{what}: {name} {is_!r}, expected {should!r}")
        return self

    def rerun(self, what="Restart and Run All, strict, twice", times=2, **kw):
        """The headline claim: whatever was just run from top to bottom replays, with the same outputs, strictly."""
        out, log = self.shows(), self.log()
        before = self.fresh(mode="strict", **kw).k.saved
        for _ in range(
            times if self.k.ids or self.k.listing else 1
        ):  # with neither ids nor a list, the same line again is a new one
            self.all()
            self.expect(what, 0, out, **log)
        if self.k.save() is not before:
            self.bad.append(f"{what}: a kernel that only replays writes")
        return self.fresh()


ABC = "ask a", "ask b", "ask c"
TWO = "open A", "ask a", "open B", "ask b", "switch A", "ask c", "switch B", "ask d"

# -- part 1: the 61 stories of scenarios.py


@story
def unchanged(s):
    s.nb(*ABC).expect("first pass", 3, "1:a 2:ab 3:abc", ["a", "a/1 b", "a/1 b/2 c"], "asked asked asked", main="1 2 3")
    s.rerun()


@story
def unchanged_twice_in_one_kernel(s):  # CHANGED: 3 requests -> 0. make does not rebuild what did not change
    s.nb(*ABC).fresh().all()
    s.all()
    s.expect("second Run All", 0, "1:a 2:ab 3:abc", main="1 2 3")
    s.rerun()


@story
def edit_middle(s):
    s.nb(*ABC).doc.edit(1, "ask B")
    s.fresh().expect("before", marks="recorded edited recorded").all()
    s.expect("Run All", 2, "1:a 4:aB 5:aBc", ["a/1 B", "a/1 B/4 c"], main="1 4 5")
    s.rerun()


@story
def edit_last(s):
    s.nb(*ABC).doc.edit(2, "ask C")
    s.fresh().all()
    s.expect("Run All", 1, "1:a 2:ab 4:abC", main="1 2 4")
    s.rerun()


@story
def edit_and_back_same_kernel(
    s,
):  # CHANGED: editing back finds the old answers in the same kernel, too: 7 requests -> 5
    s.nb(*ABC).doc.edit(1, "ask B")
    s.run(1, 2)
    s.doc.edit(1, "ask b")
    s.run(1, 2)
    s.expect("edit back", 5, "1:a 2:ab 3:abc", main="1 2 3")
    s.rerun()


@story
def edit_and_back_fresh_kernel(s):
    s.nb(*ABC).doc.edit(1, "ask B")
    s.fresh().all()
    s.doc.edit(1, "ask b")
    s.fresh().all()
    s.expect("edit back", 0, "1:a 2:ab 3:abc")
    s.doc.insert(3, "ask d")
    s.run(3)
    s.expect("then a new cell at the end", 1, "1:a 2:ab 3:abc 6:abcd", main="1 2 3 6")
    s.rerun()


@story
def edit_and_back_only_that_cell_ran(s):
    s.nb(*ABC).doc.edit(1, "ask B")
    s.fresh().run(0, 1)
    s.doc.edit(1, "ask b")
    s.fresh().all()
    s.expect("edit back", 0, "1:a 2:ab 3:abc")


@story
def insert_top(s):
    s.nb(*ABC).doc.insert(0, "ask n")
    s.fresh().all()
    s.expect("Run All", 4, "4:n 5:na 6:nab 7:nabc", main="4 5 6 7")
    s.rerun()


@story
def insert_end(s):
    s.nb(*ABC).doc.insert(3, "ask n")
    s.fresh().all()
    s.expect("Run All", 1, "1:a 2:ab 3:abc 4:abcn", main="1 2 3 4")
    s.rerun()


@story
def new_cell_at_end_run_alone(s):
    s.nb(*ABC).doc.insert(3, "ask n")
    s.fresh().run(3)
    s.expect("alone", 1, "1:a 2:ab 3:abc 4:abcn", ["a/1 b/2 c/3 n"], "recorded recorded recorded asked", main="1 2 3 4")
    s.rerun()


@story
def insert_middle_run_alone_listing_only_pushed_at_start(
    s,
):  # CHANGED log: b and c still stand on the page, so they are in memory
    s.nb(*ABC, listing="start").fresh()
    s.doc.insert(1, "ask n")
    s.run(1)
    s.expect("alone", 1, "1:a 4:an 2:ab 3:abc", ["a/1 n"], "recorded asked stale<1 stale<1", main="1 4 2 3")


@story
def insert_middle_same_kernel_after_all(s):  # CHANGED: asked under what stands above it (a), not at the end of the chat
    s.nb(*ABC).doc.insert(1, "ask n")
    s.run(1)
    s.expect("alone", 4, "1:a 4:an 2:ab 3:abc", marks="asked asked stale<1 stale<1", main="1 4 2 3")
    s.all()
    s.expect("Run All", 6, "1:a 4:an 5:anb 6:anbc", main="1 4 5 6")
    s.rerun()


@story
def move_down(s):  # CHANGED: 0 -> 2. c stands above b now, and had seen b; b had not seen c
    s.nb(*ABC).doc.move(1, 2)
    s.fresh().expect("before", marks="recorded stale<gone stale<1").all()
    s.expect("Run All", 2, "1:a 4:ac 5:acb", ["a/1 c", "a/1 c/4 b"], main="1 4 5")
    s.rerun()


@story
def move_then_new_cell_at_end(s):  # CHANGED: 1 -> 3, as above
    s.nb(*ABC).doc.move(1, 2)
    s.doc.insert(3, "ask n")
    s.fresh().all()
    s.expect("Run All", 3, "1:a 4:ac 5:acb 6:acbn", main="1 4 5 6")
    s.rerun()


@story
def copy_paste_right_above_the_original(s):
    s.nb(*ABC).doc.insert(1, "ask b")
    s.fresh().all()
    s.expect("Run All", 2, "1:a 2:ab 4:abb 5:abbc", main="1 2 4 5")
    s.rerun()


@story
def split_a_cell(s):
    s.nb("ask a\nask b", "ask c").doc.edit(0, "ask a")
    s.doc.insert(1, "ask b")
    s.fresh().all()
    s.expect("Run All", 0, "1:a 2:ab 3:abc", main="1 2 3")
    s.rerun()


@story
def copy_paste_above_the_original(s):
    s.nb(*ABC).doc.insert(0, "ask b")
    s.fresh().all()
    s.expect("Run All", 4, "4:b 5:ba 6:bab 7:babc", main="4 5 6 7")
    s.rerun()


@story
def copy_then_edit_the_original(s):
    s.nb(*ABC).doc.insert(3, "ask b")
    s.run(3)
    s.doc.edit(1, "ask B")
    s.fresh().all()
    s.expect("Run All", 3, "1:a 5:aB 6:aBc 7:aBcb", main="1 5 6 7")
    s.rerun()


@story
def delete_middle(s):  # CHANGED: 0 -> 1. The deleted cell is off the page, so c is asked without it
    s.nb(*ABC).doc.delete(1)
    s.fresh().expect("before", marks="recorded stale<gone").all()
    s.expect("Run All", 1, "1:a 4:ac", ["a/1 c"], main="1 4")
    s.rerun()


@story
def delete_and_write_another(s):
    s.nb(*ABC).doc.delete(1)
    s.doc.insert(1, "ask n")
    s.fresh().all()
    s.expect("the deleted prompt is not in the context", 2, "1:a 4:an 5:anc", main="1 4 5")
    s.rerun()


@story
def run_a_cell_twice(
    s,
):  # CHANGED: 3 -> 2, 1 -> 0. Shift+Enter on an unchanged cell shows its answer; --fresh asks anew
    s.nb("ask a", "ask b")
    s.run(1)
    s.expect("twice", 2, "1:a 2:ab", main="1 2")
    s.rerun()
    s.k.run(s.doc.cells[0])
    s.doc.edit(1, "ask --fresh b")
    s.run(1)
    s.expect("--fresh: another answer", 1, "1:a 3:ab", main="1 3")


@story
def run_out_of_order(s):  # CHANGED: b is asked under what stands above it; c is stale, Run All asks it again
    s.nb(*ABC, go=False).run(0, 2, 1)
    s.expect("first pass", 3, "1:a 3:ab 2:ac", ["a", "a/1 c", "a/1 b"], "asked asked stale<1", main="1 3 2")
    s.fresh().all()
    s.expect("in order", 1, "1:a 3:ab 4:abc", main="1 3 4")
    s.rerun()


@story
def two_chats(s):
    s.nb(*TWO).expect("first pass", 4, "1:a 2:b 3:ac 4:bd", A="1 3", B="2 4")
    s.rerun()


@story
def two_chats_edit_one(s):
    s.nb(*TWO).doc.edit(1, "ask x")
    s.fresh().all()
    s.expect("only chat A is asked again", 2, "5:x 2:b 6:xc 4:bd", A="5 6", B="2 4")
    s.rerun()


@story
def two_chats_rerun_edited_upper_cell_same_kernel(s):
    s.nb("open A", "ask a", "open B", "ask b").doc.edit(1, "ask x")
    s.run(1)
    s.expect("stays in its chat", 3, "3:x 2:b", A="3", B="2")


@story
def two_chats_run_unchanged_cell_alone(s):
    s.nb(*TWO).fresh().run(1)
    s.expect("alone", 0, "1:a 2:b 3:ac 4:bd", A="1 3", B="2 4")


@story
def two_chats_setting_in_the_first_cell(s):
    s.nb("set model=m", "ask a", "open B", "ask b").expect("first pass", 2, "1:a@m 2:b@m", main="1", B="2")
    s.rerun()


@story
def click_at_the_end_then_new_cell_next_day(s):
    s.nb("open A", "ask a").k.click_chat("C")
    s.doc.insert(2, "ask n")
    s.fresh().run(2)
    s.expect("the switcher shows C", 1, "1:a 2:n", A="1", C="2")


@story
def option_chat(s):
    s.nb("open B", "open A", "ask a", "ask --chat B b", "ask c").expect("first pass", 3, "1:a 2:b 3:ac", A="1 3", B="2")
    s.rerun()
    s.doc.insert(4, "ask n")
    s.fresh().all()
    s.expect("--chat leaves the pointer alone, also in a replay", 2, "1:a 2:b 4:an 5:anc", A="1 4 5", B="2")


@story
def click_chat_between_cells(s):
    s.nb("open A", "ask a", "ask b", go=False).run(0, 1)
    s.k.click_chat("B")
    s.run(2)
    s.expect("first pass", 2, "1:a 2:b", A="1", B="2")
    s.rerun()


@story
def click_chat_then_explicit_chat(s):
    s.nb("open A", "ask a", "ask --chat A b", go=False).run(0, 1)
    s.k.click_chat("B")
    s.run(2)
    s.expect("--chat wins over a click", 2, "1:a 2:ab", A="1 2")
    s.k.click_chat("B")
    s.run(0)
    s.doc.insert(3, "ask c")
    s.run(3)
    s.expect("a later %robota switch wins over a click", 3, "1:a 2:ab 3:abc", A="1 2 3")


@story
def click_then_open_cell_then_run_all(s):
    s.nb("open A", "ask a").fresh()
    s.k.click_chat("B")
    s.all()
    s.expect("the notebook names its chat", 0, "1:a", A="1", B="")


@story
def model_by_cell(s):
    s.nb("ask a", "set model=m", "ask b").expect("first pass", 2, "1:a 2:ab@m", main="1 2")
    s.rerun()


@story
def model_cell_edited(s):
    s.nb("ask a", "set model=m", "ask b", "ask c").doc.edit(1, "set model=n")
    s.fresh().all()
    s.expect("Run All", 2, "1:a 4:ab@n 5:abc@n", main="1 4 5")
    s.rerun()


@story
def model_cell_edited_and_back(s):
    s.nb("ask a", "set model=m", "ask b", "ask c").doc.edit(1, "set model=n")
    s.fresh().all()
    s.doc.edit(1, "set model=m")
    s.fresh().all()
    s.expect("Run All", 0, "1:a 2:ab@m 3:abc@m")
    s.rerun()


@story
def model_by_widget(s):
    s.nb(*ABC, go=False).run(0)
    s.k.click_set("model", "m")
    s.run(1, 2)
    s.expect("first pass", 3, "1:a 2:ab@m 3:abc@m", main="1 2 3")
    s.rerun()


@story
def model_by_widget_then_rerun(s):  # CHANGED log: c still stands on the page; it is stale
    s.nb(*ABC).fresh()
    s.k.click_set("model", "m")
    s.run(1)
    s.expect("asked with the clicked model", 1, "1:a 4:ab@m 3:abc", ["a/1 b"], "recorded asked stale<1", main="1 4 3")
    s.all()
    s.expect("what was clicked counts from there on down", 2, "1:a 4:ab@m 5:abc@m", main="1 4 5")
    s.rerun()


@story
def model_by_widget_other_chat_asked_between(s):
    s.nb("open B", "ask --chat B b", "open A", "ask a").fresh()
    s.k.click_set("model", "m")
    s.run(1, 3)
    s.expect("the click was about A", 1, "1:b 3:a@m", A="3", B="1")


@story
def model_by_cell_then_widget(s):
    s.nb("set model=m", "ask a", "ask b", go=False).run(0, 1)
    s.k.click_set("model", "w")
    s.run(2)
    s.rerun()
    s.k.run(s.doc.cells[0])
    s.doc.insert(3, "ask c")
    s.run(3)
    s.expect("goes on with what was clicked last", 1, "1:a@m 2:ab@w 3:abc@w", main="1 2 3")


@story
def loop_element_inserted_and_appended(s):
    s.nb("loop b c", "ask e").doc.edit(0, "loop x b c")
    s.fresh().all()
    s.expect("inserted first", 4, "4:x 5:xb 6:xbc 7:xbce", main="4 5 6 7")
    s.doc.edit(0, "loop x b c y")
    s.fresh().all()
    s.expect("appended", 2, "4:x 5:xb 6:xbc 8:xbcy 9:xbcye", main="4 5 6 8 9")
    s.rerun()


@story
def loop_element_removed(s):
    s.nb("loop b c d", "ask e").doc.edit(0, "loop b d")
    s.fresh().all()
    s.expect("Run All", 2, "1:b 5:bd 6:bde", main="1 5 6")
    s.rerun()


@story
def loop_over_a_variable(s):
    s.nb("var xs a b c", "asks xs").doc.edit(0, "var xs a y c")
    s.fresh().all()
    s.expect("Run All", 2, "1:a 4:ay 5:ayc", main="1 4 5")
    s.rerun()


@story
def a_chat_for_each_element(s):
    s.nb("open A\nask a\nopen B\nask b").doc.edit(0, "open Z\nask z\nopen A\nask a\nopen B\nask b")
    s.fresh().all()
    s.expect("one new chat, one request", 1, "3:z 1:a 2:b", A="1", B="2", Z="3")
    s.rerun()


@story
def identical_prompts_first_deleted(
    s,
):  # CHANGED: 0 -> 1. The remaining g is the first one now, and finds the answer of a first g; h has seen two
    s.nb("ask a", "ask g", "ask g", "ask h").doc.delete(1)
    s.fresh().all()
    s.expect("as the page stands", 1, "1:a 2:ag 5:agh", main="1 2 5")
    s.rerun()


@story
def identical_prompts_out_of_order(s):
    s.nb("ask a", "ask g", "ask g").fresh().run(0, 2, 1)
    s.expect("each its own", 0, "1:a 2:ag 3:agg", main="1 2 3")


@story
def undo_cell(s):
    s.nb("ask a", "ask b", "undo", "ask c").expect(
        "first pass", 3, "1:a 2:ab 3:ac", marks="asked out - asked", main="1 3"
    )
    s.rerun()
    s.doc.edit(1, "ask B")
    s.fresh().all()
    s.expect("edit the undone", 1, "1:a 4:aB 3:ac", main="1 3")


@story
def undo_as_retry(s):
    s.nb("ask a", "ask b", "undo", "ask b").expect("first pass", 3, "1:a 2:ab 3:ab", main="1 3")
    s.rerun()


@story
def undo_inserted(s):
    s.nb(*ABC).doc.insert(2, "undo")
    s.fresh().all()
    s.expect("c is asked without b", 1, "1:a 2:ab 4:ac", main="1 4")
    s.rerun()


@story
def undo_alone_after_resume(s):
    s.nb(*ABC).doc.insert(3, "undo")
    s.fresh().run(3)
    s.expect("undoes the last turn", 0, marks="recorded recorded out -", main="1 2")
    s.fresh().run(3)
    s.expect("and no more when it runs again", 0, main="1 2")


@story
def failing_cell_then_rerun(s):
    s.nb(*ABC, go=False).run(0)
    s.k.fail = "error"
    s.run(1)
    s.expect("failed", 2, "1:a !provider", marks="asked failed new", main="1")
    s.run(1, 2)
    s.expect("rerun", 4, "1:a 2:ab 3:abc", main="1 2 3")
    s.rerun()


@story
def failing_edited_cell(
    s,
):  # CHANGED log: the page shows an error there, so no answer of that cell is in memory; c still stands
    s.nb(*ABC).doc.edit(1, "ask B")
    s.fresh().k.fail = "error"
    s.all()
    s.expect("an error is no answer", 1, "1:a !provider 3:abc", marks="replayed failed stale<gone", main="1 3")
    s.fresh().all()
    s.expect("next day", 2, "1:a 4:aB 5:aBc", main="1 4 5")


@story
def interrupted_then_continued(s):
    s.nb(*ABC, go=False).run(0)
    s.k.fail = "interrupted"
    s.run(1)
    s.run(2)
    s.expect("continued", 3, "1:a 2:ab~ 3:abc", main="1 2 3")
    s.rerun()


@story
def interrupted_last_then_fresh(s):
    s.nb(*ABC, go=False).run(0)
    s.k.fail = "interrupted"
    s.run(1)
    s.fresh().run(0, 1)
    s.expect("asked again", 1, "1:a 3:ab", main="1 3")


@story
def widget_turn_at_the_end_then_insert(s):  # CHANGED log: nothing below leaves the memory
    s.nb(*ABC).k.panel_send("w")
    s.doc.insert(1, "ask n")
    s.fresh().run(1)
    s.expect("alone", 1, "1:a 5:an 2:ab 3:abc", ["a/1 n"], main="1 5 2 3 4")


@story
def nbstripout_plain_cell_inserted(s):
    s.nb("ask a", "ask g", "ask g", go=False).doc.renumber()
    s.all()
    s.doc.insert(0, "var y 1")
    s.doc.renumber()
    s.doc.strip()
    s.fresh().all()
    s.expect("Run All", 0, "1:a 2:ag 3:agg", main="1 2 3")


@story
def nbstripout_ask_inserted(s):
    s.nb(*ABC, go=False).doc.renumber()
    s.all()
    s.doc.insert(1, "ask n")
    s.doc.renumber()
    s.doc.strip()
    s.fresh().all()
    s.expect("Run All", 3, "1:a 4:an 5:anb 6:anbc", main="1 4 5 6")
    s.rerun()


@story
def no_ids_listing(s):
    s.nb("ask a", "ask g", "ask g", ids=False)
    s.rerun()
    s.doc.edit(1, "ask G")
    s.fresh().all()
    s.expect("edit middle", 2, "1:a 4:aG 5:aGg", main="1 4 5")
    s.rerun()


@story
def no_ids_no_listing(s):
    s.nb("ask a", "ask g", "ask g", ids=False, listing=None)
    s.rerun()
    s.doc.insert(3, "ask n")
    s.fresh().run(3)
    s.expect("new cell at the end, alone", 1, "1:a 2:ag 3:agg 4:aggn", main="1 2 3 4")


@story
def no_ids_no_listing_edit_middle(s):
    s.nb(*ABC, ids=False, listing=None).doc.edit(1, "ask B")
    s.fresh().all()
    s.expect("Run All", 2, "1:a 4:aB 5:aBc")
    s.rerun()


@story
def rerun_append(s):
    s.nb("ask a", rerun="append").doc.edit(0, "ask b")
    s.run(0)
    s.run(0)
    s.expect("one cell as an input line", 3, "3:abb", main="1 2 3")
    s.fresh().run(0)
    s.expect("unchanged, fresh", 0, "3:abb", main="1 2 3")
    s.doc.edit(0, "ask c")
    s.fresh().run(0)
    s.expect("edited, fresh", 1, "4:abbc", main="1 2 3 4")


@story
def append_then_edit_by_default(s):  # CHANGED: with rerun="replay" a cell has one answer, the one its output shows
    s.nb("ask a", rerun="append")
    for x in "bc":
        s.doc.edit(0, f"ask {x}")
        s.run(0)
    s.doc.edit(0, "ask d")
    s.fresh(rerun="replay").run(0)
    s.expect("the page shows d alone", 1, "4:d", main="4")


# -- part 2: new stories


@story
def fault_1_first_cell_again_then_ask_at_the_end(s):
    s.nb(*ABC).run(0)
    s.doc.insert(3, "ask n")
    s.run(3)
    s.expect(
        "all that stands above is sent",
        4,
        "1:a 2:ab 3:abc 4:abcn",
        ["a", "a/1 b", "a/1 b/2 c", "a/1 b/2 c/3 n"],
        main="1 2 3 4",
    )
    s.all()
    s.expect("Run All in the same kernel", 4)
    s.rerun()


@story
def fault_2_out_of_order(s):
    s.nb("ask a", "ask b").doc.edit(0, "ask A")
    s.run(0)
    s.doc.insert(2, "ask c")
    s.run(2)
    s.expect(
        "c has seen b, which had seen the old a",
        4,
        "3:A 2:ab 4:Abc",
        ["a", "a/1 b", "A", "A/3 b/2 c"],
        "asked stale<0 asked",
        main="3 2 4",
    )
    s.run(1)
    s.expect("b again", 5, "3:A 5:Ab 4:Abc", ["A/3 b"], "asked asked stale<1", main="3 5 4")
    s.fresh().all()
    s.expect(
        "Restart and Run All asks c, and the log has the page's order", 1, "3:A 5:Ab 6:Abc", ["A/3 b/5 c"], main="3 5 6"
    )
    s.rerun()


@story
def fault_3_edit_a_middle_cell_and_run_it_alone(s):
    s.nb(*ABC).doc.edit(1, "ask B")
    s.expect("before", marks="asked edited asked").run(1)
    s.expect("c is stale, and still in memory", 4, marks="asked asked stale<1", main="1 4 3")
    s.doc.insert(3, "ask n")
    s.run(3)
    s.expect("what stands above is sent", 5, sent=["a/1 B/4 c/3 n"])
    s.all()
    s.expect(
        "only the stale ones, and what followed them",
        7,
        "1:a 4:aB 6:aBc 7:aBcn",
        ["a/1 B/4 c", "a/1 B/4 c/6 n"],
        main="1 4 6 7",
    )
    s.rerun()


@story
def accept_what_is_stale(s):
    s.nb(*ABC).doc.edit(0, "ask A")
    s.run(0)
    s.expect("stale", marks="asked stale<0 stale<0")
    s.k.accept()
    s.expect("accepted", 4, "4:A 2:ab 3:abc", marks="asked asked asked", main="4 2 3")
    s.rerun()
    s.doc.insert(3, "ask n")
    s.run(3)
    s.expect("goes on", 1, sent=["A/4 b/2 c/3 n"])
    s.rerun()


@story
def accept_then_edit_again(s):
    s.nb(*ABC).doc.edit(0, "ask A")
    s.run(0)
    s.k.accept()
    s.doc.edit(0, "ask x")
    s.fresh().all()
    s.expect("accepted under A, not under x", 3, "5:x 6:xb 7:xbc")
    s.doc.edit(0, "ask A")
    s.fresh().all()
    s.expect("back under A", 0, "4:A 2:ab 3:abc")


@story
def accept_a_setting(s):
    s.nb("set model=m", "ask a", "ask b").doc.edit(0, "set model=n")
    s.run(0)
    s.expect("stale", 2, marks="- stale<model stale<model")
    s.k.accept()
    s.expect("accepted", marks="- asked asked")
    s.rerun()


@story
def rerun_ask(s):
    s.nb("ask a", "ask b", rerun="ask").run(0)
    s.expect("asked again, at its place; b stands", 3, "3:a 2:ab", ["a", "a/1 b", "a"], "asked stale<0", main="3 2")
    s.fresh().run(0)
    s.expect("in a fresh kernel it replays", 0, "3:a 2:ab")


@story
def once_is_not_in_memory(s):
    s.nb("ask a", "ask --once n", "ask b").expect(
        "first pass", 3, "1:a once:an 2:ab", ["a", "a/1 n", "a/1 b"], "asked new asked", main="1 2"
    )


@story
def fresh_asks_every_time(s):
    s.nb("ask a", "ask --fresh b", "ask c").fresh().all()
    s.expect("and what follows it", 2, "1:a 4:ab 5:abc", ["a/1 b", "a/1 b/4 c"])


@story
def the_same_answer_again_makes_nothing_stale(s):
    s.nb("ask a", "ask b").doc.edit(0, "ask --fresh a")
    s.run(0)
    s.expect("another answer", marks="asked stale<0")
    s.k.turns["3"] = __import__("dataclasses").replace(s.k.turns["3"], reply="1:a")
    s.expect("it reads the same: early cut-off", marks="asked asked")
    s.fresh().run(1)
    s.expect("replays", 0)


@story
def retry_in_a_cell(s):
    s.nb("ask a", "retry", "ask b").expect(
        "first pass", 3, "1:a 2:a 3:ab", ["a", "a", "a/2 b"], "out asked asked", main="2 3"
    )
    s.rerun()


@story
def undo_above_counts_in_a_fresh_kernel_too(s):
    s.nb("ask a", "ask b", "undo", "ask c").doc.edit(3, "ask x")
    s.fresh().run(3)
    s.expect("nothing above has run here", 1, sent=["a/1 x"], marks="recorded out - asked", main="1 4")


@story
def undo_cell_deleted(s):
    s.nb("ask a", "ask b", "undo", "ask c").doc.delete(2)
    s.fresh().expect("before", marks="recorded recorded stale<1").all()
    s.expect("b is in memory again", 1, "1:a 2:ab 4:abc", ["a/1 b/2 c"], main="1 2 4")
    s.rerun()


@story
def clear_in_the_middle(s):
    s.nb("ask a", "clear", "ask b").expect("first pass", 2, "1:a 2:b", ["a", "b"], "out - asked", main="2")
    s.rerun()
    s.doc.edit(2, "ask x")
    s.fresh().run(2)
    s.expect("alone in a fresh kernel", 1, sent=["x"])


@story
def back_to_a_turn(s):
    s.nb(*ABC, "back 1", "ask d").expect(
        "first pass", 4, "1:a 2:ab 3:abc 4:ad", marks="asked out out - asked", main="1 4"
    )
    s.rerun()


@story
def fork_then_edit_the_fork_alone(s):
    s.nb("open A", "ask a", "fork F", "ask f", "switch A", "ask b").expect(
        "first pass", 3, "1:a 2:af 3:ab", A="1 3", F="1 2"
    )
    s.rerun()
    s.doc.edit(3, "ask x")
    s.fresh().run(3)
    s.expect("in the fork", 1, "1:a 4:ax 3:ab", ["a/1 x"], "- recorded - asked - recorded", A="1 3", F="1 4")


@story
def fork_takes_the_settings_along(s):
    s.nb("open A model=m", "ask a", "fork F", "ask f").doc.edit(0, "open A model=n")
    s.fresh().all()
    s.expect("the fork follows", 2, "3:a@n 4:af@n", A="3", F="3 4")
    s.rerun()


@story
def run_above_then_run_below(s):
    s.nb(*ABC, "ask d").doc.edit(1, "ask B")
    s.fresh().run(0, 1)
    s.expect("Run Above", 1, "1:a 5:aB 3:abc 4:abcd", marks="replayed asked stale<1 stale<1")
    s.run(2, 3)
    s.expect("Run Below", 3, "1:a 5:aB 6:aBc 7:aBcd")
    s.rerun()


@story
def run_below_only(s):
    s.nb(*ABC, "ask d").doc.edit(2, "ask C")
    s.fresh().run(2, 3)
    s.expect("what stands above is recorded", 2, "1:a 2:ab 5:abC 6:abCd", ["a/1 b/2 C", "a/1 b/2 C/5 d"])
    s.rerun()


@story
def restart_and_run_to_here(s):
    s.nb(*ABC).fresh().run(0, 1)
    s.expect("to here", 0, marks="replayed replayed recorded", main="1 2 3")


@story
def delete_and_undo_the_deletion(s):
    s.nb(*ABC)
    gone = s.doc.delete(1)
    s.expect("gone", marks="asked stale<gone", main="1 3")
    s.doc.cells.insert(1, gone)
    s.expect("back", 3, marks="asked asked asked", main="1 2 3")
    s.all()
    s.expect("nothing to do", 3)


@story
def cut_and_paste_with_a_new_id(s):
    s.nb(*ABC).doc.copy(1, 3)
    s.doc.delete(1)
    s.expect("b stands below c now", marks="asked stale<gone stale<1", main="1 3 2")
    s.fresh().expect("also after a restart", marks="recorded stale<gone stale<1", main="1 3 2")
    s.all()
    s.expect("Run All", 2, "1:a 4:ac 5:acb")
    s.rerun()


@story
def copy_and_paste(s):
    s.nb(*ABC).doc.copy(1, 3)
    s.expect("a copy was never asked: one turn stands once", marks="asked asked asked new", main="1 2 3")
    s.run(3)
    s.expect("asked where it stands", 4, "1:a 2:ab 3:abc 4:abcb", main="1 2 3 4")
    s.rerun()


@story
def join_cells(s):
    s.nb(*ABC).doc.edit(0, "ask a\nask b")
    s.doc.delete(1)
    s.fresh().all()
    s.expect("Run All", 0, "1:a 2:ab 3:abc", main="1 2 3")
    s.rerun()


@story
def an_edited_cell_that_has_not_run(s):
    s.nb(*ABC).doc.edit(0, "ask A")
    s.doc.insert(3, "ask n")
    s.run(3)
    s.expect(
        "its output still shows the old answer, so that is in memory",
        4,
        sent=["a", "a/1 b", "a/1 b/2 c", "a/1 b/2 c/3 n"],
        marks="edited asked asked asked",
    )


@story
def a_new_cell_that_has_not_run(s):
    s.nb(*ABC).doc.insert(1, "ask n")
    s.doc.edit(3, "ask C")
    s.run(3)
    s.expect(
        "shows nothing, is in nobody's memory",
        4,
        sent=["a", "a/1 b", "a/1 b/2 c", "a/1 b/2 C"],
        marks="asked new asked asked",
    )


@story
def merge_each_appends_a_cell(s):
    s.nb("ask a", "ask b")
    base, copy_ = s.k.save(), __import__("copy").deepcopy
    other = S(s.kernel).nb("ask a", "ask b", go=False)
    other.doc = copy_(s.doc)
    other.doc.cells.append(copy_(other.doc.cells[1]).__class__("x2", "ask d"))
    other.k = s.kernel(other.doc, base, who="y")
    other.run(2)
    s.doc.insert(2, "ask c")
    s.k = s.kernel(s.doc, base, who="x")
    s.run(2)
    s.doc.cells.append(other.doc.cells[2])
    both = s.kernel.merge(s.k.save(), other.k.save())
    s.bad += [] if both == s.kernel.merge(other.k.save(), s.k.save()) else ["merge does not commute"]
    s.k = s.kernel(s.doc, both, who="z")
    s.expect(
        "d has not seen c", 0, "1:a 2:ab 3x:abc 3y:abd", marks="recorded recorded recorded stale<2", main="1 2 3x 3y"
    )
    s.all()
    s.expect("Run All asks d", 1, "1:a 2:ab 3x:abc 5z:abcd", ["a/1 b/2 c/3x d"])
    s.rerun()


@story
def merge_both_edit_one_cell(s):
    s.nb("ask a", "ask b")
    base, docs, ks = s.k.save(), [__import__("copy").deepcopy(s.doc) for _ in "xy"], []
    for doc, who in zip(docs, "xy"):
        doc.edit(0, "ask A")
        ks.append(s.kernel(doc, base, who=who))
        ks[-1].run(doc.cells[0])
    s.doc = docs[0]  # git's user takes x's cell with its output, though y's was later
    s.k = s.kernel(s.doc, s.kernel.merge(ks[0].save(), ks[1].save()))
    s.expect("the output says which answer stands", 0, "3x:A 2:ab", marks="recorded stale<0", main="3x 2")
    s.all()
    s.expect("Run All", 1, "3x:A 5:Ab", ["A/3x b"])
    s.rerun()


@story
def a_strangers_notebook(s):
    s.nb("open A model=theirs", "ask a", "ask b")
    s.k.clicked = (0, None)
    s.fresh(who="me").run(2)
    s.expect("replays as it stands", 0, marks="- recorded replayed")
    s.doc.insert(3, "ask c")
    s.run(3)
    s.expect("goes on with their settings", 1, sent=["a/1 b/2 c"], A="1 2 3me")


@story
def panel_turn_between_two_cells(s):
    s.nb(*ABC, go=False).run(0)
    s.k.panel_send("w")
    s.run(1, 2)
    s.expect("first pass", 4, "1:a 3:awb 4:awbc", ["a", "a/1 w", "a/1 w/2 b", "a/1 w/2 b/3 c"], main="1 2 3 4")
    s.rerun()


@story
def panel_turn_stays_when_the_cell_above_is_edited(s):
    s.nb("ask a", "ask b", go=False).run(0)
    s.k.panel_send("w")
    s.run(1)
    s.doc.edit(0, "ask A")
    s.fresh().all()
    s.expect("w follows the cell, and is not asked again", 2, "4:A 5:Awb", ["A", "A/4 w/2 b"], main="4 2 5")
    s.rerun()


@story
def panel_turn_stays_when_its_cell_is_deleted(s):
    s.nb("ask a", "ask b", "ask c", go=False).run(0, 1)
    s.k.panel_send("w")
    s.run(2)
    s.doc.delete(1)
    s.expect("after the nearest cell that is left", marks="asked stale<0", main="1 3 4")
    s.fresh().all()
    s.expect("Run All", 1, "1:a 5:awc", ["a/1 w/3 c"], main="1 3 5")
    s.rerun()


@story
def panel_undo(s):
    s.nb(*ABC).k.panel_do("undo")
    s.expect("c is not in memory", marks="asked asked out", main="1 2")
    s.doc.insert(3, "ask n")
    s.run(3)
    s.expect("goes on without it", 4, sent=["a/1 b/2 n"])
    s.rerun()
    s.doc.edit(2, "ask C")
    s.run(2)
    s.expect("what is asked anew is in memory again", 1, marks="recorded recorded asked stale<2", main="1 2 5 4")


@story
def panel_clear(s):
    s.nb(*ABC).k.panel_do("clear")
    s.doc.insert(3, "ask n")
    s.run(3)
    s.expect("begins anew", 4, "1:a 2:ab 3:abc 4:n", marks="out out out asked", main="4")
    s.rerun()


@story
def a_colleague_inserts_a_cell_above_while_i_work(s):
    s.nb(*ABC).doc.insert(0, "ask z")
    s.run(0)
    s.doc.edit(3, "ask C")
    s.run(3)
    s.expect(
        "the list of cells is that of the moment",
        5,
        sent=["a", "a/1 b", "a/1 b/2 c", "z", "z/4 a/1 b/2 C"],
        marks="asked stale<0 stale<0 asked",
        main="4 1 2 5",
    )


@story
def a_long_document(s):
    s.nb(*(f"ask {x}" for x in "abcdefghijklmnopqrstuvwxyz")).expect("first pass", 26)
    s.doc.edit(3, "ask D")
    s.fresh().run(3, 25)
    s.expect(
        "two asks, however long it is",
        1 + 1,
        sent=[
            "a/1 b/2 c/3 D",
            " ".join(f"{x}/{n}" if x != "d" else "D/27" for n, x in enumerate("abcdefghijklmnopqrstuvwxy", 1)) + " z",
        ],
    )


@story
def an_error_after_an_answer(s):
    s.nb("ask a\nboom", "ask b", go=False).run(0)
    s.run(1)
    s.expect(
        "the answer is on the page, so it is in memory", 2, "1:a !boom 2:ab", ["a", "a/1 b"], "failed asked", main="1 2"
    )


@story
def a_failed_ask_keeps_its_chat_and_what_was_clicked(s):
    s.nb("open A", "ask a", "ask b", go=False).run(0, 1)
    s.k.click_chat("B")
    s.k.fail = "error"
    s.run(2)
    s.fresh().run(2)
    s.expect("next day", 1, "1:a 2:b", A="1", B="2")


@story
def interrupted_then_again(s):
    s.nb(*ABC, go=False).run(0)
    s.k.fail = "interrupted"
    s.run(1)
    s.expect("cut", marks="asked cut new")
    s.run(1, 2)
    s.expect("asked again", 4, "1:a 3:ab 4:abc", main="1 3 4")
    s.rerun()


@story
def interrupted_continued_and_then_again_in_the_same_kernel(s):
    s.nb(*ABC, go=False).run(0)
    s.k.fail = "interrupted"
    s.run(1)
    s.run(2, 1)
    s.expect(
        "who runs a cut answer again wants it whole", 4, "1:a 4:ab 3:abc", marks="asked asked stale<1", main="1 4 3"
    )


@story
def purge_in_the_middle(s):
    s.nb(*ABC).k.purge("2")
    s.expect("purged", marks="asked purged asked")
    s.doc.insert(3, "ask n")
    s.run(3)
    s.expect("its text is sent no more", 4, sent=["a/1 c/3 n"])
    s.fresh().all()
    s.expect("its cell asks anew", 3, "1:a 5:ab 6:abc 7:abcn")
    s.rerun()


@story
def purge_and_delete_the_cell(s):
    s.nb(*ABC).k.purge("2")
    s.doc.delete(1)
    s.fresh().all()
    s.expect("c had seen it", 1, "1:a 4:ac")
    s.rerun()


@story
def asks_of_one_cell_to_two_chats(s):
    s.nb("open A", "open B", "ask --chat A a\nask --chat B b\nask --chat A c").expect(
        "first pass", 3, "1:a 2:b 3:ac", ["a", "b", "a/1 c"], A="1 3", B="2"
    )
    s.rerun()
    s.doc.edit(2, "ask --chat A a\nask --chat B x\nask --chat A c")
    s.fresh().all()
    s.expect("only B's", 1, "1:a 4:x 3:ac")


@story
def one_function_called_from_two_cells(s):
    s.nb("var xs a b", "asks xs", "asks xs").expect("first pass", 4, "1:a 2:ab 3:aba 4:abab", main="1 2 3 4")
    s.rerun()
    s.doc.delete(1)
    s.fresh().all()
    s.expect("the second call is the first now, and finds its answers", 0, "1:a 2:ab")


@story
def python_code_in_a_cell_is_asked_each_time(s):
    s.nb("ask a", "py p", "ask b").fresh().all()
    s.expect("never replayed, one turn on the page", 2, "1:a 4:ap 5:apb", main="1 4 5")


@story
def a_click_leaves_cells_that_have_an_answer_alone(s):
    s.nb("open A", "ask a", "ask b").k.click_chat("B")
    s.run(2)
    s.expect("browsing is not switching", 2, "1:a 2:ab", A="1 2", B="")
    s.doc.edit(2, "ask x")
    s.run(2)
    s.expect("not even edited ones", 3, "1:a 3:ax", ["a/1 x"], A="1 3", B="")
    s.doc.insert(2, "ask n")
    s.run(2)
    s.expect("a new one goes there", 4, "1:a 4:n 3:ax", ["n"], "- asked asked asked", A="1 3", B="4")
    s.rerun()


@story
def a_clicked_cell_is_deleted_and_the_next_still_goes_there(s):
    s.nb("open A", "ask a").k.click_chat("B")
    s.doc.insert(2, "ask n")
    s.run(2)
    s.doc.delete(2)
    s.doc.insert(2, "ask m")
    s.run(2)
    s.expect("the switcher still shows B", 3, "1:a 3:m", ["a", "n", "m"], B="3")


@story
def a_clicked_model_and_then_an_edited_setting(s):
    s.nb("set model=m", "ask a", go=False).run(0)
    s.k.click_set("model", "w")
    s.run(1)
    s.expect("clicked", 1, "1:a@w")
    s.doc.edit(0, "set model=n")
    s.fresh().all()
    s.expect("what the page says now wins", 1, "2:a@n")
    s.rerun()


@story
def a_click_of_yesterday_forces_nothing(s):
    s.nb(*ABC).k.click_set("model", "m")
    s.fresh().all()
    s.expect("Run All", 0, "1:a 2:ab 3:abc")
    s.doc.insert(3, "ask n")
    s.run(3)
    s.expect("but counts for what is new", 1, "1:a 2:ab 3:abc 4:abcn@m")
    s.rerun()


@story
def a_setting_deleted(s):
    s.nb("set model=m", "ask a", "ask b").doc.delete(0)
    s.fresh().expect("before", marks="stale<model stale<model").all()
    s.expect("Run All", 2, "3:a 4:ab")
    s.rerun()


@story
def an_option_counts_for_its_ask_alone(s):
    s.nb("ask a", "ask --model q b", "ask c").expect("first pass", 3, "1:a 2:ab@q 3:abc", marks="asked asked asked")
    s.rerun()
    s.doc.edit(1, "ask b")
    s.fresh().all()
    s.expect("taken off", 2, "1:a 4:ab 5:abc")


@story
def new_cell_in_the_second_section_alone_in_a_fresh_kernel(s):
    s.nb(*TWO[:4]).doc.insert(4, "ask n")
    s.fresh().run(4)
    s.expect("goes on with the chat that stands above", 1, "1:a 2:b 3:bn", ["b/2 n"], A="1", B="2 3")
    s.rerun()


@story
def moved_into_another_section(s):
    s.nb("open A", "ask a", "ask x", "open B", "ask b").doc.move(2, 4)
    s.fresh().expect("before", marks="- recorded - recorded stale<B").all()
    s.expect("belongs to the chat it stands under", 1, "1:a 3:b 4:bx", ["b/3 x"], A="1", B="3 4")
    s.rerun()


@story
def a_section_heading_cell_deleted(s):
    s.nb("open A", "ask a", "open B", "ask b").doc.delete(2)
    s.fresh().all()
    s.expect("b is A's now", 1, "1:a 3:ab", A="1 3", B="")
    s.rerun()


@story
def outputs_cleared_then_a_new_cell(s):
    s.nb(*ABC).doc.strip()
    s.doc.insert(3, "ask n")
    s.fresh().expect("recorded", marks="recorded recorded recorded new").run(3)
    s.expect("the questions still stand, and their answers are recorded", 1, "4:abcn", ["a/1 b/2 c/3 n"])
    s.all()
    s.expect("Run All", 1, "1:a 2:ab 3:abc 4:abcn")


@story
def twins_in_one_context(s):
    s.nb("ask g", "clear", "ask g").expect("each its own answer", 2, "1:g 2:g")
    s.rerun()
    s.doc.delete(0)
    s.fresh().all()
    s.expect("its own, not the first one's", 0, "2:g")


@story
def terminal_same_line_twice(s):
    s.nb("ask a", "ask a", ids=False, listing=None).expect("each line is a cell", 2, "1:a 2:aa", ["a", "a/1 a"])
    s.rerun()


@story
def ids_but_no_list_edit_alone(s):
    s.nb(*ABC, listing=None).doc.edit(1, "ask B")
    s.fresh().run(1)
    s.expect("its place is known from the record", 1, sent=["a/1 B"])


@story
def ids_but_no_list_unchanged_alone(s):
    s.nb(*ABC, listing=None).fresh().run(1)
    s.expect("alone", 0, "1:a 2:ab 3:abc")


@story
def append_option(s):
    s.nb("ask --append a").doc.edit(0, "ask --append b")
    s.run(0)
    s.expect("an input line", 2, "2:ab", ["a", "a/1 b"], main="1 2")
    s.rerun(times=1)  # run again in the same kernel, an input line goes on


@story
def unknown_chat(s):
    s.nb("open A", "ask a", "ask --chat Q b").expect("an error, nothing is sent", 1, "1:a !no chat Q", A="1")


@story
def strict_names_a_stale_answer(s):
    s.nb(*ABC).doc.edit(0, "ask A")
    s.run(0)
    s.fresh(mode="strict").run(0, 1)
    s.expect("b has not seen A", 0, "4:A !ReplayMiss 3:abc")


@story
def mode_off(s):
    s.nb(*ABC).fresh(mode="off").all()
    s.expect("always live", 3, "4:a 5:ab 6:abc")


@story
def clicked_yesterday_counts_for_what_is_asked_anyway(s):
    """A model clicked in the evening: a replay ignores it, nothing is stale; an edited cell is asked with it."""
    s.nb("ask a", "ask b")
    s.k.click_set("model", "m")
    s.fresh().all()
    s.expect("Run All", 0, "1:a 2:ab", [], "replayed replayed")
    s.doc.edit(1, "ask B")
    s.run(1)
    s.expect("the edited cell", 1, "1:a 3:aB@m", ["a/1 B"], main="1 3")
    s.rerun()


@story
def a_forged_step_brings_no_other_chats_text_in(s):
    """Somebody else's `effects` say that a cell of mine in B shows a turn of A: it is ignored."""
    s.nb(*TWO).expect("live", 4)
    cell = s.doc.cells[2]
    s.k.steps[cell.id] = replace(s.k.steps[cell.id], ops=(*s.k.steps[cell.id].ops, Ask("1", "B")))
    s.run(7)
    s.expect("the last cell", 4, sent=[], A="1 3", B="2 4")
    s.fresh().all()
    s.expect("Run All", 0, "1:a 2:b 3:ac 4:bd")


@story
def a_strict_miss_writes_nothing(s):
    s.nb(*ABC).doc.edit(1, "ask B")
    s.fresh(mode="strict")
    before = s.k.save()
    s.run(0, 1)
    s.expect("strict", 0, sent=[], marks="replayed edited recorded", main="1 2 3")
    if s.k.save() != before:
        s.bad.append("a strict miss writes")
