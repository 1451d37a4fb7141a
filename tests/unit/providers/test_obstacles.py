"""What keeps a client from being set up is named, with a step that mends it."""

import subprocess
import sys

import pytest

from robota_nb.providers.obstacles import in_the_way, proxy_for

NOTHING = {"PATH": "/bin"}


def test_what_is_not_known_is_named_by_its_kind():
    what, step = in_the_way(RuntimeError("?"), NOTHING)
    assert what == "cannot be set up (RuntimeError)"
    assert "check the proxy" in step


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_gone_are_named_and_those_that_are_there_are_not(tmp_path, variable):
    gone = str(tmp_path / "gone")
    assert (
        in_the_way(FileNotFoundError(), {variable: gone}).what
        == f"cannot be set up: {variable} names {gone}, and that is not there"
    )
    assert variable not in in_the_way(FileNotFoundError(), {variable: str(tmp_path)}).what


def test_a_proxy_that_needs_socks_is_named_by_its_variable():
    error = ImportError("Using SOCKS proxy, but the 'socksio' package is not installed.")
    found = in_the_way(error, {"all_proxy": "socks5://me:secret@127.0.0.1:1080"})
    assert found.what == "cannot be set up: all_proxy names a SOCKS proxy, which needs socksio"
    assert "pip install socksio" in found.step
    assert "secret" not in str(found)


def test_a_python_without_its_openssl_is_said_to_be_one():
    error = ImportError("libssl.so.1.1: cannot open shared object file")
    assert in_the_way(error, NOTHING).what == "cannot be set up: this Python cannot load its OpenSSL"


@pytest.mark.parametrize(
    ("name", "shown"), [("openai.py", "openai.py"), ("wave.py", "wave.py"), ("httpx2/__init__.py", "httpx2/")]
)
def test_a_file_of_the_folder_that_hides_a_module_is_named(tmp_path, name, shown):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    module = name.removesuffix("/__init__.py").removesuffix(".py")
    code = (
        f"import {module}\nfrom robota_nb.providers.obstacles import in_the_way\n"
        "print(in_the_way(AttributeError('x'), {}).what)"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said == f"cannot be set up: {shown} in this folder hides the module {module!r}\n"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://llm.example/v1", {"HTTPS_PROXY": "http://me:secret@127.0.0.1:9"}, ("HTTPS_PROXY", "127.0.0.1:9")),
        ("https://llm.example/v1", {"all_proxy": "proxy.example"}, ("all_proxy", "proxy.example")),
        ("https://llm.example/v1", {"ALL_PROXY": "http://[::"}, ("ALL_PROXY", "?")),
        ("https://llm.example/v1", {"HTTP_PROXY": "http://127.0.0.1:9"}, None),
        ("http://127.0.0.1/v1", {"ALL_PROXY": "http://127.0.0.1:9"}, None),
        ("https://llm.example/v1", {}, None),
    ],
)
def test_the_proxy_of_an_address_is_named_without_what_it_is_logged_in_with(url, environ, proxy):
    assert proxy_for(url, environ) == proxy


def test_hosts_that_go_through_no_proxy_have_none(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "llm.example")
    assert proxy_for("https://llm.example/v1", {"HTTPS_PROXY": "http://127.0.0.1:9"}) is None
