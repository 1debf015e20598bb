from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.sdk.log import redact

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks import cloudsuite
from airflow_provider_mlconnector.hooks.cloudsuite import DIALECTS, CloudSuiteHook
from airflow_provider_mlconnector.hooks.forms import CLOUDSUITE_FIELDS
from airflow_provider_mlconnector.hooks.runtime import hook_for, open_runtime
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Dialect, Finding
from airflow_provider_mlconnector.systems.cloudsuite.gateway import ALLOWANCE
from airflow_provider_mlconnector.systems.cloudsuite.options import CloudSuiteOptions

PATH = "/CSI/IDORequestService/ido/configurations"
IN = Route(name="in", document="invoice", source="jaggaer_default", target="cloudsuite_default")
OUT = Route(name="out", document="purchase_order", source="cloudsuite_default", target="jaggaer_default")


def _file(site: RunningSandbox) -> dict[str, str]:
    offered = requests.get(f"{site.url}/_sandbox/credentials", timeout=10).json()["cloudsuite"]
    found: dict[str, str] = offered["extra"]["ionapi"]
    return found


def _test(conn_id: str) -> tuple[bool, str]:
    ok, message = hook_for(conn_id).test_connection()
    assert "\n" not in message
    assert "://127" not in message
    return ok, message


def _tokens(site: RunningSandbox) -> dict[str, Any]:
    found: dict[str, Any] = site.app.cloudsuite.ledger()["tokens"]
    return found


@pytest.fixture(autouse=True)
def nothing_secret_is_said(site: RunningSandbox, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level("DEBUG", logger="airflow_provider_mlconnector")
    yield
    said = "".join(record.getMessage() for record in caplog.records if record.name.startswith("airflow_provider_ml"))
    assert not any(_file(site)[key] in said for key in ("cs", "saak", "sask"))


# --- the file ------------------------------------------------------------------------------------------------------


def test_the_file_may_be_pasted_named_or_given_as_an_object(connect: Any, site: RunningSandbox, tmp_path: Path) -> None:
    file, path = _file(site), tmp_path / "acme.ionapi"
    path.write_text(json.dumps(file, indent=2))
    places: list[dict[str, Any]] = [
        {"password": json.dumps(file, indent=2), "extra": {"ionapi": ""}},
        {"password": str(path), "extra": {"ionapi": ""}},
        {"extra": {"ionapi": json.dumps(file)}},
        {"extra": {"ionapi": str(path)}},
        {"extra": {"ionapi": file}},
    ]
    for place in places:
        gateway = CloudSuiteHook(connect("cloudsuite", **place)).get_conn()
        assert gateway.tenant == "ACME_TST"
        assert gateway.get(PATH, "configurations", headers={"X-Infor-MongooseConfig": "ACME_TST_MAIN"}).status == 200


def test_the_form_has_no_field_airflow_would_show_secrets_of(connect: Any, site: RunningSandbox) -> None:
    assert "ionapi" not in CLOUDSUITE_FIELDS
    gateway = CloudSuiteHook(connect("cloudsuite")).get_conn()
    token = gateway.tokens.token()
    for secret in (token, *(_file(site)[key] for key in ("ci", "cs", "saak", "sask"))):
        assert redact(f"x {secret} y") == "x *** y"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"extra": {"ionapi": ""}}, "field .ionapi file: is empty; paste the whole .ionapi file"),
        ({"extra": {"ionapi": "{"}}, "field .ionapi file: is not valid JSON"),
        ({"extra": {"ionapi": "/nowhere"}}, "field .ionapi file: names a file that cannot be read here"),
        ({"extra": {"allow_http": False}}, "key `iu` (the address of the gateway) begins with http://"),
        ({"extra": {"dialect": "baan"}}, "field Product: 'baan' is not offered; choose one of csi"),
        ({"extra": {"configuration": "NOWHERE"}}, "NOWHERE"),
        ({"extra": {"company": "100"}}, "field Company: CloudSuite Industrial (SyteLine) knows no such option"),
        ({"extra": {"time_zone": "Mars/Base"}}, "field Time zone: "),
        ({"extra": {"grant": "magic"}}, "field Grant: 'magic' is not offered; choose one of auto, password"),
        ({"extra": {"client_auth": "magic"}}, "field Client authentication: 'magic' is not offered"),
        ({"extra": {"requests_per_minute": "many"}}, "field Requests per minute: must be a positive number"),
        ({"extra": {"daily_quota": -1}}, "field Requests per day: must be a positive number"),
        ({"extra": {"timeout": "soon"}}, "field Timeout (s): must be a positive number"),
        ({"extra": {"options": "{"}}, "field Further options: must be a JSON object"),
        ({"extra": {"options": {"page_sise": 5}}}, "field Further options (page_sise): "),
        ({"extra": {"options": {"page_size": 5000}}}, "field Further options (page_size): "),
        ({"extra": {"options": {"context": "NOPE"}}}, "check the API suite's context"),
    ],
)
def test_each_wrong_field_is_named(connect: Any, local_store: Store, change: dict[str, Any], named: str) -> None:
    conn_id = connect("cloudsuite", **change)
    if "requests_per_minute" in str(change) or "daily_quota" in str(change):  # a test paces nothing
        with pytest.raises(ConfigurationError) as caught:
            CloudSuiteHook(conn_id, store=local_store).get_conn()
        assert named in str(caught.value)
        return
    ok, message = _test(conn_id)
    assert not ok
    assert named in message


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("saak", "`saak` is missing beside `sask`"),
        ("ci", "`ci` is missing: the client id"),
        ("iu", "`iu` is missing"),
    ],
)
def test_each_missing_key_of_the_file_is_named(connect: Any, site: RunningSandbox, key: str, named: str) -> None:
    file = {name: value for name, value in _file(site).items() if name != key}
    ok, message = _test(connect("cloudsuite", extra={"ionapi": file}))
    assert not ok
    assert named in message


@pytest.mark.parametrize(("key", "named"), [("sask", "`saak` and `sask`"), ("cs", "`ci` and `cs`")])
def test_a_refused_credential_is_tried_once(connect: Any, site: RunningSandbox, key: str, named: str) -> None:
    ok, message = _test(connect("cloudsuite", extra={"ionapi": {**_file(site), key: "wrong-secret-9"}}))
    assert not ok
    assert named in message
    assert "wrong-secret-9" not in message
    assert _tokens(site)["refused"] == 1


# --- the test button -----------------------------------------------------------------------------------------------


def test_a_good_connection_shows_tenant_region_product_and_grant(connect: Any, site: RunningSandbox) -> None:
    ok, message = _test(connect("cloudsuite", extra={"timeout": 90}))
    assert ok, message
    assert "tenant ACME_TST, region not told by the host, CloudSuite Industrial (SyteLine), grant password" in message
    assert _tokens(site)["issued"] == 1


def test_a_timeout_shorter_than_the_gateways_own_is_a_warning(connect: Any) -> None:
    ok, message = _test(connect("cloudsuite", extra={"timeout": 30}))
    assert ok, message
    assert "Not what it could be: Timeout (s): 30 s is less than the gateway takes to give up" in message


def test_a_test_revokes_its_own_token_where_asked(connect: Any, site: RunningSandbox) -> None:
    assert _test(connect("cloudsuite", extra={"revoke": True}))[0]
    assert _tokens(site)["revoked"] == {"access": 1, "refresh": 1}
    assert _test(connect("cloudsuite"))[0]
    assert _tokens(site)["revoked"] == {"access": 1, "refresh": 1}


def test_a_route_is_probed_in_its_role(connect: Any) -> None:
    hook = CloudSuiteHook(connect("cloudsuite"))
    assert all(check.ok or check.warning for check in hook.probe(OUT))
    assert all(check.ok or check.warning for check in hook.probe(IN))
    with pytest.raises(ConfigurationError, match="cannot be the target of purchase orders"):
        hook.probe(OUT.model_copy(update={"source": "x", "target": "cloudsuite_default"}))
    with pytest.raises(ConfigurationError, match="does not use connection 'cloudsuite_default'"):
        hook.probe(OUT.model_copy(update={"source": "x"}))


# --- sources, targets, options -------------------------------------------------------------------------------------


class _Part:
    def __init__(self, name: str, gateway: object, options: CloudSuiteOptions) -> None:
        self.name, self.gateway, self.options = name, gateway, options


def _probe(gateway: object, options: object, needed: object) -> list[Finding]:
    return [Finding("tried", ok=True, message=f"{sorted(needed)}")]  # type: ignore[call-overload]


OWN = Dialect(
    name="csi",
    title="A product",
    options=CsiOptions,
    sources={"purchase_order": ("part", "_Part")},
    targets={"invoice": ("part", "_Part")},
    probe=("part", "_probe"),
    ledger=None,
    refused={"supplier": "its address fields are not documented"},
)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a dialect of the tests' own in the place of the default one."""

    class Module:
        DIALECT, _Part, _probe = OWN, _Part, staticmethod(_probe)

    monkeypatch.setattr(cloudsuite, "import_module", lambda _: Module)


@pytest.mark.usefixtures("own")
def test_a_dialect_is_built_from_name_gateway_and_merged_options(connect: Any, local_store: Store) -> None:
    extra = {"configuration": "MAIN", "time_zone": "Europe/Berlin", "options": {"page_size": 7, "configuration": "NO"}}
    hook = CloudSuiteHook(connect("cloudsuite", extra=extra), store=local_store)
    rules = {"closed_period": "current_open", "supplier_on_hold": "post", "po_lines": "post", "owners": {"bank": "erp"}}
    more = {"options": {"site": "A"}, "source_options": {"site": "B", "time_zone": "UTC"}}
    target: Any = hook.target(Route.parse({**IN.model_dump(), **rules, **more}))
    source: Any = hook.source(Route.parse({**OUT.model_dump(), **rules, **more}))
    assert (target.name, target.gateway.tenant) == ("cloudsuite_default", "ACME_TST")
    shown = target.options.model_dump()
    expected = {"configuration": "MAIN", "page_size": 7, "site": "A", "time_zone": "Europe/Berlin", **rules}
    assert {name: shown[name] for name in expected} == expected
    assert (source.options.site, source.options.time_zone) == ("B", "UTC")
    hook.close()


@pytest.mark.usefixtures("own")
def test_what_the_product_cannot_carry_is_refused_in_its_words(connect: Any) -> None:
    hook = CloudSuiteHook(connect("cloudsuite"))
    supplier = Route(name="s", document="supplier", source="cloudsuite_default", target="jaggaer_default")
    with pytest.raises(ConfigurationError, match=r"A product .*: its address fields are not documented"):
        hook.source(supplier)
    with pytest.raises(ConfigurationError, match="cannot be the source of payments"):
        hook.source(supplier.model_copy(update={"document": "payment"}))
    with pytest.raises(ConfigurationError, match="cannot be the ledger of a reconciliation"):
        hook.ledger_figures(IN)
    with pytest.raises(ConfigurationError, match="cannot be the source of a reconciliation"):
        hook.figures(OUT)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"options": {"sight": "A"}}, "route 'in', option sight: A product knows no such option"),
        ({"options": {"page_size": 0}}, "route 'in', option page_size: "),
        ({"owners": {"nothing": "erp"}}, "route 'in', option owners: "),
    ],
)
def test_a_wrong_option_of_a_route_names_the_route(connect: Any, change: dict[str, Any], named: str) -> None:
    route = Route.parse({**IN.model_dump(), **change})
    with pytest.raises(ConfigurationError) as caught:
        CloudSuiteHook(connect("cloudsuite")).target(route)
    assert named in str(caught.value)


def test_every_dialect_offered_can_be_loaded_and_is_in_the_form(connect: Any) -> None:
    assert set(DIALECTS) <= set(CLOUDSUITE_FIELDS["dialect"]["schema"]["enum"])
    for name in DIALECTS:
        dialect = CloudSuiteHook(connect("cloudsuite", extra={"dialect": name}))._dialect()
        assert dialect.name == name


# --- what workers share --------------------------------------------------------------------------------------------


def test_workers_share_token_pace_and_quota_through_the_store(
    connect: Any, site: RunningSandbox, local_store: Store
) -> None:
    conn_id = connect("cloudsuite", extra={"requests_per_minute": 6000, "daily_quota": 100})
    headers = {"X-Infor-MongooseConfig": "ACME_TST_MAIN"}
    for _ in range(3):
        gateway = CloudSuiteHook(conn_id, store=local_store).get_conn()
        gateway.get(PATH, "configurations", headers=headers)
    assert _tokens(site)["issued"] == 1
    assert local_store.limiter(6000, quota=100).usage(gateway.ionapi.limit_key).used == 3


def test_the_pace_stays_a_little_below_what_the_tenant_allows(connect: Any, local_store: Store) -> None:
    gateway = CloudSuiteHook(connect("cloudsuite"), store=local_store).get_conn()
    key = gateway.ionapi.limit_key
    limiter = gateway._transport._limiter
    assert limiter is not None
    limiter.reserve(key)
    assert limiter.reserve(key) == pytest.approx(60 / (100 * ALLOWANCE), abs=0.2)


@pytest.mark.usefixtures("own")
def test_a_day_near_its_quota_is_an_issue_of_every_route_and_is_resolved_the_next_day(
    connect: Any, site: RunningSandbox, local_store: Store
) -> None:
    connect("cloudsuite", extra={"requests_per_minute": 6000, "daily_quota": 10})

    def run(calls: int) -> list[str]:
        with open_runtime() as runtime:
            source: Any = runtime.source(OUT)
            for _ in range(calls):
                source.gateway.get(PATH, "configurations", headers={"X-Infor-MongooseConfig": "ACME_TST_MAIN"})
        with local_store.unit_of_work(Actor()) as uow:
            return [issue.text for issue in uow.issues.list(OUT.name)]

    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert run(7) == []
    told = run(1)
    if f"{datetime.now(UTC):%Y-%m-%d}" == today:  # not over midnight
        assert told == ["tenant ACME_TST: 8 of the 10 requests of this day (UTC) are used"]
        _yesterday(local_store)
        assert run(1) == []


def _yesterday(store: Store) -> None:
    from airflow_provider_mlconnector.store.engine import transaction
    from airflow_provider_mlconnector.store.schema import rate_limits

    with transaction(store._engine) as connection:
        connection.execute(rate_limits.update().values(day=rate_limits.c.day - 1))


@pytest.mark.usefixtures("own")
def test_the_end_of_a_task_revokes_where_the_connection_asks_for_it(
    connect: Any, site: RunningSandbox, local_store: Store
) -> None:
    assert local_store.id
    for revoke, revoked in ((False, {}), (True, {"access": 1, "refresh": 1})):
        connect("cloudsuite", extra={"revoke": revoke, "requests_per_minute": 6000})
        with open_runtime() as runtime:
            source: Any = runtime.source(OUT)
            source.gateway.get(PATH, "configurations", headers={"X-Infor-MongooseConfig": "ACME_TST_MAIN"})
        assert _tokens(site)["revoked"] == revoked
