"""Exported XML files in a folder or bucket as a source of orders and invoices (reference/jaggaer.md §3.2, §3.3, §4)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.errors import (
    ConfigurationError,
    DocumentError,
    ProtocolError,
    Rejected,
    Unavailable,
)
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.export_messages import MESSAGES, Message, check_standing
from airflow_provider_mlconnector.systems.jaggaer.fields import dumps, loads
from airflow_provider_mlconnector.systems.jaggaer.folder import Entry, Folder, StorageError
from airflow_provider_mlconnector.systems.jaggaer.resources import InvoiceContract, OrderContract
from airflow_provider_mlconnector.systems.jaggaer.rows import read, unreadable
from airflow_provider_mlconnector.systems.ports import (
    Clock,
    SourcePage,
    SourceRecord,
    Summary,
    SystemClock,
    Window,
)
from airflow_provider_mlconnector.systems.reading import OpenSource

log = logging.getLogger(__name__)
SETTLED_S: Final = 300.0
"""A file that cannot be read is waited for as long as it was changed this recently: it may still be written."""
FILES_AT_ONCE: Final = 100
MAX_BYTES: Final = 16 * 1024 * 1024
_HEAD: Final = 4096
_LASTING: Final = (FileNotFoundError, PermissionError, NotADirectoryError)
"""What a person must see to; anything else may pass."""
_SECRET = re.compile(r"(<SharedSecret[^>]*>).*?(</SharedSecret>|$)", re.DOTALL | re.IGNORECASE)
_BARE = re.compile(rb"&(?!(?:[A-Za-z_][\w.-]*|#\d+|#x[0-9A-Fa-f]+);)")


class FolderSource(OpenSource):
    """The files of one kind in a folder; a :class:`~airflow_provider_mlconnector.systems.ports.DocumentSource`.

    Every pass reads every file: nothing proves when one arrived, since copying keeps its times. Move old files out of
    the folder once they are posted. What cannot be read becomes a document that says so.

    Args:
        folder: Where the files are; its subfolders and hidden files are left alone.
        kind: ``purchase_order`` or ``invoice``.
        contract: Names of segments, and what stands in for what the messages leave out.
        tenant: The label under which keys are recorded.
        connection: What errors call the connection.
    """

    def __init__(
        self,
        folder: Folder,
        kind: str,
        *,
        contract: JaggaerContract,
        tenant: str,
        connection: str,
        clock: Clock | None = None,
    ) -> None:
        self._folder, self._kind = folder, kind
        self._messages = {message.root.lower(): message for message in MESSAGES[kind]}
        self._contract = _of_files(contract)
        self._tenant, self._connection = tenant, connection
        self._clock: Clock = clock or SystemClock()

    @property
    def tenant(self) -> str:
        """The tenant the keys belong to."""
        return self._tenant

    @property
    def lists_messages(self) -> bool:
        """Files arrive in any order: the stamps in them tell which is newer."""
        return True

    def remote_time(self) -> datetime:
        """Return our own clock: a folder has none."""
        return self._clock.now()

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        """Read one pass over the files in the order of their names.

        Args:
            window: Times of the messages. Only the end counts: a file may arrive long after it was exported.
            position: How many files to skip.

        Raises:
            ConfigurationError: The folder cannot be read.
            Unavailable: It cannot be read now.
        """
        files, start = self._files(), position or 0
        while True:
            ahead = start + FILES_AT_ONCE
            found = [record for file in files[start:ahead] for record in self._records(file)]
            last = ahead >= len(files)
            yield SourcePage(
                records=[r for r in found if window.end is None or not (r.changed_at and r.changed_at >= window.end)],
                total=None,
                remote_time=self._clock.now(),
                next_position=None if last else ahead,
            )
            if last:
                return
            start = ahead

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record: a file holds the whole document."""
        return record

    def decode(self, payload: bytes) -> PurchaseOrder | Invoice:
        """Turn a payload into the canonical document.

        Raises:
            Rejected, Parked: The document cannot be read; the message names file and field.
        """
        held = loads(payload)
        name = f"file {held['file']}"
        if "xml" not in held:
            msg = f"{name} {held['problem']}; have JAGGAER export it again, or correct the file"
            raise Rejected(msg, code="unreadable_file", subject=held["file"])
        kept = xml.parse(held["xml"].encode(), encoding="utf-8", what=name)
        message = next(message for message in MESSAGES[self._kind] if message.element.lower() == xml.name(kept))
        record = message.record(kept, held["timestamp"], self._contract.exports)
        try:
            if self._kind == "invoice":
                check_standing(record, self._contract.exports)
            return message.decode(dumps(record), self._contract)
        except DocumentError as error:
            said = f"{name}: {error.message}"
            raise type(error)(said, code=error.code, field=error.field, subject=error.subject) from None

    def probe(self) -> tuple[str, bool, str]:
        """Return ``(check, ok, message)`` for the folder."""
        try:
            count = len(self._files())
        except (ConfigurationError, Unavailable) as error:
            return "export folder", False, error.message
        return "export folder", True, f"{count} files"

    def _files(self) -> list[Entry]:
        where = f"connection '{self._connection}', field Export folder"
        try:
            found = self._folder.entries()
        except _LASTING as error:
            msg = f"{where}: {self._folder} cannot be read on this worker ({type(error).__name__})"
            raise ConfigurationError(msg, field=where) from None
        except OSError as error:
            raise self._unavailable(error) from error
        files = [file for file in found if file.name.lower().endswith(".xml") and not file.name.startswith(".")]
        return sorted(files, key=lambda file: file.name)

    def _unavailable(self, error: OSError) -> Unavailable:
        said = str(error) if isinstance(error, StorageError) else type(error).__name__
        return Unavailable(f"{self._folder} cannot be read now ({said}); the task may simply be rerun")

    def _records(self, file: Entry) -> Iterator[SourceRecord]:
        name = file.name
        if file.size > MAX_BYTES:
            yield self._broken(name, f"is larger than {MAX_BYTES} bytes", b"")
            return
        try:
            body = self._folder.read(name)
        except FileNotFoundError:
            return  # moved away since the folder was listed
        except _LASTING as error:
            yield self._broken(name, f"cannot be opened ({type(error).__name__})", b"")
            return
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            root = xml.parse(body, encoding="utf-8", what="")
        except ProtocolError as error:
            if self._may_be_written(name):
                log.info("File %s is not complete yet; it is read again on the next run", name)
            elif self._concerns(body[:_HEAD].decode("utf-8", errors="replace").lower()):
                yield self._broken(name, _trouble(error, body), body)
            return
        message = self._messages.get(xml.name(root))
        if message is not None:
            yield from self._documents(name, root, message)
        elif self._concerns(f"<{xml.name(root)}"):
            yield self._broken(name, f"holds a {xml.name(root)}, which nothing here can read", body)

    def _may_be_written(self, name: str) -> bool:
        try:
            changed = self._folder.changed(name)
        except OSError as error:
            raise self._unavailable(error) from error
        return changed is not None and abs((self._clock.now() - changed).total_seconds()) < SETTLED_S

    def _concerns(self, head: str) -> bool:
        """Tell whether a file is ours to report: of our kind, or of no kind that is known at all."""
        if any(root in head for root in self._messages):
            return True
        return not any(message.root.lower() in head for messages in MESSAGES.values() for message in messages)

    def _documents(self, name: str, root: Any, message: Message) -> Iterator[SourceRecord]:  # noqa: ANN401 - lxml's own
        stamp, number = message.stamp(root)
        elements = message.documents(root)
        if not elements:
            yield self._broken(name, f"holds no {message.called}", b"")
        for element in elements:
            element.tail = None
            # without the shared secret of the message's header
            held = {"file": name, "messageId": number, "timestamp": stamp, "xml": xml.write(element)}
            found = message.record(element, stamp, self._contract.exports)
            record = read(dumps(found), message.form(self._contract))
            yield replace(record, payload=dumps(held), complete=True)

    def _broken(self, name: str, problem: str, body: bytes) -> SourceRecord:
        content = _SECRET.sub(r"\1\2", body.decode("utf-8", errors="replace"))
        held = {"file": name, "problem": problem, "content": content}
        return unreadable(dumps(held), f"file {name} {problem}", Summary(number=name))


def _trouble(error: ProtocolError, body: bytes) -> str:
    hint = ": it contains an & that is not written as &amp;" if _BARE.search(body) else ""
    return error.message.strip() + hint


def _of_files(contract: JaggaerContract) -> JaggaerContract:
    """Return the contract of the records made from files: their paths and words are ours, not the tenant's."""
    zone = contract.exports.time_zone
    places = {"purchase_orders": OrderContract(time_zone=zone), "invoices": InvoiceContract(time_zone=zone)}
    return contract.model_copy(update=places)
