"""JAGGAER invoices as a document source: status words, summary, codec (reference/jaggaer.md §2.4)."""

from __future__ import annotations

from functools import partial

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.systems.jaggaer import invoices
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import EligibilityWords, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import at
from airflow_provider_mlconnector.systems.jaggaer.listing import ListedSource
from airflow_provider_mlconnector.systems.jaggaer.rows import RowForm, among, amount_text, day, scalar
from airflow_provider_mlconnector.systems.ports import Eligibility, Summary


class JaggaerInvoiceSource(ListedSource):
    """Supplier invoices of one tenant.

    Args:
        client: Speaks to the tenant.
        tenant: The label under which keys are recorded; the client id when empty, because one tenant has one client.
        eligibility: The route's status words; the contract's when None.
    """

    def __init__(self, client: JaggaerClient, *, tenant: str = "", eligibility: EligibilityWords | None = None) -> None:
        words = eligibility or client.contract.eligibility
        form = invoice_rows(client.contract, words)
        super().__init__(client, form, noun="invoice", wanted=str(words), tenant=tenant)

    def decode(self, payload: bytes) -> Invoice:
        """Turn a complete payload into the canonical invoice (see :func:`.invoices.decode`)."""
        return invoices.decode(payload, self._contract)


def invoice_rows(contract: JaggaerContract, words: EligibilityWords) -> RowForm:
    """Return how rows of the invoice list are read."""
    return RowForm(contract.invoices, judge=partial(judge, words=words), summarize=summarize)


def judge(row: object, *, words: EligibilityWords) -> tuple[Eligibility, str]:
    """Return what the status words say, and the words that decided (FINANCE §4)."""
    workflow, payment, match = (
        scalar(at(row, f"header.{key}")) for key in ("workflowStatus", "paymentStatus", "matchStatus")
    )
    if among(payment, words.closed_payment):
        return Eligibility.PAID, f"paymentStatus {payment}"
    if among(workflow, words.closed_workflow):
        return Eligibility.CLOSED, f"workflowStatus {workflow}"
    wanted = (("workflowStatus", workflow, words.workflow), ("paymentStatus", payment, words.payment))
    missed = [f"{key} {value or 'missing'}" for key, value, allowed in wanted if not among(value, allowed)]
    if words.match and not among(match, words.match):
        missed.append(f"matchStatus {match or 'missing'}")
    if missed:
        return Eligibility.NOT_ELIGIBLE, ", ".join(missed)
    return Eligibility.ELIGIBLE, f"workflowStatus {workflow}, paymentStatus {payment}"


def summarize(row: object) -> Summary:
    """Return what people want to see of an invoice."""
    header = at(row, "header")

    def text(path: str) -> str:
        return scalar(at(header, path))

    return Summary(
        number=text("supplierInvoiceNumber"),
        supplier=text("supplier.supplierNumber"),
        kind=text("invoiceType").lower().replace(" ", "_"),
        currency=text("total.currency"),
        gross=amount_text(at(header, "total.value")),
        document_date=day(text("invoiceDate")),
        source_number=text("invoiceNumber"),
        business_unit=text("businessUnit"),
    )
