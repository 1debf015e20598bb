"""One key, many revisions: which one may go on, and what the others mean for it (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.documents.lifecycle import IN_FLIGHT, IN_TARGET, REPLACEABLE, State
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, StepState
from airflow_provider_mlconnector.sync.verdicts import EXECUTED


class Superseded(Exception):
    """A newer revision of the same key is in the store."""


class Unchanged(Exception):
    """The revision says nothing new about a document the target already holds."""


def check_revision(
    uow: UnitOfWork,
    record: DocumentRecord,
    history: Sequence[DocumentRecord],
    invoice: Invoice,
    decode: Callable[[bytes], Invoice],
) -> None:
    """Let a revision pass if it is the newest and no other of its key is in the target or on its way there.

    Older revisions that never left are superseded on the way.

    Args:
        uow: The transaction.
        record: The revision.
        history: Every revision of its key, itself included, as this transaction found them.
        invoice: The revision, decoded.
        decode: The source's codec.

    Raises:
        Superseded: A newer one exists.
        Unchanged: An older one is in the target and says the same.
        Parked: ``changed_after_posting`` with the difference, or ``earlier_in_flight``.
    """
    others = [other for other in history if other.id != record.id]
    if not others:
        return
    newer = [other for other in others if other.revision > record.revision]
    if newer:
        raise Superseded(f"revision {newer[-1].revision} is newer")  # noqa: TRY003, EM102 - a verdict, not an error
    older = [other for other in others if other.revision < record.revision]
    for other in older:
        if other.state in IN_FLIGHT:
            text = f"revision {other.revision} is on its way to the target; this one waits until that is settled"
            raise Parked(text, code="earlier_in_flight", subject=other.id)
        if other.state in IN_TARGET:
            _compare(uow, other, invoice, decode)
    left = {other.id for other in older} - {other.id for other in never_left(uow, older)}
    if left:
        text = "an older revision is partly in the target; finish that one first"
        raise Parked(text, code="earlier_in_flight", subject=min(left))
    supersede(uow, older, by=record.revision)


def never_left(uow: UnitOfWork, documents: Sequence[DocumentRecord]) -> list[DocumentRecord]:
    """Return the documents none of whose steps the target has executed, or may have."""
    steps = uow.steps.of([document.id for document in documents])
    touched = EXECUTED | {StepState.SENDING, StepState.UNCERTAIN}
    return [document for document in documents if not any(step.state in touched for step in steps[document.id])]


def supersede(uow: UnitOfWork, older: Sequence[DocumentRecord], *, by: str) -> None:
    """Take older revisions of a key out of the way, as far as nothing of them reached the target."""
    text = f"revision {by} arrived before this one was posted"
    replaceable = never_left(uow, [other for other in older if other.state in REPLACEABLE])
    uow.documents.apply_each(
        [Change(other, State.SUPERSEDED, reason_code="superseded", reason=text) for other in replaceable]
    )


def _compare(uow: UnitOfWork, posted: DocumentRecord, invoice: Invoice, decode: Callable[[bytes], Invoice]) -> None:
    kept = uow.documents.canonicals([posted.id]).get(posted.id)
    before = Invoice.model_validate_json(kept) if kept else decode(uow.documents.payloads([posted.id])[posted.id])
    difference = differences(before, invoice)
    if not difference:
        raise Unchanged(f"same content as revision {posted.revision}, which the target holds")  # noqa: TRY003, EM102
    text = (
        f"changed at the source after revision {posted.revision} was posted: {'; '.join(difference)}. Correct the "
        "target by hand or reverse it there; nothing was sent."
    )
    raise Parked(text, code="changed_after_posting", subject=posted.id)


def differences(before: Invoice, after: Invoice) -> list[str]:
    """Name what differs between two revisions in words, field by field; empty when only the stamp differs.

    ``original_number`` is left out: validation replaces the source's own number by the supplier's.
    """
    old, new = (invoice.model_dump(mode="json", exclude={"revision", "original_number"}) for invoice in (before, after))
    named = [f"{name} {old[name]} → {new[name]}" for name in old if name != "lines" and old[name] != new[name]]
    if old["lines"] != new["lines"]:
        named.append(f"lines ({len(old['lines'])} → {len(new['lines'])})")
    return named


def original_invoice(uow: UnitOfWork, record: DocumentRecord, invoice: Invoice) -> Invoice:
    """Give a credit memo the supplier's number of the invoice it credits, as the target knows it.

    The source names the original by its own number (reference/jaggaer.md §2.4 ``originalInvoiceNumber``).

    Raises:
        Parked: ``original_unknown``: neither the source's nor the supplier's number is in the store.
    """
    if invoice.kind is not InvoiceKind.CREDIT_MEMO:
        return invoice
    if not invoice.original_number:
        text = f"credit memo {invoice.number} names no original invoice; SYSPRO credits an invoice. Book it by hand."
        raise Parked(text, code="original_unknown", subject=invoice.number)
    named = invoice.original_number.casefold()
    for found in uow.documents.find(invoice.original_number, route=record.route):
        is_named = named in {found.source_number.casefold(), found.number.casefold()}
        if is_named and found.supplier == invoice.supplier and found.kind != InvoiceKind.CREDIT_MEMO:
            return invoice.model_copy(update={"original_number": found.number})
    text = f"credit memo {invoice.number} credits {invoice.original_number}, which this store has never seen"
    raise Parked(text, code="original_unknown", subject=invoice.original_number)
