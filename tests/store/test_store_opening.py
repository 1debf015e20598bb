from __future__ import annotations

import os
import stat
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, create_engine, inspect, table, text, update
from support.postgres import PostgresServer
from support.stores import ACTOR, AUDIT, KEY_1, KEY_2, ManualClock, added, invoice, ring

from airflow_provider_mlconnector.errors import ConfigurationError, Unavailable
from airflow_provider_mlconnector.points import Point, armed
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.schema import REVISION, VERSION_TABLE, metadata
from airflow_provider_mlconnector.store.upgrade import config

K1 = f"k1:{KEY_1}"
K2 = f"k2:{KEY_2}"


@pytest.fixture
def fresh(empty_url: str, clock: ManualClock) -> Iterator[Store]:
    store = Store.open(empty_url, ring(), clock=clock)
    yield store
    store.close()


def use(url: str, keys: KeyRing) -> int:
    """Write one document through a store of its own and return the chain's length."""
    store = Store.open(url, keys, clock=ManualClock())
    try:
        added(store, os.urandom(4).hex())
        return store.head().seq
    finally:
        store.close()


def test_a_store_never_set_up_names_the_command(fresh: Store) -> None:
    with pytest.raises(ConfigurationError, match="mlconnector store upgrade"), fresh.unit_of_work(ACTOR):
        pytest.fail("there is nothing to work on")
    with pytest.raises(ConfigurationError, match="mlconnector store upgrade"):
        _ = fresh.tokens
    check = fresh.check()
    assert not check.ok
    assert "mlconnector store upgrade" in check.problems[0]
    assert (check.store_id, check.revision, check.wanted_revision, check.head) == ("", "", REVISION, None)


def test_opening_a_missing_local_store_creates_no_file(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'none.db'}", ring())
    assert not store.check().ok
    assert list(tmp_path.iterdir()) == []


def test_upgrade_makes_a_store_with_an_identity_and_may_be_repeated(fresh: Store) -> None:
    assert fresh.upgrade() == REVISION
    identity = fresh.id
    added(fresh, 1)
    assert fresh.upgrade() == REVISION
    check = fresh.check()
    assert (check.ok, check.store_id, check.head) == (True, identity, fresh.head())
    assert dict(check.counts) == {"documents": 1, "steps": 0, "events": 1, "open issues": 0}


def test_two_stores_have_two_identities(tmp_path: Path) -> None:
    stores = [Store.open(f"sqlite:///{tmp_path / name}", ring()) for name in ("a.db", "b.db")]
    for store in stores:
        store.upgrade()
    assert stores[0].id != stores[1].id
    assert stores[0].head().mac != stores[1].head().mac, "an empty chain belongs to its store already"


def test_the_migrations_build_what_the_code_expects(empty_url: str, fresh: Store) -> None:
    fresh.upgrade()
    engine = create_engine(empty_url)
    with engine.connect() as connection, warnings.catch_warnings(action="ignore"):
        # SQLite cannot show indexes on expressions; PostgreSQL does
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        differences = compare_metadata(context, metadata)
        names = {table: inspect(connection).get_pk_constraint(table)["name"] for table in metadata.tables}
    engine.dispose()
    assert differences == []
    assert names == {table: f"pk_{table}" for table in metadata.tables}


def test_migrated_and_metadata_tables_are_the_same_to_the_letter(tmp_path: Path) -> None:
    def shape(url: str) -> set[str]:
        engine = create_engine(url)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars()
            found = {" ".join(row.replace('"', "").replace("\n", " ").split()) for row in rows}
        engine.dispose()
        return {row for row in found if VERSION_TABLE not in row}

    migrated, built = (f"sqlite:///{tmp_path / name}" for name in ("migrated.db", "built.db"))
    Store.open(migrated, ring()).upgrade()
    metadata.create_all(create_engine(built))
    assert shape(migrated) == shape(built)


def test_the_code_names_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [REVISION]


def test_an_old_or_newer_schema_stops_before_any_work(url: str) -> None:
    engine = create_engine(url)
    for revision, hint in (("0000", "mlconnector store upgrade"), ("9999", "9999")):
        with engine.begin() as connection:
            connection.execute(update(table(VERSION_TABLE, column("version_num"))).values(version_num=revision))
        with pytest.raises(ConfigurationError, match=hint):
            use(url, ring())
    store = Store.open(url, ring())
    with pytest.raises(ConfigurationError, match="newer version"):
        store.upgrade()
    store.close()
    engine.dispose()


@pytest.mark.parametrize(
    ("keys", "audit", "setting", "words"),
    [
        (f"k1:{KEY_2}", AUDIT, "encryption_keys", "is not the one"),
        (K2, AUDIT, "encryption_keys", "lacks key 'k1'"),
        (K1, KEY_2, "audit_key", "is not the one"),
    ],
)
def test_a_wrong_key_ring_stops_before_the_first_write(
    url: str, keys: str, audit: str, setting: str, words: str
) -> None:
    assert use(url, ring()) == 1
    wrong = KeyRing.parse(keys, audit)
    with pytest.raises(ConfigurationError, match=words) as caught:
        use(url, wrong)
    assert caught.value.field == f"[mlconnector] {setting}"
    store = Store.open(url, wrong)
    with pytest.raises(ConfigurationError, match=words):
        store.upgrade()
    assert words in store.check().problems[0]
    store.close()
    assert use(url, ring()) == 2, "nothing was written, and the right ring still works"


def test_a_rotated_ring_works_and_the_old_one_stops_then(url: str) -> None:
    use(url, KeyRing.parse(K1, AUDIT))
    assert use(url, KeyRing.parse(f"{K2},{K1}", AUDIT)) == 2
    with pytest.raises(ConfigurationError, match="lacks key 'k2'"):
        use(url, KeyRing.parse(K1, AUDIT))
    with pytest.raises(ConfigurationError, match="lacks key 'k1'"):
        use(url, KeyRing.parse(K2, AUDIT))
    assert use(url, KeyRing.parse(f"{K1},{K2}", AUDIT)) == 3


@pytest.mark.usefixtures("durable")
def test_a_local_store_is_for_its_owner_only_and_survives_power_loss(tmp_path: Path) -> None:
    path = tmp_path / "home" / "store.db"
    store = Store.open(f"sqlite:///{path}", ring())
    store.upgrade()
    added(store, 1)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    with store._engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30_000}
    store.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://u:secret-pw@h/db", "not a url secret-pw", "oracle://h"]
)
def test_an_unusable_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Store.open(url, ring())
    assert "secret-pw" not in str(caught.value)


def test_a_database_that_is_not_there_is_unavailable() -> None:
    store = Store.open("postgresql+psycopg://user:secret-pw@127.0.0.1:1/db", ring())
    with pytest.raises(Unavailable) as caught, store.unit_of_work(ACTOR):
        pytest.fail("there is nothing to work on")
    assert "secret-pw" not in str(caught.value)
    assert "secret-pw" not in repr(store.check())


@pytest.mark.postgres
def test_a_wrong_database_name_is_configuration(postgres: PostgresServer) -> None:
    store = Store.open(postgres.url("no_such_database"), ring())
    with pytest.raises(ConfigurationError, match="does not exist"):
        _ = store.id


@pytest.mark.postgres
def test_a_database_that_goes_down_is_unavailable_and_usable_again_when_back(
    clock: ManualClock, migrated: str, postgres: PostgresServer
) -> None:
    # a server of its own: the others' must not go down
    server = PostgresServer()
    try:
        store = Store.open(server.fresh_url(), ring(), clock=clock)
        store.upgrade()
        added(store, 1)
        with pytest.raises(Unavailable), store.unit_of_work(ACTOR) as uow:
            _ = uow.events.add("before the fall") or server.interrupt()
        with pytest.raises(Unavailable):
            added(store, 2)
        server.resume()
        added(store, 2)
        report = store.verify_chain()
        assert (report.ok, report.events) == (True, 2)
        store.close()
    finally:
        server.stop()


def test_a_full_disk_is_unavailable_and_stores_nothing(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}", ring())
    store.upgrade()
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={int(pages or 0) + 2}")
    with pytest.raises(Unavailable, match="full"):
        added(store, 1, payload=b"x" * 1_000_000)
    assert store.head().seq == 0
    store.close()


def test_a_unit_of_work_inside_another_is_refused_at_once(store: Store) -> None:
    with pytest.raises(RuntimeError, match="inside another"), store.unit_of_work(ACTOR), store.unit_of_work(ACTOR):
        pytest.fail("on SQLite it would wait for itself")
    added(store, 1)


def test_using_a_store_loads_neither_airflow_nor_alembic_nor_the_systems(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    Store.open(url, ring()).upgrade()
    program = f"""
import sys
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor
store = Store.open({url!r}, KeyRing.parse({K1!r}, {AUDIT!r}))
with store.unit_of_work(Actor()) as uow:
    uow.events.add("note")
names = {{name.split(".")[0] for name in sys.modules}} | {{".".join(name.split(".")[:2]) for name in sys.modules}}
print(sorted(names & {{"airflow", "alembic", "lxml", "requests", "airflow_provider_mlconnector.mapping",
    "airflow_provider_mlconnector.sync", "airflow_provider_mlconnector.hooks"}}))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.stdout.strip(), result.returncode) == ("[]", 0), result.stderr


@pytest.mark.postgres
def test_commits_are_durable_whatever_the_servers_default_says(migrated: str, postgres: PostgresServer) -> None:
    name = postgres.create_database(template=migrated)
    engine = create_engine(postgres.url(name), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit TO off")
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on", "for new sessions only"
    engine.dispose()
    store = Store.open(postgres.url(name), ring())
    added(store, 1)
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    assert store.limiter(60).reserve("tenant") == 0.0
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on", "only pacing relaxes it"
    store.close()


@pytest.mark.postgres
@pytest.mark.timeout(60)
def test_a_worker_frozen_in_a_transaction_keeps_others_waiting_for_a_while_only(
    postgres_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_mlconnector.store.engine.IDLE_SECONDS", 1)
    frozen = Store.open(postgres_store._engine.url.render_as_string(hide_password=False), ring(), clock=ManualClock())

    def work_of_another(point: Point) -> None:
        if point is Point.DURING_CHAIN_APPEND:
            with armed(None):
                added(postgres_store, 2)  # waits for the chain's head, which the frozen one holds

    with armed(work_of_another), pytest.raises(Unavailable):
        added(frozen, 1)
    added(frozen, 3)
    assert postgres_store.verify_chain().ok
    with postgres_store.unit_of_work(ACTOR) as uow:
        assert sorted(one.number for one in uow.documents.search(limit=10, after_id="")) == [
            invoice(2).number,
            invoice(3).number,
        ]
    frozen.close()


@pytest.mark.postgres
def test_a_databases_own_limit_of_standing_still_counts(migrated: str, postgres: PostgresServer) -> None:
    limits = {"": "1min", "5min": "5min"}
    for own, there in limits.items():
        name = postgres.create_database(template=migrated)
        if own:
            engine = create_engine(postgres.url(name), isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.exec_driver_sql(f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout TO '{own}'")
            engine.dispose()
        store = Store.open(postgres.url(name), ring())
        with store._engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == there
        store.close()
