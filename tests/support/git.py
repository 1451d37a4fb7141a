"""Real git repositories for tests, with notebooks whose conversations went through the file carrier."""

import os
import random
import shutil
import subprocess
import sys

import nbformat
import pytest

from robota_nb.carriers.file import FileCarrier, read
from robota_nb.core.record.snapshot import parse
from support.core import new_manager
from support.require import require


@pytest.fixture
def needs_git():
    """Skip the test, or fail it in CI, if there is no git."""
    require("git", shutil.which("git"))


class Repository:
    """A repository of its own, which sees nothing of this user's settings."""

    def __init__(self, root):
        self.root = root
        root.mkdir(exist_ok=True)
        foreign = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        somebody = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        self.environment = {**foreign, **somebody, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        self.git("init", "-q", "-b", "main")

    def run(self, *words, **options):
        return subprocess.run(
            [str(word) for word in words],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            check=False,
            **options,
        )

    def git(self, *words, code=0):
        """Run git, which has to end with *code*; return all that it says."""
        done = self.run("git", *words)
        said = (done.stdout + done.stderr).decode()
        assert done.returncode == code, said
        return said

    def set_up(self, *options):
        """Make robota_nb known to the repository, as users do."""
        done = self.run(sys.executable, "-P", "-m", "robota_nb", "git", "setup", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def commit(self, **files):
        """Commit files, by their stems: bytes, or None for one that goes."""
        for stem, data in files.items():
            path = self.root / f"{stem}.ipynb"
            path.unlink() if data is None else path.write_bytes(data)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")

    def branches(self, base, ours, theirs):
        """Commit *base*, and from it two branches; the work tree holds *ours* then. Each maps stems to bytes."""
        self.commit(**base)
        self.git("branch", "-f", "theirs")
        self.commit(**ours)
        self.git("checkout", "-q", "theirs")
        self.commit(**theirs)
        self.git("checkout", "-q", "main")


def restored(path):
    """A manager with what a notebook holds."""
    manager = new_manager(max_active_sessions=0)
    if (value := read(path)) is not None:
        manager.adopt(parse(value), "u")
    return manager


def save(manager, path):
    """Write what a manager holds into a notebook, as a kernel does: what was superseded goes."""
    manager.flush("u")
    held = manager.snapshot("u")["sessions"]
    FileCarrier(path).write(held, {})
    there = (read(path) or {"sessions": {}})["sessions"]
    FileCarrier(path).write({}, {sid: entries.keys() - held.get(sid, {}).keys() for sid, entries in there.items()})


def notebook(path, *sources, manager=None):
    """Write a notebook with a code cell for each source, and what a manager holds."""
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    if manager:
        save(manager, path)
    return path


def talk(*texts, name="A"):
    """A manager with one session, in whose one chat these things were asked."""
    manager = new_manager(max_active_sessions=0)
    chat = manager.create_session("u", "S").create_chat(name)
    for text in texts:
        chat.send(text)
    return manager


def only_chat(manager):
    return manager.sessions("u")[0].chats[0]


def held(data_or_path):
    """The entries in a notebook, by session and id."""
    value = read(data_or_path)
    return (
        {(sid, eid): entry for sid, entries in parse(value).items() for eid, entry in entries.items()} if value else {}
    )


# -- branches by chance


def wander(manager, chance: random.Random, steps):
    """Do what users do, at random."""
    for _ in range(steps):
        session = chance.choice(manager.sessions("u"))
        chat = chance.choice(session.chats) if session.chats else session.create_chat()
        chance.choice(_STEPS)(session, chat, chance)


def _text(chance):
    return " ".join(
        chance.choice(["why", "how", "när", "數", "🙂", "a\nb", "<<<<<<<"]) for _ in range(chance.randint(1, 5))
    )


def _unique(chance):
    return f"N {chance.getrandbits(40):x}"


def _edit(session, chat, chance):
    if chat.turns:
        chat.edit(chance.randint(1, len(chat.turns)), _text(chance))


def _fork(session, chat, chance):
    session.switch_to(chat.id)
    chat.fork(_unique(chance), at=chance.randint(0, len(chat.turns)))


def _purge(session, chat, chance):
    if chat.turns:
        chat.purge(chance.randint(1, len(chat.turns)))


def _checkout(session, chat, chance):
    if chat.branches:
        chat.checkout(chance.choice(chat.branches).number)


def _send(session, chat, chance):
    chat.send(_text(chance))


_STEPS = [
    _send, _send, _send, _send, _edit, _edit, _fork, _purge, _checkout,
    lambda session, chat, chance: chat.undo(),
    lambda session, chat, chance: chat.redo(),
    lambda session, chat, chance: chat.clear(),
    lambda session, chat, chance: chat.delete(),
    lambda session, chat, chance: chat.rename(_unique(chance)),
    lambda session, chat, chance: chat.configure(temperature=chance.random()),
    lambda session, chat, chance: session.create_chat(_unique(chance), model=chance.choice("mn")),
    lambda session, chat, chance: session.switch_to(chat.id),
    lambda session, chat, chance: session.describe(_text(chance)),
    lambda session, chat, chance: session.manager.create_session("u", _unique(chance)).create_chat(),
]  # fmt: skip


def branched(directory, seed):
    """Write three versions of a notebook, of which two come from the first, and differ from it; return their bytes."""
    chance, base = random.Random(seed), directory / "base.ipynb"
    manager = new_manager(max_active_sessions=0)
    manager.create_session("u", "S").create_chat("A").send("begin")
    wander(manager, chance, chance.randint(0, 15))
    notebook(base, "x = 1", manager=manager)
    return [base.read_bytes(), *(_went_on(base, directory / f"{side}.ipynb", chance) for side in ("ours", "theirs"))]


def _went_on(base, path, chance):
    path.write_bytes(base.read_bytes())
    while held(path) == held(base):
        manager = restored(path)
        wander(manager, chance, chance.randint(1, 10))
        save(manager, path)
    return path.read_bytes()
