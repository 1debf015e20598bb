"""What a simulated month asks of a pair of systems: its DAGs, its people, and what must be true in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from support.airflow_home import Deployment
from support.month_desk import Desk
from support.month_office import Office, Plan

from airflow_provider_mlconnector.store.records import DocumentRecord

if TYPE_CHECKING:
    from support.month_run import Month

Books = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """One claim; it holds when nothing contradicts it. ``evidence`` says what was looked at."""

    claim: str
    evidence: str
    differences: tuple[str, ...]

    def __str__(self) -> str:
        """The claim with its verdict."""
        return f"{'ok  ' if not self.differences else 'FAIL'} {self.claim} ({self.evidence})"


def proof(claim: str, evidence: str, differences: Iterable[str]) -> Proof:
    """Return a claim with what contradicts it."""
    return Proof(claim, evidence, tuple(differences))


class Pair(Protocol):
    """JAGGAER and one ledger.

    Attributes:
        system: The sandbox's name of the ledger's system.
        cycle: The DAGs that move documents, in the order their assets give them.
        reconciliation: The DAG that compares both sides.
        mapping: File name of the mapping people edit.
        plan: The size of a whole month.
    """

    system: str
    cycle: Sequence[str]
    reconciliation: str
    mapping: str
    plan: Plan

    def options(self, plan: Plan) -> Mapping[str, Any]:
        """Return the options of the sandbox a month begins with."""

    def connect(self, deployment: Deployment) -> None:
        """Define the connections of both systems."""

    def day(self, month: Month, day: int) -> None:
        """Let people and DAGs do a day's work."""

    def desk(self, office: Office, mapping: Path) -> Desk:
        """Return the people who act on what is stuck."""

    def explained(self, office: Office, document: DocumentRecord) -> bool:
        """Tell whether a document may stay where it is, for a reason people know."""

    def writes(self, books: Books) -> Counter[str]:
        """Return how many writes each system was asked for, refused ones included, by call."""

    def proofs(self, month: Month, books: Books, truth: Mapping[str, Any]) -> list[Proof]:
        """Compare both systems' books with each other and with what people know."""
