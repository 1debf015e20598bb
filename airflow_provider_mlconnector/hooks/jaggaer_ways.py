"""What a JAGGAER connection opens beside the J1P interface: the XML router, cXML and ASO."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from airflow.sdk.log import mask_secret

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.forms import JAGGAER_FIELDS

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.connections import Endpoint
    from airflow_provider_mlconnector.store import Store
    from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
    from airflow_provider_mlconnector.systems.jaggaer.cxml_gateway import CxmlGateway
    from airflow_provider_mlconnector.systems.jaggaer.router import XmlRouter

_ASO: Final = ("aso_base_url", "aso_login_url", "aso_client_id", "aso_client_secret", "aso_api_key")


def open_router(endpoint: Endpoint, contract: JaggaerContract, store: Store | None) -> XmlRouter | None:
    """Return the tenant's XML router, None where the connection names none.

    Raises:
        ConfigurationError: Its address, identity or shared secret is missing or wrong.
    """
    from airflow_provider_mlconnector.hooks.session import open_transport
    from airflow_provider_mlconnector.systems.jaggaer.router import RouterCredentials, XmlRouter

    extra = endpoint.extra
    if not extra.get("router_url"):
        return None
    _require(endpoint, "router_identity", "router_secret")
    # sites are told the whole address of one kind of message, or just the router's
    paths = (contract.tsm.path, contract.order_writes.path, contract.invoice_writes.path)
    place = _place(endpoint, "router_url", paths)
    return XmlRouter(
        open_transport(place, system="JAGGAER XML router", store=store),
        RouterCredentials(endpoint.conn_id, str(extra["router_identity"]), str(extra["router_secret"])),
        on_secret=mask_secret,
    )


def open_cxml(endpoint: Endpoint, contract: JaggaerContract, store: Store | None) -> CxmlGateway | None:
    """Return the tenant's cXML inbound, None where the connection names none.

    Raises:
        ConfigurationError: Its address, an id or the shared secret is missing or wrong.
    """
    from airflow_provider_mlconnector.hooks.session import open_transport
    from airflow_provider_mlconnector.systems.jaggaer.cxml import CxmlIdentity
    from airflow_provider_mlconnector.systems.jaggaer.cxml_gateway import CxmlGateway

    extra = endpoint.extra
    if not extra.get("cxml_url"):
        return None
    _require(endpoint, "cxml_identity", "cxml_buyer", "cxml_secret")
    place = _place(endpoint, "cxml_url", (contract.cxml.invoices, contract.cxml.confirmations))
    identity, buyer = (str(extra[name]).strip() for name in ("cxml_identity", "cxml_buyer"))
    return CxmlGateway(
        open_transport(place, system="JAGGAER cXML", store=store),
        CxmlIdentity(endpoint.conn_id, identity, buyer, str(extra["cxml_secret"])),
        contract.cxml,
        on_secret=mask_secret,
    )


def check_aso(endpoint: Endpoint, contract: JaggaerContract) -> tuple[str, bool, str] | None:
    """Tell whether ASO answers (see :func:`.probe_aso`), None where the connection says nothing of it."""
    from airflow_provider_mlconnector.hooks.session import DEFAULT_TIMEOUT, number, transport_to
    from airflow_provider_mlconnector.systems.jaggaer.aso import CHECK, AsoCredentials, probe_aso

    extra = endpoint.extra
    if not any(extra.get(name) for name in _ASO):
        return None
    try:
        _require(endpoint, *_ASO)
        for name in ("aso_client_secret", "aso_api_key"):
            mask_secret(str(extra[name]))
        base, token = (
            _place(endpoint, "aso_base_url").base_url(),
            urlsplit(_place(endpoint, "aso_login_url").base_url()),
        )
        seconds = number(endpoint, "timeout", "Timeout (s)") or DEFAULT_TIMEOUT
        # once each: a test tells what it meets, and quotas are small
        more: dict[str, Any] = {"timeout": seconds, "retries": 0}
        return probe_aso(
            transport_to(f"{token.scheme}://{token.netloc}", endpoint, system="ASO login", **more),
            transport_to(base, endpoint, system="ASO", **more),
            AsoCredentials(str(extra["aso_client_id"]), str(extra["aso_client_secret"]), str(extra["aso_api_key"])),
            contract.aso,
            token_path=token.path or "/",
        )
    except ConfigurationError as error:
        return CHECK, False, error.message


def _require(endpoint: Endpoint, *names: str) -> None:
    endpoint.require(**{name: _label(name) for name in names})


def _label(name: str) -> str:
    return str(JAGGAER_FIELDS[name]["label"])


def _place(endpoint: Endpoint, field: str, paths: Iterable[str] = ()) -> Endpoint:
    """Return the connection with another address, without one of ``paths`` at its end."""
    url = str(endpoint.extra[field]).strip().rstrip("/")
    for path in paths:
        url = url.removesuffix(path)
    place = replace(endpoint, host=url, port=None, schema="")
    try:
        place.base_url()
    except ConfigurationError:
        problem = "must be just scheme, host, port and path: no user, no query"
        raise endpoint.wrong(_label(field), problem) from None
    return place
