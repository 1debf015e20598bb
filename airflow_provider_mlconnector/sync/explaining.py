"""Why something does not agree, as far as the audit knows: from the state of its document, in words of the trade."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.lifecycle import IN_FLIGHT, IN_TARGET, State
from airflow_provider_mlconnector.documents.reconciliation import CREDIT_MEMO, Area, Figure
from airflow_provider_mlconnector.documents.supplier import Supplier
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.differences import GROSS, TWICE, Gap, Reason, because, differing, unclear
from airflow_provider_mlconnector.sync.route import Route

OUR_PREFIX = "MLC"
"""How references of ours begin (:func:`~airflow_provider_mlconnector.sync.job.our_reference`)."""
_HALF_A_CENT = Decimal("0.005")
_NEXT_RUN = frozenset({State.EXTRACTED, State.VALIDATED})


@dataclass(slots=True)
class Knowledge:
    """What is known beside the gap itself.

    Attributes:
        left: The left connection's id; likewise ``right``.
        left_route: The route that carries the left side's records over, None where none does.
        left_tenant: Tenant under which it records keys.
        right_route: The route the other way, for what is kept in step both ways.
        right_tenant: Its tenant.
        payments: The route that tells the left side of payments.
        read_at: When the left side was read.
        started: Names of the routes that have ever read anything.
        elsewhere: For invoices that are nowhere in the span on the right: what stands there under another date.
        translated: Turns a right-hand code into the left's: (field, value) → value.
        twins: What else on the left has the same supplier, amount and date: label by :func:`twin_of`.
    """

    left: str
    right: str
    left_route: Route | None
    left_tenant: str
    right_route: Route | None = None
    right_tenant: str = ""
    payments: Route | None = None
    read_at: datetime | None = None
    started: frozenset[str] = frozenset()
    elsewhere: Mapping[str, Figure] = field(default_factory=dict)
    translated: Callable[[str, str], str] = lambda _field, value: value
    twins: Mapping[int, str] = field(default_factory=dict)


def twin_of(figure: Figure) -> int:
    """Return what two entries of one paper invoice under different numbers have in common, as a hash."""
    return hash((figure.match.partition("|")[0], figure.kind, figure.amount, figure.day))


def explain(uow: UnitOfWork, known: Knowledge, gaps: Sequence[Gap]) -> list[Reason]:
    """Return the reason of each gap of one area, in the order given."""
    lefts = _histories(uow, known.left_route, known.left_tenant, [gap.left.key for gap in gaps if gap.left])
    rights = _histories(uow, known.right_route, known.right_tenant, [gap.right.key for gap in gaps if gap.right])
    references = [gap.right.reference for gap in gaps if gap.right and gap.left is None and _is_ours(gap.right)]
    sent = uow.steps.referenced(references) if references else {}
    return [
        _reason(
            uow,
            known,
            gap,
            lefts.get(gap.left.key, []) if gap.left else [],
            rights.get(gap.right.key, []) if gap.right else [],
            sent,
        )
        for gap in gaps
    ]


def _histories(
    uow: UnitOfWork, route: Route | None, tenant: str, keys: Collection[str]
) -> dict[str, list[DocumentRecord]]:
    return uow.documents.revisions(route.name, route.source, tenant, keys) if route and keys else {}


def _reason(
    uow: UnitOfWork,
    known: Knowledge,
    gap: Gap,
    left: Sequence[DocumentRecord],
    right: Sequence[DocumentRecord],
    sent: Mapping[str, str],
) -> Reason:
    if gap.area is Area.BALANCES:
        return _owed(uow, known, gap)
    if gap.left is None and gap.right is not None:
        return _only_right(uow, known, gap.right, gap.what, right, sent)
    if gap.right is None and gap.left is not None:
        return _only_left(uow, known, gap.left, left)
    return _different(uow, known, gap, left, right)


# --- only on one side ----------------------------------------------------------------------------------------------


def _only_left(uow: UnitOfWork, known: Knowledge, left: Figure, history: Sequence[DocumentRecord]) -> Reason:
    if known.left_route is None:
        return _carried_to_left(uow, known, left)
    if not left.counted:
        return because("not_eligible", f"not approved in {known.left}, so not transferred: {left.status}")
    if left.status == "inactive":
        return because("inactive", f"inactive in {known.left}, so not set up in {known.right}")
    held = [document for document in history if document.state in IN_TARGET]
    if held:
        return _lost(known, left, held[-1], history[-1])
    if history:
        return told(history[-1])
    return _never_read(uow, known, left)


def _carried_to_left(uow: UnitOfWork, known: Knowledge, left: Figure) -> Reason:
    """Explain what stands on the left alone where the left is written to."""
    route = known.right_route
    found = uow.documents.find(left.number, route=route.name) if route and left.number else []
    if any(document.state in IN_TARGET for document in found):
        return unclear("gone_from_source", f"was written by us, and {known.right} does not list it with this date")
    return because("typed_by_hand", f"entered in {known.left} by hand; no route carries it to {known.right}")


def _lost(known: Knowledge, left: Figure, held: DocumentRecord, newest: DocumentRecord) -> Reason:
    """Explain why what the audit says is in the target cannot be seen there."""
    there = known.elsewhere.get(left.match)
    if there is not None:
        what = "; ".join(differing(left, there))
        if newest.state is State.CHANGED_AFTER_POSTING:
            return because("changed_after_posting", f"{what}; {newest.reason}")
        return unclear("other_date", f"stands in {known.right} otherwise than it was written: {what}")
    text = (
        f"{held.state} as {held.target_reference or 'unknown'}, and {known.right} does not show it: purged or altered"
    )
    return unclear("gone_from_target", text)


def _never_read(uow: UnitOfWork, known: Knowledge, left: Figure) -> Reason:
    route = known.left_route
    assert route is not None  # noqa: S101 - nothing is compared that no route carries
    if (before := _before(route, left)) is not None:
        return before
    if left.status.startswith("paymentStatus") and left.owed == 0:
        return because("paid_at_source", f"paid in {known.left} before a route took it up: {left.status}")
    others = [other for other in uow.documents.find(left.key) if other.key == left.key and other.source == route.source]
    if others:
        return because("other_route", f"carried by route {others[0].route}: {told(others[0]).text}")
    return _unread(uow, route, left, started=route.name in known.started)


def _unread(uow: UnitOfWork, route: Route, figure: Figure, *, started: bool) -> Reason:
    if not started:
        return because("route_not_started", f"route {route.name} has not read anything yet")
    if _is_news(uow, route, figure):
        return because("not_read_yet", f"changed after route {route.name} last ran: its next run reads it")
    return unclear("never_read", f"route {route.name} has run since and has not read it")


def _only_right(
    uow: UnitOfWork,
    known: Knowledge,
    right: Figure,
    what: Sequence[str],
    history: Sequence[DocumentRecord],
    sent: Mapping[str, str],
) -> Reason:
    if TWICE in what:
        return unclear("double", f"stands twice in {known.right} under one reference of ours: reverse one")
    if right.area in {Area.SUPPLIERS, Area.ORDERS}:
        return _master_of_right(uow, known, right, history)
    document = uow.documents.get(sent[right.reference]) if right.reference in sent else None
    if document is None and _is_ours(right):
        text = f"carries {right.reference}, a reference of ours that this store does not know: another store's work?"
        return unclear("unknown_reference", text)
    document = document or _by_number(uow, known, right)
    if document is not None:
        return _gone_from_left(known, document, ours=_is_ours(right))
    twin = known.twins.get(twin_of(right))
    if twin:
        text = f"entered by hand; same supplier, date and amount as {twin}: one invoice under two numbers?"
        return unclear("possible_duplicate", text)
    return because("typed_by_hand", f"entered in {known.right} by hand; {known.left} has no such document")


def _master_of_right(uow: UnitOfWork, known: Knowledge, right: Figure, history: Sequence[DocumentRecord]) -> Reason:
    if history:
        newest = history[-1]
        if newest.state in IN_TARGET:
            return unclear("gone_from_source", f"was written to {known.left}, which does not list it any more")
        return told(newest)
    if right.reference:
        text = f"carries our reference {right.reference}, and {known.left} does not list it in this period"
        return unclear("gone_from_source", text)
    route = known.right_route
    if route is None:
        return because("typed_by_hand", f"entered in {known.right} by hand; no route carries it to {known.left}")
    if right.area is Area.SUPPLIERS:
        return because("not_read_yet", f"route {route.name} has not read it yet: its next run does")
    return _before(route, right) or _unread(uow, route, right, started=route.name in known.started)


def _before(route: Route, figure: Figure) -> Reason | None:
    if figure.day is None or route.start_at is None or figure.day >= route.start_at:
        return None
    return because("before_cut_over", f"dated {figure.day}, before the cut-over on {route.start_at}")


def _by_number(uow: UnitOfWork, known: Knowledge, right: Figure) -> DocumentRecord | None:
    supplier, number, _ = right.match.split("|")
    if known.left_route is None or right.kind == CREDIT_MEMO:
        return None
    spoken = right.number
    for text in dict.fromkeys((spoken, number)):
        for found in uow.documents.find(text, route=known.left_route.name):
            same = (comparable(found.supplier), comparable(found.number)) == (supplier, number)
            if same and CREDIT_MEMO not in found.kind:
                return found
    return None


def _gone_from_left(known: Knowledge, document: DocumentRecord, *, ours: bool) -> Reason:
    if known.read_at is not None and document.created_at > known.read_at:
        return because("came_meanwhile", f"read from {known.left} while this comparison ran")
    did = "was posted by us" if ours else "was entered by hand and linked" if document.state is State.LINKED else "is"
    text = (
        f"{did} as {document.kind or document.document} {document.key} dated {document.document_date}, which"
        f" {known.left} does not list with this number and date any more ({document.state.replace('_', ' ')})"
    )
    say = because if document.state is State.CHANGED_AFTER_POSTING else unclear
    return say("gone_from_source", text)


def _only_decimals(known: Knowledge, gap: Gap) -> Reason | None:
    """Explain a difference that is but the decimal a currency has more (KWD: three) than the right side keeps."""
    left, right = gap.left, gap.right
    if left is None or right is None or left.amount == round(left.amount, 2):
        return None
    lines = Decimal(dict(left.facts).get("lines", 1) or 1)
    if abs(left.amount - right.amount) > _HALF_A_CENT * lines or len(differing(left, right)) > 1:
        return None
    return because("two_decimals", f"{known.right} keeps two decimals: {left.amount} and {right.amount}")


# --- on both sides -------------------------------------------------------------------------------------------------


def _different(
    uow: UnitOfWork, known: Knowledge, gap: Gap, left: Sequence[DocumentRecord], right: Sequence[DocumentRecord]
) -> Reason:
    newest = [history[-1] for history in (left, right) if history]
    for document in newest:
        if document.state not in IN_TARGET and document.state not in {State.SUPERSEDED, State.SKIPPED}:
            return told(document)
    if said := _changed_since(uow, known, gap, right) or _only_decimals(known, gap):
        return said
    if gap.right is not None and gap.right.status == "complete":
        return because("complete_in_target", f"received in full in {known.right}; receipts are not transferred")
    ahead = gap.left is not None and not gap.left.counted and known.left_route is not None
    if ahead and not any(doc.state in IN_TARGET for doc in left):
        return because("typed_ahead", f"entered in {known.right} by hand before {known.left} approved it")
    if not newest:
        return because("not_read_yet", "entered on both sides; no route has read it yet: the next run compares it")
    states = ", ".join(f"{document.state} in route {document.route}" for document in newest)
    return unclear("differs", f"the audit knows no reason ({states}): changed on one side by hand?")


def _is_news(uow: UnitOfWork, route: Route, figure: Figure) -> bool:
    """Tell whether the source changed it after the route's last window ended."""
    mark = uow.watermarks.get(route.name)
    return (
        mark is not None
        and figure.changed_at is not None
        and figure.changed_at >= mark + timedelta(minutes=route.overlap_minutes)
    )


def _changed_since(uow: UnitOfWork, known: Knowledge, gap: Gap, history: Sequence[DocumentRecord]) -> Reason | None:
    """Tell of changes the next run will carry over; where a side tells no times, content is compared."""
    sides = ((known.left, known.left_route, gap.left), (known.right, known.right_route, gap.right))
    for name, route, figure in sides:
        if route is not None and figure is not None and _is_news(uow, route, figure):
            text = f"changed in {name} after route {route.name} last ran: its next run reads it"
            return because("not_read_yet", text)
    if gap.area is not Area.SUPPLIERS or not history or gap.right is None:
        return None
    kept = uow.documents.canonicals([history[-1].id]).get(history[-1].id)
    if kept is None or _as_read(Supplier.model_validate_json(kept), known) == dict(gap.right.facts):
        return None
    text = f"changed in {known.right} since route {history[-1].route} last read it: its next run settles who wins"
    return because("not_read_yet", text)


def _as_read(supplier: Supplier, known: Knowledge) -> dict[str, str]:
    """Return what was last read of a supplier of the right side, as its figure shows it."""
    told = {"name": supplier.name, "terms": supplier.terms, "currency": supplier.currency, "tax id": supplier.tax_id}
    codes = {name: known.translated(name, value or "") for name, value in told.items()}
    return {"active": "no" if supplier.on_hold or not supplier.active else "yes", **codes}


def _owed(uow: UnitOfWork, known: Knowledge, gap: Gap) -> Reason:
    """Explain why one side says that something else is owed than the other (payments, FINANCE §1)."""
    left, right = gap.left, gap.right
    assert left is not None  # noqa: S101 - balances are of pairs
    assert right is not None  # noqa: S101 - balances are of pairs
    gross = Decimal(dict(right.facts)[GROSS])
    if (Decimal(dict(left.facts)[GROSS]), left.currency) != (gross, right.currency):
        return because("invoice_differs", "the invoice itself differs, and so does what is owed: see there")
    if not left.owed and right.owed is not None and right.owed < 0:
        text = f"paid in full before a credit of {-right.owed} came, which {known.right} now owes us"
        return because("credited_after_payment", text)
    if not left.owed:
        return unclear("paid_in_source", f"{known.left} says paid, {known.right} still owes {right.owed}")
    paid = right.paid or Decimal(0)
    if not paid:
        beside = gross - (right.owed or Decimal(0))
        return because("credited", f"credits or other entries of {beside} stand against it in {known.right}")
    return _payments(uow, known, right, paid, gross=gross)


def _payments(uow: UnitOfWork, known: Knowledge, right: Figure, paid: Decimal, *, gross: Decimal) -> Reason:
    """Explain what the left side knows of payments by what the payments' route has told it."""
    route, number = known.payments, right.number
    if route is None or route.name not in known.started:
        return because("payments_not_sent", f"{paid} paid in {known.right}; payment status is not sent")
    wanted = right.match.split("|")[0]
    sent = [found for found in uow.documents.find(number, route=route.name) if comparable(found.supplier) == wanted]
    waiting = [found for found in sent if found.state not in IN_TARGET]
    if waiting:
        return told(waiting[0])
    if not sent:
        return because("not_read_yet", f"{paid} paid in {known.right}; the next run of {route.name} tells of it")
    if right.owed:
        return because("partly_paid", f"{paid} of it paid, which {known.left} was told")
    if paid < gross:
        text = f"{paid} paid, which {known.left} was told; credits of {gross - paid} settled the rest in {known.right}"
        return because("paid_less_credits", text)
    return unclear("payment_not_taken", f"{known.left} was told of {len(sent)} payments and still says unpaid")


def told(document: DocumentRecord) -> Reason:
    """Return what a document's state explains."""
    state, why = document.state, f": {document.reason}" if document.reason else ""
    if state in _NEXT_RUN:
        return because("on_its_way", f"read; the next run of {document.route} goes on with it{why}")
    if state is State.SUBMITTED:
        return because(state, f"handed over to the target, not seen there yet{why}")
    if state in IN_FLIGHT:
        return because(state, f"sent, and its outcome is not known yet{why}")
    if state is State.SUPERSEDED:
        return unclear(state, f"a newer revision took its place{why}")
    if state is State.ACCEPTED:
        return because(state, f"in the target, not in its ledger yet{why}")
    code = document.reason_code or str(state)
    say = unclear if state in IN_TARGET else because
    return say(code, f"{state.replace('_', ' ')}{why}")


def _is_ours(figure: Figure) -> bool:
    return figure.reference.startswith(OUR_PREFIX)
