"""TLS and proxies: an untrusted certificate stops before the first byte, a named CA is enough."""

from __future__ import annotations

import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError
from airflow_provider_mlconnector.systems.transport import Call, Effect, Transport

POST = Call("POST", "/thing", Effect.WRITE, "thing", body=b"x" * 200_000, content_type="application/xml")


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the number of bytes received, and notes the request lines."""

    protocol_version = "HTTP/1.1"
    seen: list[str]

    def do_POST(self) -> None:
        received = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(self.requestline)
        body = str(len(received)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "plant")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "plant.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def running(server: http.server.HTTPServer) -> Iterator[http.server.HTTPServer]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def plain() -> Iterator[http.server.HTTPServer]:
    Echo.seen = []
    yield from running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo))


@pytest.fixture
def secure(certificate: Path) -> Iterator[http.server.HTTPServer]:
    Echo.seen = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from running(server)


def test_an_untrusted_certificate_names_the_field_and_sends_nothing(secure: http.server.HTTPServer) -> None:
    transport = Transport(f"https://127.0.0.1:{secure.server_port}", system="ERP")
    with pytest.raises(ConfigurationError) as caught:
        transport.send(POST)
    assert caught.value.field == "CA bundle"
    assert Echo.seen == []


def test_a_named_ca_is_enough(secure: http.server.HTTPServer, certificate: Path) -> None:
    transport = Transport(f"https://127.0.0.1:{secure.server_port}", system="ERP", verify=str(certificate))
    assert [transport.send(POST).body for _ in range(2)] == [b"200000"] * 2


def test_a_proxy_of_the_session_is_used(plain: http.server.HTTPServer) -> None:
    session = requests.Session()
    session.proxies = {"http": f"http://127.0.0.1:{plain.server_port}"}
    transport = Transport("http://erp.invalid", system="ERP", session=session, allow_http=True)
    assert transport.send(POST).status == 200
    assert Echo.seen == ["POST http://erp.invalid/thing HTTP/1.1"]


def test_a_tunnel_that_breaks_under_a_write_is_ambiguous(plain: http.server.HTTPServer) -> None:
    # the proxy speaks no CONNECT: bytes went out on the connection, so nothing is proven
    session = requests.Session()
    session.proxies = {"https": f"http://127.0.0.1:{plain.server_port}"}
    with pytest.raises(AmbiguousOutcome):
        Transport("https://erp.invalid", system="ERP", session=session).send(POST)
