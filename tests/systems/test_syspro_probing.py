"""What a connection test of SYSPRO tries, whom it blames, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.syspro.client import REST_PATH, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.needs import needed_into, needed_out_of
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.probing import Check, probe
from airflow_provider_mlconnector.systems.transport import Transport


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[RunningSandbox]:
    with serving(seed=7, syspro=getattr(request, "param", None)) as running:
        yield running


class Site(SysproClient):
    """A company of which some columns cannot be read."""

    hidden: frozenset[str] = frozenset()
    """Tables, ``Table.Column``, or ``Table.*`` for all columns at once."""

    def query(self, business_object: str, document: str) -> xml.Element:
        if business_object == "COMFND":
            root = xml.parse(document.encode(), what="query")
            table = xml.text(root, "TableName")
            asked = {f"{table}.{column.text}" for column in root.iter("Column")}
            asked |= {table, *([f"{table}.*"] if xml.text(root, "AllColumns") == "Y" else [])}
            if asked & self.hidden:
                msg = f"SYSPRO answered COMFND query with: no {min(asked & self.hidden)}"
                raise ProtocolError(msg)
        return super().query(business_object, document)


def site(sandbox: RunningSandbox, *hidden: str, password: str = "") -> Site:
    given = requests.get(f"{sandbox.url}/_sandbox/credentials", timeout=10).json()["syspro"]
    credentials = SysproCredentials(
        operator=given["login"],
        password=password or given["password"],
        company=given["extra"]["company_id"],
        company_password=given["extra"]["company_password"],
    )
    client = Site(Transport(sandbox.url + REST_PATH, system="SYSPRO", allow_http=True), credentials)
    client.hidden = frozenset(hidden)
    return client


def options(**chosen: Any) -> SysproOptions:
    return SysproOptions(company="EDU1", **chosen)


def missing(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.ok]


def warned(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.message for check in checks if check.warning}


def calls(sandbox: RunningSandbox) -> dict[str, int]:
    report = requests.get(f"{sandbox.url}/_sandbox/requests", timeout=10).json()
    return dict(report["systems"]["syspro"]["calls"])


@pytest.mark.parametrize("ap_gl", ["linked", "not_linked"])
@pytest.mark.parametrize("transport", ["get", "postld"])
@pytest.mark.parametrize("po_numbering", ["system", "manual"])
def test_a_probe_of_a_good_company_passes_every_check_and_stores_nothing(
    sandbox: RunningSandbox, ap_gl: str, transport: str, po_numbering: str
) -> None:
    before = requests.get(f"{sandbox.url}/_sandbox/ledger", timeout=10).json()["syspro"]
    chosen = options(ap_gl=ap_gl, transport=transport, po_numbering=po_numbering, cost_center_section=1)
    checks = probe(site(sandbox), chosen)
    assert missing(checks) == []
    assert warned(checks) == {}
    names = [check.name for check in checks]
    assert {"PORTOI", "APSSSP", "GENQST", "COMFND GrnDetails", "COMFND ApSupplier, all columns"} <= set(names)
    assert ("GENTJL" in names) == (ap_gl == "not_linked")
    assert max(Counter(names).values()) == 1
    after = requests.get(f"{sandbox.url}/_sandbox/ledger", timeout=10).json()["syspro"]
    same = set(before) - {"write_attempts", "logons"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_each_table_costs_one_request(sandbox: RunningSandbox) -> None:
    checks = probe(site(sandbox), options())
    tables = [check for check in checks if check.name.startswith("COMFND")]
    assert calls(sandbox)["Query:COMFND"] == len(tables) + 2  # and two for the periods


def test_a_wrong_password_is_tried_once(sandbox: RunningSandbox) -> None:
    (check,) = probe(site(sandbox, password="wrong"), options())
    assert not check.ok
    assert "password" in check.message
    assert calls(sandbox)["Logon"] == 1


@pytest.mark.parametrize("sandbox", [{"unlicensed": ["PORTOI", "APSSSP", "GENQST"]}], indirect=True)
def test_what_only_other_flows_need_is_said_but_fails_no_site_of_invoices(sandbox: RunningSandbox) -> None:
    chosen = options(cost_center_section=1)
    checks = probe(site(sandbox, "PorMasterHdr", "GrnDetails", "ApSupplierAddr"), chosen)
    assert missing(checks) == []
    told = warned(checks)
    assert told["PORTOI"].startswith("not available: needed by purchase orders; SYSPRO answered PORTOI post with: ")
    assert told["APSSSP"].startswith("not available: needed by suppliers into SYSPRO; ")
    assert told["GENQST"].startswith("not available: needed by cost centers; ")
    assert "not available: needed by purchase orders; " in told["COMFND PorMasterHdr"]
    assert "not available: needed by reconciliation; " in told["COMFND PorMasterHdr"]
    assert "or set po_lines of the route to park or post" in told["COMFND GrnDetails"]
    assert "address_table" in told["COMFND ApSupplierAddr"]


@pytest.mark.parametrize("sandbox", [{"unlicensed": ["PORTOI", "APSSSP", "APSTIN"]}], indirect=True)
def test_a_route_must_have_what_it_needs_and_no_more(sandbox: RunningSandbox) -> None:
    hidden = ("PorMasterHdr", "GrnDetails", "ApSupplierAddr", "ApInvoicePay.PostCurrency")
    chosen, every = options(), ["COMFND ApSupplierAddr, all columns"]

    def of(needed: Any) -> list[str]:
        return missing(probe(site(sandbox, *hidden), chosen, needed=needed))

    assert of(needed_into("invoice", chosen)) == ["COMFND GrnDetails", "APSTIN"]
    assert of(needed_into("purchase_order", chosen)) == ["COMFND PorMasterHdr", "PORTOI"]
    assert of(needed_into("supplier", chosen)) == ["COMFND ApSupplierAddr", *every, "APSSSP"]
    assert of(needed_out_of("supplier")) == ["COMFND ApSupplierAddr"]
    assert of(needed_out_of("payment")) == ["COMFND ApInvoicePay"]
    assert of(needed_out_of("ledger_account")) == []
    assert of(needed_into("invoice", options(po_lines="park"))) == ["APSTIN"]


def test_a_column_is_blamed_on_those_who_read_it(sandbox: RunningSandbox) -> None:
    checks = probe(site(sandbox, "ApInvoice.MthInvBal1", "ApInvoicePay.PaymentReference"), options())
    told = warned(checks)["COMFND ApInvoice"]
    assert "needed by payment status" in told
    assert "needed by reconciliation" in told
    assert "invoices" not in told
    assert missing(checks) == ["COMFND ApInvoicePay"]


def test_a_site_without_all_columns_is_told_which_option_to_set(sandbox: RunningSandbox) -> None:
    told = warned(probe(site(sandbox, "ApSupplier.*"), options()))
    assert "set full_records to false in Further options" in told["COMFND ApSupplier, all columns"]
    assert "COMFND ApSupplier, all columns" not in warned(
        probe(site(sandbox, "ApSupplier.*"), options(full_records=False))
    )


def test_a_wrong_column_of_ap_journals_fails_invoices_and_names_the_option(sandbox: RunningSandbox) -> None:
    hidden = "GenJournalDetail.SubModJournal"
    (wrong,) = [check for check in probe(site(sandbox, hidden), options()) if not check.ok]
    assert "ap_journal_column, or leave it empty" in wrong.message
    assert missing(probe(site(sandbox, hidden), options(ap_journal_column=""))) == []


def test_what_a_site_has_switched_off_is_not_tried(sandbox: RunningSandbox) -> None:
    chosen = options(po_stock=False, po_lines="park", address_table="", ap_journal_column="")
    names = {check.name for check in probe(site(sandbox), chosen)}
    assert not names & {"COMFND InvMaster", "COMFND GrnDetails", "COMFND GenJournalDetail", "GENQST", "GENTJL"}
