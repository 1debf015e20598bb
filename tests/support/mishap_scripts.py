"""Longer ways by which a bad document comes to its end, for the table of good beside bad."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.mishaps import ACCOUNT, BAD, NUMBER, SUPPLIER, Desk, Script, line, prepared

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sync.adopt import adopt
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource

LOST = {"kind": "reset_before", "call": "Post:APSTIN"}
ACCOUNTS, CENTERS = ("51200", "51300", "52100", "53000", "54000", "55000", "15000"), ("CC10", "CC20", "CC30", "CC40")
GONE = {"returnCode": 2, "returnMessage": "124(invoiceId)", "totRecords": 0, "returnedRecords": 0, "startAt": 0}


def many_accounts() -> list[dict[str, Any]]:
    """Return lines of 1.00 on every account there is."""
    return [line(1, account, center) for account in ACCOUNTS for center in CENTERS]


def mapped_otherwise(old: str, new: str, changes: dict[str, Any]) -> Script:
    return prepared(lambda desk: desk.mapping(old, new), changes)


def credit_of(original: str) -> Script:
    """The bad document credits an invoice that nobody knows."""

    def script(desk: Desk) -> None:
        desk.add_good()
        desk.add_credit(of=original)
        desk.flow.all()

    return script


def credit_by_hand(desk: Desk) -> None:
    """An equal credit stands against the invoice already, and it is not ours."""
    original = desk.add("ORIGINAL-1", "V00002", line())
    desk.flow.all()
    desk.person("ap_credit", supplier="V00002", invoice="ORIGINAL-1", value="100.00", tax_code="Z", reference="by hand")
    desk.add_good()
    desk.add_credit({SUPPLIER: "V00002"}, of=desk.number(original))
    desk.flow.all()


def credit_of_purged(desk: Desk) -> None:
    """The invoice it credits was posted by us and has left SYSPRO since."""
    original = desk.add("ORIGINAL-1", "V00002", line())
    desk.flow.all()
    for action in ("pay_invoice", "purge_invoice"):
        desk.person(action, supplier="V00002", invoice="ORIGINAL-1")
    desk.add_good()
    desk.add_credit({SUPPLIER: "V00002"}, of=desk.number(original))
    desk.flow.all()


def same_number_twice(desk: Desk) -> None:
    """Another invoice of JAGGAER's has the same supplier and number, and was posted in an earlier run."""
    first = desk.add(BAD, "V00002", line())
    desk.flow.all()
    assert [document.state for document in desk.revisions(first)] == [State.POSTED]
    desk.add_both()
    desk.flow.all()


def posted_then(changes: dict[str, Any]) -> Script:
    """The bad invoice was posted as it was and is changed at the source afterwards."""
    return _changed_after(None, changes)


def parked_then(changes: dict[str, Any]) -> Script:
    """The bad invoice waited for its account and is changed at the source before anybody mapped it."""
    return _changed_after({ACCOUNT: "59999"}, changes)


def _changed_after(first: dict[str, Any] | None, changes: dict[str, Any]) -> Script:
    def script(desk: Desk) -> None:
        desk.add_bad(first)
        desk.flow.all()
        desk.add_good()
        desk.change(changes)
        desk.flow.all()

    return script


def sent_and_lost(desk: Desk) -> None:
    """The bad invoice's request is lost, the good one's is not: each travels alone, the longer one first."""
    desk.add_both({"lineList.invoiceLine": many_accounts()[:5], "header.total.value": 5.0})
    desk.flow.syspro = {"max_items": 1}
    desk.flow.extract()
    desk.flow.plan()
    desk.flow.validate()
    desk.faults({**LOST, "nth": 1})
    desk.flow.post()


def changed_while_on_its_way(desk: Desk) -> None:
    sent_and_lost(desk)
    desk.change({"header.invoiceName": "second thoughts"})
    desk.flow.run += 1
    desk.flow.extract()
    desk.flow.plan()
    desk.flow.validate()


def credit_lost(desk: Desk) -> None:
    """The request of a credit is lost at a site that has never shown our reference."""
    desk.add_good()
    desk.add_credit(of=desk.number(desk.good))
    desk.faults({**LOST, "nth": 2})
    desk.flow.all()


def credit_lost_once_proven(desk: Desk) -> None:
    """The same at a site that has shown our reference on an earlier credit: a second look will be proof."""
    original = desk.add("ORIGINAL-1", "V00001", line())
    desk.add_credit({NUMBER: "CREDIT-0"}, of=desk.number(original))
    desk.flow.all()
    assert [document.state for document in desk.flow.documents()] == [State.POSTED] * 2
    desk.add_good()
    desk.add_credit(of=desk.number(desk.good))
    desk.faults({**LOST, "nth": 2})
    desk.flow.all()


def adopted(desk: Desk) -> None:
    desk.add_both()
    desk.type_in()
    desk.flow.extract()
    adopt(desk.flow.job("adopt"), desk.flow.target())
    desk.flow.all()


def detail_gone(desk: Desk) -> None:
    desk.add_both()
    rule = {"kind": "status", "code": 200, "body": json.dumps(GONE), "system": "jaggaer", "call": "GetInvoice"}
    desk.faults({**rule, "nth": 2})
    desk.flow.all()


def breaks_our_codec(desk: Desk) -> None:
    """Our own code fails over the bad invoice."""
    desk.add_both()
    whole = JaggaerInvoiceSource.decode

    def decode(source: JaggaerInvoiceSource, payload: bytes) -> Invoice:
        if BAD.encode() in payload:
            raise ZeroDivisionError
        return whole(source, payload)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JaggaerInvoiceSource, "decode", decode)
        desk.flow.all()


def foreign_credit(desk: Desk) -> None:
    """At a site whose AP does not reach the ledger, the credit of an invoice in euros."""
    euros = {SUPPLIER: "V00031", "header.total.currency": "EUR"}
    desk.add_bad({NUMBER: "ORIGINAL-1", **euros})
    original = desk.number(desk.bad)
    desk.add_good()
    desk.add_credit(euros, of=original)
    desk.flow.all()


def site(**changes: Any) -> Script:
    """Change SYSPRO's own tables, as its administrator would."""

    def action(desk: Desk) -> None:
        books = desk.flow.sandbox.app.syspro._books
        for table, (key, value) in changes.items():
            rows = getattr(books, table)
            if value is None:
                del rows[key]
            else:
                rows[key] = value

    return action


def person(kind: str, **body: Any) -> Script:
    return lambda desk: desk.person(kind, **body)


def typed_in(kind: str = "ap_invoice", **changes: Any) -> Script:
    return lambda desk: desk.type_in(kind, **changes)
