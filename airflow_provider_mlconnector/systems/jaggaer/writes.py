"""Writes to J1P resources: JSON out, the envelope's return code back (reference/jaggaer.md §2.2, §2.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.fields import UnreadableJson, dumps, loads
from airflow_provider_mlconnector.systems.ports import Fence, Outcome, OutcomeState
from airflow_provider_mlconnector.systems.transport import Call, Effect

EXISTS = re.compile(r"\b112\s*\(")
"""``112(loginSubUser)``, ``112(USER_ALIAS)``: already exists (§2.2)."""
_SUPER_USEREXISTS = "-996"
_NOT_OFFERED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed answer to a write.

    Attributes:
        code: The return code as text; it comes as a number from some resources and as text from others.
        message: The remote's own words.
        done: The code says that the operation was completed, perhaps with warnings.
        warned: It was completed with warnings.
        body: The whole envelope.
    """

    code: str
    message: str
    done: bool
    warned: bool
    body: Mapping[str, Any]

    @property
    def exists(self) -> bool:
        """Whether it was refused because something with this key exists."""
        return not self.done and (self.code == _SUPER_USEREXISTS or EXISTS.search(self.message) is not None)

    @property
    def words(self) -> str:
        """What JAGGAER said, for people."""
        return f"JAGGAER answered code {self.code}: {self.message or 'no reason given'}"

    def text(self, key: str) -> str:
        """Return a text or whole number of the envelope as text, empty if there is none."""
        value = self.body.get(key)
        return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""

    def refusal(self, *, subject: str, result: Mapping[str, Any] | None = None) -> Outcome:
        """Return the outcome of a write that was not done."""
        state = OutcomeState.DUPLICATE if self.exists else OutcomeState.REFUSED
        return Outcome(state, f"jaggaer_{self.code.lstrip('-')}", subject, self.words, result=result or {})


def write(
    client: JaggaerClient,
    path: str,
    body: Mapping[str, Any],
    *,
    name: str,
    effect: Effect,
    fence: Fence,
    optional: bool = False,
) -> Answer:
    """POST one JSON document.

    Args:
        client: The tenant.
        path: The resource.
        body: The document; decimals become bare numbers.
        name: What logs and errors call the request.
        effect: ``WRITE``, or ``ABSOLUTE`` where repeating is safe.
        fence: Checked right before the bytes leave.
        optional: Tenants may not have this resource: then 403, 404 and 405 say so, and nothing was executed.

    Raises:
        ConfigurationError: No path is named, or the tenant does not have it.
        AmbiguousOutcome: No parsed business answer: it may have been executed.
        MLConnectorError: Any other is proof that nothing was executed.
    """
    if not path:
        where = f"connection '{client.connection}', field Contract overrides"
        msg = f"{where}: no path is named for {name}; ask JAGGAER which one this tenant has"
        raise ConfigurationError(msg, field=where)
    content = dumps(body)
    reply = client.authorized(
        lambda headers: Call(
            "POST",
            path,
            effect,
            name,
            headers=headers,
            body=content,
            content_type="application/json",
            refusals=_NOT_OFFERED if optional else frozenset(),
        ),
        fence=fence,
    )
    if optional and reply.status in _NOT_OFFERED:
        raise client.refusal(reply, name)
    keys = client.contract.envelope
    try:
        envelope = loads(reply.body) if reply.status == HTTPStatus.OK else None
    except UnreadableJson:
        envelope = None
    if isinstance(envelope, Mapping):
        answer = Answer("", "", done=False, warned=False, body=envelope)
        code, message = answer.text(keys.code), answer.text(keys.message)
        if code:
            warned = code in keys.warn_codes
            return Answer(code, message, done=warned or code in keys.ok_codes, warned=warned, body=envelope)
    msg = (
        f"connection '{client.connection}': {name} was answered with HTTP {reply.status} and no {keys.code}; it may"
        " have been executed and is looked up before anything else"
    )
    raise AmbiguousOutcome(msg, request_id=reply.request_id)
