"""What a supplier of the other side means for M3: new, changed, the same, or for a person (FINANCE §5, §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.matching import AMBIGUOUS, Candidate, Matcher, name_key
from airflow_provider_mlconnector.documents.supplier import Address, CodedSupplier, Contact
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.m3 import supplier_codec as codec
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.cloudsuite.m3.supplier_codec import Writer, same
from airflow_provider_mlconnector.systems.cloudsuite.m3.supplier_compare import Comparison
from airflow_provider_mlconnector.systems.cloudsuite.m3.suppliers import KEY
from airflow_provider_mlconnector.systems.ports import Context, Plan, StepDraft, StepKind

SUPPLIER_ADD: Final = "supplier_add"
SUPPLIER_UPDATE: Final = "supplier_update"
_NUMBER_WIDTH: Final = 10
Row = Mapping[str, Any]


class Directory:
    """M3's suppliers as read once per run, found by number and matched at first contact.

    Args:
        reference: From :meth:`~.supplier_session.SupplierSession.read_reference`.
    """

    def __init__(self, reference: Mapping[str, Any]) -> None:
        self.reference = reference
        self._rows: Mapping[str, list[Row]] = reference["suppliers"]
        candidates = (_candidate(row) for same_number in self._rows.values() for row in same_number)
        self.matcher = Matcher(candidates, normal=comparable)
        self._named: dict[str, list[Row]] = {}
        for row in (row for same_number in self._rows.values() for row in same_number):
            self._named.setdefault(name_key(row.get(codec.NAME, "")), []).append(row)

    def row(self, key: str) -> Row | None:
        """Return the supplier of a number: spelled just so or, failing that, in any spelling; None if there is none."""
        rows = self._rows.get(comparable(key), [])
        return next((row for row in rows if row[KEY] == key), rows[0] if rows else None)

    def namesakes(self, name: str) -> list[str]:
        """Return the numbers of suppliers of a name, however written."""
        return [row[KEY] for row in self._named.get(name_key(name), [])]


def _candidate(row: Row) -> Candidate:
    """Return what a supplier is matched by; M3 shows no postal code here, so a name alone never decides."""
    return Candidate(row[KEY], number=row[KEY], name=row.get(codec.NAME, ""), tax_id=texts.unpad(row.get(codec.TAX_ID)))


class SupplierPlanner:
    """Plans one supplier.

    Args:
        coded: What the other side says.
        directory: What M3 held when the run began.
        options: The route's choices.
        our_reference: Unique for the document and its revision.
        context: Key, links and what M3 was last told.
    """

    def __init__(
        self, coded: CodedSupplier, directory: Directory, options: M3Options, *, our_reference: str, context: Context
    ) -> None:
        self._coded = coded
        self._supplier = coded.supplier
        self._directory = directory
        self._options = options
        self._ours = our_reference
        self._context = context
        self._writer = Writer(shorten=options.shorten_names, countries=options.countries)

    def plan(self) -> Plan:
        """Decide.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        linked = self._linked()
        row = self._directory.row(linked) if linked else self._matched()
        if row is not None:
            return self._existing(row)
        if not self._supplier.active:
            return Plan((), reason="inactive at its source and unknown in M3")
        if linked:
            msg = (
                f"supplier {linked}, to which {self._supplier.name} ({self._context.key}) is linked, is no longer in "
                "M3; deactivate it at its source too, or set it up again in M3 under this number"
            )
            raise Parked(msg, code="supplier_deleted", subject=linked)
        return self._new()

    def _linked(self) -> str:
        known = self._context.known
        return self._context.links.by_source.get(self._context.key) or str(known.result.get("key", "") if known else "")

    def _matched(self) -> Row | None:
        taken = self._context.links.by_target
        try:
            found = self._directory.matcher.match(self._supplier, key=self._context.key, taken=taken)
        except Parked:
            if self._supplier.active:
                raise
            return None  # a double that somebody has merged into another one: there is nothing left to link
        if found is not None:
            return self._directory.row(found.key)
        # the number it would get is there already: ours, from a store since lost, if it has the same name
        there = self._directory.row(self._policy_number())
        return there if there and name_key(there.get(codec.NAME, "")) == name_key(self._supplier.name) else None

    def _policy_number(self) -> str:
        return self._options.supplier_number.replace("{key}", self._context.key)

    # --- one M3 has ------------------------------------------------------------------------------------------------

    def _existing(self, row: Row) -> Plan:
        key = row[KEY]
        comparison = Comparison(self._coded, row, self._options, self._writer)
        wanted = comparison.wanted()
        changed = {name: value for name, value in wanted.items() if not same(row, name, value)}
        overruled = tuple(comparison.overruled)
        if not changed:
            return Plan((), key=key, reason=f"M3's {key} says the same already", overruled=overruled)
        reference = f"SUP|{comparable(key)}|{self._ours}" if self._linked() else f"SUP|{comparable(key)}"
        text = f"change {', '.join(changed)} of supplier {key}"
        step = self._step(SUPPLIER_UPDATE, StepKind.ABSOLUTE, key, wanted, reference=reference, text=text)
        return Plan((step,), key=key, overruled=overruled)

    # --- one M3 does not have --------------------------------------------------------------------------------------

    def _new(self) -> Plan:
        self._check_namesakes()
        number, fields = self._number(), self._new_fields()
        text = f"new supplier {number} {fields[codec.NAME]}, {fields[codec.CURRENCY]}, terms {fields[codec.TERMS]}"
        reference = f"SUP|{comparable(number)}"
        step = self._step(SUPPLIER_ADD, StepKind.CREATE, number, fields, reference=reference, text=text)
        return Plan((step,), key=number)

    def _check_namesakes(self) -> None:
        """A supplier of this name may be the same one: M3 shows no address here that could tell."""
        alike = self._directory.namesakes(self._supplier.name)
        if alike:
            msg = (
                f"M3 has {', '.join(alike)} of the same name as {self._supplier.name} ({self._context.key}): give it "
                "that number at its source if it is the same supplier, else another name"
            )
            raise Parked(msg, code=AMBIGUOUS, field="number", subject=", ".join(alike))

    def _number(self) -> str:
        """Return the number its source has for it and M3 has not given to another, else the policy's."""
        own = self._supplier.number
        number = own or self._policy_number()
        if len(number) > _NUMBER_WIDTH or " " in number or not number.isprintable():
            msg = (
                f"{number} cannot be a supplier's number in M3, which takes {_NUMBER_WIDTH} characters without blanks; "
            )
            if own:
                msg += "correct it at its source"
                raise Rejected(msg, code="number_unfit", field="number")
            msg += "change option supplier_number"
            raise Parked(msg, code="number_unfit", subject=number)
        if self._directory.row(number) is not None:
            msg = f"M3 has another supplier {number}, the number this one was to get; give it one at its source"
            raise Parked(msg, code="number_taken", field="number", subject=number)
        return number

    def _new_fields(self) -> dict[str, str]:
        """Return all inputs of a new supplier: what the source tells wins over the option ``new_supplier``."""
        supplier, new = self._supplier, self._coded.new
        address, contact = supplier.address or Address(), supplier.contact or Contact()
        told = {
            codec.NAME: supplier.name,
            codec.SEARCH: name_key(supplier.name).upper(),
            codec.COUNTRY: self._writer.country(address.country),
            codec.REGION: address.region if len(address.region) <= codec.SIZES[codec.REGION] else "",
            codec.PHONE: contact.phone,
            codec.FAX: contact.fax or "",
            codec.TAX_ID: supplier.tax_id or "",
            codec.TERMS: self._coded.terms or new.terms,
            codec.CURRENCY: self._coded.currency or new.currency,
        }
        for name, what in ((codec.TERMS, "terms"), (codec.CURRENCY, "currency")):
            if not told[name] and name not in self._options.new_supplier:
                msg = f"a new supplier needs its {what}: add suppliers.{what} to the mapping"
                raise Parked(msg, code="supplier_defaults", field=what, subject=f"suppliers.{what}")
        left = {"address": address.lines, "bank account": supplier.bank, "remit-to": supplier.remit_to}
        for what in (what for what, value in left.items() if value):
            self._writer.notes.append(f"{what} is not taken over: verify it and enter it in M3")
        status = {codec.STATUS: self._options.active_supplier_statuses[0]}
        return {**status, **self._options.new_supplier, **self._writer.fields(told)}

    def _step(
        self, name: str, kind: StepKind, key: str, fields: Mapping[str, str], *, reference: str, text: str
    ) -> StepDraft:
        notes = list(dict.fromkeys(self._writer.notes))
        compared = {input_: value for input_, value in fields.items() if input_ in codec.SIZES}
        return StepDraft(
            name=name,
            kind=kind,
            company=self._options.company,
            remote_reference=reference,
            our_reference=self._ours,
            payload={"supplier": key, "fields": dict(fields), "notes": notes},
            fingerprint=compared,
            text="; ".join([text, *notes]),
        )
