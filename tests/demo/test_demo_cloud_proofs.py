"""The demo's proofs of the CloudSuite pair: each holds on books that agree, and names what differs."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_mlconnector.demo import cloud_proofs as proofs
from airflow_provider_mlconnector.demo.cloud_facts import INTO_CSI, INTO_JAGGAER, CloudBooks
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import ChainHead, ChainReport, DocumentRecord

NOW = datetime(2026, 11, 1, tzinfo=UTC)
VOUCHER = {
    "by": "interface", "state": "posted", "VendNum": " V00001", "InvNum": "NB-1", "Voucher": 10031, "currency": "USD",
    "InvAmt": "120.00", "distributions": [{"Amount": "100.00"}, {"Amount": "20.00"}],
}  # fmt: skip
BY_HAND = {**VOUCHER, "by": "person", "InvNum": "NB-2", "Voucher": 10032, "state": "unposted"}
IMPORTED = {
    "supplier": "V00002", "number": "IN7", "type": "Credit memo", "currency": "EUR", "total": "75.50",
    "workflow": "Completed",
}  # fmt: skip
ORDER = {
    "PoNum": "P000000001", "VendNum": " V00003", "currency": "USD", "deleted": False,
    "lines": [
        {"Item": "SERV-1", "QtyOrderedConv": "3.00", "ItemCostConv": "4.50"},
        {"Item": "SERV-2", "QtyOrderedConv": "0.00", "ItemCostConv": "9.00"},
    ],
}  # fmt: skip
SENT = {
    "number": "P000000001", "supplier": "V00003", "currency": "USD", "states": [{"revision": 0}],
    "lines": [{"catalog": "SERV-1", "quantity": "3", "price": "4.5"}],
}  # fmt: skip
LEDGER: dict[str, Any] = {
    "cloudsuite": {
        "vouchers": [VOUCHER, BY_HAND],
        "exposed": [],
        "violations": [],
        "gl_totals": {"debit": "120.00", "credit": "120.00"},
        "gl_lines": [{"Ref": "APV 10031", "DomAmount": "120.00"}, {"Ref": "APV 10031", "DomAmount": "-120.00"}],
        "purchase_orders": [ORDER],
        "suppliers": [{"VendNum": " V00001", "Name": "Alpine", "TaxRegNum1": "TX1"}],
        "tokens": {"calls": [{"at": "2026-11-01T10:00:01+00:00", "grant": "password"}]},
        "gateway": {
            "per_period": {"2026-11-01T10:00:00+00:00": {"asked": 900}},
            "tokens_per_day": {"2026-11-01": 2},
            "refused": {},
        },
    },
    "jaggaer": {
        "imported_invoices": [IMPORTED],
        "purchase_orders": [SENT],
        "suppliers": [
            {"number": "V00001", "profile": {"type": "SELLER", "companyName": "Alpine", "fiscalCode": "TX1"}}
        ],
    },
}
"""Two systems whose books agree with each other and with :func:`books`."""


def document(key: str, number: str, supplier: str, gross: str, state: State, **more: str) -> DocumentRecord:
    return DocumentRecord(
        id=f"d{key}", route="r", document="invoice", source="s", tenant="t", key=key, revision="1", state=state,
        generation=1, batch_id="b", source_hash="", number=number, supplier=supplier, kind=more.get("kind", "invoice"),
        currency=more.get("currency", "USD"), gross=gross, document_date=None, source_number="", business_unit="",
        reason_code="", reason="why", reason_subject="", lease_owner="", lease_until=None, due_at=None, chunk_id="",
        mapping_version=None, target_reference="", created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def books(**changes: Any) -> CloudBooks:
    into_csi = [
        document("900001", "NB-1", "V00001", "120.00", State.POSTED),
        document("900002", "NB-2", "V00001", "120.00", State.LINKED),
    ]
    out = [document("V00002|7", "IN7", "V00002", "75.50", State.POSTED, kind="credit_memo", currency="EUR")]
    chain = ChainReport(ok=True, events=3, head=ChainHead("store", 3, "mac"))
    known = CloudBooks({INTO_CSI: into_csi, INTO_JAGGAER: out}, chain, "")
    return replace(known, **changes)


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """Return the ledger with one value replaced."""
    ledger = deepcopy(LEDGER)
    place: Any = ledger
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return ledger


def test_books_that_agree_prove_everything() -> None:
    truth = {"900001": {"label": "plain"}, "900002": {"label": "plain"}, "900003": {"label": "pending"}}
    labels = {"vouchers": {"7": "plain", "8": "held"}}
    found = proofs.prove_cloud(books(), before=LEDGER, ledger=LEDGER, truth=truth, labels=labels)
    assert {proof.claim: proof.differences for proof in found if not proof.holds} == {}
    assert len({proof.claim for proof in found}) == len(found) == 11


@pytest.mark.parametrize(
    ("field", "value"), [("InvAmt", "120.01"), ("currency", "EUR"), ("VendNum", " V00009"), ("InvNum", "NB-9")]
)
def test_a_voucher_that_differs_from_the_store_is_named_on_both_sides(field: str, value: str) -> None:
    proof = proofs.vouchers_stand_once(books(), changed("cloudsuite", "vouchers", 0, field, to=value)["cloudsuite"])
    assert [text.split(":")[0] for text in proof.differences] == [
        "in CSI but not in the store",
        "in the store but not in CSI",
    ]


def test_a_second_voucher_of_one_invoice_and_a_link_to_nothing_are_found() -> None:
    twice = changed("cloudsuite", "vouchers", to=[VOUCHER, VOUCHER])["cloudsuite"]
    assert [text.split(":")[0] for text in proofs.vouchers_stand_once(books(), twice).differences] == [
        "in CSI but not in the store",
        "linked in the store, yet nobody entered it in CSI",
    ]


def test_a_half_voucher_is_found_by_its_sum_and_by_what_the_sandbox_saw() -> None:
    half = changed("cloudsuite", "vouchers", 0, "distributions", to=[{"Amount": "100.00"}])["cloudsuite"]
    assert "120.00 in its header, 100.00 distributed" in proofs.no_half_voucher_was_posted(half).differences[0]
    for kind in ("exposed", "violations"):
        assert not proofs.no_half_voucher_was_posted(changed("cloudsuite", kind, to=["x"])["cloudsuite"]).holds


def test_an_unbalanced_transaction_is_named() -> None:
    off = changed("cloudsuite", "gl_lines", 1, "DomAmount", to="-119.99")["cloudsuite"]
    assert proofs.debits_equal_credits(off).differences == ("APV 10031: off by 0.01",)


def test_an_import_more_or_less_than_the_store_knows_is_named() -> None:
    none = proofs.imports_stand_once(books(), {"imported_invoices": []})
    assert "in the store but not in JAGGAER: V00002 IN7: EUR -75.50" in none.differences
    twice = proofs.imports_stand_once(books(), {"imported_invoices": [IMPORTED, IMPORTED]})
    assert "in JAGGAER but not in the store: V00002 IN7: EUR -75.50" in twice.differences


def test_an_invoice_written_into_both_systems_came_back() -> None:
    back = {"imported_invoices": [{**IMPORTED, "supplier": "V00001", "number": "NB-1"}]}
    assert proofs.nothing_came_back(LEDGER["cloudsuite"], LEDGER["jaggaer"]).holds
    assert proofs.nothing_came_back(LEDGER["cloudsuite"], back).differences == ("V00001 NB-1 was written into both",)


def test_what_either_side_holds_and_the_store_does_not_is_lost() -> None:
    proof = proofs.nothing_lost_either_way(
        books(), {"900009": {"label": "plain"}}, {"vouchers": {"12": "posted", "13": "in_workflow"}}
    )
    assert proof.differences == (
        "JAGGAER's invoice 900009 (plain) is not in the store",
        "CSI's voucher 12 is not in the store",
    )


def test_a_document_written_again_is_named_even_if_its_first_voucher_was_deleted() -> None:
    again = changed("cloudsuite", "vouchers", to=[{**VOUCHER, "state": "deleted"}, VOUCHER])
    assert proofs.nothing_written_twice(LEDGER, again).differences == (
        "written 2 times: CSI voucher V00001 NB-1 invoice",
    )
    assert proofs.nothing_written_twice(LEDGER, LEDGER).evidence.startswith("0 documents written in this run, 3 before")


@pytest.mark.parametrize(("field", "value"), [("quantity", "4"), ("price", "4.51"), ("catalog", "SERV-9")])
def test_an_order_line_that_differs_is_found(field: str, value: str) -> None:
    other = changed("jaggaer", "purchase_orders", 0, "lines", 0, field, to=value)
    assert "order P000000001" in proofs.orders_are_equal(LEDGER["cloudsuite"], other["jaggaer"]).differences[0]


def test_no_order_and_an_order_twice_are_found() -> None:
    assert not proofs.orders_are_equal(LEDGER["cloudsuite"], {"purchase_orders": []}).holds
    twice = proofs.orders_are_equal(LEDGER["cloudsuite"], {"purchase_orders": [SENT, SENT]})
    assert "order P000000001 stands 2 times in JAGGAER" in twice.differences


def test_suppliers_that_differ_or_are_not_there_are_found() -> None:
    other = changed("cloudsuite", "suppliers", 0, "Name", to="Alpine Ltd")
    assert "V00001 Name" in proofs.suppliers_are_equal(other["cloudsuite"], LEDGER["jaggaer"]).differences[0]
    assert not proofs.suppliers_are_equal(LEDGER["cloudsuite"], {"suppliers": []}).holds


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("gateway", "per_period"), {"m": {"asked": proofs.PER_MINUTE + 1}}, "requests in a minute"),
        (("gateway", "tokens_per_day"), {"d": 101}, "tokens in a day"),
        (("gateway", "refused"), {"throttled": 1}, "refused: throttled"),
        (("tokens", "calls"), [{"at": "2026-11-01T10:00", "grant": "password"}] * 21, "logins in a minute"),
    ],
)
def test_each_limit_that_was_not_kept_is_named(path: tuple[str, ...], value: Any, named: str) -> None:
    proof = proofs.limits_are_kept(changed("cloudsuite", *path, to=value)["cloudsuite"])
    assert len(proof.differences) == 1
    assert named in proof.differences[0]


def test_a_broken_audit_trail_is_named() -> None:
    broken = ChainReport(ok=False, events=2, head=ChainHead("store", 3, "mac"), bad_seq=2, reason="edited")
    assert proofs.audit_chain_holds(books(chain=broken)).differences == ("event 2: edited",)
    assert proofs.audit_chain_holds(books(behind="older")).differences == ("older",)
