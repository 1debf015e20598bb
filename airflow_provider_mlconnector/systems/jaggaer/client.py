"""Authenticated reads of J1P resources and the envelope around them (reference/jaggaer.md §1.1, §2.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, NotAuthenticated, ProtocolError
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials, MemoryTokenCache, TokenSource
from airflow_provider_mlconnector.systems.jaggaer.contract import DEFAULT_CONTRACT, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import UnreadableJson, loads
from airflow_provider_mlconnector.systems.ports import Clock, Fence, SystemClock, TokenCache
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply, Transport

log = logging.getLogger(__name__)
Envelope = dict[str, msgspec.Raw]


class NotOffered(ConfigurationError):
    """The tenant has no such resource, or does not let this client use it; others may work all the same."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list, its rows as the bytes received.

    Attributes:
        rows: One JSON value per record.
        total: Records in the whole list, None when the tenant does not say.
        returned: Records the tenant says it returned, None when it does not say.
        date: The remote's clock, None if unknown.
    """

    rows: Sequence[bytes]
    total: int | None
    returned: int | None
    date: datetime | None


class JaggaerClient:
    """Speaks to one tenant.

    Args:
        transport: HTTP client for the tenant's host.
        credentials: The connection's client.
        contract: What the tenant does differently.
        cache: Where tokens are shared; this process alone when None.
        on_secret: Called with the client secret and every token.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        contract: JaggaerContract = DEFAULT_CONTRACT,
        cache: TokenCache | None = None,
        clock: Clock | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self._transport = transport
        self.contract = contract
        self.connection = credentials.connection
        self.client_id = credentials.client_id
        self.clock: Clock = clock or SystemClock()
        self.tokens = TokenSource(
            transport,
            credentials,
            contract.auth,
            cache=cache or MemoryTokenCache(),
            clock=self.clock,
            on_secret=on_secret,
        )

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def list_page(
        self, path: str, items: str, *, start: int, condition: str, name: str, components: str = ""
    ) -> ListPage:
        """Read one page of a list.

        Args:
            path: The resource.
            items: Dotted path of the array in the envelope.
            start: Offset of the first record.
            condition: The filter, empty for none.
            name: What logs and errors call the request.
            components: Which components of the records to return, empty to leave that to the tenant.

        Raises:
            NotOffered: The path or the client's rights are wrong.
            ConfigurationError: The filter is wrong.
            ProtocolError: The answer is not a list as the contract describes it.
        """
        paging, filters = self.contract.paging, self.contract.filter
        params = {paging.start_param: str(start)}
        if paging.size_param:
            params[paging.size_param] = str(paging.size)
        if condition:
            params[filters.param] = condition
        if components:
            params[filters.components_param] = components
        reply = self._get(path, name, params)
        envelope = self._json(reply, name, Envelope)
        self._check(envelope, reply, name)
        keys = self.contract.envelope
        total, returned = (_count(envelope.get(key)) for key in (keys.total, keys.returned))
        return ListPage(self._rows(envelope, items, reply, name), total, returned, reply.date)

    def record(self, path: str, key: str, items: str, *, name: str) -> bytes | None:
        """Read one record, with or without an envelope around it.

        Returns:
            The record as received, or None when the tenant says there is no such record.
        """
        if key in _STEPS:
            return None
        reply = self._get(path.replace("{id}", quote(key, safe="")), name, {}, may_be_absent=True)
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        envelope = self._json(reply, name, Envelope)
        if self.contract.envelope.code not in envelope:
            return reply.body
        if self._status(envelope)[0] == _NOT_COMPLETED:
            return None
        self._check(envelope, reply, name)
        return next(iter(self._rows(envelope, items, reply, name)), None)

    def authorized(self, build: Callable[[Mapping[str, str]], Call], *, fence: Fence | None = None) -> Reply:
        """Send a call with a token; one withdrawn before its time is renewed once, a second 401 is final.

        Args:
            build: Makes the call from its headers.
            fence: Checked right before a write leaves.

        Raises:
            NotAuthenticated: A fresh token was refused too; nothing was executed.
            MLConnectorError: As :meth:`.Transport.send`.
        """
        token = self.tokens.token()
        try:
            return self._transport.send(build(_headers(token)), fence=fence)
        except NotAuthenticated:
            call = build(_headers(self.tokens.renew(token)))
        try:
            return self._transport.send(call, fence=fence)
        except NotAuthenticated as error:
            msg = (
                f"connection '{self.connection}': JAGGAER refused a fresh token for {call.name}; its realm may not be"
                " that of this host's API: check Base URL and Realm"
            )
            raise NotAuthenticated(msg, request_id=error.request_id) from None

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        return self._transport.timeout

    def _get(self, path: str, name: str, params: Mapping[str, str], *, may_be_absent: bool = False) -> Reply:
        reply = self.authorized(lambda headers: Call("GET", path, Effect.READ, name, params=params, headers=headers))
        if reply.status == HTTPStatus.OK or (may_be_absent and reply.status == HTTPStatus.NOT_FOUND):
            return reply
        raise self.refusal(reply, name)

    def refusal(self, reply: Reply, name: str) -> MLConnectorError:
        """Return the error for an HTTP status that is no answer of the resource."""
        where = f"connection '{self.connection}'"
        if reply.status == HTTPStatus.FORBIDDEN:
            msg = f"{where}: the client may not use {name}; ask JAGGAER to allow it for this client id"
            return NotOffered(msg, field=f"{where}, field Client id", request_id=reply.request_id)
        if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE}:
            msg = f"{where}: this host has no {name} (HTTP {reply.status}); correct Base URL or the contract's paths"
            return NotOffered(msg, field=f"{where}, field Contract overrides", request_id=reply.request_id)
        msg = f"{where}: {name} was answered with HTTP {reply.status}"
        return ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)

    def _json(self, reply: Reply, name: str, kind: type[Envelope]) -> Envelope:
        try:
            envelope: Envelope = loads(reply.body, kind)
        except UnreadableJson:
            msg = f"connection '{self.connection}': {name} was not answered with a JSON object"
            raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id) from None
        return envelope

    def _status(self, envelope: Envelope) -> tuple[str, str]:
        keys = self.contract.envelope
        # the code comes as 0 and as "0" (reference/jaggaer.md §2.2)
        return _plain(envelope.get(keys.code)), _plain(envelope.get(keys.message))

    def _check(self, envelope: Envelope, reply: Reply, name: str) -> None:
        keys = self.contract.envelope
        code, message = self._status(envelope)
        if code in keys.ok_codes:
            return
        if code in keys.warn_codes:
            log.warning("JAGGAER answered %s with a warning: %s (request %s)", name, message, reply.request_id)
            return
        where = f"connection '{self.connection}'"
        if not code:
            msg = f"{where}: the answer to {name} has no {keys.code}; check the contract's envelope"
            raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)
        if code == _NOT_COMPLETED:
            msg = f"{where}: JAGGAER did not accept {name}: {message or 'no reason given'}; check the contract's filter"
            raise ConfigurationError(msg, field=f"{where}, contract filter", request_id=reply.request_id)
        msg = f"{where}: JAGGAER answered {name} with code {code}: {message or 'no reason given'}"
        raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)

    def _rows(self, envelope: Envelope, items: str, reply: Reply, name: str) -> list[bytes]:
        """Walk to the array without decoding the records, so that one poisoned record spoils only itself."""
        *parents, last = items.split(".")
        try:
            for key in parents:
                envelope = loads(bytes(envelope.get(key) or b"{}"), Envelope | None) or {}
            found = bytes(envelope.get(last) or b"[]")
            rows: list[msgspec.Raw] = [] if found.strip() in _NOTHING else loads(found, list[msgspec.Raw])
        except UnreadableJson:
            msg = f"connection '{self.connection}': the answer to {name} has no list at {items}; check the contract"
            raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id) from None
        return [bytes(row) for row in rows]


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


_NOT_COMPLETED = "2"
"""Operation not completed; the message says why, for a list a wrong filter (reference/jaggaer.md §2.2)."""
_NOTHING = frozenset({b"{}", b"null", b'""'})


def _plain(raw: msgspec.Raw | None) -> str:
    try:
        value: Any = loads(bytes(raw)) if raw is not None else ""
    except UnreadableJson:
        return ""
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def _count(raw: msgspec.Raw | None) -> int | None:
    text = _plain(raw)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT else None


_LONGEST_COUNT = 15
_STEPS = frozenset({".", ".."})
"""As a part of a path no key but a step to another resource, however it is coded."""
