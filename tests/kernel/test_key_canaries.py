"""Canary keys: many keys go through a real notebook whose server sends them back in every way; none is found anywhere.

A key is looked for whole, in pieces, and in the codes in which it may travel.
"""

import base64
import json
import os
import random
import re
import string
import subprocess
import uuid
from urllib.parse import quote

import nbformat
import pytest

from robota_nb.testing import FakeOpenAIServer
from support.notebook import run, write
from support.paths import TESTS

pytestmark = pytest.mark.slow("asks hundreds of times, and reads all that came of it")

BASE62 = string.ascii_letters + string.digits


def secret(pick, size, letters=BASE62):
    return "".join(pick.choice(letters) for _ in range(size))


def base64_key(pick):
    return base64.b64encode(b"\xfb\xff" + pick.randbytes(29)).decode()  # with + and / and =


FAMILIES = [
    ("sk-proj-", lambda pick: secret(pick, 64, BASE62 + "-_")),
    ("sk-ant-api03-", lambda pick: secret(pick, 80, BASE62 + "-_")),
    ("gsk_", lambda pick: secret(pick, 52)),
    ("AIzaSy", lambda pick: secret(pick, 33)),
    ("xai-", lambda pick: secret(pick, 80)),
    ("hf_", lambda pick: secret(pick, 34)),
    ("eyJhbGciOiJIUzI1NiJ9.", lambda pick: f"{secret(pick, 80)}.{secret(pick, 43, BASE62 + '-_')}"),
    ("", lambda pick: secret(pick, 32, "0123456789abcdef")),
    ("key-", lambda pick: str(uuid.UUID(int=pick.getrandbits(128)))),
    ("", base64_key),
    ("", lambda pick: "7" + secret(pick, 6) + "Z"),
    ("", lambda pick: secret(pick, 200)),
]
"""What stands before the secret part of a key, and how that is made."""


def make_keys(count):
    pick = random.Random(20)
    for number in range(count):
        before, make = FAMILIES[number % len(FAMILIES)]
        yield before, make(pick)


# -- what a server does with a key


def event(text, **more):
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}], **more}).encode() + b"\n\n"


def refused(server, text, status=401, headers=None):
    server.fail(status, {"error": {"message": f"Incorrect API key provided: {text} (see the page)"}}, headers)


def coded(key):
    return base64.b64encode(f"Bearer {key}".encode()).decode() + " " + base64.b64encode(key.encode()).decode()


def spoken(key):
    half = len(key) // 2
    return event("your key is ") + event(key[:half]) + event(key[half:] + ", thanks", model=f"m-{key}")


ENDED = b"data: [DONE]\n\n"
PLAYS = [
    lambda server, key: refused(server, key),
    lambda server, key: refused(server, f"{key[:7]}***{key[-5:]} or {key[2:9]}"),
    lambda server, key: refused(server, quote(key, safe="") + " " + "".join(f"%{ord(char):02x}" for char in key), 403),
    lambda server, key: refused(server, coded(key), 400),
    lambda server, key: refused(server, f"{key.upper()} {key.lower()} {key.encode().hex()}", 404),
    lambda server, key: refused(server, "it", headers={"X-Echo": key, "x-request-id": key, "Set-Cookie": f"k={key}"}),
    lambda server, key: server.raw(f"{key} is wrong".encode(), status=418, content_type="text/plain"),
    lambda server, key: server.raw(b"x", content_type=f"text/{quote(key, safe='')}"),
    lambda server, key: server.raw(b"", status=302, headers={"Location": f"{server.base_url}/?key={key}"}),
    lambda server, key: server.error(f"wrong key {key}, or {key[:9]}"),
    lambda server, key: server.raw(event("so ") + b"data: {" + key.encode() + b"\n\n"),
    lambda server, key: server.raw(spoken(key) + ENDED),
    lambda server, key: server.raw(spoken(key), headers={"Content-Length": "100000", "Connection": "close"}),
    lambda server, key: server.raw(
        json.dumps({"model": key, "choices": [{"message": {"content": f"it is {key}"}}]}).encode(),
        content_type="application/json",
    ),
    lambda server, key: refused(server, key),  # in a thread
    lambda server, key: refused(server, key),  # from a view
]
"""Each is one answer; the asks are those of `canary_kernel.Canaries.spend`."""


# -- what is looked for

PIECE, LONG, CODED = 5, 8, 12


def distinct(piece):
    """Whether five characters cannot be found by chance: hashes have no capitals, words no digits."""
    return all(re.search(kind, piece) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


def windows(text, size):
    return {text[at : at + size] for at in range(len(text) - size + 1)}


def needles(keys):
    """Return what to look for, by its length: in the text as it is, and as small letters."""
    exact, small = {PIECE: set(), CODED: set()}, {LONG: set(), CODED: set()}
    for _, part in keys:
        exact[PIECE] |= {piece for piece in windows(part, PIECE) if distinct(piece)}
        size = CODED if re.fullmatch("[0-9a-f-]+", part) else LONG
        small[size] |= windows(part.casefold(), size)
        for shift in range(3):
            coded_part = base64.b64encode(b"-" * shift + part.encode()).decode()
            exact[CODED] |= windows(coded_part[4:-4], CODED)
        small[CODED] |= windows(part.encode().hex(), CODED)
        small[CODED] |= windows("".join(f"%{ord(char):02x}" for char in part), CODED)
    return exact, small


def leaks(text, wanted):
    """Return the pieces of keys in a text."""
    exact, small = wanted
    words = set(text.split())
    found = {hit for size, known in exact.items() for word in words for hit in windows(word, size) & known}
    words = {word.casefold() for word in words}
    return found | {hit for size, known in small.items() for word in words for hit in windows(word, size) & known}


def git(root, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    done = subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)
    return done.stdout.decode("utf-8", "replace")


@pytest.fixture(scope="module")
def canaries(scale):
    return list(make_keys(scale(fast=len(FAMILIES), all=60, long=1000)))


@pytest.fixture
def sinks(alone, canaries, monkeypatch, tmp_path_factory):
    """Run the notebook; returns the texts of every sink by name."""
    outside = tmp_path_factory.mktemp("outside")  # what has the keys, because the test needs it
    keys = [before + part for before, part in canaries]
    outside.joinpath("keys").write_text("\n".join(keys))
    spilled = alone / "sinks"
    for directory in ("sinks", "store", "repository"):
        alone.joinpath(directory).mkdir()
    path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
    with FakeOpenAIServer() as server:
        for name, value in {
            "PYTHONPATH": path,
            "OPENAI_BASE_URL": server.base_url,
            "CANARY_KEYS": str(outside / "keys"),
            "CANARY_SINKS": str(spilled),
            "ROBOTA_NB_STORE": str(alone / "store" / "store.sqlite"),
            "PYTHON_KEYRING_BACKEND": "support.file_keyring.FileKeyring",
            "KEYRING_FILE": str(outside / "keyring.json"),
        }.items():
            monkeypatch.setenv(name, value)
        for key in keys:
            for play in PLAYS:
                play(server, key)
        begin = [
            "%load_ext robota_nb\n%config RobotaMagics.provider = 'openai'\n%config RobotaMagics.max_chats = 0",
            "%robota session open Canaries\nfrom support.canary_kernel import Canaries",
            f"canaries = Canaries(get_ipython(), {len(PLAYS) - 2})",
        ]
        spend = [f"canaries.spend({number})" for number in range(len(keys))]
        look = ["%whos\n%history\n%robota\n%robota chat log\n%robota session stats\n%config RobotaMagics\n%robota ui"]
        notebook = write(alone / "repository" / "nb.ipynb", *begin, *spend, *look, "canaries.end()")
        git(notebook.parent, "init", "-q")
        git(notebook.parent, "add", ".")
        git(notebook.parent, "commit", "-qm", "before")
        run(notebook)
        received = [headers["authorization"].removeprefix("Bearer ") for headers in server.headers]
        assert received == [key for key in keys for _ in PLAYS]  # each was used, and every answer given
    texts = {file.name: file.read_bytes().decode("utf-8", "replace") for file in spilled.iterdir()}
    texts["notebook"] = notebook.read_text(encoding="utf-8")
    texts["git diff"] = git(notebook.parent, "diff")
    texts["exported HTML"] = exported(nbformat.read(notebook, as_version=4))
    texts["files"] = "\n".join(
        f"{file.name} {file.read_bytes().decode('latin-1')}" for file in alone.rglob("*") if file.is_file()
    )
    return texts


def exported(notebook):
    from nbconvert import HTMLExporter

    return HTMLExporter().from_notebook_node(notebook)[0]


def test_no_canary_is_found_in_any_sink(sinks, canaries):
    wanted = needles(canaries)
    for before, part in canaries:  # the search finds what it should
        assert leaks(f'say "{before}{part}" there', wanted)
    chance = leaks(exported(nbformat.v4.new_notebook()), wanted)  # letters of pictures and scripts that every page has
    found = {name: leaks(text, wanted) - chance for name, text in sinks.items()}
    assert {name: sorted(hits)[:5] for name, hits in found.items() if hits} == {}
    names = {"notebook", "log", "traceback", "thread", "repr", "pickle", "widget", "exported HTML", "git diff", "files"}
    assert names | {"store store.sqlite", "store store.sqlite-wal"} <= set(sinks)
    assert all(len(text) > 100 for name, text in sinks.items() if name != "store store.sqlite-shm")
    assert "your key is …, thanks" in sinks["notebook"]
