"""A sandbox with a journal file: what was booked is still there after a restart, and only that."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_mlconnector.sandbox.journal import JournaledApp

REST = "/SYSPROWCFService/Rest"
TYPED_IN = {"supplier": "V00001", "invoice": "H-1", "value": "75.00", "reference": "by hand"}


def ask(app: JournaledApp, method: str, path: str, **options: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())


def control(app: JournaledApp, command: str, body: Any = None) -> Any:
    return ask(app, "GET" if body is None else "POST", f"/_sandbox/{command}", json=body).json()


def start(path: Path, **changes: int) -> JournaledApp:
    return JournaledApp(path, **({"seed": 3, "invoices": 60} | changes))


def logon(app: JournaledApp) -> str:
    known = control(app, "credentials")["syspro"]
    answer = ask(
        app,
        "GET",
        f"{REST}/Logon",
        params={
            "Operator": known["login"],
            "OperatorPassword": known["password"],
            "CompanyId": known["extra"]["company_id"],
            "CompanyPassword": known["extra"]["company_password"],
        },
    )
    assert "ERROR" not in answer.text
    return answer.text


def leaves(fields: dict[str, str]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())


def post(app: JournaledApp, session: str, number: str) -> str:
    fields = {
        "Supplier": "V00001", "TransactionCode": "I", "Branch": "10", "Invoice": number, "TransactionValue": "100.00",
        "Notation": "", "TransactionReference": "R", "JournalNotation": "", "DiscountBasis": "T",
        "InvoiceDate": f"{datetime.now(UTC):%Y-%m-%d}", "DueDate": "", "DiscountDate": "", "ExchRateAtEntry": "",
        "FixedExchRate": "N", "TaxBasis": "E", "CalculateQstOnTax": "N", "TaxCode": "Z", "TaxValue": "0.00",
        "SecondTaxCode": "", "SecondTaxValue": "",
    }  # fmt: skip
    line = {
        "LedgerCode": "10-5120", "PasswordForLedgerCode": "", "LedgerTaxCode": "Z", "LedgerSecondTaxCode": "",
        "LedgerNotation": "", "LedgerValue": "100.00",
    }  # fmt: skip
    item = f"<Item>{leaves(fields)}<LedgerDistribution>{leaves(line)}</LedgerDistribution></Item>"
    parameters = {
        "UserId": session,
        "BusinessObject": "APSTIN",
        "XmlParameters": "<PostApInvoice><Parameters/></PostApInvoice>",
        "XmlIn": f"<PostApInvoice>{item}</PostApInvoice>",
    }
    return ask(app, "GET", f"{REST}/Transaction/Post", params=parameters).text


def books(app: JournaledApp) -> Any:
    """Everything both systems hold, without the moments: a change is written down microseconds before it is done."""
    return {**timeless(control(app, "ledger")), "truth": control(app, "truth")}


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items() if key not in {"at", "last_used"}}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


def test_a_restart_finds_the_same_ledger_invoices_and_sessions(tmp_path: Path) -> None:
    journal = tmp_path / "sandbox.jsonl"
    app = start(journal)
    control(app, "documents", {"system": "syspro", "kind": "ap_invoice", **TYPED_IN})
    session = logon(app)
    first = post(app, session, "P-1")
    post(app, session, "P-1")
    invoice_id = min(control(app, "truth"))
    change = {"system": "jaggaer", "kind": "invoice", "id": invoice_id, "set": {"header.invoiceName": "renamed"}}
    control(app, "documents", change)
    before = books(app)
    assert [row["outcome"] for row in before["syspro"]["write_attempts"]].count("posted") == 1, first

    again = start(journal)
    assert books(again) == before
    assert "P-2" in post(again, session, "P-2")
    numbers = [row["request_no"] for row in control(again, "ledger")["syspro"]["write_attempts"]]
    assert numbers == sorted(set(numbers)), "request numbers go on after a restart"


def test_a_line_cut_off_by_a_kill_never_happened(tmp_path: Path) -> None:
    journal = tmp_path / "sandbox.jsonl"
    app = start(journal)
    for number in ("H-1", "H-2"):
        control(app, "documents", {"system": "syspro", "kind": "ap_invoice", **TYPED_IN, "invoice": number})
    journal.write_bytes(journal.read_bytes()[:-20])
    again = start(journal)
    assert [row["invoice"] for row in control(again, "ledger")["syspro"]["ap_invoices"]] == ["H-1"]
    control(again, "documents", {"system": "syspro", "kind": "ap_invoice", **TYPED_IN, "invoice": "H-3"})
    third = start(journal)
    assert [row["invoice"] for row in control(third, "ledger")["syspro"]["ap_invoices"]] == ["H-1", "H-3"]


def test_what_syspro_refused_a_person_stays_refused(tmp_path: Path) -> None:
    journal = tmp_path / "sandbox.jsonl"
    app = start(journal)
    refused = control(app, "documents", {"system": "syspro", "kind": "ap_invoice", **TYPED_IN, "supplier": "NOBODY"})
    assert "error" in refused
    assert control(start(journal), "ledger")["syspro"]["ap_invoices"] == []


@pytest.mark.parametrize("changed", [{"seed": 4}, {"invoices": 61}])
def test_a_journal_of_another_seed_or_size_is_refused(tmp_path: Path, changed: dict[str, int]) -> None:
    journal = tmp_path / "sandbox.jsonl"
    start(journal)
    with pytest.raises(ValueError, match="was made with seed 3 and 60 invoices"):
        start(journal, **changed)


def test_a_journal_keeps_what_site_it_is_of_and_is_refused_for_another(tmp_path: Path) -> None:
    def of(**syspro: str) -> JournaledApp:
        return JournaledApp(tmp_path / "sandbox.jsonl", seed=3, invoices=0, syspro=syspro)

    for _start in range(2):
        assert of(ap_gl="not_linked").syspro.ledger()["gl_journals"] == []
    with pytest.raises(ValueError, match=r"was made with SYSPRO's \{'ap_gl': 'not_linked'\}"):
        of(ap_gl="summary")


def test_a_journaled_sandbox_cannot_be_reset(tmp_path: Path) -> None:
    app = start(tmp_path / "sandbox.jsonl")
    assert "not reset" in control(app, "reset", {})["error"]
