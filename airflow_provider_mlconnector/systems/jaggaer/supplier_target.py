"""JAGGAER as a target of suppliers: profiles by REST, and messages where the XML router is configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.supplier import CodedSupplier, owners
from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError, MLConnectorError
from airflow_provider_mlconnector.systems.jaggaer import profiles, tsm
from airflow_provider_mlconnector.systems.jaggaer.base import JaggaerSystem, SteadySession
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.fields import at
from airflow_provider_mlconnector.systems.jaggaer.lists import Listing, Row, having, whole
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.profiles import Profile
from airflow_provider_mlconnector.systems.jaggaer.router import OK, XmlRouter
from airflow_provider_mlconnector.systems.jaggaer.rows import among, scalar
from airflow_provider_mlconnector.systems.jaggaer.supplier_plan import CREATE, PROFILE, TSM, Holdings, SupplierPlanner
from airflow_provider_mlconnector.systems.jaggaer.writes import Answer, write
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
)
from airflow_provider_mlconnector.systems.transport import Effect

LIST, WRITE = "supplier list", "supplier profile"


class JaggaerSupplierTarget(JaggaerSystem):
    """Suppliers of one tenant (implements ``ports.DocumentTarget``).

    Args:
        name: The Airflow connection's id.
        client: For the tenant.
        options: The route's choices.
        router: Takes what profiles cannot hold (terms, remit-to, bank); None leaves that out.
    """

    def __init__(
        self, name: str, client: JaggaerClient, options: JaggaerOptions, *, router: XmlRouter | None = None
    ) -> None:
        super().__init__(name, client, options)
        self._router = router
        self._planner = SupplierPlanner(
            client.contract,
            owners(options.owners),
            options.business_unit,
            with_messages=router is not None,
        )
        self._indexed: tuple[Mapping[str, Any], Holdings] | None = None

    @property
    def settle_seconds(self) -> float:
        """Our own deadline, the router's if that is longer, plus what JAGGAER may still work after it."""
        router = self._router.timeout if self._router else 0.0
        return max(self._client.timeout, router) + self._options.remote_timeout

    def plan(
        self,
        coded: CodedSupplier,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Match the supplier and compare it (see :meth:`.SupplierPlanner.plan`)."""
        if self._indexed is None or self._indexed[0] is not reference:
            self._indexed = reference, Holdings.of(reference, self._client.contract)
        return self._planner.plan(coded, self._indexed[1], ours=our_reference, context=context)

    @contextmanager
    def session(self) -> Iterator[SupplierSession]:
        """Open a session; nothing needs to be held for it."""
        yield SupplierSession(self._client, self._router)


class SupplierSession(SteadySession):
    """Reads and writes suppliers (implements ``ports.TargetSession``)."""

    def __init__(self, client: JaggaerClient, router: XmlRouter | None) -> None:
        self._client = client
        self._contract = client.contract
        self._router = router

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - one seam
        """Read every supplier's profile: ``{"suppliers": {bravoId: {field: text}}}``."""
        rows = whole(self._client, self._listing(self._contract.suppliers.extra_filter))
        return {"suppliers": self._sellers(rows)}

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:  # noqa: ARG002 - a look-up proves the same either way
        """Look companies up by key or number; a supplier message cannot be read back, and may be repeated."""
        keys = [step.payload["key"] for step in steps if step.name == PROFILE and step.payload["key"]]
        numbers = [step.payload["number"] for step in steps if step.name == PROFILE and not step.payload["key"]]
        by_key, by_number = self._by_keys(keys), self._by_numbers(numbers)
        found = []
        for step in steps:
            if step.name == TSM:
                found.append(Found(FoundState.ABSENT))
            elif step.payload["operation"] == CREATE:
                found.append(_created(step, by_number.get(step.fingerprint["number"], {})))
            else:
                found.append(_updated(step, by_key.get(step.payload["key"])))
        return found

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Send the one step of a group."""
        (step,) = steps
        if step.name == TSM:
            return [self._send_message(step, fence)]
        return [self._create(step, fence) if step.payload["operation"] == CREATE else self._update(step, fence)]

    # --- profiles -------------------------------------------------------------------------------------------------

    def _create(self, step: StepDraft, fence: Fence) -> Outcome:
        answer = self._write(step, step.payload["fields"], "", Effect.WRITE, fence)
        if not answer.done:
            return answer.refusal(subject=step.payload["number"])
        key = answer.text(_last(self._contract.suppliers.id))
        if not key:
            msg = f"JAGGAER created supplier {step.payload['number']} without saying its key; it is looked up"
            raise AmbiguousOutcome(msg)
        return _posted(step, key, answer)

    def _update(self, step: StepDraft, fence: Fence) -> Outcome:
        """Read, merge, write, reread: what an update leaves out may be cleared, so nothing is (FINANCE §7)."""
        key, fields = step.payload["key"], step.payload["fields"]
        before = self._by_keys([key]).get(key)
        if before is None:
            text = f"company {key} is not in JAGGAER any more"
            return Outcome(OutcomeState.REFUSED, "supplier_gone", key, text, parked=True)
        merged = {name: before[name] for name in profiles.KEPT if name in before} | fields
        answer = self._write(step, merged, key, Effect.ABSOLUTE, fence)
        if not answer.done:
            return answer.refusal(subject=step.payload["number"])
        after = self._reread(key)
        missed = profiles.changed(fields, after)
        if missed:
            text = f"JAGGAER answered that all was well, yet did not take {', '.join(missed)}"
            return Outcome(OutcomeState.REFUSED, "not_taken", ", ".join(missed), text)
        outcome = _posted(step, key, answer)
        lost = profiles.changed({name: text for name, text in merged.items() if name not in fields}, after)
        if lost:
            issue = f"the update of supplier {step.payload['number']} also changed {', '.join(lost)} in JAGGAER"
            outcome = Outcome(outcome.state, result={**outcome.result, "issue": issue})
        return outcome

    def _write(self, step: StepDraft, fields: Mapping[str, str], key: str, effect: Effect, fence: Fence) -> Answer:
        resource = self._contract.suppliers
        info = {_last(resource.id): key, **fields} if key else dict(fields)
        company = {"operationCode": step.payload["operation"], "sendEMail": "false", "companyInfo": info}
        name = f"{WRITE} {step.payload['number']}"
        return write(self._client, resource.upsert, {"company": company}, name=name, effect=effect, fence=fence)

    def _reread(self, key: str) -> Profile:
        try:
            after = self._by_keys([key]).get(key)
        except MLConnectorError as error:
            msg = f"company {key} was updated in JAGGAER, but could not be read back: {error.message}"
            raise AmbiguousOutcome(msg, request_id=error.request_id) from error
        if after is None:
            msg = f"company {key} was updated in JAGGAER and is not found there now"
            raise AmbiguousOutcome(msg)
        return after

    # --- supplier messages ----------------------------------------------------------------------------------------

    def _send_message(self, step: StepDraft, fence: Fence) -> Outcome:
        if self._router is None:
            msg = "a supplier message is planned, but the connection's fields of the XML router are empty"
            raise ConfigurationError(msg, field=f"connection '{self._client.connection}', field Router URL")
        content = step.payload["content"]
        number = content["number"]
        key = step.payload["key"] or next(iter(self._by_numbers([number]).get(comparable(number), {})), "")
        if not key:
            text = f"no company in JAGGAER carries the ERP number {number}, so nothing can be said about it"
            return Outcome(OutcomeState.REFUSED, "supplier_gone", number, text, parked=True)
        message = tsm.message(
            content, self._contract.tsm, gone=step.payload["gone"], message_id=f"{step.our_reference}-{TSM}"
        )
        status = self._router.send(message, effect=Effect.ABSOLUTE, fence=fence)
        if status.code == OK and not status.errors:
            return Outcome(OutcomeState.POSTED, result={"key": key, **step.payload["keep"]})
        said = "; ".join(text for texts in status.errors.values() for text in texts) or status.text
        text = f"the XML router answered status {status.code}: {said or 'no reason given'}"
        return Outcome(OutcomeState.REFUSED, f"router_{status.code}", number, text)

    # --- look-ups -------------------------------------------------------------------------------------------------

    def _listing(self, condition: str) -> Listing:
        resource = self._contract.suppliers
        return Listing(resource.list, resource.items, LIST, condition, profiles.INFO)

    def _by_keys(self, keys: Sequence[str]) -> dict[str, Profile]:
        if not keys:
            return {}
        field = self._contract.supplier_writes.id_filter
        return self._keyed(having(self._client, self._listing(""), field, keys))

    def _by_numbers(self, numbers: Sequence[str]) -> dict[str, dict[str, Profile]]:
        """Return profiles by normalized ERP number and key, asked for under every field that carries it."""
        found: dict[str, dict[str, Profile]] = {}
        for field in self._contract.suppliers.number if numbers else ():
            for key, profile in self._keyed(having(self._client, self._listing(""), field, numbers)).items():
                number = profiles.number_of(profile, self._contract)
                found.setdefault(comparable(number), {})[key] = profile
        return found

    def _keyed(self, rows: Sequence[Row]) -> dict[str, Profile]:
        return {key: profiles.profile_of(row) for row in rows if (key := scalar(at(row, self._contract.suppliers.id)))}

    def _sellers(self, rows: Sequence[Row]) -> dict[str, Profile]:
        types = self._contract.suppliers.types
        return {
            key: {name: profile[name] for name in profiles.READ if name in profile}
            for key, profile in self._keyed(rows).items()
            if not types or not profile.get("type") or among(profile["type"], types)
        }


def _created(step: StepDraft, found: Mapping[str, Profile]) -> Found:
    """Judge what stands under the number a new supplier is to get: the number is ours alone, its name must agree."""
    if not found:
        return Found(FoundState.ABSENT)
    name = {profiles.NAME: step.fingerprint["name"]}
    ours = [key for key, profile in found.items() if not profiles.changed(name, profile)]
    if ours:
        return Found(FoundState.OURS, f"company {ours[0]}", {"key": ours[0], **step.payload["keep"]})
    others = "; ".join(f"{key} {profile.get(profiles.NAME, '')}" for key, profile in found.items())
    return Found(FoundState.DIFFERENT, f"ERP number {step.payload['number']} belongs to {others} in JAGGAER")


def _updated(step: StepDraft, profile: Profile | None) -> Found:
    if profile is None or profiles.changed(step.payload["fields"], profile):
        return Found(FoundState.ABSENT)  # a company that is gone is told when the update is tried
    return Found(FoundState.OURS, "", {"key": step.payload["key"], **step.payload["keep"]})


def _posted(step: StepDraft, key: str, answer: Answer) -> Outcome:
    warning = {"warning": answer.message} if answer.warned else {}
    return Outcome(OutcomeState.POSTED, result={"key": key, **step.payload["keep"], **warning})


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]
