"""What the people of a simulated month work with: the sandbox's control API, its clock, and their memory."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from support.storm import LATE, TIMEOUT, storm

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.systems.ports import SystemClock

Body = dict[str, Any]
START = datetime(2026, 3, 9, 6, tzinfo=UTC)
"""First simulated morning: the month turns before the run is over."""


class RefusedError(Exception):
    """A system did not let somebody do something."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much business there is. Figures are of the whole run, suppliers of its start.

    Attributes:
        seed: Everything drawn follows from it.
        days: Simulated days.
        suppliers: Held by both systems at the start, those only one of them has included.
        orders: Purchase orders approved.
        invoices: Invoices entered, credit memos included.
        faults: Share of calls that are spoiled.
    """

    seed: int = 1
    days: int = 30
    suppliers: int = 500
    orders: int = 2000
    invoices: int = 5000
    faults: float = 0.05

    @property
    def further_suppliers(self) -> int:
        """How many suppliers there are beside the sandbox's named ones."""
        return max(0, self.suppliers - len(master.SUPPLIERS))

    @property
    def unlinked_suppliers(self) -> int:
        """How many of them JAGGAER knows without their ERP number at the start."""
        return min(30, self.further_suppliers // 6)

    @property
    def shared_suppliers(self) -> list[str]:
        """Numbers of the USD suppliers whom both systems hold under the same number from the start."""
        further = master.more_suppliers(self.further_suppliers)[self.unlinked_suppliers :]
        named = [each for each in master.SUPPLIERS if "V00001" <= each.number <= "V00030"]
        return [each.number for each in (*named, *further) if each.currency == "USD"]

    def scaled(self, factor: float) -> Plan:
        """Return the same month with as many times the business."""
        return Plan(
            self.seed,
            self.days,
            max(45, round(self.suppliers * factor)),
            max(1, round(self.orders * factor)),
            max(1, round(self.invoices * factor)),
            self.faults,
        )

    def share(self, total: int, day: int) -> int:
        """Return how many of ``total`` fall on a day; the days' shares add up exactly."""
        return total * (day + 1) // self.days - total * day // self.days


class Hours:
    """One simulated time for sandbox and connector: the machine's, shifted, moved by waiting and from day to day."""

    def __init__(self, url: str, patch: pytest.MonkeyPatch, start: datetime = START) -> None:
        self._url, self._patch = url, patch
        self._offset = start - datetime.now(UTC)
        self.late = 0.0
        """Real seconds in which a write may still take effect after its connection was lost."""

    def take_over(self) -> None:
        """Let the connector live in the simulated time. Waiting takes none of the machine's."""
        self._patch.setattr(SystemClock, "now", lambda _clock: self.now())
        self._patch.setattr(SystemClock, "sleep", lambda _clock, seconds: self.advance(seconds))

    def now(self) -> datetime:
        """Return the simulated moment."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Let time pass in both systems and the connector at once."""
        self._offset += timedelta(seconds=seconds)
        with requests.Session() as session:
            session.trust_env = False
            session.post(f"{self._url}/_sandbox/clock", json={"advance": seconds}, timeout=30).raise_for_status()

    def wait(self, seconds: float) -> None:
        """Let time pass behind everything that is still under way: late commits land first."""
        time.sleep(self.late)
        self.advance(seconds)

    def until(self, moment: datetime) -> None:
        """Go on to a later moment."""
        self.wait(max(0.0, (moment - self.now()).total_seconds()))


@dataclass
class Diary:
    """What people did that neither system's books say."""

    withdrawn: dict[int, str] = field(default_factory=dict)
    """Invoices people took back in JAGGAER before they were posted, by id: why."""
    by_hand: set[tuple[str, str]] = field(default_factory=set)
    """(supplier, number) of invoices that SYSPRO's clerks typed in and JAGGAER never has."""
    before_us: set[tuple[str, str]] = field(default_factory=set)
    """(supplier, number) of invoices typed into both systems."""
    originals: list[Body] = field(default_factory=list)
    """Invoices that may be credited: id, number, supplier, amount, coding, currency, unit, credited so far."""
    billed: defaultdict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """Quantity billed in JAGGAER by (order, line)."""
    order_of: dict[int, str] = field(default_factory=dict)
    """Which order an invoice bills, by its id."""
    lines_of: dict[int, list[str]] = field(default_factory=dict)
    """Which of its lines."""
    coded: dict[int, Sequence[tuple[Decimal, str, str]]] = field(default_factory=dict)
    """Invoices of JAGGAER whose lines are known here, by id: (price, account, cost center)."""
    held: list[str] = field(default_factory=list)
    """Suppliers a clerk put on hold, who lifts that again."""
    vouchered: set[str] = field(default_factory=set)
    """Invoices of orders that clerks vouchered in the ledger, by JAGGAER's key."""
    on_hold: list[int] = field(default_factory=list)
    """Vouchers clerks entered on hold, who release them the next day."""
    closed: set[str] = field(default_factory=lambda: {each.syspro_code for each in master.ACCOUNTS if each.on_hold})
    """Accounts on hold under every cost center."""
    done: Counter[str] = field(default_factory=Counter)
    """What was done, by kind."""
    refused: Counter[str] = field(default_factory=Counter)
    """What a system did not let people do, by kind."""


class Office:
    """People at the screens of both systems, all of whom act through the sandbox's control API."""

    def __init__(self, url: str, plan: Plan, hours: Hours, ledger: str) -> None:
        self.plan, self.hours, self.diary = plan, hours, Diary()
        self.ledger = ledger
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def random(self, what: str) -> random.Random:
        """Return dice of their own for a piece of work: one piece more changes no other's luck."""
        return random.Random(f"{self.plan.seed}: {what}")

    def ask(self, command: str) -> Any:
        """Read from the control API."""
        answer = self._session.get(f"{self._url}/_sandbox/{command}", timeout=300)
        answer.raise_for_status()
        return answer.json()

    def do(self, system: str, kind: str, **body: Any) -> Body:
        """Do something at a screen.

        Raises:
            RefusedError: The system does not take it.
        """
        sent = {"system": system, "kind": kind, "body": body}
        answer = self._session.post(f"{self._url}/_sandbox/documents", json=sent, timeout=60)
        told: Body = answer.json()
        if answer.status_code == requests.codes.bad_request:
            self.diary.refused[f"{system} {kind}"] += 1
            raise RefusedError(f"{system} {kind} {body}: {told['error']}")
        answer.raise_for_status()
        self.diary.done[f"{system} {kind}"] += 1
        return told

    def try_to(self, system: str, kind: str, **body: Any) -> Body | None:
        """Do something where a system may have its reasons against it: None then, and counted."""
        try:
            return self.do(system, kind, **body)
        except RefusedError:
            return None

    def hold_account(self, account: str, *, held: bool) -> None:
        """Put an account on hold in SYSPRO under every cost center, or release it."""
        for section, _name in master.COST_CENTERS.values():
            self.do("syspro", "gl_account", gl_code=f"{section}-{account}", on_hold=held)
        (self.diary.closed.add if held else self.diary.closed.discard)(account)

    def storm(self, number: int) -> None:
        """Spoil the plan's share of calls from now on."""
        rules = self._weather(number) if self.plan.faults else []
        if rules:
            rules.append(
                {"kind": "delay", "seconds": 0.02, "probability": self.plan.faults / len(rules), "seed": number}
            )
        self._set_faults(rules)
        self.hours.late = 2 * LATE if rules else 0.0

    def _weather(self, number: int) -> list[Body]:
        """Return a storm's rules for JAGGAER and this ledger; what SYSPRO alone has is left out or moved."""
        rules = storm(self.plan.seed * 1000 + number, self.plan.faults)
        if self.ledger == "syspro":
            return rules
        rules = [rule for rule in rules if rule["kind"] != "evict"]
        return [{**rule, "system": self.ledger} if "system" in rule else rule for rule in rules]

    def calm(self) -> Counter[str]:
        """End the faults; return how often each kind has struck since they were set."""
        hits = Counter[str]()
        for rule in self.ask("faults")["rules"]:
            hits[rule["kind"]] += rule["hits"]
        time.sleep(self.hours.late)
        self._set_faults([])
        self.hours.late = 0.0
        return hits

    def _set_faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        self._session.post(f"{self._url}/_sandbox/faults", json=rules, timeout=30).raise_for_status()


def pick(rng: random.Random, rows: list[Any], count: int) -> list[Any]:
    """Draw up to ``count`` different rows."""
    return rng.sample(rows, min(count, len(rows)))


__all__ = ["LATE", "START", "TIMEOUT", "Body", "Diary", "Hours", "Office", "Plan", "RefusedError", "pick"]
