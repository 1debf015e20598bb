"""XML of the router (``reference/jaggaer.md §3``): a hardened reader, document types of our own, and answers.

JAGGAER's DTDs are not public. Those here say what the reference says: which children in which order (SIM where it says
nothing: any order). A DOCTYPE in a message is read over; an entity declared in it is refused, nothing is ever fetched.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from lxml import etree
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer import wire

_NAME = re.compile(r"[A-Za-z][\w.-]*")
HEADER_MODELS = {
    "Header": "MessageId, RelatedMessageId?, Timestamp, Authentication?",
    "Authentication": "Identity, SharedSecret",
}


class XmlError(ValueError):
    """A message cannot be read; the text is what the server answers."""


def read(body: bytes) -> etree._Element:
    """Parse a message without entities, comments, network or DTD.

    Raises:
        XmlError: The body is not well-formed, or declares entities.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        message = f"Unable to parse the message: {error.msg}"
        raise XmlError(message) from error
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):  # type: ignore[union-attr]
        message = "Unable to parse the message: entities are not allowed"
        raise XmlError(message)
    return root


def document_type(models: Mapping[str, str], attributes: Mapping[str, str]) -> etree.DTD:
    """Build a DTD from content models by element name; what occurs only inside models holds text.

    Args:
        models: Element name → content model as in an ELEMENT declaration, without the outer parentheses.
        attributes: Element name → names of its attributes, separated by blanks; all are optional text.
    """
    inside = {name for model in models.values() for name in _NAME.findall(model.replace("#PCDATA", ""))}
    lines = [f"<!ELEMENT {name} ({model})>" for name, model in models.items()]
    lines += [f"<!ELEMENT {name} (#PCDATA)>" for name in sorted(inside - models.keys())]
    lines += [
        f"<!ATTLIST {element} {name} CDATA #IMPLIED>" for element, names in attributes.items() for name in names.split()
    ]
    return etree.DTD(io.StringIO("\n".join(lines)))


def check(element: etree._Element, dtd: etree.DTD) -> None:
    """Hold an element and all below it against a DTD.

    Raises:
        XmlError: It does not follow; the text is the validator's first.
    """
    try:
        dtd.assertValid(element)
    except etree.DocumentInvalid as error:
        raise XmlError(str(error)) from error


def text(element: etree._Element, path: str) -> str:
    """Return the text at ``path`` below an element without the blanks around it; absent is empty."""
    return (element.findtext(path) or "").strip()


def record(element: etree._Element) -> dict[str, Any]:
    """Return an element as nested texts: attributes by ``@name``, repeated children as a list."""
    shown: dict[str, Any] = {f"@{name!s}": value for name, value in element.attrib.items()}
    for child in element:
        value: object = record(child) if len(child) or child.attrib else (child.text or "").strip()
        if child.tag in shown:
            known = shown[child.tag]
            shown[child.tag] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            shown[str(child.tag)] = value
    return shown


def build(name: str, content: object, **attributes: str) -> etree._Element:
    """Make an element of nested content: text, a mapping of children, or a list for a repeated child.

    In a mapping ``@name`` is an attribute and ``#text`` the element's own text.
    """
    element = etree.Element(name, attrib=attributes)
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key.startswith("@"):
                element.set(key[1:], str(value))
            elif key == "#text":
                element.text = str(value)
            else:
                element.extend(build(key, each) for each in (value if isinstance(value, list) else [value]))
    elif content != "":
        element.text = str(content)
    return element


def message(name: str, now: datetime, serial: int, body: etree._Element, *, related: str = "") -> etree._Element:
    """Put ``body`` into a message from JAGGAER; ``related`` is the MessageId it answers."""
    header = {"MessageId": f"jaggaer-{serial}", "RelatedMessageId": related, "Timestamp": wire.timestamp(now)}
    root = etree.Element(name, version="1.0")
    root.append(build("Header", {key: value for key, value in header.items() if value}))
    root.append(body)
    return root


def pad(root: etree._Element) -> None:
    """Surround every text with a line break and blanks, as JAGGAER's answers have been seen (§3.4)."""
    for element in root.iter():
        if not len(element) and element.text:
            element.text = f"\n      {element.text}\n    "


def response(root: etree._Element) -> Response:
    """Return a document as HTTP 200."""
    return Response(serialize(root), media_type="text/xml")


def serialize(root: etree._Element) -> bytes:
    """Return a document as UTF-8 with its declaration."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def status(code: int, words: str, errors: Iterable[etree._Element] = ()) -> etree._Element:
    """Return ``Status`` with its ``Errors``, if there are any."""
    element = build("Status", {"StatusCode": code, "StatusText": words})
    found = list(errors)
    if found:
        etree.SubElement(element, "Errors").extend(found)
    return element
