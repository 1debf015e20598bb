"""What a supplier of the ERP means for JAGGAER: matched, compared owner by owner, planned (FINANCE §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.matching import Matcher
from airflow_provider_mlconnector.documents.supplier import CodedSupplier, FieldGroup, Owner, Supplier
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer import profiles, tsm
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.profiles import Profile
from airflow_provider_mlconnector.systems.ports import Context, Overruled, Plan, StepDraft, StepKind

PROFILE, TSM = "profile", "tsm"
"""Names of the steps."""
CREATE, UPDATE = "CREATE", "UPDATE"
_TOLD: Final = {
    FieldGroup.CURRENCY: "currency",
    FieldGroup.TAX_ID: "tax_id",
    FieldGroup.ADDRESS: "address",
    FieldGroup.CONTACT: "contact",
}
"""Groups that may be empty, and the canonical field that tells them."""


@dataclass(frozen=True)
class Holdings:
    """The tenant's suppliers, indexed once for many plans.

    Attributes:
        profiles: By ``bravoId``.
        matcher: Over all of them.
    """

    profiles: Mapping[str, Profile]
    matcher: Matcher

    @classmethod
    def of(cls, reference: Mapping[str, Any], contract: JaggaerContract) -> Holdings:
        """Index what ``read_reference`` returned."""
        rows: Mapping[str, Profile] = reference["suppliers"]
        candidates = (profiles.candidate(key, row, contract) for key, row in rows.items())
        return cls(rows, Matcher(candidates, normal=comparable))


@dataclass(frozen=True)
class SupplierPlanner:
    """Plans one supplier.

    Attributes:
        contract: What the tenant does differently.
        owners: Who decides which group.
        business_unit: Internal name of the unit that knows suppliers by the ERP's number, empty for none.
        with_messages: Whether the XML router is configured.
    """

    contract: JaggaerContract
    owners: Mapping[FieldGroup, Owner]
    business_unit: str
    with_messages: bool

    def plan(self, coded: CodedSupplier, holdings: Holdings, *, ours: str, context: Context) -> Plan:
        """Return the steps, the company's key where known, and what the ERP may not decide.

        Raises:
            Rejected: ``number_missing``: the ERP's supplier has no number.
            Parked: ``supplier_ambiguous`` or ``supplier_gone``.
        """
        supplier = coded.supplier
        if not supplier.number:
            msg = f"supplier {supplier.name} has no ERP number to be known by in JAGGAER"
            raise Rejected(msg, code="number_missing", field="number")
        key = self._key(supplier, holdings, context)
        if not key:
            return self._new(coded, ours, context)
        current = holdings.profiles[key]
        wanted = profiles.fields_by_group(coded, self.contract, current)
        message = self._message(coded, current, ours, context, key)
        fields = self._numbers(supplier, current) | self._owned(wanted, current, context, bool(message))
        steps = []
        if fields or message:
            # stands before every message, so that a message refused is planned anew with what came before it
            payload = {"operation": UPDATE, "key": key, "fields": fields, "keep": self._written_last(context)}
            steps.append(_profile_step(supplier, payload, "" if context.known is None else f"@{ours}", ours))
        steps += message
        return Plan(
            steps,
            key=key,
            reason="" if steps else "JAGGAER says the same already",
            overruled=self._overruled(supplier, wanted, current),
        )

    def _key(self, supplier: Supplier, holdings: Holdings, context: Context) -> str:
        linked = context.links.by_source.get(context.key) or str((_known(context) or {}).get("key", ""))
        if not linked:
            found = holdings.matcher.match(supplier, key=context.key, taken=context.links.by_target)
            return found.key if found else ""
        if linked not in holdings.profiles:
            msg = (
                f"supplier {supplier.number} is company {linked} in JAGGAER, which is not among its suppliers any more;"
                " look there whether it was merged or deleted"
            )
            raise Parked(msg, code="supplier_gone", subject=linked)
        return linked

    def _new(self, coded: CodedSupplier, ours: str, context: Context) -> Plan:
        supplier = coded.supplier
        if not profiles.is_usable(supplier):
            return Plan((), reason="on hold or inactive in the ERP, and unknown to JAGGAER")
        groups = profiles.fields_by_group(coded, self.contract, {})
        fields = dict(self.contract.supplier_writes.created) | self._numbers(supplier, {})
        for group in groups.values():
            fields |= {name: text for name, text in group.items() if text}
        if supplier.address and not fields.get("isoCountry"):
            # a country in words has no field of its own
            fields["address"] = ", ".join(filter(None, (fields.get("address", ""), supplier.address.country)))
        payload = {"operation": CREATE, "key": "", "fields": fields, "keep": {}}
        return Plan([_profile_step(supplier, payload, "", ours), *self._message(coded, fields, ours, context, "")])

    def _numbers(self, supplier: Supplier, current: Profile) -> dict[str, str]:
        """Return the fields that carry the ERP's number, where they do not say it yet: so it is written back."""
        return {
            name: supplier.number
            for name in self.contract.suppliers.number
            if comparable(current.get(name, "")) != comparable(supplier.number)
        }

    def _known_as(self, supplier: Supplier, current: Profile) -> str:
        """Return the number as JAGGAER writes it, since messages find suppliers by it; it may be padded there."""
        there = profiles.number_of(current, self.contract)
        return there if comparable(there) == comparable(supplier.number) else supplier.number

    def _owned(
        self, wanted: Mapping[FieldGroup, Mapping[str, str]], current: Profile, context: Context, messaged: bool
    ) -> dict[str, str]:
        """Return the fields of the ERP's groups that differ; an empty one erases only what the ERP once had."""
        fields: dict[str, str] = {}
        for group, values in wanted.items():
            if self.owners[group] is not Owner.ERP or (group is FieldGroup.HOLD and messaged):
                continue  # a supplier message says itself whether the supplier is active
            if not profiles.differs(group, values, current):
                continue
            emptied = _was_told(group, context)
            fields |= {name: values[name] for name in profiles.changed(values, current) if values[name] or emptied}
        return fields

    def _overruled(
        self, supplier: Supplier, wanted: Mapping[FieldGroup, Mapping[str, str]], current: Profile
    ) -> list[Overruled]:
        lost = []
        for group, values in wanted.items():
            if self.owners[group] is Owner.ERP:
                continue
            if group is FieldGroup.CONTACT and supplier.contact is not None:
                differs = profiles.contact_differs(supplier.contact, current)
            else:
                differs = profiles.differs(group, values, current)
            if differs:
                there = {name: current.get(name, "") for name in values}
                lost.append(Overruled(str(group), profiles.in_words(values), profiles.in_words(there)))
        return lost

    # --- the supplier message -------------------------------------------------------------------------------------

    def _message(
        self, coded: CodedSupplier, current: Profile, ours: str, context: Context, key: str
    ) -> list[StepDraft]:
        """Return the step of the supplier message, unless the last one written said the same and took effect."""
        if not self.with_messages:
            return []
        number = self._known_as(coded.supplier, current)
        name = current.get(profiles.NAME, "") if self.contract.tsm.send_name else ""
        content = tsm.content_of(coded, number=number, name=name, unit=self.business_unit)
        digest, last = tsm.digest_of(content), self._written_last(context)
        status = profiles.fields_by_group(coded, self.contract, current)[FieldGroup.HOLD]
        if last.get("tsm") == digest and not profiles.changed(status, current):
            return []
        parts = tsm.parts_of(content)
        gone = [part for part in last.get("tsm_parts", ()) if part in content and part not in parts]
        return [
            StepDraft(
                name=TSM,
                kind=StepKind.ABSOLUTE,
                company="",
                remote_reference=f"TSM|{number}@{ours}",
                our_reference=ours,
                payload={"key": key, "content": content, "gone": gone, "keep": {"tsm": digest, "tsm_parts": parts}},
                fingerprint={"number": number},
                text=f"supplier message {number}: {_told(content)}",
            )
        ]

    def _written_last(self, context: Context) -> dict[str, Any]:
        """Return what is known of the last supplier message; every step hands it on."""
        known = _known(context) or {}
        return {name: known[name] for name in ("tsm", "tsm_parts") if name in known}


def _known(context: Context) -> Mapping[str, Any] | None:
    return context.known.result if context.known else None


def _was_told(group: FieldGroup, context: Context) -> bool:
    name = _TOLD.get(group)
    return bool(name and context.known and getattr(context.known.document, name))


def _told(content: tsm.Content) -> str:
    said = ["active" if content["active"] else "not active"]
    said += [part.replace("_", "-") for part in tsm.PARTS if part in content]
    return ", ".join(said)


def _profile_step(supplier: Supplier, payload: Mapping[str, Any], suffix: str, ours: str) -> StepDraft:
    """Return the step of the profile; at first contact it has one reference, whether the company is new or known."""
    creates = payload["operation"] == CREATE
    names = ", ".join(payload["fields"]) or "as it is"
    text = f"new supplier {supplier.number} {supplier.name}" if creates else f"supplier {supplier.number}: {names}"
    return StepDraft(
        name=PROFILE,
        kind=StepKind.CREATE if creates else StepKind.ABSOLUTE,
        company="",
        remote_reference=f"SUPPLIER|{comparable(supplier.number)}{suffix}",
        our_reference=ours,
        payload={"number": supplier.number, **payload},
        fingerprint={"number": comparable(supplier.number), "name": supplier.name},
        text=text,
    )
