"""What a supplier of the other side means for CSI: new, changed, the same, or for a person (FINANCE §5, §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.matching import Candidate, Matcher, name_key
from airflow_provider_mlconnector.documents.supplier import CodedSupplier, Contact, Supplier
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendor_codec import KEY, Writer, same
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendor_compare import ACTIVE, Comparison, Row
from airflow_provider_mlconnector.systems.ports import Context, Plan, StepDraft, StepKind

VENDOR_ADD: Final = "vendor_add"
VENDOR_UPDATE: Final = "vendor_update"


class Directory:
    """CSI's vendors as read once per run, found by number and matched at first contact.

    Args:
        reference: From :meth:`~.vendor_session.VendorSession.read_reference`.
    """

    def __init__(self, reference: Mapping[str, Any]) -> None:
        self.reference = reference
        self._rows: Mapping[str, list[Row]] = reference["vendors"]
        self.matcher = Matcher(
            (_candidate(row) for same_number in self._rows.values() for row in same_number), normal=comparable
        )

    def row(self, key: str) -> Row | None:
        """Return the vendor of a number: spelled just so or, failing that, in any spelling; None if there is none."""
        rows = self._rows.get(comparable(key), [])
        return next((row for row in rows if values.unpad(row[KEY]) == key), rows[0] if rows else None)


def _candidate(row: Row) -> Candidate:
    key, name = values.unpad(row[KEY]), values.unpad(row.get("Name"))
    postal_code, tax_id = values.unpad(row.get("VadZip")), values.unpad(row.get("TaxRegNum1"))
    return Candidate(key, number=key, name=name, postal_code=postal_code, tax_id=tax_id)


class VendorPlanner:
    """Plans one supplier.

    Args:
        coded: What the other side says.
        directory: What CSI held when the run began.
        options: The route's choices.
        our_reference: Unique for the document and its revision.
        context: Key, links and what CSI was last told.
    """

    def __init__(
        self,
        coded: CodedSupplier,
        directory: Directory,
        options: CsiOptions,
        *,
        our_reference: str,
        context: Context,
    ) -> None:
        self._coded = coded
        self._supplier = coded.supplier
        self._directory = directory
        self._options = options
        self._ours = our_reference
        self._context = context
        self._writer = Writer(
            shorten=options.shorten_names,
            lengths=directory.reference["lengths"],
            known=frozenset(directory.reference["writable"]),
            countries=options.countries,
        )

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
            return Plan((), reason="inactive at its source and unknown in CSI")
        if linked:
            msg = (
                f"supplier {linked}, to which {self._supplier.name} ({self._context.key}) is linked, is no longer in "
                "CSI; deactivate it at its source too, or set it up again in CSI under this number"
            )
            raise Parked(msg, code="supplier_deleted", subject=linked)
        return self._new()

    # --- which one it is -------------------------------------------------------------------------------------------

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
        name = values.unpad(there.get("Name")) if there else ""
        return there if there and name_key(name) == name_key(self._supplier.name) else None

    def _policy_number(self) -> str:
        return self._options.supplier_number.replace("{key}", self._context.key)

    # --- one CSI has -----------------------------------------------------------------------------------------------

    def _existing(self, row: Row) -> Plan:
        key = values.unpad(row[KEY])
        known = self._context.known
        before = known.document if known and isinstance(known.document, Supplier) else None
        comparison = Comparison(self._coded, row, before, self._options, self._writer)
        wanted = comparison.wanted()
        changed = {name: value for name, value in wanted.items() if not same(row, name, value)}
        overruled = tuple(comparison.overruled)
        if not changed:
            return Plan((), key=key, reason=f"CSI's {key} says the same already", overruled=overruled)
        if "TermsCode" in changed:
            self._known_terms(changed["TermsCode"])
        text = f"change {', '.join(changed)} of supplier {key}"
        step = self._step(VENDOR_UPDATE, StepKind.ABSOLUTE, key, wanted, reference=self._reference(key), text=text)
        return Plan((step,), key=key, overruled=overruled)

    def _reference(self, key: str) -> str:
        """Claim a vendor at first contact, so that no second supplier of the source takes it; later name the revision.

        A revision may be repeated after CSI's side overwrote it: our reference tells the two apart.
        """
        return f"SUP|{comparable(key)}|{self._ours}" if self._linked() else f"SUP|{comparable(key)}"

    # --- one CSI does not have -------------------------------------------------------------------------------------

    def _new(self) -> Plan:
        number = self._number()
        fields = self._new_fields()
        terms, currency = fields.get("TermsCode", ""), fields.get("CurrCode", "")
        text = f"new supplier {number} {fields['Name']}, {currency}, terms {terms}"
        reference = f"SUP|{comparable(number)}"
        step = self._step(VENDOR_ADD, StepKind.CREATE, number, fields, reference=reference, text=text)
        return Plan((step,), key=number)

    def _number(self) -> str:
        """Return the number its source has for it and CSI has not given to another, else the policy's."""
        own = self._supplier.number
        number = own or self._policy_number()
        size = self._options.vendor_width
        if len(number) > size or " " in number or not number.isprintable():
            msg = f"{number} cannot be a supplier's number in CSI, which takes {size} characters without blanks; "
            if own:
                msg += "correct it at its source"
                raise Rejected(msg, code="number_unfit", field="number")
            msg += "change option supplier_number"
            raise Parked(msg, code="number_unfit", subject=number)
        if self._directory.row(number) is not None:
            msg = f"CSI has another supplier {number}, the number this one was to get; give it one at its source"
            raise Parked(msg, code="number_taken", field="number", subject=number)
        return number

    def _new_fields(self) -> dict[str, str]:
        """Return all properties of a new vendor; payment data is left to CSI's people, and that is noted."""
        supplier, new = self._supplier, self._coded.new
        fields = {
            **self._writer.fields({"Name": supplier.name}),
            **self._writer.contact(supplier.contact or Contact()),
            **(self._writer.address(supplier.address) if supplier.address else {}),
            **self._writer.fields({**self._mandatory(), "TaxRegNum1": supplier.tax_id or "", "BankCode": new.bank}),
        }
        payment = {"bank account": supplier.bank, "remit-to": supplier.remit_to}
        for what in (what for what, value in payment.items() if value is not None):
            self._writer.notes.append(f"{what} is not taken over: verify it and enter it in CSI")
        return {name: value for name, value in fields.items() if value} | self._writer.fields({"Stat": ACTIVE})

    def _mandatory(self) -> dict[str, str]:
        """Return the codes of other tables: the source's word first, then the mapping's."""
        new = self._coded.new
        terms, currency = self._coded.terms or new.terms, self._coded.currency or new.currency
        for name, value in (("terms", terms), ("currency", currency)):
            if not value:
                msg = f"a new supplier needs its {name}: add suppliers.{name} to the mapping"
                raise Parked(msg, code="supplier_defaults", field=name, subject=f"suppliers.{name}")
        self._known_terms(terms)
        return {"TermsCode": terms, "CurrCode": currency}

    def _known_terms(self, code: str) -> None:
        if code not in self._directory.reference["terms"]:
            msg = f"CSI has no terms {code}, which supplier {self._supplier.name} is to get"
            raise Parked(msg, code="terms_unknown", field="terms", subject=code)

    # --- steps -----------------------------------------------------------------------------------------------------

    def _step(
        self, name: str, kind: StepKind, key: str, fields: Mapping[str, str], *, reference: str, text: str
    ) -> StepDraft:
        notes = list(dict.fromkeys(self._writer.notes))
        return StepDraft(
            name=name,
            kind=kind,
            company=self._options.configuration,
            remote_reference=reference,
            our_reference=self._ours,
            payload={"supplier": key, "fields": dict(fields), "notes": notes},
            fingerprint=dict(fields),
            text="; ".join([text, *notes]),
        )
