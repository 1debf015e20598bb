"""JAGGAER as a target of GL accounts and cost centers: values of its custom fields (reference/jaggaer.md §2.8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from airflow_provider_mlconnector.documents.ledger import CodedEntry, CodeList
from airflow_provider_mlconnector.systems.jaggaer.base import JaggaerSystem, SteadySession
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.lists import Listing, Row, once, whole
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.rows import scalar
from airflow_provider_mlconnector.systems.jaggaer.writes import write
from airflow_provider_mlconnector.systems.ports import (
    NO_CONTEXT,
    Context,
    Fence,
    Found,
    FoundState,
    Outcome,
    OutcomeState,
    Plan,
    StepDraft,
    StepKind,
)
from airflow_provider_mlconnector.systems.transport import Effect

LIST, WRITE = "code list", "code list update"
CODE: Final = "code"
"""Name of the steps."""
UNIT: Final = "businessUnit"
Entry = Mapping[str, Any]
"""``{"description": text, "active": bool}``."""
Entries = dict[str, dict[str, Entry]]
"""By custom field and value."""


class JaggaerCodeListTarget(JaggaerSystem):
    """Code lists of one tenant (implements ``ports.DocumentTarget``).

    A code that is closed in the ledger becomes inactive here; nothing is ever deleted, because documents carry it.
    """

    def plan(
        self,
        coded: CodedEntry,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,  # noqa: ARG002 - the list itself says what it holds
    ) -> Plan:
        """Compare an entry with the list.

        Where several values mean one code of the ledger, their descriptions stay JAGGAER's own: the ledger has but one.
        """
        field = self._field(coded.field)
        held: Mapping[str, Entry] = reference["entries"].get(field, {})
        alone = len(coded.values) == 1
        steps = []
        for value in coded.values:
            current = held.get(value)
            kept = current["description"] if current and not (alone and coded.description) else coded.description
            entry = {"description": kept, "active": coded.active}
            missing = current is None and value not in reference.get("common", {}).get(field, ())
            if current == entry or (missing and not coded.active):
                continue
            steps.append(_step(field, value, entry, key=coded.values[0], ours=our_reference))
        reason = "" if steps else "closed in the ledger, and not in JAGGAER's list" if not coded.active else "as listed"
        return Plan(steps, key=coded.values[0], reason=reason)

    @contextmanager
    def session(self) -> Iterator[CodeListSession]:
        """Open a session; nothing needs to be held for it."""
        yield CodeListSession(self._client, self._options)

    def _field(self, field: CodeList) -> str:
        return self._options.account_list if field is CodeList.ACCOUNT else self._options.cost_center_list


class CodeListSession(SteadySession):
    """Reads and writes code lists (implements ``ports.TargetSession``)."""

    def __init__(self, client: JaggaerClient, options: JaggaerOptions) -> None:
        self._client = client
        self._options = options
        self._resource = client.contract.gl_codes

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - one seam
        """Read the route's lists.

        Returns:
            ``{"entries": {custom field: {value: {"description", "active"}}}, "common": {custom field: [value, ...]}}``;
            the latter are those active for all business units, where the route has one of its own: what is closed in
            the ledger must be closed for the unit too.
        """
        rows = whole(self._client, self._listing())
        held = {"entries": self._entries(rows, self._options.business_unit)}
        if not self._options.business_unit:
            return held
        common = self._entries(rows, "")
        return held | {
            "common": {
                field: [value for value, entry in values.items() if entry["active"]] for field, values in common.items()
            }
        }

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:  # noqa: ARG002 - a look-up proves the same either way
        """Compare each value with the list as it is now."""
        entries = self._entries(once(self._client, self._listing()), self._options.business_unit) if steps else {}
        return [
            Found(FoundState.OURS, result={"key": step.payload["key"]})
            if entries.get(step.payload["list"], {}).get(step.payload["value"]) == step.payload["entry"]
            else Found(FoundState.ABSENT)
            for step in steps
        ]

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """Fill requests in the order given; one request names a value once."""
        group: dict[tuple[str, str], StepDraft] = {}
        for step in steps:
            place = step.payload["list"], step.payload["value"]
            if place in group or len(group) >= self._options.batch_size:
                yield list(group.values())
                group = {}
            group[place] = step
        if group:
            yield list(group.values())

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Send a group. A refused one is cut in halves until the values objected to stand alone.

        One faulty value refuses its whole request as far as is known; repeating the others sets what they set.
        """
        answer = write(
            self._client,
            self._resource.upsert,
            self._body([self._record(step) for step in steps]),
            name=WRITE,
            effect=Effect.ABSOLUTE,
            fence=fence,
            optional=True,
        )
        if answer.done:
            return [Outcome(OutcomeState.POSTED, result={"key": step.payload["key"]}) for step in steps]
        if len(steps) == 1:
            return [answer.refusal(subject=steps[0].payload["value"])]
        middle = len(steps) // 2
        return [*self.post(steps[:middle], fence=fence), *self.post(steps[middle:], fence=fence)]

    def _record(self, step: StepDraft) -> dict[str, str]:
        entry = step.payload["entry"]
        record = {
            self._resource.field: step.payload["list"],
            self._resource.value: step.payload["value"],
            self._resource.description: entry["description"],
            self._resource.active: str(entry["active"]).lower(),
        }
        return record | ({UNIT: self._options.business_unit} if self._options.business_unit else {})

    def _body(self, records: list[dict[str, str]]) -> dict[str, Any]:
        """Return the body of a write: the list's own container."""
        *outer, last = self._resource.items.split(".")
        body: dict[str, Any] = {last: records}
        for name in reversed(outer):
            body = {name: body}
        return body

    def _listing(self) -> Listing:
        return Listing(self._resource.list, self._resource.items, LIST)

    def _entries(self, rows: Iterable[Row], unit: str) -> Entries:
        """Return the entries of a business unit; those of others are other lists."""
        found: Entries = {}
        for row in rows:
            field, value = scalar(row.get(self._resource.field)), scalar(row.get(self._resource.value))
            if not field or not value or scalar(row.get(UNIT)) != unit:
                continue
            active = row.get(self._resource.active)
            found.setdefault(field, {})[value] = {
                "description": scalar(row.get(self._resource.description)),
                # an entry that does not say is active (booleans come as texts, reference/jaggaer.md §2.4)
                "active": str(active).strip().lower() != "false",
            }
        return found


def _step(field: str, value: str, entry: Entry, *, key: str, ours: str) -> StepDraft:
    state = "active" if entry["active"] else "inactive"
    return StepDraft(
        name=CODE,
        kind=StepKind.ABSOLUTE,
        company="",
        remote_reference=f"CODE|{field}|{value}@{ours}",
        our_reference=ours,
        payload={"list": field, "value": value, "entry": entry, "key": key},
        fingerprint={"list": field, "value": value},
        text=f"{field} {value} {entry['description']}: {state}",
    )
