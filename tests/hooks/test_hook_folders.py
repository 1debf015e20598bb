"""Exported files may be on disk or in object storage; both are read alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from support.remote import FakeClock

from airflow_provider_mlconnector.errors import ConfigurationError, Unavailable
from airflow_provider_mlconnector.hooks.folders import ObjectFolder, open_folder
from airflow_provider_mlconnector.hooks.jaggaer import JaggaerHook
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.files import FolderSource
from airflow_provider_mlconnector.systems.jaggaer.folder import Entry, Folder, LocalFolder, StorageError
from airflow_provider_mlconnector.systems.ports import Window

ORDER = (
    '<PurchaseOrderMessage version="2.0"><Header><MessageId>m</MessageId><Timestamp>2026-11-12T10:00:00Z</Timestamp>'
    "</Header><PurchaseOrder><POHeader><PONumber>310</PONumber></POHeader></PurchaseOrder></PurchaseOrderMessage>"
)


class Bucket(MemoryFileSystem):
    """A store of this test's own."""

    cachable = False
    store: dict[str, Any] = {}  # noqa: RUF012 - as its base has it
    pseudo_dirs = [""]  # noqa: RUF012


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    fs = Bucket()
    yield fs
    Bucket.store.clear()
    Bucket.pseudo_dirs[:] = [""]


def source(folder: Folder) -> FolderSource:
    return FolderSource(
        folder, "purchase_order", contract=JaggaerContract(), tenant="acme", connection="jaggaer", clock=FakeClock()
    )


def keys(folder: Folder) -> list[str]:
    return [record.key for page in source(folder).pages(Window()) for record in page.records]


def test_the_files_of_a_bucket_are_read_as_those_on_disk(bucket: Bucket, tmp_path: Path) -> None:
    bucket.makedirs("/exports/old")
    for name in ("b.XML", "a.xml", ".hidden.xml", "note.txt"):
        bucket.pipe_file(f"/exports/{name}", ORDER.replace("310", f"31{len(name)}").encode())
        (tmp_path / name).write_text(ORDER.replace("310", f"31{len(name)}"))
    bucket.pipe_file("/exports/old/c.xml", ORDER.encode())
    there = ObjectFolder("memory://exports", bucket, "/exports/")
    assert keys(there) == keys(LocalFolder(tmp_path)) == ["315", "315"]
    assert source(there).probe() == ("export folder", True, "2 files")


def test_a_location_on_disk_may_be_written_as_a_url(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(ORDER)
    folder = open_folder(f"file://{tmp_path}")
    assert keys(folder) == ["310"]
    assert folder.entries() == [Entry("a.xml", len(ORDER))]
    changed = folder.changed("a.xml")
    assert changed is not None
    assert abs(changed - datetime.now(UTC)) < timedelta(minutes=5)
    assert str(folder) == f"file://{tmp_path}"


def test_a_listing_is_never_taken_from_the_file_systems_cache(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    cached: list[bool] = [True]
    monkeypatch.setattr(bucket, "invalidate_cache", cached.clear)
    listed = bucket.ls

    def ls(path: str, **options: Any) -> Any:
        assert not cached, "two passes over one listing prove nothing"
        return listed(path, **options)

    monkeypatch.setattr(bucket, "ls", ls)
    bucket.pipe_file("/exports/a.xml", ORDER.encode())
    assert len(ObjectFolder("memory://exports", bucket, "/exports").entries()) == 1


def test_a_prefix_below_which_nothing_is_left_is_empty_and_a_bucket_that_is_missing_is_said(bucket: Bucket) -> None:
    bucket.makedirs("/exports")
    assert ObjectFolder("memory://exports/new", bucket, "/exports/new").entries() == []
    with pytest.raises(ConfigurationError, match=r"field Export folder: memory://gone cannot be read on this worker"):
        keys(ObjectFolder("memory://gone", bucket, "/gone/new"))
    with pytest.raises(ConfigurationError, match="FileNotFoundError"):
        keys(open_folder("file:///nowhere/at/all"))


@pytest.mark.parametrize("call", ["ls", "cat_file"])
def test_what_the_storages_library_raises_may_pass_and_is_named_by_its_class(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    bucket.pipe_file("/exports/a.xml", ORDER.encode())

    class NoCredentialsError(Exception):
        pass

    def fails(*_args: Any, **_options: Any) -> None:
        raise NoCredentialsError("key AKIA… and more")

    monkeypatch.setattr(bucket, call, fails)
    with pytest.raises(Unavailable, match=r"memory://exports cannot be read now \(NoCredentialsError\)") as told:
        keys(ObjectFolder("memory://exports", bucket, "/exports"))
    assert "AKIA" not in str(told.value)


def test_one_file_nobody_may_open_is_a_document_that_says_so(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.pipe_file("/exports/a.xml", ORDER.encode())

    def forbidden(*_args: Any, **_options: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(bucket, "cat_file", forbidden)
    (page,) = source(ObjectFolder("memory://exports", bucket, "/exports")).pages(Window())
    assert "a.xml cannot be opened (PermissionError)" in page.records[0].status_text


@pytest.mark.parametrize(("age", "reported"), [(10, 0), (3600, 1), (None, 1)])
def test_a_broken_object_is_waited_for_while_it_is_new_and_its_time_is_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, age: int | None, reported: int
) -> None:
    bucket.pipe_file("/exports/a.xml", ORDER[:-9].encode())

    def modified(_path: str) -> datetime:
        if age is None:
            raise NotImplementedError
        return (FakeClock().now() - timedelta(seconds=age)).replace(tzinfo=None)

    monkeypatch.setattr(bucket, "modified", modified)
    (page,) = source(ObjectFolder("memory://exports", bucket, "/exports")).pages(Window())
    assert len(page.records) == reported


def test_a_storage_error_is_an_os_error() -> None:
    assert isinstance(StorageError("Timeout"), OSError)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("exports", "must be an absolute path"),
        ("s3://storage@bucket/exports", "is in .s3., which needs an Airflow provider that is not installed"),
        ("s3://key:secret@bucket/exports", "holds a user and password"),
    ],
)
def test_a_location_that_cannot_be_is_said_under_the_name_of_the_field(connect: Any, location: str, said: str) -> None:
    connect("jaggaer", extra={"export_folder": location, "tenant": "acme"})
    route = Route.parse({"name": "r", "source": "jaggaer_default", "target": "syspro_default"})
    with pytest.raises(ConfigurationError, match=f"field Export folder: {said}") as told:
        JaggaerHook().source(route)
    assert "secret@" not in str(told.value)


def test_the_hook_reads_a_location_in_storage(connect: Any, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(ORDER)
    connect("jaggaer", host="", login="", password="", extra={"export_folder": f"file://{tmp_path}", "tenant": "acme"})
    assert JaggaerHook().test_connection() == (True, "OK: export folder: 1 files")
