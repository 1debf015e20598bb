"""From an HTTP reply of the IDO service to its body, or to the error that it means (reference/cloudsuite.md §4a)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    ProtocolError,
    Refused,
    Unavailable,
)
from airflow_provider_mlconnector.systems.call import Effect, Reply
from airflow_provider_mlconnector.systems.cloudsuite.csi import answers
from airflow_provider_mlconnector.systems.json import UnreadableJson, loads

Body = TypeVar("Body")
Done = TypeVar("Done", answers.Updated, answers.Invocation)
_SILENT = "no reason given"


def decoded(reply: Reply, kind: type[Body], *, where: str, name: str) -> Body:
    """Return the body of an answer to a read.

    Raises:
        ProtocolError: It is not what such a request is answered with.
    """
    try:
        body: Body = loads(reply.body, kind)
    except UnreadableJson as error:
        raise _unreadable(reply, error, where=where, name=name) from None
    return body


def items(
    reply: Reply, body: answers.Loaded, keys: Collection[str], *, where: str, name: str
) -> list[dict[str, str | None]]:
    """Return the records of a load; see :func:`.answers.read_items`.

    Raises:
        ProtocolError: They are none, or cannot be told apart.
    """
    try:
        return answers.read_items(body.items, keys)
    except UnreadableJson as error:
        raise _unreadable(reply, error, where=where, name=name) from None


def _unreadable(reply: Reply, error: UnreadableJson, *, where: str, name: str) -> ProtocolError:
    msg = f"{where}: the {name} was not answered with the service's JSON (HTTP {reply.status}): {error}"
    return ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)


def business(reply: Reply, kind: type[Done], *, where: str, name: str, effect: Effect) -> Done:
    """Return the body of an answer to a write that was carried out.

    Raises:
        AmbiguousOutcome: The body cannot be read, or is a success under a status of failure: it may have been done.
        MLConnectorError: See :func:`refused_write`.
    """
    body: Done | None
    try:
        body = loads(reply.body, kind)
    except UnreadableJson:
        body = None
    if body is None or (body.success and reply.status // 100 != 2):  # noqa: PLR2004 - the class of success
        if effect is Effect.READ:
            msg = f"{where}: {name} was answered with something else than the service's JSON (HTTP {reply.status})"
            raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)
        msg = f"{where}: the answer to {name} cannot be read; it may have been executed and is looked up first"
        raise AmbiguousOutcome(msg, request_id=reply.request_id)
    if not body.success:
        raise refused_write(body.message or "", reply, where=where, name=name, effect=effect)
    return body


def refused_read(words: str | None, reply: Reply, *, where: str, name: str) -> MLConnectorError:
    """Return the error for a load the service refused in band; real texts are unknown, keywords sort them (§9.4)."""
    text = f"{where}: CSI refused the {name}: {words or _SILENT}"
    if answers.is_not_allowed(words or ""):
        return _not_allowed(text, where, reply)
    if answers.is_busy(words or "") or answers.is_timeout(words or ""):
        return Unavailable(text, request_id=reply.request_id)
    return ProtocolError(text, evidence=reply.body, request_id=reply.request_id)


def refused_write(words: str, reply: Reply, *, where: str, name: str, effect: Effect) -> MLConnectorError:
    """Return the error for a change the service refused in band.

    Refused in band is proof that nothing was written, with one exception: where CSI itself says that it ran out of
    time, nobody knows.
    """
    text = f"{where}: CSI refused the {name}: {words or _SILENT}"
    if answers.is_not_allowed(words):
        return _not_allowed(text, where, reply)
    if answers.is_busy(words):
        return Unavailable(text, request_id=reply.request_id)
    if effect is not Effect.READ and answers.is_timeout(words):
        return AmbiguousOutcome(text, request_id=reply.request_id)
    msg = f"CSI refused the {name}: {words or _SILENT}"
    return Refused(msg, code="refused", remote_text=words, request_id=reply.request_id)


def _not_allowed(text: str, where: str, reply: Reply) -> ConfigurationError:
    hint = "give the user behind the service account the IDO permission or license it names"
    return ConfigurationError(f"{text}; {hint}", field=f"{where}, service account", request_id=reply.request_id)
