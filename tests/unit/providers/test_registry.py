"""The registry of providers: configured endpoints, and what other packages bring."""

import importlib.metadata
import subprocess
import sys

import pytest

from robota_nb.display.hints import told
from robota_nb.errors import EndpointNotFound, ProviderError
from robota_nb.providers.context import ProviderContext, Timeouts
from robota_nb.providers.endpoint import Endpoint, EndpointError
from robota_nb.providers.offline import OfflineProvider
from robota_nb.providers.openai.provider import OpenAIProvider
from robota_nb.providers.registry import ProviderRegistry
from support.provider import CANARY, answer, assert_no_key


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
        assert told(caught.value) == (
            "no endpoint 'olama' is configured (did you mean 'ollama'?): "
            "add it with c.RobotaMagics.endpoints = {'olama': {'base_url': …, 'key_env': …}}"
        )
        assert "ProviderRegistry({'olama': {'base_url': …" in str(caught.value)
        with pytest.raises(EndpointNotFound) as caught:
            ProviderRegistry(environ={}).get("http://evil/\x1b\n" * 99)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300

    def test_a_wrong_endpoint_harms_itself_alone(self, server):
        good = {"base_url": server.base_url, "model": "m", "timeouts": {"silence": 7}}
        registry = ProviderRegistry({"lab": {}, "openai": {"base_ulr": "https://x/v1"}, "good": good}, environ={})
        assert {name: str(error) for name, error in registry.problems.items()}.keys() == {"lab", "openai"}
        assert registry.endpoints.keys() == {"good", "ollama"}
        assert registry.get("good").name == "good"
        with pytest.raises(EndpointError, match="endpoint 'lab': its base_url"):
            registry.get("lab")
        with pytest.raises(EndpointError, match="did you mean 'base_url'"):  # not the built-in one in its place
            registry.get("openai")

    @pytest.fixture
    def plugin(self, monkeypatch):
        """A package with entry points of these names."""
        points = [
            importlib.metadata.EntryPoint(name, f"plugin:{name}", "robota_nb.providers")
            for name in ("made", "ready", "broken", "strange", "openai", "with_context", "demanding")
        ]
        plugin = type(sys)("plugin")
        plugin.made, plugin.ready, plugin.strange = OfflineProvider, OfflineProvider(), object
        monkeypatch.setitem(sys.modules, "plugin", plugin)
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
        return plugin

    def test_a_factory_that_takes_an_argument_gets_the_context_of_its_endpoint(self, plugin):
        got = []

        def with_context(context):
            got.append(context)
            return OfflineProvider()

        plugin.with_context = with_context
        lab = {"provider": "with_context", "base_url": "https://lab.example", "key_env": "LAB_KEY", "region": "eu"}
        registry = ProviderRegistry({"lab": lab}, {"LAB_KEY": CANARY}, timeouts=Timeouts(silence=7))
        assert registry.get("lab") is registry.get("lab")
        registry.get("with_context")
        (configured, bare) = got
        assert isinstance(configured, ProviderContext)
        assert (configured.endpoint, configured.timeouts.silence) == (registry.endpoints["lab"], 7)
        assert configured.key().reveal() == CANARY
        assert bare.endpoint == Endpoint("with_context", provider="with_context")
        assert not bare.key()
        assert_no_key(repr(configured))

    def test_what_a_factory_says_of_its_settings_is_the_error(self, plugin):
        def demanding(context):
            raise EndpointError(f"endpoint {context.endpoint.name!r} needs a region: add it")

        plugin.demanding = demanding
        with pytest.raises(EndpointError, match="endpoint 'lab' needs a region"):
            ProviderRegistry({"lab": {"provider": "demanding"}}, {}).get("lab")

    @pytest.mark.parametrize("provider", ["made", "ready", "offline"])
    def test_settings_that_no_provider_would_read_are_an_error(self, plugin, provider):
        registry = ProviderRegistry({"lab": {"provider": provider, "model": "m"}, "bare": {"provider": provider}}, {})
        assert isinstance(registry.get("bare"), OfflineProvider)
        with pytest.raises(EndpointError, match="takes none: remove them"):
            registry.get("lab")

    def test_an_endpoint_whose_provider_is_not_installed_says_so(self, plugin):
        with pytest.raises(ProviderError, match=r"'maid', which is not installed \(did you mean 'made'\?\): install"):
            ProviderRegistry({"lab": {"provider": "maid"}}, {}).get("lab")

    def test_other_packages_bring_providers(self, plugin):
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
