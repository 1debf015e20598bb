"""Links to a list's next page, which the product writes and we must not trust (reference/cloudsuite.md §4c, §4d)."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from airflow_provider_mlconnector.errors import ProtocolError

_SOMEWHERE = "https://gateway.invalid"


def onward(link: str, path: str, *, tenant: str, where: str) -> list[tuple[str, str]]:
    """Return the query of the next page.

    Only the query is taken over: the request goes to our own gateway, with our token, to the very list that was asked
    for. A link's host is never contacted; one to another path is refused.

    Args:
        link: Relative to the list, to the host, or absolute.
        path: The list, below the tenant.
        tenant: The tenant's id.
        where: The connection, for messages.

    Raises:
        ProtocolError: It leads somewhere else.
    """
    here = f"{_SOMEWHERE}/{tenant}{path}"
    try:
        there = urlsplit(urljoin(here, link))
    except ValueError:
        there = urlsplit("")
    if unquote(there.path) != unquote(urlsplit(here).path) or not there.query:
        msg = f"{where}: the link to the next page of {path} leads elsewhere; it is not followed"
        raise ProtocolError(msg, evidence=link.encode())
    return parse_qsl(there.query, keep_blank_values=True)
