"""The one XML parser and writer.

Parsing is hardened: nothing is fetched, no entity is expanded, a document that declares entities is refused (dropping
them silently would change values, reference/engineering.md §5). An external DOCTYPE is allowed and left unread, because
cXML carries one. Look-ups ignore case and prefixes, because SYSPRO changes both between business objects
(reference/syspro.md §3).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, TypeAlias

from lxml import etree

from airflow_provider_mlconnector.errors import ProtocolError

Element: TypeAlias = Any
"""An ``lxml.etree._Element``; its class is private to lxml."""

MAX_BYTES = 64 * 1024 * 1024
_ENCODINGS = {"windows-1252", "cp1252", "utf-8", "utf8", "iso-8859-1", "us-ascii", "ascii"}
"""Supersets of ASCII only, so that the markup checks below see what the parser sees."""
_DECLARED = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_INTERNAL_SUBSET = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE(?>[^>\[\"']|\"[^\"]*\"|'[^']*')*+\[", re.DOTALL
)
"""From the start, and never giving back what it has read: what stands behind the root element is text, and a text full
of such words must not be gone through once for each of them. A quoted identifier may hold ``>``."""
_EVIDENCE = 64 * 1024
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def parse(body: bytes, *, encoding: str = "cp1252", what: str = "the answer", max_bytes: int = MAX_BYTES) -> Element:
    """Parse one document.

    Args:
        body: The bytes as received.
        encoding: Used when the document declares none (SYSPRO: cp1252, reference/syspro.md §1.4).
        what: What error messages call the document.
        max_bytes: Largest document accepted.

    Raises:
        ProtocolError: Not well-formed, too large, an odd encoding, or entity declarations; keeps the bytes.
    """
    body = body.strip()
    declared = _DECLARED.match(body)
    used = declared.group(1).decode().lower() if declared else encoding
    trouble = ""
    if len(body) > max_bytes:
        trouble = f"exceeds {max_bytes} bytes"
    elif used not in _ENCODINGS:
        trouble = f"declares the encoding {used}, which is not supported"
    elif _INTERNAL_SUBSET.match(body):
        trouble = "declares entities or a document type of its own, which is refused"
    if not trouble:
        # one parser per document: lxml parsers keep errors and are not to be shared between threads
        parser = etree.XMLParser(
            encoding="utf-8" if body.startswith(b"\xef\xbb\xbf") else used,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            recover=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            root = etree.fromstring(body, parser)
        except (etree.XMLSyntaxError, LookupError) as error:
            trouble = f"is not well-formed XML ({_place(error)})"
        else:
            # in an attribute such an entity leaves no trace but the parser's warning, and no text: values would change
            if next(root.iter(etree.Entity), None) is not None or _left_out(parser):
                trouble = "uses an entity that is not declared"
            elif _declares(root):
                trouble = "declares a document type of its own, which is refused"
            else:
                return root
    msg = f"{what} {trouble}"
    raise ProtocolError(msg, evidence=body[:_EVIDENCE])


def _left_out(parser: Any) -> bool:  # noqa: ANN401 - an ``lxml.etree.XMLParser``
    return any(entry.type_name == "WAR_UNDECLARED_ENTITY" for entry in parser.error_log)


def _declares(root: Element) -> bool:
    """Tell whether anything was declared inside the document, in whatever way it got past the first check."""
    own = root.getroottree().docinfo.internalDTD
    return own is not None and any(next(iter(found), None) is not None for found in (own.entities(), own.elements()))


def _place(error: Exception) -> str:
    """Say where parsing failed without quoting the document."""
    line, column = getattr(error, "position", None) or (0, 0)
    return f"line {line}, column {column}"


def name(element: Element) -> str:
    """Return an element's local name in lower case."""
    return str(etree.QName(element).localname).lower()


def children(element: Element, wanted: str) -> Iterator[Element]:
    """Iterate over the direct children called ``wanted``, whatever their case and prefix."""
    wanted = wanted.lower()
    return (item for item in element if name(item) == wanted)


def child(element: Element, path: str) -> Element | None:
    """Return the first descendant at ``path`` ("StatusOfItems/GlJournal"), None if there is none."""
    head, _, rest = path.partition("/")
    for item in children(element, head):
        found = child(item, rest) if rest else item
        if found is not None:
            return found
    return None


def text(element: Element, path: str = "") -> str:
    """Return the trimmed text at ``path`` (of the element itself when empty), ``""`` if there is none."""
    found = child(element, path) if path else element
    return "" if found is None else (found.text or "").strip()


def element(tag: str, *content: Element | str | None) -> Element:
    """Build an element; text is escaped on writing, None is left out, no content becomes ``<tag/>``."""
    built = etree.Element(tag)
    for item in content:
        if item is None:
            continue
        if isinstance(item, str):
            built.text = (built.text or "") + item
        else:
            built.append(item)
    if built.text == "":
        built.text = None
    return built


def with_schema(tag: str, schema: str, *content: Element | str | None) -> Element:
    """Build a root that names its schema the way SYSPRO expects it: the prefix really is ``xsd`` (syspro.md §2.0)."""
    root = etree.Element(tag, {f"{{{_XSI}}}noNamespaceSchemaLocation": schema}, nsmap={"xsd": _XSI})
    for item in element(tag, *content):
        root.append(item)
    return root


def write(root: Element) -> str:
    """Write a document compactly: no declaration, no white space between elements, empty ones closed in themselves."""
    return str(etree.tostring(root, encoding="unicode"))


def offending(value: str) -> str:
    """Return the distinct characters SYSPRO's cp1252 or XML cannot carry, in order, ``""`` if all can."""
    return "".join(dict.fromkeys(char for char in value if not _carried(char)))


def reduce_text(value: str) -> str:
    """Make free text fit for cp1252 and XML, always in the same way.

    A character that cannot be carried becomes its base letters (``ő`` → ``o``), else ``?``; control characters become
    blanks.
    """
    return "".join(char if _carried(char) else _substitute(char) for char in value)


def _carried(char: str) -> bool:
    if unicodedata.category(char) in {"Cc", "Cs"}:
        return False
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _substitute(char: str) -> str:
    if unicodedata.category(char) == "Cc":
        return " "
    if unicodedata.combining(char):
        return ""
    base = "".join(part for part in unicodedata.normalize("NFKD", char) if _carried(part))
    return base or "?"
