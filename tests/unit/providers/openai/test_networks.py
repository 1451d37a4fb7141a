"""A network that is in the way is named for what it is, with the setting that mends it."""

import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from robota_nb.display.hints import told
from robota_nb.providers.endpoint import Endpoint
from robota_nb.providers.obstacles import on_the_way
from support.provider import failure, openai_provider


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def listening(answer, context=None):
    """Take one connection and answer with these bytes whatever comes; yields the place."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            try:
                connection, _ = listener.accept()
                with connection, context.wrap_socket(connection, server_side=True) if context else connection as line:
                    line.recv(10_000)
                    line.sendall(answer)
                    line.recv(1)
            except OSError:  # the client left, which is what it is to do
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def said(url):
    provider = openai_provider(Endpoint("lab", url, "", "m"), max_retries=0)
    _, error = failure(provider)
    provider.close()
    return told(error)


def test_a_host_that_nobody_knows():
    assert "its host's name is not known: check the host in its base_url" in said("https://llm.invalid/v1")


def test_a_server_that_speaks_no_tls():
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as place:
        assert "does not speak TLS: check whether its base_url" in said(f"https://{place}/v1")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_at_which_nobody_listens(scheme):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "cannot be reached: is the server running" in said(f"{scheme}://127.0.0.1:{port}/v1")


def test_an_ollama_that_does_not_run():
    step = on_the_way(ConnectionRefusedError(), "http://127.0.0.1:11434/v1", {}).step
    assert step == "run `ollama serve`, and ask again"


@pytest.mark.parametrize(
    ("status", "words"),
    [("407 Proxy Authentication Required", "wants a password"), ("403 Forbidden", "refuses to connect")],
)
def test_a_proxy_that_does_not_let_through(monkeypatch, status, words):
    with listening(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as place:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{place}")
        provider = openai_provider(Endpoint("lab", "https://llm.example/v1", "", "m"), max_retries=0)
        obstacle = str(caught(provider))
        provider.close()
    assert f"the proxy {place} {words}" in obstacle
    assert "HTTPS_PROXY" in obstacle
    assert "secret" not in obstacle


def caught(provider):
    """The error of an ask; it names the place of a proxy, which is this machine's here."""
    try:
        provider.models()
    except Exception as error:
        return error
    raise AssertionError


# -- certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Makes a certificate for a host and some days, and returns its file, which holds its key, too."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def make(host, days):
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(7)
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path_factory.mktemp("certificate") / "both.pem"
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, form, plain)
        path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        return path

    return make


@pytest.mark.parametrize(
    ("made_for", "trusted", "words"),
    [
        (("localhost", 9), False, "has a certificate that this Python does not trust: set SSL_CERT_FILE"),
        (("localhost", -1), True, "has a certificate that is out of date: check this machine's clock"),
        (("other.example", 9), True, "has a certificate for another host: check the host in its base_url"),
    ],
)
def test_a_certificate_that_is_not_accepted(monkeypatch, certificate, made_for, trusted, words):
    path = certificate(*made_for)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with listening(b"", context) as place:
        assert words in said(f"https://localhost:{place.split(':')[1]}/v1")
