"""Bytes in and out: query strings, hardened XML reading, and answers exactly as recorded (reference/syspro.md §1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from lxml import etree
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.syspro import sim_texts

SERVER = "Microsoft-HTTPAPI/2.0"
CODEC = "cp1252"
DECLARATION = '<?xml version="1.0" encoding="Windows-1252"?>\n'
INVALID_SESSION = (
    "The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
    "You will need to logon again."
)
"""The recorded start and continuation (§1.5); that one blank joins them is inferred."""
INVALID_OPERATOR_PASSWORD = "Invalid operator password"  # noqa: S105 - an error text, not a password
UNKNOWN_INSTANCE = "Unable to read the SYSPRO base directory registry string BaseDir{instance}"
NOT_LICENSED = "e.net exception raised: 100000"


class EnetError(Exception):
    """A call that fails as a whole: HTTP 200 with ``ERROR: `` and this text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class HttpError(Exception):
    """A request the HTTP stack refuses before SYSPRO sees it: an HTML page with this status (inferred, §1.5)."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(f"{status} {title}")
        self.status = status
        self.title = title
        self.detail = detail


def plain(text: str) -> Response:
    """Return the payload as SYSPRO sends it: status 200, octet-stream, cp1252, no wrapper."""
    return Response(
        text.encode(CODEC, "replace"), headers={"server": SERVER, "content-type": "application/octet-stream"}
    )


def failed(text: str) -> Response:
    """Return an ``ERROR: `` body with status 200."""
    return plain(f"ERROR: {text}")


def html(error: HttpError) -> Response:
    """Return the page of the HTTP stack."""
    body = sim_texts.HTML_PAGE.format(title=error.title, status=error.status, detail=error.detail)
    return Response(
        body.encode("ascii"),
        status_code=error.status,
        headers={"server": SERVER, "content-type": "text/html; charset=us-ascii"},
    )


def narrow(text: str) -> str:
    """Return the text as an 8-bit business object sees it; characters outside cp1252 become ``?`` (SIM, §5)."""
    return text.encode(CODEC, "replace").decode(CODEC, "replace")


def query_parameters(query_string: bytes) -> dict[str, str]:
    """Return the parameters by lower-cased name; ``+`` and ``%20`` are blanks, the first of a repeated name wins."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="replace")
    except ValueError as error:
        raise HttpError(400, "Bad Request", "The request URL is invalid.") from error
    return {name.lower(): value for name, value in reversed(pairs)}


def required(parameters: Mapping[str, str], *names: str) -> list[str]:
    """Return the named parameters in order.

    Raises:
        HttpError: 400 if one is not there at all (inferred, §1.5).
    """
    try:
        return [parameters[name.lower()] for name in names]
    except KeyError as error:
        raise HttpError(400, "Bad Request", f"The parameter {error.args[0]} is missing.") from error


def read_xml(text: str | bytes, *, encoding: str | None = "utf-8") -> etree._Element:
    """Return the root of a document; a declared encoding inside a string is ignored, DTDs and entities are refused.

    Raises:
        EnetError: If the text is not well-formed XML.
    """
    raw = narrow(text).encode("utf-8") if isinstance(text, str) else text
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(raw.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise EnetError(sim_texts.BAD_XML.format(detail=str(error))) from error
    if root.getroottree().docinfo.internalDTD:
        raise EnetError(sim_texts.BAD_XML.format(detail="document type declarations are not allowed"))
    return root


def leaf(name: str, value: str) -> str:
    """Return one line: ``<Name>value</Name>``, or ``<Name/>`` when empty."""
    return f"<{name}>{escape(value)}</{name}>\n" if value else f"<{name}/>\n"


def node(name: str, content: str) -> str:
    """Return a container, its tags on lines of their own."""
    return f"<{name}>\n{content}</{name}>\n"


def attributes(version: str) -> str:
    """Return the language attributes of a root, single-quoted as recorded."""
    return (
        f" Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' Version='{version}'"
        " OperatorPrimaryRole='   '"
    )


def answer(root: str, content: str, version: str) -> str:
    """Return a business object answer: declaration, one element per line, newline and blank at the end."""
    return f"{DECLARATION}<{root}{attributes(version)}>\n{content}</{root}>\n "


def report(root: str, content: str, version: str) -> str:
    """Return a query report: no attributes on the root, a ``SystemInformation`` child instead (its leaves are SIM)."""
    information = node(
        "SystemInformation",
        leaf("Language", "05")
        + leaf("Language2", "EN")
        + leaf("CssStyle", "")
        + leaf("DecFormat", "1")
        + leaf("DateFormat", "01")
        + leaf("Role", "01")
        + leaf("Version", version)
        + leaf("OperatorPrimaryRole", "   "),
    )
    return f"{DECLARATION}<{root}>\n{information}{content}</{root}>\n "
