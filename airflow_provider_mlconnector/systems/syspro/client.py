"""The e.net REST client: one operator's session and the calls it carries (reference/syspro.md §1).

SYSPRO answers HTTP 200 to everything and tells failures by ``ERROR:`` text; only the text of a lost session proves that
nothing was executed. Everything else a write may end with is ambiguous until looked up (FINANCE §5).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    Unavailable,
)
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Fence
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply, Transport

log = logging.getLogger(__name__)

REST_PATH = "/SYSPROWCFService/Rest"
"""Root of all calls below scheme, host and port."""
_ENCODING = "cp1252"
_SESSION_LOST = "the supplied userid is invalid"
_WRONG_PASSWORD = "invalid operator password"  # noqa: S105 - SYSPRO's text, not a password
_LICENSE = re.compile(r"licen[cs]e|maximum|concurrent", re.IGNORECASE)
"""Unverified: the text of a full licence is not public. Wrongly matched, a log-on is merely retried later."""
_SESSION_ID = re.compile(r"[0-9A-Za-z]{30,40}")
_HTML = re.compile(r"\s*<(!doctype html|html)", re.IGNORECASE)
_LD_NAMESPACE = "http://SYSPROWcfService"


@dataclass(frozen=True)
class SysproCredentials:
    """Who logs on where; the passwords never show in a ``repr``."""

    operator: str
    password: str = field(repr=False)
    company: str
    company_password: str = field(default="", repr=False)


@dataclass(frozen=True)
class PostCall:
    """One posting: business object, its parameter document and its data document."""

    business_object: str
    parameters: str = field(repr=False)
    document: str = field(repr=False)
    effect: Effect = Effect.WRITE
    """READ for a rehearsal (ValidateOnly), which stores nothing."""
    path: str = "/Transaction/Post"
    """By GET; set-up business objects have ``/Setup/Add`` and ``/Setup/Update``."""


class SysproClient:
    """Carries calls under one operator's session.

    A second log-on of the same operator ends the first session (reference/syspro.md §1.6), so the caller holds the
    operator's lease while it uses this client.

    Args:
        transport: To ``…/SYSPROWCFService/Rest``.
        credentials: Operator and company.
        logon_path: Path of the log-on call below the REST root.
        logoff_path: Path of the log-off call.
        on_secret: Called with every value that must be masked in logs: passwords and session ids.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: SysproCredentials,
        *,
        logon_path: str = "/Logon",
        logoff_path: str = "/Logoff",
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self.transport = transport
        self._credentials = credentials
        self._logon_path = "/" + logon_path.strip("/")
        self._logoff_path = "/" + logoff_path.strip("/")
        self._on_secret = on_secret or (lambda _: None)
        self._session = ""
        for secret in (credentials.password, credentials.company_password):
            if secret:
                self._on_secret(secret)

    def __repr__(self) -> str:
        return f"SysproClient(operator {self._credentials.operator}, company {self._credentials.company})"

    @property
    def operator(self) -> str:
        """The operator's code."""
        return self._credentials.operator

    @property
    def company(self) -> str:
        """The company's id."""
        return self._credentials.company

    @property
    def logged_on(self) -> bool:
        """Whether a session was opened and not closed by us."""
        return bool(self._session)

    def logon(self) -> None:
        """Open a session; an older one of the operator ends.

        Raises:
            NotAuthenticated: Refused. Never repeated: operators lock.
            Unavailable: No licence seat free, or the remote cannot be reached.
            ConfigurationError: Host, port or path lead elsewhere than to SYSPRO e.net.
        """
        who = self._credentials
        params = [
            ("Operator", who.operator),
            ("OperatorPassword", who.password),
            ("CompanyId", who.company),
            ("CompanyPassword", who.company_password),
        ]
        reply = self.transport.send(Call("GET", self._logon_path, Effect.READ, "log-on", params=params))
        answer = _decoded(reply)
        refused = _error_text(answer)
        if refused is not None:
            raise self._logon_refused(refused, reply.request_id)
        session = answer.strip().strip('"').strip()
        if reply.status != 200 or not _SESSION_ID.fullmatch(session):  # noqa: PLR2004 - plain success
            msg = (
                f"SYSPRO log-on: HTTP {reply.status} without a session id; is this the e.net REST service? "
                f"Check host, port and log-on path"
            )
            raise ConfigurationError(msg, field="Host, Port, Log-on path", request_id=reply.request_id)
        self._on_secret(session)
        reached(Point.DURING_TOKEN_RENEWAL)
        self._session = session

    def _logon_refused(self, text: str, request_id: str) -> MLConnectorError:
        who = f"operator {self.operator}, company {self.company}"
        if _WRONG_PASSWORD in text.lower():
            msg = f"SYSPRO refused the password of {who}; correct it, it is not tried again because operators lock"
            return NotAuthenticated(msg, request_id=request_id)
        if _LICENSE.search(text):
            return Unavailable(f"SYSPRO has no free licence seat for {who}: {text}", request_id=request_id)
        return NotAuthenticated(f"SYSPRO refused the log-on of {who}: {text}", request_id=request_id)

    def logoff(self) -> None:
        """Close the session, if any. A failure is logged and costs a licence seat until the idle timeout."""
        if not self._session:
            return
        session, self._session = self._session, ""
        try:
            self.transport.send(Call("GET", self._logoff_path, Effect.READ, "log-off", params=[("UserId", session)]))
        except MLConnectorError as error:
            log.warning(
                "SYSPRO log-off of operator %s failed, its seat stays taken for a while: %s", self.operator, error
            )

    def version(self) -> str:
        """Return SYSPRO's version text; needs no session."""
        reply = self.transport.send(Call("GET", "/GetVersion", Effect.READ, "version"))
        answer = _decoded(reply).strip()
        self._refuse_error(answer, "version", reply)
        return answer

    def remote_time(self) -> datetime:
        """Return SYSPRO's clock (aware, UTC), as the Date header of a harmless answer tells it.

        Raises:
            ProtocolError: There is no such header.
        """
        reply = self.transport.send(Call("GET", "/GetVersion", Effect.READ, "version"))
        if reply.date is None:
            msg = "SYSPRO's answers carry no Date header, so its clock is unknown"
            raise ProtocolError(msg, request_id=reply.request_id)
        return reply.date

    def profile(self) -> dict[str, str]:
        """Return the log-on profile (company name, local currency, dates …), names in lower case."""
        reply = self._with_session(self._profile_call)
        self._refuse_error(_decoded(reply), "log-on profile", reply)
        root = xml.parse(reply.body, what="SYSPRO's log-on profile")
        return {xml.name(item): xml.text(item) for item in root.iter() if len(item) == 0}

    def _profile_call(self) -> Call:
        return Call("GET", "/GetLogonProfile", Effect.READ, "log-on profile", params=[("UserId", self._session)])

    def query_call(self, business_object: str, document: str) -> Call:
        """Build the call of a query, for measuring and sending."""
        params = [("UserId", self._session), ("BusinessObject", business_object), ("XmlIn", document)]
        return Call("GET", "/Query/Query", Effect.READ, f"{business_object} query", params=params)

    def query(self, business_object: str, document: str) -> xml.Element:
        """Ask a query business object.

        Raises:
            ProtocolError: SYSPRO answered an ``ERROR:`` text or something that is not XML.
        """
        reply = self._with_session(lambda: self.query_call(business_object, document))
        self._refuse_error(_decoded(reply), f"{business_object} query", reply)
        return xml.parse(reply.body, what=f"SYSPRO's answer to {business_object} query")

    def post_call(self, post: PostCall) -> Call:
        """Build the call of a posting by GET, for measuring and sending."""
        params = [
            ("UserId", self._session),
            ("BusinessObject", post.business_object),
            ("XmlParameters", post.parameters),
            ("XmlIn", post.document),
        ]
        return Call("GET", post.path, post.effect, f"{post.business_object} post", params=params)

    def post_ld_call(self, post: PostCall) -> Call:
        """Build the call of a posting by PostLD: both documents in CDATA, children in this order (§1.3)."""
        body = (
            f'<TransactionPostLD xmlns="{_LD_NAMESPACE}"><UserId>{self._session}</UserId>'
            f"<BusinessObject>{post.business_object}</BusinessObject>"
            f"<XmlParameters><![CDATA[{post.parameters}]]></XmlParameters>"
            f"<XmlIn><![CDATA[{post.document}]]></XmlIn></TransactionPostLD>"
        )
        name = f"{post.business_object} post (large)"
        body_type = "application/xml"
        return Call("POST", "/Transaction/PostLD", post.effect, name, body=body.encode(), content_type=body_type)

    def post(self, post: PostCall, *, fence: Fence | None = None, large: bool = False) -> xml.Element:
        """Send a transaction and return the parsed answer.

        Args:
            post: What to post.
            fence: Checked right before a write leaves.
            large: By PostLD instead of GET.

        Raises:
            AmbiguousOutcome: A write got no parsed answer of its own business object.
            NotAuthenticated: The session was lost twice: the operator is in use elsewhere. Nothing was executed.
            ProtocolError: The same for a rehearsal.
        """
        build = self.post_ld_call if large else self.post_call
        reply = self._with_session(lambda: build(post), fence=fence)
        name = f"{post.business_object} post"
        try:
            self._refuse_error(_decoded(reply), name, reply)
            return xml.parse(reply.body, what=f"SYSPRO's answer to {name}")
        except ProtocolError as error:
            if post.effect is Effect.READ:
                raise
            msg = f"{error.message}; it may have been executed and is looked up before anything else"
            raise AmbiguousOutcome(msg, request_id=reply.request_id) from error

    def _with_session(self, build: Callable[[], Call], *, fence: Fence | None = None) -> Reply:
        """Send under the session; a lost one is renewed once, since its text proves that nothing was executed."""
        if not self._session:
            self.logon()
        reply = self._try_session(build(), fence)
        if reply is not None:
            return reply
        log.info("the session of SYSPRO operator %s was lost, logging on again once", self.operator)
        self.logon()
        call = build()
        reply = self._try_session(call, fence)
        if reply is None:
            msg = f"SYSPRO operator {self.operator} is in use elsewhere: its session ended again before {call.name}"
            raise NotAuthenticated(msg)
        return reply

    def _try_session(self, call: Call, fence: Fence | None) -> Reply | None:
        """Send once; None when the session was not accepted (by text, or by HTTP 401)."""
        try:
            reply = self.transport.send(call, fence=fence)
        except NotAuthenticated:
            return None
        text = _error_text(_decoded(reply))
        return None if text is not None and text.lower().startswith(_SESSION_LOST) else reply

    def _refuse_error(self, answer: str, name: str, reply: Reply) -> None:
        """Raise for everything that is visibly no answer of a business object."""
        refused = _error_text(answer)
        if refused is not None:
            hint = "; is the business object licensed and allowed for this operator?" if "100000" in refused else ""
            msg = f"SYSPRO answered {name} with: {refused}{hint}"
            raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)
        if reply.status != 200 or _HTML.match(answer):  # noqa: PLR2004 - plain success
            msg = f"SYSPRO answered {name} with HTTP {reply.status} and a page instead of a document"
            raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)


def _decoded(reply: Reply) -> str:
    return reply.body.decode(_ENCODING, errors="replace")


def _error_text(answer: str) -> str | None:
    """Return the text after ``ERROR:`` or ``Error:`` (reference/syspro.md §1.5), None if the answer is no error."""
    match = re.match(r"\s*[\"']?(?:ERROR|Error)\b:?\s*(.*)", answer, re.DOTALL)
    return " ".join(match.group(1).split())[:500] if match else None
