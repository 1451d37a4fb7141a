"""Endpoints: their configuration, and what is wrong with one."""

import pytest

from robota_nb.display.hints import told
from robota_nb.errors import ProviderError
from robota_nb.providers import endpoints as first_release
from robota_nb.providers.endpoint import Endpoint, EndpointError, builtin_endpoints, parse_endpoints, url_problem
from robota_nb.providers.registry import ProviderRegistry
from support.provider import CANARY, assert_no_key, failure, openai_provider


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
            ({"lab": {"whatever": 1}}, "there are base_url, key_env, model"),
            ({"lab": {"api_key": CANARY}}, "name that with key_env"),
            ({"lab": {"base_url": "https://x/v1", "key_env": CANARY}}, "not the key itself"),
            ({"lab": {"base_url": "https://x/v1", "key_env": "gsk_abc"}}, "upper case"),
            ({"lab": {"base_url": "https://x/v1", "model": None}}, "model is a string"),
            ({"lab": {"base_url": f"https://u:{CANARY}@x/v1"}}, "user name or password"),
            ({"lab": {"base_url": f"https://x/v1?key={CANARY}"}}, "query"),
            ({"lab": {"base_url": "http://lab.example/v1"}}, "use https, or a tunnel"),
            ({"lab": {"provider": 7, "base_url": "https://x/v1"}}, "provider is a string"),
            ({"lab": {"provider": "mine", "api_key": CANARY}}, "name that with key_env"),
            ({"lab": {"provider": "mine", "Region": CANARY}}, "lower-case letters"),
            ({"lab": {"provider": "mine", "region": [CANARY]}}, "region is a string, a number, True or False"),
            ({"lab": {"provider": "mine", "key_env": "LAB_KEY"}}, "name the one server that gets the key"),
            ({"lab": {"provider": "mine", "base_url": "http://lab.example"}}, "use https, or a tunnel"),
        ],
    )
    def test_errors_name_the_endpoint_and_repeat_no_value(self, config, words):
        with pytest.raises(EndpointError) as caught:
            parse_endpoints(config)
        assert words in str(caught.value)
        assert isinstance(caught.value, (ProviderError, ValueError))
        assert_no_key(str(caught.value))

    def test_what_only_another_packages_provider_knows_is_its_own_setting(self):
        config = {"lab": {"provider": "mine", "region": "eu", "max_tokens": 5, "fast": True}}
        settings = {"region": "eu", "max_tokens": 5, "fast": True}
        assert parse_endpoints(config) == {"lab": Endpoint("lab", provider="mine", settings=settings)}

    def test_the_import_path_of_the_first_release_goes_on_working(self):
        assert first_release.ProviderRegistry is ProviderRegistry
        assert first_release.parse_endpoints is parse_endpoints
        assert set(first_release.__all__) >= {"Endpoint", "EndpointError", "builtin_endpoints", "url_problem"}

    @pytest.mark.parametrize(
        "url",
        [
            *("https://x/v1", "https://x.y:8443", "http://localhost:1/v1", "http://127.9.9.9/v1", "http://[::1]:2/v1"),
            *(
                "http://0.0.0.0:8000/v1",
                "http://localhost.:1/v1",
                "http://my.localhost/v1",
                "http://[::ffff:127.0.0.1]/v1",
            ),
        ],
    )
    def test_good_urls(self, url):
        assert url_problem(url) == ""

    @pytest.mark.parametrize(
        "url",
        [
            *("", "x", "//x/v1", "ftp://x/v1", "https://", "https://x y/v1", "https://x/\n", "https://é.fr/v1"),
            *("http://localhost.evil.com/v1", "http://127.0.0.1.evil.com/v1", r"http://evil.com\@localhost/v1"),
            *(
                "http://10.0.0.1/v1",
                "http://[::ffff:10.0.0.1]/v1",
                "https://x:port/v1",
                "https://[x/v1",
                "https://u@x/v1",
            ),
            *("https://x/v1#f", "https://x/v1?", "HTTP://example.com/v1"),
        ],
    )
    def test_bad_urls(self, url):
        assert url_problem(url)
        _, error = failure(openai_provider(Endpoint("lab", url, "", "m")), kind=Exception)
        assert isinstance(error, ProviderError)

    @pytest.mark.parametrize(
        "url", ["http://host.docker.internal:11434/v1", "http://ollama:11434/v1", "http://192.168.1.20/v1"]
    )
    def test_plain_http_beyond_this_machine_is_for_whom_the_user_names(self, url):
        with pytest.raises(EndpointError, match=r"insecure = True \(--insecure\)"):
            parse_endpoints({"lab": {"base_url": url}})
        assert parse_endpoints({"lab": {"base_url": url, "insecure": True}})["lab"].origin.startswith(url[:-3])

    def test_all_that_can_be_said_of_an_endpoint(self):
        said = {
            "headers": {"X-Team": "blue", "api-key": "$LAB_KEY", "Authorization": "Bearer ${TOKEN}"},
            "query": {"api-version": "2024-10-21"},
            "body": {"provider": {"order": ["one"]}, "seed": 1, "stop": None},
            "organization": "org-1",
            "timeouts": {"silence": 30, "answer": 60.5, "retry_wait": 0},
            "context_window": 8192,
            "price": {"input": 2.5, "output": 10},
            "api": "responses",
        }
        assert parse_endpoints({"lab": {"base_url": "https://x/v1", **said}}) == {
            "lab": Endpoint("lab", "https://x/v1", **said)
        }

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"headers": {"api-key": CANARY}}, "api-key in headers is a secret: put it into an environment variable"),
            ({"headers": {"Ocp-Apim-Subscription-Key": CANARY}}, "as in '$LAB_KEY'"),
            ({"headers": {"X-AuthToken": CANARY}}, "is a secret"),
            ({"headers": {"Host": "x"}}, "belongs to the connection"),
            ({"headers": {"X": "a\nb"}}, "of one line"),
            ({"headers": {"a b": "x"}}, "letters, digits and '-'"),
            ({"headers": [CANARY]}, "such as {'X-Team': 'blue'}"),
            ({"query": {"key": CANARY}}, "key in query is a secret"),
            ({"body": {"messages": []}}, "body cannot have messages"),
            ({"body": {"api_key": CANARY}}, "is a secret"),
            ({"body": {"x": {1, 2}}}, "no JSON form"),
            ({"timeouts": {"silent": 3}}, "such as {'silence': 1.5"),
            ({"timeouts": {"silence": "3"}}, "silence in timeouts is a number"),
            ({"price": {"input": -1}}, "input in price is a number, 0 or more"),
            ({"context_window": 0}, "how many tokens"),
            ({"insecure": "yes"}, "insecure is True or False"),
            ({"api": "assistants"}, "api is 'chat' (Chat Completions), 'responses', or 'auto'"),
            ({"api": ["chat"]}, "api is 'chat'"),
            ({"organization": 7}, "organization is a string"),
        ],
    )
    def test_what_is_wrong_with_it_is_said_without_the_value(self, said, words):
        with pytest.raises(EndpointError) as caught:
            parse_endpoints({"lab": {"base_url": "https://x/v1", **said}})
        assert words in str(caught.value)
        assert_no_key(str(caught.value))

    def test_no_model_is_an_error_that_asks_for_one(self):
        _, error = failure(ProviderRegistry(environ={}).get("ollama"))
        assert "--model" in told(error)

    def test_repr_shows_no_url(self):
        assert repr(Endpoint("lab", "https://x/v1")) == "Endpoint(name='lab', key_env='', model='')"
