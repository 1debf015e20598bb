"""Report: what stands where and why, in words of the trade."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.currency import minor_unit
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.store.records import ChainHead
from airflow_provider_mlconnector.sync.job import Job

STUCK = (State.REJECTED, State.PARKED, State.FAILED, State.UNCERTAIN, State.CHANGED_AFTER_POSTING)
"""States whose reasons people want to read."""
_ALIKE = 3
"""Causes of one code that are told in full."""
_REMEDIES = {
    State.REJECTED: "correct it at its source, and the next run takes it up",
    State.PARKED: "clear up what it waits for, and the next run takes it up",
    State.FAILED: "clear up what the target objected to, then `mlconnector replay`",
    State.UNCERTAIN: "look it up in the target, then `mlconnector replay` with what you saw",
    State.CHANGED_AFTER_POSTING: "correct the target by hand, then `mlconnector replay --handled`",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause and how many documents it holds up."""

    code: str
    subject: str
    sample: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """Where the route's documents stand.

    Attributes:
        route: The route.
        batch_id: The run's batch.
        counts: Documents per state.
        sums: Gross sums per state and currency, credit memos subtracted.
        reasons: Causes that hold documents up, most first.
        failing: The states of the route's ``fail_on`` that are not empty.
        head: End of the audit chain: an anchor to keep outside.
        dry_run: Whether the counts are a preview's.
        issues: What people should look at though it holds nothing up: orders that do not match, where the route only
            warns, or a target that differs.
    """

    route: str
    batch_id: str
    counts: Mapping[str, int]
    sums: Mapping[str, Mapping[str, Decimal]]
    reasons: Sequence[Reason]
    failing: Mapping[str, int]
    head: ChainHead
    dry_run: bool = False
    issues: Sequence[Reason] = ()

    def summary(self) -> dict[str, Any]:
        """Return the JSON-able form, for XCom."""
        return {
            "route": self.route,
            "batch_id": self.batch_id,
            "dry_run": self.dry_run,
            "counts": dict(self.counts),
            "sums": {state: {cur: str(total) for cur, total in by.items()} for state, by in self.sums.items()},
            "stuck": [
                {"code": reason.code, "subject": reason.subject, "count": reason.count, "sample": reason.sample}
                for reason in self.reasons
            ],
            "issues": [{"code": issue.code, "subject": issue.subject, "text": issue.sample} for issue in self.issues],
            "failing": dict(self.failing),
            "anchor": {"store": self.head.store_id, "seq": self.head.seq, "mac": self.head.mac},
        }

    @property
    def text(self) -> str:
        """The report for people: states with counts and sums, then each cause."""
        title = "Dry run: what would happen" if self.dry_run else "Where the documents stand"
        lines = [f"{title} on route {self.route} (batch {self.batch_id}, store {self.head.store_id})"]
        for state, count in sorted(self.counts.items(), key=lambda item: -item[1]):
            sums = sorted(self.sums.get(state, {}).items())
            totals = ", ".join(f"{currency} {_money(total, currency)}" for currency, total in sums)
            lines.append(f"  {state:<22} {count:>7}   {totals}".rstrip())
        if self.reasons:
            lines.append("Waiting, by cause:")
            lines += _causes(self.reasons)
        if self.issues:
            lines.append("To be looked at:")
            lines += [f"  {issue.code}: {issue.sample}" for issue in self.issues]
        if self.failing:
            lines.append("The run is red because of:")
            lines += [f"  {count:>5} {state}: {_remedy(state)}" for state, count in self.failing.items()]
        return "\n".join(lines)


def report(job: Job) -> Report:
    """Count the route's documents, refresh its issues and name every cause that holds documents up."""
    if job.dry_run:
        return _preview_report(job)
    counts = Counter[str]()
    sums: dict[str, dict[str, Decimal]] = defaultdict(dict)
    with job.unit_of_work() as uow:
        uow.issues.refresh(job.route.name)
        for row in uow.documents.count_states(job.route.name):
            counts[row.state] += row.count
            if row.currency:
                sums[row.state][row.currency] = row.gross
        reasons = [Reason(*row) for row in uow.documents.reasons(job.route.name, STUCK)]
        # those of documents that wait are among the reasons
        issues = [issue for issue in uow.issues.list(job.route.name) if not issue.documents]
    return Report(
        route=job.route.name,
        batch_id=job.batch_id,
        counts=counts,
        sums=sums,
        reasons=sorted(reasons, key=lambda reason: -reason.count),
        failing={str(state): counts[state] for state in job.route.fail_on if counts[state]},
        head=job.store.head(),
        issues=[Reason(issue.code, issue.subject, issue.text, 1) for issue in issues],
    )


def _causes(reasons: Sequence[Reason]) -> Iterator[str]:
    """Name each cause with its count; of many that differ only in whom they concern, the first few."""
    told = Counter[str]()
    further = Counter[str]()
    for reason in reasons:
        told[reason.code] += 1
        if told[reason.code] > _ALIKE:
            further[reason.code] += reason.count
        else:
            yield f"  {reason.count:>5} × {reason.code}: {reason.sample}"
    for code, count in further.items():
        yield f"  {count:>5} × {code} of others: `mlconnector documents --reason {code}` lists them"


def _remedy(state: str) -> str:
    return _REMEDIES.get(State(state), "see what each waits for")


def _money(total: Decimal, currency: str) -> str:
    """As many decimals as the currency has, and more only where there are more."""
    try:
        least = minor_unit(currency)
    except Rejected:  # a document that was rejected for its currency
        least = Decimal("0.01")
    return f"{total.quantize(least) if total == total.quantize(least) else total.normalize():,f}"


def _preview_report(job: Job) -> Report:
    counts = Counter[str]()
    causes = Counter[tuple[str, str]]()
    with job.unit_of_work() as uow:
        for _key, body in uow.previews.list(job.preview_id):
            counts[body["state"]] += 1
            if body["reason_code"]:
                causes[body["reason_code"], body["reason"]] += 1
    reasons = [Reason(code, "", sample, count) for (code, sample), count in causes.most_common()]
    return Report(job.route.name, job.batch_id, counts, {}, reasons, {}, job.store.head(), dry_run=True)
