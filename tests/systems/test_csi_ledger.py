"""CSI's accounts and unit codes as sources: complete lists, open by their dates, withdrawn when gone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from support.csi_lists import CsiLists, options

from airflow_provider_mlconnector.documents.ledger import CostCenter, LedgerAccount
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi.ledger import (
    CsiAccountSource,
    CsiCostCenterSource,
    is_open,
)
from airflow_provider_mlconnector.systems.ports import SourceRecord, Window


def accounts(fake: CsiLists, **choices: Any) -> CsiAccountSource:
    return CsiAccountSource("csi_default", fake, options(**choices))


def centers(fake: CsiLists, **choices: Any) -> CsiCostCenterSource:
    return CsiCostCenterSource("csi_default", fake, options(**choices))


def listed(reader: CsiAccountSource | CsiCostCenterSource) -> list[SourceRecord]:
    return [record for page in reader.pages(Window()) for record in page.records]


def test_every_account_is_listed_and_is_open_between_its_dates() -> None:
    fake = CsiLists()
    fake.put("SLCharts", Acct="51200", Description="Supplies", Type="E", ReportsToAcct="51000")
    fake.put("SLCharts", Acct="51300", Description="Old", Type="E", ObsDate="20261110 00:00:00.000")
    fake.put("SLCharts", Acct="51400", Description="New", Type="E", EffDate="20261111 00:00:00.000")
    reader = accounts(fake, page_size=2)
    records = listed(reader)
    decoded = [reader.decode(record.payload) for record in records]
    assert decoded[0] == LedgerAccount(
        source_key="51200",
        revision="51200",
        code="51200",
        description="Supplies",
        kind="E",
        group="51000",
    )
    assert [(one.code, one.active) for one in decoded if isinstance(one, LedgerAccount)] == [
        ("51200", True),
        ("51300", False),
        ("51400", False),
    ]
    assert [record.status_text for record in records][1:] == ["not effective, or obsolete"] * 2
    assert reader.complete_list
    assert not reader.ordered_by_change


def test_an_account_becomes_obsolete_by_the_calendar_of_the_site_without_being_changed() -> None:
    fake = CsiLists()
    fake.put("SLCharts", Acct="51300", ObsDate="20261111 00:00:00.000")
    reader = accounts(fake, time_zone="Pacific/Auckland")  # 12:00 in Greenwich is 01:00 of the next day there
    assert listed(reader)[0].status_text == "not effective, or obsolete"
    before = listed(accounts(fake))
    fake.later(days=1)
    after = listed(accounts(fake))
    assert (before[0].status_text, after[0].status_text) == ("open", "not effective, or obsolete")
    assert before[0].payload != after[0].payload
    assert before[0].revision == ""


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        (None, None, True),
        ("20260301 00:00:00.000", None, True),
        ("20260302 00:00:00.000", None, False),
        (None, "20260301 00:00:00.000", False),
        (None, "20260302 00:00:00.000", True),
        ("20260201 00:00:00.000", "20260401 00:00:00.000", True),
    ],
)
def test_an_account_is_open_from_its_first_day_until_before_its_last(
    starts: str | None, ends: str | None, *, expected: bool
) -> None:
    assert is_open({"EffDate": starts, "ObsDate": ends}, date(2026, 3, 1)) is expected


def test_a_version_without_dates_has_only_open_accounts() -> None:
    fake = CsiLists(without={"SLCharts": ("EffDate", "ObsDate", "Type", "ReportsToAcct")})
    fake.put("SLCharts", Acct="51200")
    (record,) = listed(accounts(fake))
    account = accounts(fake).decode(record.payload)
    assert isinstance(account, LedgerAccount)
    assert (account.active, account.kind, account.group) == (True, "", "")


def test_a_code_that_is_listed_no_more_has_been_withdrawn() -> None:
    fake = CsiLists()
    fake.put("SLUnitcd1s", Unit1="100", Description="Berlin")
    reader = centers(fake)
    (record,) = listed(reader)
    gone = reader.withdrawn(record.payload)
    assert reader.withdrawn(gone) == gone
    assert reader.decode(record.payload) == CostCenter(
        source_key="100", revision="100", code="100", description="Berlin"
    )
    center = reader.decode(gone)
    assert isinstance(center, CostCenter)
    assert not center.active


@pytest.mark.parametrize("unit", [1, 2, 3, 4])
def test_cost_centers_are_the_codes_of_the_unit_the_site_uses_for_them(unit: int) -> None:
    fake = CsiLists()
    fake.put(f"SLUnitcd{unit}s", **{f"Unit{unit}": " C7 ", "Description": "Plant"})
    reader = centers(fake, cost_center_unit=unit)
    assert [record.key for record in listed(reader)] == ["C7"]
    assert reader.remote_time() == fake.now


def test_the_same_codes_are_the_same_revision_at_every_pass() -> None:
    fake = CsiLists()
    fake.put("SLUnitcd1s", Unit1="100", Description="Berlin")
    assert [one.payload for one in listed(centers(fake))] == [one.payload for one in listed(centers(fake))]


def test_an_unreadable_code_is_said_to_be_one() -> None:
    with pytest.raises(Rejected, match="not readable"):
        accounts(CsiLists()).decode(b"[]")
