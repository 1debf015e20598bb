"""Whether the Advanced Sourcing Optimizer answers: its own login, and an API key beside it (reference/jaggaer.md §1.4).

ASO holds sourcing events only, so no route uses it; a connection test alone speaks to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from airflow_provider_mlconnector.errors import MLConnectorError, NotAuthenticated, RateLimited
from airflow_provider_mlconnector.systems.jaggaer.contract import AsoContract
from airflow_provider_mlconnector.systems.jaggaer.fields import UnreadableJson, loads
from airflow_provider_mlconnector.systems.jaggaer.listing import Finding
from airflow_provider_mlconnector.systems.oauth import basic, error_code, read_grant
from airflow_provider_mlconnector.systems.transport import Call, Effect, Transport

CHECK: Final = "ASO"
"""What a connection test calls it."""
_CLIENT: Final = "ASO refused the client: correct ASO client id and ASO client secret; they were tried once"
_REFUSED_CODES: Final = frozenset({"invalid_client", "unauthorized_client", "invalid_grant"})


@dataclass(frozen=True)
class AsoCredentials:
    """A client of ASO, as entered in a connection.

    Attributes:
        client_id: Of its own OAuth domain.
        client_secret: The same.
        api_key: Goes along with every call as ``X-Api-Key``.
    """

    client_id: str
    client_secret: str = field(repr=False)
    api_key: str = field(repr=False)


class AsoTrouble(Exception):
    """ASO does not answer as it should, in words."""


def probe_aso(
    login: Transport, api: Transport, credentials: AsoCredentials, contract: AsoContract, *, token_path: str
) -> Finding:
    """Ask for a token and read one path with it; changes nothing.

    Args:
        login: To the host of the OAuth domain.
        api: To the service.
        credentials: Client and API key.
        contract: How the client logs in, and what is read.
        token_path: Of the token endpoint on its host.
    """
    try:
        return CHECK, True, _read(api, _token(login, credentials, contract, token_path), credentials.api_key, contract)
    except AsoTrouble as trouble:
        return CHECK, False, str(trouble)
    except RateLimited:
        return CHECK, False, "answered that its quota is used up (HTTP 429); test again later"
    except MLConnectorError as error:
        return CHECK, False, error.message


def _token(login: Transport, credentials: AsoCredentials, contract: AsoContract, path: str) -> str:
    form, headers = {"grant_type": "client_credentials"}, {"Accept": "application/json"}
    if contract.client_auth == "basic":
        headers["Authorization"] = basic(credentials.client_id, credentials.client_secret)
    else:
        form |= {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    if contract.scope:
        form["scope"] = contract.scope
    call = Call(
        "POST",
        path,
        Effect.READ,
        "token request",
        headers=headers,
        body=urlencode(form).encode(),
        content_type="application/x-www-form-urlencoded",
    )
    try:
        reply = login.send(call)
    except NotAuthenticated:
        raise AsoTrouble(_CLIENT) from None
    if reply.status == HTTPStatus.OK:
        return read_grant(reply, "ASO").token
    code = error_code(reply.body)
    if code in _REFUSED_CODES:
        msg = f"{_CLIENT} ({code})"
        raise AsoTrouble(msg)
    said = code or f"HTTP {reply.status}"
    msg = f"its token endpoint answered {said}; correct ASO login URL, or the contract's aso"
    raise AsoTrouble(msg)


def _read(api: Transport, token: str, key: str, contract: AsoContract) -> str:
    headers = {"Accept": "application/json", "Authorization": f"Bearer {token}", "X-Api-Key": key}
    try:
        reply = api.send(Call("GET", contract.path, Effect.READ, "ASO check", headers=headers))
    except NotAuthenticated:
        msg = "granted a token, and refused it with this key (HTTP 401); correct ASO API key or ASO base URL"
        raise AsoTrouble(msg) from None
    if reply.status == HTTPStatus.FORBIDDEN:
        msg = "granted a token, and refused the key (HTTP 403); correct ASO API key, or have its rights extended"
        raise AsoTrouble(msg)
    if reply.status == HTTPStatus.NOT_FOUND:
        msg = f"granted a token, and has nothing at {contract.path}; correct ASO base URL, or the contract's aso.path"
        raise AsoTrouble(msg)
    if reply.status != HTTPStatus.OK:
        msg = f"granted a token, and answered HTTP {reply.status} at {contract.path}"
        raise AsoTrouble(msg)
    try:
        loads(reply.body)
    except UnreadableJson:
        msg = f"answered at {contract.path} with something that is no JSON; correct ASO base URL"
        raise AsoTrouble(msg) from None
    return f"answers at {contract.path}; no route uses it"
