"""Where keys come from, what passes for one, and what they are bound to."""

import json
import pickle
import sys
import threading

import keyring
import pytest
from keyring.backends import fail, null

from robota_nb.display.hints import told
from robota_nb.display.report import key_source
from robota_nb.errors import KeyMissing
from robota_nb.providers.endpoint import Endpoint
from robota_nb.providers.keys.check import key_problem
from robota_nb.providers.keys.lookup import Keys
from robota_nb.providers.keys.secret import Environment, KeySource, Secret
from robota_nb.providers.keys.system_keyring import SystemKeyring
from robota_nb.providers.registry import ProviderRegistry
from robota_nb.testing import FakeOpenAIServer
from support.file_keyring import LOCKED, FileKeyring
from support.provider import answer, openai_provider

LAB = Endpoint("lab", "https://lab.example/v1", "LAB_KEY", "m")
KEY = "sk-proj-7hQ2xV9mRt4Lw8Zp_3-aB"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The system's keyring, as a file."""
    monkeypatch.setenv("KEYRING_FILE", str(tmp_path / "keyring.json"))
    before = keyring.get_keyring()
    keyring.set_keyring(FileKeyring())
    yield tmp_path / "keyring.json"
    keyring.set_keyring(before)


@pytest.fixture
def backend():
    """Sets the keyring."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def typed(keys, endpoint=LAB, key=KEY):
    keys.hold(endpoint, Secret(key))
    return keys


def missing(keys, endpoint=LAB):
    with pytest.raises(KeyMissing) as caught:
        keys.find(endpoint)
    return told(caught.value)


# -- the order


def test_the_environment_comes_first_then_the_keyring_then_what_was_typed(file):
    environ = {}
    keys = typed(Keys(environ))
    assert keys.find(LAB).reveal() == KEY
    assert keys.source(LAB) == KeySource("typed")
    said = "what was typed in this kernel (%robota endpoint key lab --forget removes it)"
    assert key_source("lab", keys.source(LAB)) == said
    keyring.set_password("robota_nb", "lab https://lab.example:443", "in-the-keyring-1")
    assert keys.find(LAB).reveal() == "in-the-keyring-1"
    assert str(keys.source(LAB)) == "the system's keyring"
    environ["LAB_KEY"] = " in-the-environment-1\n"
    assert keys.find(LAB).reveal() == "in-the-environment-1"
    assert str(keys.source(LAB)) == "the environment variable LAB_KEY"


def test_without_any_the_error_says_the_next_step():
    assert missing(Keys({})) == (
        "endpoint 'lab' has no API key: run %robota endpoint key lab, or set the environment variable LAB_KEY "
        "before Jupyter starts"
    )


def test_an_endpoint_that_needs_no_key_gets_none_even_if_there_is_one(file):
    open_one = Endpoint("lab", "https://lab.example/v1")
    keys = typed(Keys({"LAB_KEY": KEY}))
    assert not keys.find(open_one)
    assert keys.source(open_one) is None


@pytest.mark.parametrize(
    "other",
    [
        Endpoint("lab", "https://evil.example/v1", "LAB_KEY"),
        Endpoint("lab", "https://lab.example:8443/v1", "LAB_KEY"),
        Endpoint("lab", "https://lab.example.evil.example/v1", "LAB_KEY"),
        Endpoint("lab", "http://localhost/v1", "LAB_KEY"),
        Endpoint("other", "https://lab.example/v1", "LAB_KEY"),
    ],
    ids=lambda endpoint: endpoint.base_url,
)
def test_a_key_that_was_typed_or_saved_is_bound_to_alias_and_origin(file, other):
    keys = typed(Keys({}))
    assert keys.source(other) is None
    keys.save(LAB)
    assert keys.source(other) is None
    assert keys.source(LAB)


@pytest.mark.parametrize("url", ["https://LAB.example/v1", "https://lab.example:443/v1/", "https://lab.example/other"])
def test_one_origin_can_be_written_in_several_ways(url):
    assert typed(Keys({})).source(Endpoint("lab", url, "LAB_KEY"))


def test_a_url_that_cannot_be_asked_has_no_origin():
    assert Endpoint("lab", "https://[x/v1").origin == Endpoint("lab", "").origin == ""
    assert Keys({}).source(Endpoint("lab", "https://[x/v1", "LAB_KEY")) is None


def test_keys_of_the_builtin_endpoint_make_it_the_default():
    keys = Keys({})
    registry = ProviderRegistry(environ={}, keys=keys)
    assert registry.default() == ("offline", "offline")
    typed(keys, registry.endpoints["openai"])
    assert registry.default() == ("openai", "gpt-4o-mini")


def test_a_changed_key_is_used_by_the_next_ask(file):
    with FakeOpenAIServer() as server:
        endpoint, environ = Endpoint("lab", server.base_url, "LAB_KEY", "m"), {}
        keys = typed(Keys(environ), endpoint, "typed-key-1")
        provider = openai_provider(endpoint, keys=keys)
        answer(provider)
        keys.save(endpoint)
        keyring.set_password("robota_nb", f"lab {endpoint.origin}", "kept-key-2")
        answer(provider)
        for environ["LAB_KEY"] in ("set-key-3", "set-key-4"):
            answer(provider)
        provider.close()
        sent = [headers["authorization"].removeprefix("Bearer ") for headers in server.headers]
    assert sent == ["typed-key-1", "kept-key-2", "set-key-3", "set-key-4"]


# -- the keyring


def test_saving_moves_the_typed_key_into_the_keyring_and_forgetting_removes_it(file):
    keys = typed(Keys({}))
    keys.save(LAB)
    assert json.loads(file.read_text()) == {"robota_nb: lab https://lab.example:443": KEY}
    assert Keys({}).find(LAB).reveal() == KEY  # another kernel
    keys.save(LAB)  # nothing was typed since: nothing changes
    assert keys.forget(LAB)
    assert not keys.forget(LAB)
    assert json.loads(file.read_text()) == {}
    missing(keys)


def test_forgetting_reaches_memory_without_a_keyring(backend):
    backend(fail.Keyring())
    keys = typed(Keys({}))
    assert keys.forget(LAB)
    missing(keys)


@pytest.mark.parametrize(
    ("make", "why"), [(fail.Keyring, "this system has no keyring"), (null.Keyring, "the keyring has not kept it")]
)
def test_where_nothing_keeps_a_key_saving_says_so_and_the_typed_one_stays(backend, make, why):
    backend(make())
    keys = typed(Keys({}))
    with pytest.raises(KeyMissing, match=why) as caught:
        keys.save(LAB)
    assert "LAB_KEY" in str(caught.value)
    assert len(str(caught.value)) < 300
    assert keys.find(LAB).reveal() == KEY


def test_without_the_package_there_is_just_no_keyring(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    keys = typed(Keys({}))
    assert keys.find(LAB).reveal() == KEY
    with pytest.raises(KeyMissing, match="the package keyring is not installed"):
        keys.save(LAB)
    assert keys.forget(LAB)


def test_a_locked_keyring_is_no_key_and_is_said_without_its_words(file):
    file.write_text(json.dumps(LOCKED))
    assert missing(Keys({})).endswith("(the keyring failed with KeyringLocked)")
    assert typed(Keys({})).find(LAB).reveal() == KEY
    with pytest.raises(KeyMissing, match="unlock it"):
        Keys({}).forget(LAB)


def test_a_keyring_that_asks_on_a_screen_is_not_waited_for_and_asked_once(backend):
    unlocked, asked = threading.Event(), []

    class Asking(FileKeyring):
        def get_password(self, service, username):
            asked.append(username)
            unlocked.wait()
            return KEY

    backend(Asking())
    system = SystemKeyring(timeout=0.01)
    keys = Keys({}, system)
    for _ in range(3):
        assert missing(keys).endswith("(the keyring does not answer)")
    assert len(asked) == 1
    unlocked.set()
    system._timeout = 60
    assert keys.find(LAB).reveal() == KEY


def test_the_keyring_is_not_asked_where_the_environment_has_the_key(backend):
    asked = []

    class Counting(null.Keyring):
        def get_password(self, service, username):
            asked.append(username)

    backend(Counting())
    assert Keys({"LAB_KEY": KEY}).find(LAB).reveal() == KEY
    assert asked == []
    missing(Keys({}))
    assert asked == ["lab https://lab.example:443"]


# -- what passes for a key

WRONG = {
    "'sk-abc123def456'": "stands in quotes",
    '"sk-abc123def456"': "stands in quotes",
    "“sk-abc123def456”": "stands in quotes",
    "sk-abc123def456'": "stands in quotes",
    "Bearer sk-abc123def456": "begins with 'Bearer'",
    "bearer\tsk-abc": "begins with 'Bearer'",
    "Authorization: Bearer sk-abc": "begins with 'Bearer'",
    "OPENAI_API_KEY=sk-abc123def456": "is a whole assignment",
    "export OPENAI_API_KEY=sk-abc123def456": "is a whole assignment",
    "api_key = sk-abc": "is a whole assignment",
    "$OPENAI_API_KEY": "is a placeholder that nobody filled in",
    "${OPENAI_API_KEY}": "is a placeholder that nobody filled in",
    "{{ openai_key }}": "is a placeholder that nobody filled in",
    "%OPENAI_API_KEY%": "is a placeholder that nobody filled in",
    "<your key>": "is a placeholder that nobody filled in",
    "[YOUR_KEY]": "is a placeholder that nobody filled in",
    "os.environ[OPENAI_API_KEY]": "is a line of code",
    "OPENAI_API_KEY": "is the name of a variable",
    "LAB_TOKEN": "is the name of a variable",
    "https://lab.example/v1": "is a URL",
    "~/.openai/key": "is the path of a file",
    "/run/secrets/openai": "is the path of a file",
    "./key": "is the path of a file",
    r"C:\Users\me\key": "is the path of a file",
    "openai-key.txt": "is the path of a file",
    "sk-proj-...abcd": "is cut short",
    "sk-abc…def": "is cut short",
    "sk-***abcd": "is cut short",
    "your-api-key": "is a placeholder from an example",
    "YOUR_API_KEY_HERE": "is a placeholder from an example",
    "sk-your-key-here": "is a placeholder from an example",
    "insert-your-key": "is a placeholder from an example",
    "sk-xxxxxxxxxxxxxxxx": "is a placeholder from an example",
    "paste_key_here": "is a placeholder from an example",
    "sk-abc def": "another character",
    "sk-abc\ndef": "another character",
    "sk-äbc": "another character",
    "sk-abc\u200b": "another character",
    "sk-abc\x07": "another character",
}


@pytest.mark.parametrize(("key", "what"), WRONG.items(), ids=list(WRONG))
def test_what_is_no_key_is_refused_with_the_reason_and_never_shown(key, what):
    for refused in (lambda: typed(Keys({}), key=key), lambda: Keys({"LAB_KEY": key}).find(LAB)):
        with pytest.raises(KeyMissing) as caught:
            refused()
        assert what in str(caught.value)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300
        if len(key) > 7 and what != "is a line of code":
            assert key not in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        KEY, "EMPTY", "ollama", "lm-studio", "not-needed", "fake-key-for-tests", "sk-no-key-required", "12345678",
        "/homeQ2xV9mRt4Lw8Zp+3aB==", "+Q2xV9mRt4Lw8Zp/3aBc=", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_bmF0",
        "550e8400-e29b-41d4-a716-446655440000", "gsk_yourselfXXhere3", "AIzaSyD-9tSrke72PouQMnMX", "a", "x" * 2,
    ],
)  # fmt: skip
def test_what_may_be_a_key_passes(key):
    assert key_problem(Secret(key)) is None
    assert typed(Keys({}), key=f" \t{key}\r\n").find(LAB).reveal() == key


def test_typing_nothing_is_said():
    with pytest.raises(KeyMissing, match="nothing was typed"):
        typed(Keys({}), key=" \n")


def test_nothing_that_holds_a_key_can_be_pickled_or_shows_it():
    keys = typed(Keys({}))
    registry = ProviderRegistry(environ={"OPENAI_API_KEY": KEY}, keys=keys)
    for holder in (keys, registry, registry.get("openai"), Secret(KEY), Environment({"K": KEY}), SystemKeyring()):
        assert KEY[8:13] not in repr(holder) + repr(getattr(holder, "__dict__", ""))
        with pytest.raises(TypeError):
            pickle.dumps(holder)
