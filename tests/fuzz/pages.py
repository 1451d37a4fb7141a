"""What the page does to a notebook's value, in the browser that runs it: as it is done here, and nothing else."""

import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import robota_nb
from robota_nb.core.record import snapshot

from . import mutations
from .harness import REFUSED, Target

MODULES = Path(robota_nb.__file__).parent / "labextension"
ORIGIN = "http://labextension.invalid/"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]

ENTRIES = """async texts => {
    const { changed, difference, isReadable } = await import('/entries.js');
    const frozen = value => {
        if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
        return value;
    };
    const tried = call => {
        try {
            return [call()];
        } catch (error) {
            if (error instanceof TypeError) return null;
            throw error;
        }
    };
    return texts.map(text => {
        const { before, changes, after } = frozen(JSON.parse(text));
        const made = tried(() => changed(before, changes));
        const again = made && tried(() => changed(frozen(made[0]), changes));
        const news = isReadable(before) && isReadable(after) ? [difference(before, after)] : null;
        const told = news && tried(() => changed(before, news[0] ?? {}));
        const clean = Object.keys(Object.prototype).length + Object.keys(Array.prototype).length === 0;
        return JSON.stringify({ made, again, news, told, clean: clean && !('polluted' in {}) });
    });
}"""
"""All that comes in is frozen: to change it would be an error."""

DOCUMENT = """async texts => {
    const { Document } = await import('/document.js');
    const signal = () => {
        const slots = [];
        return { connect: slot => slots.push(slot), emit: change => slots.forEach(slot => slot(null, change)) };
    };
    return texts.map(text => {
        const { before, steps } = JSON.parse(text);
        let value = before;
        const [metadataChanged, log] = [signal(), []];
        const put = other => {
            value = other;
            metadataChanged.emit({ key: 'robota_nb' });
        };
        const sharedModel = { updateMetadata: ({ robota_nb }) => put(JSON.parse(JSON.stringify(robota_nb))) };
        const model = { metadataChanged, stateChanged: signal(), getMetadata: () => value, sharedModel };
        const say = word => said => log.push([word, said]);
        const on = { written: say('written'), saved: say('saved'), changed: say('changed'), replaced: say('replaced') };
        const opened = new Document({ model, saveState: signal(), isDisposed: false }, {}, on);
        opened.value();
        for (const [number, { write, edit }] of steps.entries()) {
            if (write) opened.write({ seq: number + 1, ...write });
            else put(edit);
            log.push(['step', number]);
        }
        opened.write({ seq: steps.length + 1, sessions: {} });
        opened.dispose();
        return JSON.stringify({ value, log });
    });
}"""
"""An open document, which the kernel writes and others edit; to write tells the kernel of all edits before."""


def browser_path():
    """Return the browser's program; None if there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class PageTarget(Target):
    """A target whose cases are checked in a page: a script says what comes of them."""

    def __init__(self, name, script, **options):
        super().__init__(name, **options)
        self.script, self.page = script, None

    @contextmanager
    def ready(self):
        """Have a page in a browser."""
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
            self.page = browser.new_page()
            self.page.route("**/*", self.serve)
            self.page.goto(ORIGIN)
            yield
            browser.close()

    def serve(self, route):
        """Answer a request of the page's with a module."""
        name = route.request.url.removeprefix(ORIGIN)
        route.fulfill(
            body=self.source(name) if name.endswith(".js") else "",
            content_type="text/javascript" if name.endswith(".js") else "text/html",
        )

    def source(self, name):
        """Return the text of a module."""
        return (MODULES / name).read_text()

    def check_all(self, cases):
        told = self.page.evaluate(self.script, [case.decode() for case in cases])
        return [self.check(case, json.loads(text)) for case, text in zip(cases, told, strict=True)]


def entries(case, told):
    given = json.loads(case)
    before, changes, after = (given.get(key) for key in ("before", "changes", "after"))
    assert told["clean"]
    if not is_change(changes):  # no kernel says that
        assert told["made"] is None or is_readable(told["made"][0])
        return REFUSED
    made = changed(before, changes)
    assert equal(told["made"], made and [made])
    if made:
        assert equal(told["again"], told["made"])  # done twice, it is as done once
    if not (is_readable(before) and is_readable(after)):
        assert told["news"] is None
        return REFUSED if made is None else "changed"
    left, right = full(before), full(after)
    (news,) = told["news"]
    assert (news is None) == equal(left, right)
    if told["told"] is None:  # an odd key
        assert any(is_odd(key) for sessions in (left, right) for sid in sessions for key in (sid, *sessions[sid]))
        return "not told"
    assert equal(full(told["told"][0]), right)
    return f"{made is not None} {min(len(news or ()), 3)} sessions differ"


def is_change(changes):
    return isinstance(changes, dict) and all(
        isinstance(change, dict)
        and isinstance(change.get("add", {}), dict)
        and isinstance(change.get("remove", []), list)
        and all(isinstance(eid, str) for eid in change.get("remove", []))
        for change in changes.values()
    )


def is_odd(key):
    known = key.isascii() and all(char.isalnum() or char in "-_" for char in key)
    return not (known and 1 <= len(key) <= 64) or key in ("__proto__", "constructor", "prototype")


def is_readable(value):
    sessions = value.get("sessions") if isinstance(value, dict) else None
    return value is None or (isinstance(sessions, dict) and all(isinstance(one, dict) for one in sessions.values()))


def full(value):
    """Return the sessions of a value that hold something."""
    return {sid: entries for sid, entries in ((value or {}).get("sessions") or {}).items() if entries}


def changed(value, changes):
    """Return the value with entries added and removed, or None if that is refused."""
    if not is_readable(value):
        return None
    value = value or snapshot.dump({})
    sessions = dict(value["sessions"])
    for sid, change in changes.items():
        add, remove = change.get("add", {}), change.get("remove", [])
        if any(map(is_odd, (sid, *add, *remove))):
            return None
        kept = {**sessions.get(sid, {}), **add}
        sessions[sid] = {eid: entry for eid, entry in kept.items() if eid not in remove}
    return {**value, "sessions": sessions}


def equal(one, other):
    """Say whether two JSON values are the same to JavaScript."""
    return seen(one) == seen(other)


def seen(value):
    """Return a value as JavaScript sees it: all numbers are fractions, and none is -0."""
    number = lambda text: float(text) + 0.0
    fractions = json.loads(json.dumps(value), parse_int=number, parse_float=number)
    return json.dumps(fractions, sort_keys=True)


def some_changes(rng, case, other):
    """Change some places, to what JavaScript can read too."""
    made = mutations.as_json(rng, case, other)
    value = json.loads(made, parse_constant=lambda _: 0, parse_int=lambda text: int(text[:15]))
    return json.dumps(value).encode() if isinstance(value, dict) else case


def document(case, told):
    given = json.loads(case)
    before, steps = given.get("before"), given.get("steps")
    known, heard = before, []
    for word, said in told["log"]:
        if word == "replaced":  # what stands there is none of ours, and the kernel is told no more of it
            return REFUSED
        heard.append(word)
        if word == "changed":
            known = applied(known, said)
        elif word == "step" and "write" in steps[said]:
            write = steps[said]["write"]
            known = applied(None if write.get("replace") else known, write["sessions"])
    assert equal(full(known), full(told.get("value")))  # the kernel knows what stands there
    return f"{heard.count('changed')} changes, {heard.count('written')} writes"


def applied(value, changes):
    """Return a value with changes, whatever their keys."""
    sessions = dict((value or {}).get("sessions", {}))
    for sid, change in changes.items():
        kept = {**sessions.get(sid, {}), **change.get("add", {})}
        sessions[sid] = {eid: entry for eid, entry in kept.items() if eid not in change.get("remove", [])}
    return {"sessions": sessions}


def some_steps(rng, case, other):
    """Change some places, but write nothing that no kernel writes."""
    made = json.loads(some_changes(rng, case, other))
    steps = made.get("steps")
    return json.dumps(made).encode() if isinstance(steps, list) and all(map(is_step, steps)) else case


def is_step(step):
    if not isinstance(step, dict) or "write" not in step:
        return isinstance(step, dict) and "edit" in step
    write = step["write"]
    kinds = isinstance(write, dict) and (type(write.get("seq", 0)), type(write.get("replace", False)))
    return kinds == (int, bool) and is_change(write.get("sessions"))


TARGETS = [
    PageTarget("entries", ENTRIES, mutate=some_changes, check=entries, smaller=mutations.smaller_json),
    PageTarget("document", DOCUMENT, mutate=some_steps, check=document, smaller=mutations.smaller_json),
]
