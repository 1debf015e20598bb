"""Trying what the flows need of CSI: what is missing is said in words, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import pytest
from support.csi_lists import CONFIGURATION, CsiLists, Scripted, options, replied

from airflow_provider_mlconnector.errors import NotAuthenticated
from airflow_provider_mlconnector.systems.cloudsuite.csi.dialect import DIALECT
from airflow_provider_mlconnector.systems.cloudsuite.csi.probing import probe
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Finding


def tried(fake: Any, needed: Iterable[str] = (), **choices: Any) -> dict[str, Finding]:
    return {one.name: one for one in probe(fake, options(**choices), frozenset(needed))}


def site(without: dict[str, tuple[str, ...]] | None = None) -> CsiLists:
    fake = CsiLists(without=without)
    if "SLVendors" in fake.idos:
        fake.put("SLVendors", VendNum=" V00042", Name="Northwind")
    fake.later(minutes=1)
    return fake


def test_a_site_that_has_everything_passes_and_says_what_is_transferred() -> None:
    fake = site()
    found = tried(fake)
    assert all(one.ok for one in found.values())
    assert found["configuration"].message == f"{CONFIGURATION} of tenant ACME_TST"
    assert found["orders"].message.startswith("transferred are those with Stat O of regular orders")
    assert found["invoices"].message == "transferred are vouchers of Type V, unposted or posted"
    assert found["time zone"].message == "UTC: the newest vendor was changed at 2026-11-10T12:00:00.000Z"
    assert found["SLTerms"].message == "readable, without records"
    idos = {"SLPos", "SLPoItems", "SLVendors", "SLCharts", "SLUnitcd1s", "SLTerms", "SLLedgers", "SLPeriods"}
    assert idos | {"SLAptrxs", "SLAptrxds", "SLAptrxps", "SLVchHdrs"} <= found.keys()
    assert not [name for name in fake.requests if name.startswith(("update", "invoke"))]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ("", "fill in field Configuration; this tenant has ACME_TST_MAIN, ACME_TST_DEMO"),
        ("ACME_PRD_MAIN", "this tenant has no configuration ACME_PRD_MAIN; it has ACME_TST_MAIN, ACME_TST_DEMO"),
    ],
)
def test_a_missing_or_misnamed_configuration_is_told_with_those_there_are(chosen: str, words: str) -> None:
    found = tried(site(), configuration=chosen)
    assert list(found) == ["configuration"]
    assert (found["configuration"].ok, found["configuration"].message) == (False, words)


def test_a_user_who_may_not_list_configurations_may_still_use_one() -> None:
    fake = site()
    refusal = replied({"Success": False, "Message": "not for you"})

    class Closed(CsiLists):
        def get(self, path: str, name: str, **given: Any) -> Any:
            return refusal if path.endswith("/configurations") else fake.get(path, name, **given)

    found = tried(Closed())
    assert (found["configuration"].ok, found["configuration"].warning) == (True, True)
    assert "not checked" in found["configuration"].message
    assert found["SLPos"].ok
    assert not tried(Closed(), configuration="")["configuration"].ok


def test_without_a_log_on_the_rest_is_not_tried() -> None:
    class Locked(Scripted):
        def get(self, path: str, name: str, **given: Any) -> Any:
            raise NotAuthenticated("the service account is refused")

    found = tried(Locked())
    assert {name: one.ok for name, one in found.items()} == {"configuration": False}
    assert "refused" in found["configuration"].message


def test_what_a_needed_flow_misses_fails_and_what_others_miss_is_a_warning() -> None:
    lacking = {"SLPoItems": ("ItemCostConv",), "SLTerms": (), "SLLedgers": ()}
    missed = tried(site(lacking))["SLPoItems"]
    assert not missed.ok
    assert "SLPoItems has no property ItemCostConv" in missed.message
    assert missed.message.endswith("needed by purchase_order")
    spared = tried(site(lacking), needed=["supplier"])
    assert (spared["SLPoItems"].ok, spared["SLPoItems"].warning) == (True, True)
    assert (spared["SLTerms"].ok, spared["SLTerms"].warning) == (True, True)
    assert (spared["SLLedgers"].ok, spared["SLLedgers"].warning) == (True, True)


def test_an_ido_the_user_may_not_read_is_missed_though_it_is_described() -> None:
    fake = site()

    class Unprivileged(CsiLists):
        def get(self, path: str, name: str, **given: Any) -> Any:
            if path.endswith("/load/SLAptrxs"):
                words = "User requires [Read] privilege for SLAptrxs"
                return replied({"Success": False, "Items": None, "Message": words})
            return fake.get(path, name, **given)

    found = tried(Unprivileged())["SLAptrxs"]
    assert not found.ok
    assert "privilege for SLAptrxs" in found.message


def test_properties_a_version_lacks_are_named_with_what_that_means() -> None:
    found = tried(site({"SLCharts": ("EffDate", "ObsDate")}))["SLCharts"]
    assert (found.ok, found.warning) == (True, True)
    assert found.message == "readable, without records; read as empty: EffDate, ObsDate"


def test_a_currency_that_goes_by_either_name_or_none_is_not_missed() -> None:
    both = ("AptCurrCode", "CurrCode")
    found = tried(site(dict.fromkeys(("SLAptrxs", "SLAptrxps", "SLVchHdrs"), both)))
    for ido in ("SLAptrxs", "SLAptrxps", "SLVchHdrs"):
        assert "CurrCode" not in found[ido].message


def test_the_wrong_time_zone_shows_by_changes_in_the_future() -> None:
    found = tried(site(), time_zone="America/New_York")["time zone"]
    assert not found.ok
    assert "would be at 2026-11-10T17:00:00.000Z in America/New_York" in found.message
    assert tried(CsiLists())["time zone"].warning


def test_a_site_that_shows_no_periods_is_not_asked_for_them() -> None:
    assert "SLPeriods" not in tried(site(), periods_ido="")


def test_the_dialect_names_what_exists() -> None:
    package = "airflow_provider_mlconnector.systems.cloudsuite.csi"
    places = [*DIALECT.sources.values(), *DIALECT.targets.values(), DIALECT.probe]
    assert DIALECT.ledger is not None
    for module, name in [*places, DIALECT.ledger]:
        assert callable(getattr(import_module(f"{package}.{module}"), name))
    assert set(DIALECT.sources) == {"purchase_order", "supplier", "ledger_account", "cost_center", "invoice"}
    assert set(DIALECT.targets) == {"invoice", "supplier"}
