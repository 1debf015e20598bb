"""GL accounts, cost centers and payments as SYSPRO's tables show them, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow

from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import SourceRecord, Window


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flow]:
    with flow(tmp_path, jaggaer={"invoices": 6, "mix": "good"}) as deployment:
        yield deployment


def source(site: Flow, document: str, **options: Any) -> Any:
    route = Route(name="r", document=document, source="syspro", target="jaggaer", source_options=options)
    return site.for_route(route).source()


def listed(source: Any, window: Window | None = None) -> dict[str, SourceRecord]:
    with source.session():
        return {record.key: record for page in source.pages(window or Window()) for record in page.records}


def chart(site: Flow) -> dict[str, Any]:
    return dict(site.sandbox.app.syspro._books.accounts)


def test_every_account_of_the_chart_is_listed_once_with_whether_documents_may_use_it(site: Flow) -> None:
    accounts = source(site, "ledger_account")
    found = {key: accounts.decode(record.payload) for key, record in listed(accounts).items()}
    assert set(found) == set(chart(site))
    assert {code for code, account in found.items() if not account.active} == {
        code for code, row in chart(site).items() if row.on_hold or row.control
    }


def test_where_cost_centers_are_part_of_the_code_accounts_and_centers_are_listed_apart(site: Flow) -> None:
    template = {"gl_template": "{cost_center}-{account}"}
    accounts, centers = source(site, "ledger_account", **template), source(site, "cost_center", **template)
    codes = [code.partition("-") for code in chart(site)]
    assert set(listed(accounts)) == {account for _, _, account in codes}
    assert set(listed(centers)) == {center for center, _, _ in codes}


def test_an_account_stays_open_as_long_as_one_of_its_cost_centers_may_use_it(site: Flow) -> None:
    accounts = source(site, "ledger_account", gl_template="{cost_center}-{account}")
    same = [code for code in chart(site) if code.endswith("-5120")]
    assert len(same) > 1
    for code in same[:-1]:
        site.sandbox.app.syspro.add("gl_account", {"gl_code": code, "on_hold": True})
    assert accounts.decode(listed(accounts)["5120"].payload).active
    site.sandbox.app.syspro.add("gl_account", {"gl_code": same[-1], "on_hold": True})
    assert not accounts.decode(listed(accounts)["5120"].payload).active


def test_an_unchanged_code_reads_the_same_bytes_and_a_withdrawn_one_is_closed(site: Flow) -> None:
    accounts = source(site, "ledger_account")
    first, second = listed(accounts), listed(accounts)
    assert {k: r.payload for k, r in first.items()} == {k: r.payload for k, r in second.items()}
    record = next(record for record in first.values() if accounts.decode(record.payload).active)
    gone = accounts.withdrawn(record.payload)
    assert not accounts.decode(gone).active
    assert accounts.withdrawn(gone) == gone


def test_a_code_that_cannot_be_read_again_is_rejected(site: Flow) -> None:
    with pytest.raises(Rejected, match="not readable"):
        source(site, "ledger_account").decode(b"[]")


def test_the_sources_of_syspro_say_what_time_it_is_there(site: Flow) -> None:
    assert abs(source(site, "payment").remote_time() - datetime.now(UTC)) < timedelta(minutes=1)
