"""Operators and their sessions: one each, idle timeout, seats, wrong passwords (reference/syspro.md §1.4–1.6)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.options import SysproOptions
from airflow_provider_mlconnector.sandbox.syspro.records import LogonRecord
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError

OPERATORS = {"MLCONN": "ledger-bridge-7", "MLCONN2": "ledger-bridge-8"}
"""Operators of the site and their (invented) passwords."""
COMPANY_PASSWORD = "edu-machine-9"  # noqa: S105 - invented, of a simulated company
INSTANCE = "00"
GUID_TAIL = "  "
_KEY_LENGTH = 34


@dataclass(slots=True)
class Session:
    """One logged-in operator."""

    key: str
    operator: str
    company: str
    last_used: datetime


class Sessions:
    """All sessions of the site."""

    def __init__(self, *, seed: int, now: Callable[[], datetime], options: SysproOptions) -> None:
        self._random = random.Random(f"syspro-sessions-{seed}")  # noqa: S311 - repeatable, not secret
        self._now = now
        self._options = options
        self._by_key: dict[str, Session] = {}
        self._wrong: dict[str, int] = {}
        self.logons: list[LogonRecord] = []

    def logon(self, *, request_no: int, operator: str, password: str, company: str, company_password: str) -> str:
        """Open a session and return its key of 36 bytes, the last two blank; an older one of the operator ends.

        Raises:
            EnetError: If the logon is refused.
        """
        reason = self._refusal(operator, password, company, company_password)
        self.logons.append(
            LogonRecord(
                request_no, self._now(), operator, company, "refused" if reason else "ok", reason,
                self._wrong.get(operator, 0),
            )
        )  # fmt: skip
        if reason:
            raise EnetError(reason)
        self._by_key = {key: session for key, session in self._by_key.items() if session.operator != operator}
        key = f"{self._random.getrandbits(128):032X}{INSTANCE}"
        self._by_key[key] = Session(key, operator, company, self._now())
        return key + GUID_TAIL

    def _refusal(self, operator: str, password: str, company: str, company_password: str) -> str:
        """Return why a logon is refused, or nothing; counts wrong passwords in a row."""
        if operator not in OPERATORS:
            return sim_texts.INVALID_OPERATOR
        reason = self._password_refusal(operator, password)
        if reason:
            return reason
        if company != master.COMPANY:
            return sim_texts.INVALID_COMPANY
        if company_password != COMPANY_PASSWORD:
            return sim_texts.INVALID_COMPANY_PASSWORD
        self._drop_idle()
        others = [session for session in self._by_key.values() if session.operator != operator]
        return sim_texts.LICENSE_FULL if 0 < self._options.licenses <= len(others) else ""

    def _password_refusal(self, operator: str, password: str) -> str:
        wrong = self._wrong.get(operator, 0)
        if self._options.lock_after and wrong >= self._options.lock_after:
            return sim_texts.OPERATOR_LOCKED
        if password != OPERATORS[operator]:
            self._wrong[operator] = wrong + 1
            return wire.INVALID_OPERATOR_PASSWORD
        self._wrong[operator] = 0
        return ""

    def _drop_idle(self) -> None:
        oldest = self._now() - timedelta(minutes=self._options.idle_minutes)
        self._by_key = {key: session for key, session in self._by_key.items() if session.last_used >= oldest}

    def use(self, user_id: str) -> Session:
        """Return the session, with its last use set to now; the trailing blanks of the key do not matter.

        Raises:
            EnetError: With the recorded texts, if there is no such session (any more).
        """
        key = user_id.rstrip()
        self._drop_idle()
        session = self._by_key.get(key)
        if session is not None:
            session.last_used = self._now()
            return session
        if len(key) == _KEY_LENGTH and key[32].isdigit() and key[32] != INSTANCE[0]:
            # Recorded: the 33rd character picks the SYSPRO instance, and only 0 is installed here.
            raise EnetError(wire.UNKNOWN_INSTANCE.format(instance=key[32]))
        raise EnetError(wire.INVALID_SESSION)

    def logoff(self, user_id: str) -> None:
        """End a session.

        Raises:
            EnetError: If there is none.
        """
        key = self.use(user_id).key
        del self._by_key[key]

    def evict_all(self) -> None:
        """End every session, as people logging in as the operators would."""
        self._by_key.clear()

    def listing(self) -> list[dict[str, object]]:
        """Return the open sessions."""
        self._drop_idle()
        return [
            {"operator": session.operator, "company": session.company, "last_used": session.last_used.isoformat()}
            for session in self._by_key.values()
        ]
