"""Looking posted documents up and saying what that proves (FINANCE §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Found, FoundState, OutcomeState, StepDraft
from airflow_provider_mlconnector.systems.syspro import gentjl
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, Where, both, in_chunks
from airflow_provider_mlconnector.systems.syspro.keys import day, is_number, normal, number, whole
from airflow_provider_mlconnector.systems.syspro.options import ApGl, SysproOptions
from airflow_provider_mlconnector.systems.syspro.plan import AP_CREDIT, AP_INVOICE
from airflow_provider_mlconnector.systems.syspro.reference import key_condition

INVOICES = Query(
    "ApInvoice",
    (
        "Supplier",
        "Invoice",
        "InvoiceDate",
        "Reference",
        "OrigInvValue",
        "Currency",
        "Journal",
        "EntryNumber",
        "InvoiceYear",
        "InvoiceMonth",
    ),
)
CREDITS = Query(
    "ApInvoicePay",
    ("Supplier", "Invoice", "EntryNumber", "TrnType", "Journal", "PaymentReference", "TrnValue", "TrnYear", "TrnMonth"),
)
JOURNALS = Query(
    "GenJournalCtl",
    ("GlYear", "GlPeriod", "GlJournal", "Reference", "JnlStatus", "DebitAmount", "CreditAmount"),
)
OUR_PREFIX = 3
"""All references of ours begin alike: an equal credit that carries another one of ours is another document's."""
TELLING_DIGITS = 6
"""A number of so many digits is rare as the end of another one: it is looked for without its supplier, which halves the
request. Rows of others are told apart afterwards."""
CREDIT_TYPE = "C"
"""``ApInvoicePay.TrnType`` of a credit: taken to be the TransactionCode, not documented."""

Row = Mapping[str, str]


class LookUp:
    """Looks steps up in as few requests as possible.

    Args:
        client: Logged on, or it will log on.
        options: Whether AP is linked.
        proven: Names of the steps our reference has been seen to find at this site.
    """

    def __init__(self, client: SysproClient, options: SysproOptions, *, proven: AbstractSet[str]) -> None:
        self._client = client
        self._options = options
        self._proven = proven

    def find(self, steps: Sequence[StepDraft], *, settling: bool) -> list[Found]:
        """Return what SYSPRO holds of each step, in the order given."""
        found: dict[int, Found] = {}
        by_name: dict[str, list[int]] = {}
        for place, step in enumerate(steps):
            by_name.setdefault(step.name, []).append(place)
        for name, places in by_name.items():
            search = {AP_INVOICE: self._invoices, AP_CREDIT: self._credits}.get(name, self._journals)
            answers = search([steps[place] for place in places], settling=settling)
            found.update(zip(places, answers, strict=True))
        return [found[place] for place in range(len(steps))]

    # --- AP invoices ---------------------------------------------------------------------------------------------

    def _invoices(self, steps: Sequence[StepDraft], *, settling: bool) -> list[Found]:
        conditions = [_invoice_condition(step) for step in steps]
        rows: dict[tuple[str, str], list[Row]] = {}
        for chunk in in_chunks(self._client, INVOICES, _unique(conditions)):
            for row in chunk:
                rows.setdefault((normal(row["Supplier"]), normal(row["Invoice"])), []).append(row)
        answers = [self._judge_invoice(step, rows.get(_key(step), [])) for step in steps]
        if settling:
            answers = self._with_registered(steps, answers)
        return answers

    def _judge_invoice(self, step: StepDraft, rows: Sequence[Row]) -> Found:
        if not rows:
            return Found(FoundState.ABSENT)
        # a draft of SysproTarget.identify has no reference, and neither may the row
        mine = [row for row in rows if step.our_reference and row["Reference"] == step.our_reference]
        row, ours = (mine or rows)[0], bool(mine)
        differences = _differences(step.fingerprint, row)
        result = {
            "journal": row["Journal"],
            "year": whole(row["InvoiceYear"]),
            "period": whole(row["InvoiceMonth"]),
            "entry": row["EntryNumber"],
            "invoice": row["Invoice"],
            # the row does not tell; see standing
            "gl_status": "unknown" if self._options.ap_gl is ApGl.LINKED else "not_linked",
        }
        if not differences:
            return Found(FoundState.OURS if ours else FoundState.SAME_NOT_OURS, _entered(row, ours=ours), result)
        carries = "carries our reference but differs" if ours else "number already used"
        return Found(FoundState.DIFFERENT, f"{carries}: {'; '.join(differences)}", result)

    def _with_registered(self, steps: Sequence[StepDraft], answers: Sequence[Found]) -> list[Found]:
        """A number may also be taken in the registered file, which ApInvoice does not show."""
        missing = [step for step, answer in zip(steps, answers, strict=True) if answer.state is FoundState.ABSENT]
        suppliers = dict.fromkeys(step.payload["item"]["supplier"] for step in missing)
        registered = {(normal(key), number) for key in suppliers for number in self._registered(key)}
        there = Found(FoundState.AWAITING, "registered and awaiting approval: approve it in SYSPRO")
        return [
            there if answer.state is FoundState.ABSENT and _key(step) in registered else answer
            for step, answer in zip(steps, answers, strict=True)
        ]

    def _registered(self, supplier: str) -> Iterable[str]:
        option = {"IncludeInvoices": "N", "IncludeRegisteredInvoices": "Y"}
        document = xml.with_schema(
            "Query",
            "APSQRY.XSD",
            xml.element("Key", xml.element("Supplier", supplier)),
            xml.element("Option", *(xml.element(tag, value) for tag, value in option.items())),
        )
        root = self._client.query("APSQRY", xml.write(document))
        return [
            normal(xml.text(item, "Invoice")) for item in root.iter() if xml.name(item) == "registeredinvoicedetail"
        ]

    # --- credits -------------------------------------------------------------------------------------------------

    def _credits(self, steps: Sequence[StepDraft], *, settling: bool) -> list[Found]:
        conditions = [_invoice_condition(step) for step in steps]
        rows = [row for chunk in in_chunks(self._client, CREDITS, _unique(conditions)) for row in chunk]
        return [self._judge_credit(step, rows, settling=settling) for step in steps]

    def _judge_credit(self, step: StepDraft, rows: Sequence[Row], *, settling: bool) -> Found:
        wanted = (step.fingerprint["supplier"], step.fingerprint["original"])
        gross = Decimal(step.fingerprint["gross"])
        equal = [
            row
            for row in rows
            if (normal(row["Supplier"]), normal(row["Invoice"])) == wanted
            and row["TrnType"].upper().startswith(CREDIT_TYPE)
            and abs(number(row["TrnValue"]) or Decimal(0)) == gross
        ]
        ours = [row for row in equal if row["PaymentReference"] == step.our_reference]
        if ours:
            return Found(FoundState.OURS, _doubled(len(ours)), _credit_result(ours[0], len(ours)))
        if settling and AP_CREDIT not in self._proven:
            detail = "SYSPRO is not proven to show our reference on credits: a person looks"
            return Found(FoundState.UNKNOWN, f"{detail}; {len(equal)} credits of {gross} stand against the invoice")
        prefix = step.our_reference[:OUR_PREFIX]
        by_hand = [row for row in equal if not row["PaymentReference"].startswith(prefix)]
        if by_hand and not settling:
            detail = f"a credit of {gross} already stands against the invoice, not ours: a person decides"
            return Found(FoundState.UNKNOWN, detail, _credit_result(by_hand[0], 1))
        return Found(FoundState.ABSENT)

    # --- journals ------------------------------------------------------------------------------------------------

    def _journals(self, steps: Sequence[StepDraft], *, settling: bool) -> list[Found]:
        conditions = [Condition("Reference", "EQ", step.our_reference) for step in steps]
        rows = [row for chunk in in_chunks(self._client, JOURNALS, _unique(conditions)) for row in chunk]
        ours = {step.our_reference: [row for row in rows if row["Reference"] == step.our_reference] for step in steps}
        return [self._unless_canceled(step, ours[step.our_reference], settling=settling) for step in steps]

    def _unless_canceled(self, step: StepDraft, rows: Sequence[Row], *, settling: bool) -> Found:
        """Judge those that nobody has canceled; a canceled one alone is no proof that nothing else is to come."""
        live = [row for row in rows if row["JnlStatus"].upper() not in self._options.canceled_journals]
        if settling and rows and not live:
            canceled = f"journal {rows[0]['GlJournal']} carries our reference and was canceled: a person decides"
            return Found(FoundState.UNKNOWN, canceled)
        return _judge_journal(step, live)


def _judge_journal(step: StepDraft, rows: Sequence[Row]) -> Found:
    if not rows:
        return Found(FoundState.ABSENT)
    row = rows[0]
    posted = row["JnlStatus"].upper() == gentjl.POSTED_STATUS
    result: dict[str, Any] = {
        "journal": row["GlJournal"],
        "year": whole(row["GlYear"]),
        "period": whole(row["GlPeriod"]),
        "journal_status": row["JnlStatus"],
        "gl_status": "booked" if posted else "held",
    }
    if len(rows) > 1:
        result["issue"] = _doubled(len(rows))
    debit = step.fingerprint.get("debit")
    if debit is not None and number(row["DebitAmount"]) != Decimal(debit):
        return Found(
            FoundState.DIFFERENT, f"carries our reference with debits of {row['DebitAmount']}, not {debit}", result
        )
    # found is not booked: a journal that waits for somebody's authorization is there, too (FINANCE §1, §6)
    return Found(FoundState.OURS, _doubled(len(rows)), result, OutcomeState.POSTED if posted else OutcomeState.ACCEPTED)


def _invoice_condition(step: StepDraft) -> Condition | Where:
    """Find an invoice by number; a short one that may be stored padded only among those of its supplier."""
    item = step.payload["item"]
    number_there = key_condition("Invoice", item["invoice"])
    if is_number(item["invoice"]) and len(normal(item["invoice"])) < TELLING_DIGITS:
        return both(key_condition("Supplier", item["supplier"]), number_there)
    return number_there


def _unique(conditions: Iterable[Condition | Where]) -> list[Condition | Where]:
    return list(dict.fromkeys(conditions))


def _key(step: StepDraft) -> tuple[str, str]:
    return step.fingerprint["supplier"], step.fingerprint["number"]


def _differences(fingerprint: Mapping[str, str], row: Row) -> list[str]:
    there = number(row["OrigInvValue"])
    different = []
    if there != Decimal(fingerprint["gross"]):
        different.append(f"value {row['OrigInvValue']} there, {fingerprint['gross']} here")
    if row["Currency"] and row["Currency"] != fingerprint.get("currency", row["Currency"]):
        different.append(f"currency {row['Currency']} there, {fingerprint['currency']} here")
    dated = day(row["InvoiceDate"])
    if dated is not None and dated.isoformat() != fingerprint["invoice_date"]:
        different.append(f"dated {dated} there, {fingerprint['invoice_date']} here")
    return different


def _entered(row: Row, *, ours: bool) -> str:
    return "" if ours else f"reference {row['Reference'] or 'blank'}, journal {row['Journal']}"


def _doubled(count: int) -> str:
    return f"{count} entries carry our reference" if count > 1 else ""


def _credit_result(row: Row, count: int) -> dict[str, Any]:
    result = {
        "journal": row["Journal"],
        "year": whole(row["TrnYear"]),
        "period": whole(row["TrnMonth"]),
        "entry": row["EntryNumber"],
    }
    return {**result, "issue": _doubled(count)} if count > 1 else result
