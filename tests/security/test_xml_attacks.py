"""What a hostile or broken XML document can do to whoever reads it: nothing, and at once (engineering.md §2.4, 20)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import AmbiguousOutcome, ProtocolError, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.files import FolderSource
from airflow_provider_mlconnector.systems.jaggaer.folder import LocalFolder
from airflow_provider_mlconnector.systems.jaggaer.router import Message, RouterCredentials, XmlRouter
from airflow_provider_mlconnector.systems.ports import Window
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply

CANARY = "canary-5512"


@dataclass
class Listener:
    """A server that must never be asked for anything."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def server() -> Iterator[Listener]:
    heard = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.asked.append(self.path)
            body = f'<!ENTITY stolen "{CANARY}">'.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        heard.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield heard
        server.shutdown()
        thread.join()


@pytest.fixture
def listener(server: Listener) -> Listener:
    server.asked.clear()
    return server


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    place = tmp_path / "secret.txt"
    place.write_text(CANARY, encoding="utf-8")
    return place.as_uri()


def shown(root: xml.Element) -> str:
    """All that a reader of the document could get to see."""
    return " ".join([*root.itertext(), *(value for item in root.iter() for value in item.attrib.values())])


LAUGHS = "<!ENTITY a0 'lolololol'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))

DECLARING = {
    "file": "<!DOCTYPE a [<!ENTITY x SYSTEM 'FILE'>]><a b='1'>&x;</a>",
    "http": "<!DOCTYPE a [<!ENTITY x SYSTEM 'WEB/x'>]><a>&x;</a>",
    "parameter entity": "<!DOCTYPE a [<!ENTITY % p SYSTEM 'WEB/p'> %p;]><a>&stolen;</a>",
    "out of band": "<!DOCTYPE a [<!ENTITY % f SYSTEM 'FILE'><!ENTITY % d SYSTEM 'WEB/d'>%d;]><a>&stolen;</a>",
    "external and internal": "<!DOCTYPE a SYSTEM 'WEB/a.dtd' [<!ENTITY x 'y'>]><a>&x;</a>",
    "behind a quoted bracket": "<!DOCTYPE a SYSTEM 'WEB/>' [<!ENTITY x 'y'>]><a b='&x;'/>",
    "behind a quoted quote": "<!DOCTYPE a PUBLIC '>' \"WEB'\" [<!ENTITY x 'y'>]><a b='&x;'/>",
    "behind a comment": "<!-- > --><?x <!DOCTYPE b> ?>\n<!DOCTYPE a [<!ENTITY x 'y'>]><a b='&x;'/>",
    "laughs in a text": f"<!DOCTYPE a [{LAUGHS}]><a>&a9;</a>",
    "laughs in an attribute": f"<!DOCTYPE a SYSTEM '>' [{LAUGHS}]><a b='&a9;'/>",
    "a default for an attribute": "<!DOCTYPE a SYSTEM '>' [<!ATTLIST a amount CDATA '9']><a/>",
}


@pytest.mark.parametrize("kind", DECLARING)
@pytest.mark.parametrize(
    "coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037", "utf-7"]
)
def test_a_document_that_declares_anything_is_refused_in_every_coding_and_nothing_is_fetched(
    kind: str, coding: str, listener: Listener, secret_file: str
) -> None:
    body = DECLARING[kind].replace("WEB", listener.url).replace("FILE", secret_file).encode(coding)
    for encoding in ("cp1252", "utf-8"):
        with pytest.raises(ProtocolError) as caught:
            xml.parse(body, encoding=encoding)
        assert CANARY not in str(caught.value)
    assert listener.asked == []


def test_an_external_dtd_is_left_alone_and_none_of_its_entities_is_known(listener: Listener) -> None:
    read = xml.parse(f'<!DOCTYPE cXML SYSTEM "{listener.url}/1.2/cXML.dtd"><cXML payloadID="1"/>'.encode())
    assert shown(read) == "1"
    with pytest.raises(ProtocolError):
        xml.parse(f'<!DOCTYPE cXML SYSTEM "{listener.url}/cXML.dtd"><cXML>&stolen;</cXML>'.encode())
    with pytest.raises(ProtocolError):
        xml.parse(f'<!DOCTYPE cXML SYSTEM "{listener.url}/cXML.dtd"><cXML a="&stolen;"/>'.encode())
    assert listener.asked == []


def test_a_relative_namespace_is_no_reason_to_refuse() -> None:
    assert xml.text(xml.parse(b"<a xmlns='relative'><b>1</b></a>"), "b") == "1"


def test_inclusions_schemas_and_style_sheets_are_words_like_others(listener: Listener, secret_file: str) -> None:
    body = (
        f'<?xml-stylesheet href="{listener.url}/s.xsl" type="text/xsl"?>'
        f'<a xmlns:xi="http://www.w3.org/2001/XInclude" xmlns:x="http://www.w3.org/2001/XMLSchema-instance"'
        f' x:noNamespaceSchemaLocation="{listener.url}/s.xsd"><xi:include href="{secret_file}" parse="text"/></a>'
    )
    assert CANARY not in shown(xml.parse(body.encode()))
    assert listener.asked == []


def test_a_mark_at_the_start_says_utf_8_and_no_other_mark_is_taken() -> None:
    assert xml.parse("<a>Zürich</a>".encode("utf-8-sig")).text == "Zürich"
    for coding in ("utf-16", "utf-32"):
        with pytest.raises(ProtocolError):
            xml.parse("<a>Zürich</a>".encode(coding))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<a>" * 100_000, id="deep and open"),
        pytest.param(b"<a>" * 300 + b"</a>" * 300, id="deep"),
        pytest.param(b"<a>" + b"x" * 20_000_000 + b"</a>", id="a text of 20 MB"),
        pytest.param(b"<a>" + b"<!DOCTYPE" * 100_000 + b"</a>", id="declarations without end"),
        pytest.param(b"<!DOCTYPE a '" + b'<!DOCTYPE b "' * 100_000, id="quotes without end"),
        pytest.param(b"<?x?>" * 100_000 + b"<!-- " * 100_000, id="a long way to the root"),
        pytest.param(b"<?xml " + b"encoding " * 100_000, id="a declaration without end"),
    ],
)
@pytest.mark.timeout(20)
def test_size_depth_and_repetition_are_refused_at_once(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        xml.parse(body)


@pytest.mark.timeout(20)
def test_a_text_may_be_full_of_declarations() -> None:
    words = "<!DOCTYPE a [" * 100_000
    assert xml.parse(f"<a><![CDATA[{words}]]></a>".encode()).text == words


def test_a_hundred_megabytes_are_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml.etree, "fromstring", lambda *_args: pytest.fail("the document was parsed"))
    with pytest.raises(ProtocolError, match="exceeds") as caught:
        xml.parse(b"<a>" + bytes(100_000_000) + b"</a>")
    assert len(caught.value.evidence) < 100_000


# --- where documents come in ---------------------------------------------------------------------------------------

HOSTILE = [
    text.replace("WEB", "http://127.0.0.1:9").replace("FILE", "file:///etc/hostname").encode()
    for text in DECLARING.values()
]


class Router:
    timeout = 30.0

    def __init__(self, body: bytes) -> None:
        self.body = body

    def send(self, call: Call, *, fence: object = None) -> Reply:
        return Reply(200, {}, self.body, 0.1, "r1")


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 21, 8, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Open:
    def check(self, *, needed_seconds: float) -> None: ...


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_answer_of_the_router_leaves_the_message_open_and_not_done(body: bytes) -> None:
    router = XmlRouter(Router(body), RouterCredentials("jaggaer_default", "us", "secret-1"), clock=Clock())  # type: ignore[arg-type]
    message = Message("SupplierSyncMessage", "2.0", "m1", xml.element("x"), "/router", "supplier message")
    with pytest.raises(AmbiguousOutcome) as caught:
        router.send(message, effect=Effect.WRITE, fence=Open())
    assert "secret-1" not in str(caught.value)


@pytest.mark.parametrize("kind", ["invoice", "purchase_order"])
def test_a_hostile_file_is_a_rejected_document_beside_the_others(kind: str, tmp_path: Path) -> None:
    for number, body in enumerate(HOSTILE):
        (tmp_path / f"{number:02}.xml").write_bytes(body)
    source = FolderSource(
        LocalFolder(tmp_path),
        kind,
        contract=JaggaerContract(),
        tenant="acme",
        connection="jaggaer_default",
        clock=_Later(),
    )
    records = [record for page in source.pages(Window()) for record in page.records]
    assert len(records) == len(HOSTILE)
    for record in records:
        with pytest.raises(Rejected, match="declares"):
            source.decode(record.payload)


class _Later(Clock):
    """Long after the files were written, so that none is waited for."""

    def now(self) -> datetime:
        return datetime(2126, 1, 1, tzinfo=UTC)
