"""What a supplier of the other side means for SYSPRO: new, changed, the same, or for a person (FINANCE §5, §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_mlconnector.documents.matching import Candidate, Matcher, name_key
from airflow_provider_mlconnector.documents.supplier import CodedSupplier, Contact, Supplier
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Context, Plan, StepDraft, StepKind
from airflow_provider_mlconnector.systems.syspro import supplier_codec as codec
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.supplier_compare import Comparison, Row

SUPPLIER_ADD = "supplier_add"
SUPPLIER_UPDATE = "supplier_update"
UNREADABLE = frozenset({"Fax"})
"""Elements that are written but that no known column shows (reference/syspro.md §4)."""


class Directory:
    """SYSPRO's suppliers as read once per run, found by key and matched at first contact.

    Args:
        reference: From :meth:`~.suppliers.SupplierSession.read_reference`.
    """

    def __init__(self, reference: Mapping[str, Any]) -> None:
        self.reference = reference
        self._rows: Mapping[str, list[Row]] = reference["suppliers"]
        rows = [row for same in self._rows.values() for row in same]
        self.matcher = Matcher((_candidate(row) for row in rows), normal=normal)

    def row(self, key: str) -> Row | None:
        """Return the supplier of a key: spelled just so or, failing that, in any spelling; None if there is none."""
        rows = self._rows.get(normal(key), [])
        return next((row for row in rows if row[codec.KEY] == key), rows[0] if rows else None)


def _candidate(row: Row) -> Candidate:
    key, postal_code = row[codec.KEY], row.get(codec.POSTAL_CODE, "")
    return Candidate(key, number=key, name=row["SupplierName"], postal_code=postal_code, tax_id=row["TaxRegnNum"])


class SupplierPlanner:
    """Plans one supplier.

    Args:
        coded: What the other side says.
        directory: What SYSPRO held when the run began.
        options: The route's choices.
        our_reference: Unique for the document and its revision.
        context: Key, links and what SYSPRO was last told.
    """

    def __init__(
        self,
        coded: CodedSupplier,
        directory: Directory,
        options: SysproOptions,
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
        self._writer = codec.Writer(shorten=options.shorten_names, layout=options.address_lines)

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
            return Plan((), reason="inactive at its source and unknown in SYSPRO")
        if linked:
            msg = (
                f"supplier {linked}, to which {self._supplier.name} ({self._context.key}) is linked, is no longer in "
                "SYSPRO; deactivate it at its source too, or set it up again in SYSPRO under this number"
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
        if found is None:
            # the number it would get is there already: ours, from a store since lost, if it has the same name
            same = self._directory.row(self._policy_number())
            return same if same and name_key(same["SupplierName"]) == name_key(self._supplier.name) else None
        return self._directory.row(found.key)

    def _policy_number(self) -> str:
        return self._options.supplier_number.replace("{key}", self._context.key)

    # --- one SYSPRO has --------------------------------------------------------------------------------------------

    def _existing(self, row: Row) -> Plan:
        key = row[codec.KEY]
        known = self._context.known
        before = known.document if known and isinstance(known.document, Supplier) else None
        comparison = Comparison(self._coded, row, before, self._options, self._writer)
        wanted = comparison.wanted()
        changed = [element for element, value in wanted.items() if row[element] != value]
        overruled = tuple(comparison.overruled)
        if not changed:
            return Plan((), key=key, reason=f"SYSPRO's {key} says the same already", overruled=overruled)
        reference = self._reference(key)
        text = f"change {', '.join(changed)} of supplier {key}"
        step = self._step(SUPPLIER_UPDATE, StepKind.ABSOLUTE, key, wanted, reference=reference, text=text)
        return Plan((step,), key=key, overruled=overruled)

    def _reference(self, key: str) -> str:
        """Claim a supplier at first contact, so that no second one of the source takes it; later name the revision.

        A revision may be repeated after SYSPRO's side overwrote it: our reference tells the two apart.
        """
        return f"SUP|{normal(key)}|{self._ours}" if self._linked() else f"SUP|{normal(key)}"

    # --- one SYSPRO does not have ----------------------------------------------------------------------------------

    def _new(self) -> Plan:
        number = self._number()
        fields = self._new_fields()
        text = f"new supplier {number} {fields['SupplierName']}, {fields['Currency']}, terms {fields['TermsCode']}"
        reference = f"SUP|{normal(number)}"
        step = self._step(SUPPLIER_ADD, StepKind.CREATE, number, fields, reference=reference, text=text)
        return Plan((step,), key=number)

    def _number(self) -> str:
        """Return the number its source has for it and SYSPRO has not given to another, else the policy's."""
        own = self._supplier.number
        number = own or self._policy_number()
        size = codec.SIZES[codec.KEY]
        if len(number) > size or xml.offending(number) or " " in number:
            msg = f"{number} cannot be a supplier's number in SYSPRO, which takes {size} characters without blanks; "
            if own:
                msg += "correct it at its source"
                raise Rejected(msg, code="number_unfit", field="number")
            msg += "change option supplier_number"
            raise Parked(msg, code="number_unfit", subject=number)
        if self._directory.row(number) is not None:
            msg = f"SYSPRO has another supplier {number}, the number this one was to get; give it one at its source"
            raise Parked(msg, code="number_taken", field="number", subject=number)
        return number

    def _new_fields(self) -> dict[str, str]:
        """Return all elements of a new supplier; payment data is left to SYSPRO's people, and that is noted."""
        supplier, new = self._supplier, self._coded.new
        name = self._writer.text("SupplierName", supplier.name)
        contact = supplier.contact or Contact()
        fields = {
            "SupplierName": name,
            "SupShortName": codec.short_name(name),
            **self._writer.contact(contact),
            "Fax": self._writer.text("Fax", contact.fax or ""),
            **self._mandatory(),
            **(self._writer.address(supplier.address) if supplier.address else {}),
            "SupplierClass": new.supplier_class,
            "TaxRegnNum": self._writer.text("TaxRegnNum", supplier.tax_id or ""),
        }
        payment = {"bank account": supplier.bank, "remit-to": supplier.remit_to}
        for what in (what for what, value in payment.items() if value is not None):
            self._writer.notes.append(f"{what} is not taken over: verify it and enter it in SYSPRO")
        flags = {"OnHold": "N", "PurchOrdAllowed": "Y", "GrnMatchReqd": "Y" if new.grn_match_required else "N"}
        return {element: value for element, value in fields.items() if value} | flags

    def _mandatory(self) -> dict[str, str]:
        """Return what SYSPRO refers to other tables by: the source's word first, then the mapping's."""
        new = self._coded.new
        chosen = {
            "branch": ("Branch", new.branch, "branches"),
            "terms": ("TermsCode", self._coded.terms or new.terms, "terms"),
            "bank": ("Bank", new.bank, ""),
            "currency": ("Currency", self._coded.currency or new.currency, ""),
        }
        for name, (_element, value, table) in chosen.items():
            if not value:
                msg = f"a new supplier needs a {name}: add suppliers.{name} to the mapping"
                raise Parked(msg, code="supplier_defaults", field=name, subject=f"suppliers.{name}")
            if table and value not in self._directory.reference[table]:
                msg = f"SYSPRO has no {name} {value}, which new supplier {self._supplier.name} is to get"
                raise Parked(msg, code=f"{name}_unknown", field=name, subject=value)
        return {element: value for element, value, _table in chosen.values()}

    # --- steps -----------------------------------------------------------------------------------------------------

    def _step(
        self, name: str, kind: StepKind, key: str, fields: Mapping[str, str], *, reference: str, text: str
    ) -> StepDraft:
        notes = list(dict.fromkeys(self._writer.notes))
        return StepDraft(
            name=name,
            kind=kind,
            company=self._options.company,
            remote_reference=reference,
            our_reference=self._ours,
            payload={"supplier": key, "fields": dict(fields), "notes": notes},
            fingerprint={element: value for element, value in fields.items() if element not in UNREADABLE},
            text="; ".join([text, *notes]),
        )
