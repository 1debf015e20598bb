"""What we posted beside what the ledger shows: the weekly read of its balances, and the one check they allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Final

from airflow_provider_mlconnector.documents.reconciliation import ACCOUNT, AccountBalance, Area, LedgerPeriod
from airflow_provider_mlconnector.store.records import StepRecord
from airflow_provider_mlconnector.sync.differences import Difference, unclear
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.verdicts import EXECUTED
from airflow_provider_mlconnector.systems.ports import LedgerFigures

_LOT: Final = 500
Entry = tuple[str, int | None, int | None]
"""Account, ledger year, ledger period."""


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account we post to: what the ledger shows for its current period, and what of that is ours.

    Attributes:
        account: As the ledger has it.
        ours: Net of our postings of that period, debits positive, as far as they are booked.
        waiting: Net of those that the ledger does not have yet.
        foreign: Postings in foreign currencies, whose value in company currency only the ledger knows.
    """

    account: AccountBalance
    ours: Decimal
    waiting: Decimal
    foreign: int

    @property
    def others(self) -> Decimal:
        """What is not ours of the period's movement."""
        return self.account.debit - self.account.credit - self.ours


@dataclass(slots=True)
class Amounts:
    """What we posted on one account in one period; see :class:`AccountLine`."""

    booked: Decimal = Decimal(0)
    waiting: Decimal = Decimal(0)
    foreign: int = 0


def posted_amounts(job: Job, right: LedgerFigures, routes: Iterable[Route]) -> Mapping[Entry, Amounts]:
    """Add up what we posted, per account and ledger period, from the steps the target executed."""
    sums: dict[Entry, Amounts] = defaultdict(Amounts)
    for route in routes:
        after = ""
        while True:
            with job.unit_of_work() as uow:
                page = uow.documents.search(route=route.name, limit=_LOT, after_id=after)
                steps = uow.steps.of([document.id for document in page])
            # outside the transaction: the target may have to be asked which period a day belongs to
            _add_bookings(right, chain.from_iterable(steps.values()), sums)
            if len(page) < _LOT:
                break
            after = page[-1].id
    return sums


def _add_bookings(right: LedgerFigures, steps: Iterable[StepRecord], sums: dict[Entry, Amounts]) -> None:
    for step in steps:
        if step.state not in EXECUTED:
            continue
        for booking in right.bookings(step.name, step.payload["payload"], step.result):
            entry = sums[booking.account, booking.year, booking.period]
            if booking.currency:
                entry.foreign += 1
            elif booking.booked:
                entry.booked += booking.amount
            else:
                entry.waiting += booking.amount


def account_lines(ledger: LedgerPeriod, posted: Mapping[Entry, Amounts]) -> tuple[AccountLine, ...]:
    """Put what we posted in the ledger's current period beside what its accounts show."""
    return tuple(
        AccountLine(account, ours.booked, ours.waiting, ours.foreign)
        for account in ledger.accounts
        for ours in [posted.get((account.code, ledger.year, ledger.number), Amounts())]
    )


def moved_too_little(ledger: LedgerPeriod, accounts: Sequence[AccountLine]) -> list[Difference]:
    """Name accounts that moved less than we posted alone: others may add to a period's movement, never take away."""
    found = []
    for line in accounts:
        moved = line.account.debit + line.account.credit
        if moved >= abs(line.ours):
            continue
        text = f"moved by {moved} in all, though {line.ours} of ours is booked there: look for journals not posted"
        found.append(
            Difference(
                row=(Area.LEDGER, ACCOUNT, f"{ledger.year}/{ledger.number:02d}", ledger.currency),
                label=f"{line.account.code} {line.account.description}",
                left=None,
                right=None,
                reason=unclear("ledger_short", text),
            )
        )
    return found
