"""Endpoints, the registry of providers, and the offline model."""

import importlib.metadata
import subprocess
import sys

import pytest

from robota_nb.core.ports import Finish, Request, Usage
from robota_nb.errors import EndpointNotFound, ProviderError
from robota_nb.providers.offline import OfflineProvider
from robota_nb.providers.openai.provider import OpenAIProvider
from robota_nb.providers.registry import (
    Endpoint,
    EndpointError,
    ProviderRegistry,
    builtin_endpoints,
    parse_endpoints,
    url_problem,
)
from support.provider import CANARY, answer, assert_no_key, failure, said


class TestEndpoints:
    def test_the_form_of_a_configuration(self):
        config = {"lab": {"base_url": "https://lab.example/v1", "key_env": "LAB_KEY", "model": "m"}}
        assert parse_endpoints(config) == {"lab": Endpoint("lab", "https://lab.example/v1", "LAB_KEY", "m")}
        assert parse_endpoints({"a": {"base_url": "http://localhost:1/v1"}})["a"].key_env == ""

    def test_builtin_endpoints_follow_the_users_environment(self):
        builtin = builtin_endpoints({})
        assert builtin["openai"] == Endpoint("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-4o-mini")
        assert builtin["ollama"] == Endpoint("ollama", "http://127.0.0.1:11434/v1", "", "")
        environ = {"OPENAI_BASE_URL": "https://proxy.example/v1", "OPENAI_MODEL": "gpt-4o"}
        assert builtin_endpoints(environ)["openai"].base_url == "https://proxy.example/v1"
        assert builtin_endpoints(environ)["openai"].model == "gpt-4o"

    def test_a_builtin_endpoint_can_be_changed_in_part_but_its_key_stays_with_its_server(self):
        assert parse_endpoints({"openai": {"model": "x"}}, {})["openai"].key_env == "OPENAI_API_KEY"
        assert parse_endpoints({"openai": {"base_url": "https://x.example/v1"}}, {})["openai"].key_env == ""

    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ([], "a dictionary"),
            ({"lab": "https://x"}, "a dictionary"),
            ({"lab": {}}, "not a URL"),
            ({"a b": {}}, "letters, digits"),
            ({7: {}}, "letters, digits"),
            ({"offline": {"base_url": "https://x/v1"}}, "cannot be named 'offline'"),
            ({"lab": {"base_ulr": "https://x/v1"}}, "did you mean 'base_url'?"),
            ({"lab": {"whatever": 1}}, "the settings are base_url, key_env, model"),
            ({"lab": {"api_key": CANARY}}, "name that with key_env"),
            ({"lab": {"base_url": "https://x/v1", "key_env": CANARY}}, "not the key itself"),
            ({"lab": {"base_url": "https://x/v1", "key_env": "gsk_abc"}}, "upper case"),
            ({"lab": {"base_url": "https://x/v1", "model": None}}, "model is a string"),
            ({"lab": {"base_url": f"https://u:{CANARY}@x/v1"}}, "user name or password"),
            ({"lab": {"base_url": f"https://x/v1?key={CANARY}"}}, "query"),
            ({"lab": {"base_url": "http://lab.example/v1"}}, "use https, or a tunnel"),
        ],
    )
    def test_errors_name_the_endpoint_and_repeat_no_value(self, config, words):
        with pytest.raises(EndpointError) as caught:
            parse_endpoints(config)
        assert words in str(caught.value)
        assert isinstance(caught.value, (ProviderError, ValueError))
        assert_no_key(str(caught.value))

    @pytest.mark.parametrize(
        "url", ["https://x/v1", "https://x.y:8443", "http://localhost:1/v1", "http://127.9.9.9/v1", "http://[::1]:2/v1"]
    )
    def test_good_urls(self, url):
        assert url_problem(url) == ""

    @pytest.mark.parametrize(
        "url",
        [
            *("", "x", "//x/v1", "ftp://x/v1", "https://", "https://x y/v1", "https://x/\n", "https://é.fr/v1"),
            *("http://localhost.evil.com/v1", "http://127.0.0.1.evil.com/v1", r"http://evil.com\@localhost/v1"),
            *("http://10.0.0.1/v1", "http://0.0.0.0/v1", "https://x:port/v1", "https://[x/v1", "https://u@x/v1"),
            *("https://x/v1#f", "https://x/v1?", "HTTP://example.com/v1"),
        ],
    )
    def test_bad_urls(self, url):
        assert url_problem(url)
        _, error = failure(OpenAIProvider(Endpoint("lab", url, "", "m")), kind=Exception)
        assert isinstance(error, ProviderError)

    def test_no_model_is_an_error_that_asks_for_one(self):
        _, error = failure(ProviderRegistry(environ={}).get("ollama"))
        assert "--model" in str(error)

    def test_repr_shows_no_url(self):
        assert repr(Endpoint("lab", "https://x/v1")) == "Endpoint(name='lab', key_env='', model='')"


class TestRegistry:
    def test_default(self):
        def default(environ, **options):
            return ProviderRegistry({"lab": {"base_url": "https://x/v1", "model": "m"}}, environ, **options).default()

        key = {"OPENAI_API_KEY": CANARY}
        assert default({}) == default({"OPENAI_API_KEY": " "}) == ("offline", "offline")
        assert default(key) == ("openai", "gpt-4o-mini")
        assert default(key | {"OPENAI_MODEL": "big"}) == ("openai", "big")
        assert default(key, default_model="big") == ("openai", "big")
        assert default({}, default_model="big") == ("offline", "offline")
        assert default(key, default_provider="lab") == ("lab", "m")
        assert default(key, default_provider="lab", default_model="n") == ("lab", "n")
        assert default(key, default_provider="gone") == ("gone", "")

    def test_names(self):
        assert ProviderRegistry({"lab": {"base_url": "https://x/v1"}}, {}).names() == [
            "lab",
            "offline",
            "ollama",
            "openai",
        ]

    def test_get(self, server):
        registry = ProviderRegistry({"lab": {"base_url": server.base_url, "model": "m"}}, {})
        assert answer(registry.get("lab"))[0] == "1: hi"
        assert registry.get("lab") is registry.get("lab")
        assert registry.get("offline") is registry.get("offline")

    def test_a_changed_environment_makes_another_provider(self, server):
        environ = {}
        registry = ProviderRegistry(environ=environ)
        before = registry.get("openai")
        environ.update(server.environment())
        assert registry.get("openai") is not before
        assert answer(registry.get(registry.default()[0]))[0] == "1: hi"

    def test_an_unknown_name_says_how_to_add_it(self):
        with pytest.raises(EndpointNotFound) as caught:
            ProviderRegistry(environ={}).get("olama")
        assert str(caught.value) == (
            "no endpoint 'olama' is configured (did you mean 'ollama'?); "
            "add it: c.RobotaMagics.endpoints = {'olama': {'base_url': …, 'key_env': …}}"
        )
        with pytest.raises(EndpointNotFound) as caught:
            ProviderRegistry(environ={}).get("http://evil/\x1b\n" * 99)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300

    def test_a_wrong_configuration_is_reported_at_once(self):
        with pytest.raises(EndpointError):
            ProviderRegistry({"lab": {}})

    def test_other_packages_bring_providers(self, monkeypatch):
        points = [
            importlib.metadata.EntryPoint(name, f"plugin:{name}", "robota_nb.providers")
            for name in ("made", "ready", "broken", "strange", "openai")
        ]
        plugin = type(sys)("plugin")
        plugin.made, plugin.ready, plugin.strange = OfflineProvider, OfflineProvider(), object
        monkeypatch.setitem(sys.modules, "plugin", plugin)
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
        registry = ProviderRegistry(environ={})
        assert isinstance(registry.get("made"), OfflineProvider)
        assert registry.get("ready") is plugin.ready
        assert isinstance(registry.get("openai"), OpenAIProvider)  # an endpoint's name cannot be taken over
        with pytest.raises(ProviderError, match="'broken' does not load"):
            registry.get("broken")
        with pytest.raises(ProviderError, match="ask its authors"):
            registry.get("strange")
        assert "made" in registry.names()

    def test_importing_it_is_cheap(self):
        code = (
            "import sys, robota_nb.providers.registry, robota_nb.providers.openai.provider\n"
            "import robota_nb.providers.offline\n"
            "heavy = {'openai', 'httpx2', 'pydantic', 'importlib.metadata', 'IPython'} & set(sys.modules)\n"
            "sys.exit(str(heavy) if heavy else 0)"
        )
        done = subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=False)
        assert done.returncode == 0


class TestOffline:
    def talk(self, *prompts, **params):
        messages = [{"role": "system", "content": "be brief"}]
        for prompt in prompts:
            messages += [{"role": "user", "content": prompt}, {"role": "assistant", "content": "…"}]
        return answer(OfflineProvider(), Request(model="", messages=messages[:-1], params=params))

    def test_it_says_what_it_is_and_how_to_connect_a_model(self):
        text, finish = self.talk("hello there")
        assert "offline model" in text
        assert "OPENAI_API_KEY" in text
        assert "c.RobotaMagics.endpoints" in text
        assert "```text\nhello there\n```" in text
        assert "2 words, no earlier turn of this chat" in text
        words = len(text.split())
        assert finish == Finish(reason="stop", model="offline", usage=Usage(input_tokens=4, output_tokens=words))

    def test_it_is_a_function_of_the_request(self):
        assert self.talk("a", "b") == self.talk("a", "b")
        assert "1 word, 1 earlier turn of" in self.talk("a", "b")[0]
        assert "OPENAI_API_KEY" not in self.talk("a", "b")[0]

    def test_it_remembers_the_first_prompt(self):
        assert "my name is Ada" in self.talk("my name is Ada", "x", "What did I say first?")[0]

    @pytest.mark.parametrize(
        ("prompt", "result"),
        [("2+2", "4"), ("What is (2 + 3) * 4.5 / 7?", "3.21428571428571"), ("-7 * 6 =", "-42"), ("1/4", "0.25")],
    )
    def test_it_can_do_sums(self, prompt, result):
        assert f"is **{result}**" in self.talk(prompt)[0]

    @pytest.mark.parametrize(
        "prompt",
        ["1/0", "((((((1", "9**9**9", "1(2)", "7//2", "1 2", "0777", "1" * 100_000 + "x", "(" * 90 + "1", "9" * 99],
    )
    def test_what_is_no_sum_is_quoted(self, prompt):
        text, _ = self.talk(prompt)
        assert f"```text\n{prompt[:600]}" in text or "is **9" in text

    def test_quoted_text_cannot_break_out(self):
        text, _ = self.talk("a\n```\n<script>\n`````\x1b[2J")
        assert "``````text\na\n```\n<script>\n`````[2J\n``````" in text

    def test_max_tokens_cuts_it(self):
        text, finish = self.talk("hi", max_tokens=3)
        assert (text, finish.reason, finish.usage.output_tokens) == ("You said:\n\n```text", "length", 3)

    def test_pictures_and_nothing(self):
        content = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:"}}]
        assert "look" in said(
            OfflineProvider().stream(Request(model="", messages=[{"role": "user", "content": content}]))
        )
        assert "You said nothing" in self.talk("  ")[0]
