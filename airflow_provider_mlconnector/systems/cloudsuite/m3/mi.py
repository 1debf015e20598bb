"""MI REST, version 2: transactions of M3's programs, one by GET, many by POST (reference/cloudsuite.md §4b).

Lists give 100 rows unless told otherwise, some installations never more than a ceiling of theirs, and there is no
cursor. So every list is asked for without a limit, and again from its last key on until nothing more comes: that alone
proves that it was read to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final
from urllib.parse import quote

from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.call import Effect
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.cloudsuite.m3 import answers
from airflow_provider_mlconnector.systems.cloudsuite.m3.answers import Answer, Refusal, Result, Row
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.ports import Fence

__all__ = ["AT_ONCE", "Answer", "Listing", "MiClient", "Page", "Record", "Refusal", "Result", "Row", "Transaction"]

AT_ONCE: Final = 100
"""Transactions of one call (§4b)."""
DEFAULT_ROWS: Final = 100
"""Rows of a list that was not told how many: the smallest ceiling known."""
_FAILED = frozenset({400})
Record = Mapping[str, str]
Transaction = tuple[str, Record]
"""Its name and its inputs."""


@dataclass(slots=True)
class Listing:
    """One of several lists read together; ``whole`` is False where some of its rows may have been cut off."""

    rows: list[Row]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list; ``date`` as in :class:`Answer`."""

    rows: Sequence[Row]
    date: datetime | None


class MiClient:
    """One company of one tenant. Not thread-safe.

    Args:
        gateway: Carries the requests.
        options: Connection's and route's choices.
    """

    def __init__(self, gateway: Gateway, options: M3Options) -> None:
        self.gateway = gateway
        self.options = options
        self._root = f"/{options.context.strip('/')}/m3api-rest/v2/execute"

    @property
    def where(self) -> str:
        """The connection, for messages."""
        return f"connection '{self.gateway.connection}'"

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(self, program: str, transaction: str, record: Record) -> Answer:
        """Run one transaction that changes nothing, by GET.

        ``maxrecs`` stands among the matrix parameters: some installations pass it over in the query.
        """
        matrix = {"metadata": "false", "maxrecs": "0", "excludempty": "false", **self._company()}
        said = "".join(f";{name}={quote(value, safe='')}" for name, value in matrix.items())
        name = f"{program} {transaction}"
        path = f"{self._root}/{program}/{transaction}{said}"
        reply = self.gateway.get(path, name, params=dict(record), accepts=_FAILED)
        return answers.read(reply, [transaction], name=name, where=self.where, effect=Effect.READ)

    def read_all(self, program: str, transactions: Sequence[Transaction]) -> list[Result]:
        """Run transactions that change nothing, many in one call; results in their order, each read to its first end.

        A list among them may have been cut; :meth:`pages` proves that one was not.
        """
        results: list[Result] = []
        for start in range(0, len(transactions), AT_ONCE):
            some = transactions[start : start + AT_ONCE]
            results += self._call(program, some, effect=Effect.READ, fence=None).results
        return results

    def one(self, program: str, transaction: str, record: Record) -> Row | None:
        """Return the one record of a transaction; None where M3 says that it does not exist."""
        (result,) = self.read(program, transaction, record).results
        return self.first(f"{program} {transaction}", result)

    def first(self, name: str, result: Result) -> Row | None:
        """Return the first record of a result; None where M3 says that there is none.

        Raises:
            ConfigurationError: The transaction is missing, or the user may not run it.
            ProtocolError: It failed otherwise.
        """
        return next(iter(self.rows(name, result)), None)

    def rows(self, name: str, result: Result) -> Sequence[Row]:
        """Return the records of a result, none where M3 says that there are none; errors as :meth:`first`."""
        refusal = result.refusal
        if refusal is None:
            return result.rows
        if refusal.not_there:
            return ()
        msg = f"{self.where}: M3 refused {name}: {refusal}"
        if not refusal.ran:
            msg += "; ask M3's administrator whether this version has it, and the service account's user may run it"
            raise ConfigurationError(msg, field=f"{self.where}, M3 program {name}")
        raise ProtocolError(msg)

    def pages(
        self,
        program: str,
        transaction: str,
        key: str,
        asking: Callable[[str], Record],
        *,
        reading: Callable[[Sequence[Row]], Sequence[Row]] = tuple,
    ) -> Iterator[Page]:
        """Read a list to its proven end.

        Args:
            program: The program.
            transaction: One that lists in the order of ``key``.
            key: Field that names a row.
            asking: Returns the inputs for the rows from a key on (``""``: from the first), that key's own may be among
                them.
            reading: Makes rows of one per key out of an answer's.

        Raises:
            ProtocolError: Its rows have no order, and are so many that some may have been cut off.
        """
        name, last = f"{program} {transaction}", ""
        while True:
            answer = self.read(program, transaction, asking(last))
            received = self.rows(name, answer.results[0])
            found = [row for row in reading(received) if not last or row.get(key, "") != last]
            keys = [row.get(key, "") for row in found]
            ordered = _ascends([last, *keys] if last else keys)
            if not ordered and (last or len(received) >= DEFAULT_ROWS):
                msg = f"{self.where}: {name} lists {len(received)} rows in no order of {key}: some may be cut off"
                raise ProtocolError(msg)
            if found or not last:
                yield Page(found, answer.date)
            if not found or not ordered:
                return
            last = keys[-1]

    def lists(
        self,
        program: str,
        transaction: str,
        asked: Sequence[Record],
        *,
        identity: Callable[[Row], object],
        onward: Callable[[Row], Record],
    ) -> list[Listing]:
        """Read several short lists together, each on from its last row until nothing more comes.

        Args:
            program: The program.
            transaction: One that lists.
            asked: Inputs of each list.
            identity: What tells two rows of a list apart.
            onward: Inputs that let a list begin at a row.
        """
        name = f"{program} {transaction}"
        first = self.read_all(program, [(transaction, record) for record in asked])
        found = [Listing(list(self.rows(name, result))) for result in first]
        pending = [place for place, listing in enumerate(found) if listing.rows]
        while pending:
            again = [(transaction, {**asked[place], **onward(found[place].rows[-1])}) for place in pending]
            results = self.read_all(program, again)
            pending = [
                place
                for place, result in zip(pending, results, strict=True)
                if _went_on(found[place], self.rows(name, result), identity)
            ]
        return found

    # --- writing ---------------------------------------------------------------------------------------------------

    def write(
        self, program: str, transactions: Sequence[Transaction], *, effect: Effect, fence: Fence | None = None
    ) -> Answer:
        """Run up to :data:`AT_ONCE` transactions in one call; each may fail by itself.

        Raises:
            AmbiguousOutcome: No answer that could be read: some of them may have been executed.
            MLConnectorError: Any other is proof that none was.
        """
        if not 0 < len(transactions) <= AT_ONCE:
            msg = f"{len(transactions)} transactions do not fit one call"
            raise ValueError(msg)
        return self._call(program, transactions, effect=effect, fence=fence)

    def write_one(
        self, program: str, transaction: str, record: Record, *, effect: Effect, fence: Fence | None = None
    ) -> Row:
        """Run one transaction and return what it tells of what it wrote.

        Raises:
            Refused: M3 said no: nothing was written; ``remote_text`` has its words.
            MLConnectorError: As :meth:`write`.
        """
        answer = self.write(program, [(transaction, record)], effect=effect, fence=fence)
        (result,) = answer.results
        if result.refusal is not None:
            name = f"{program} {transaction}"
            raise result.refusal.error(name, self.where, request_id=answer.request_id)
        return next(iter(result.rows), {})

    # --- requests --------------------------------------------------------------------------------------------------

    def _call(
        self, program: str, transactions: Sequence[Transaction], *, effect: Effect, fence: Fence | None
    ) -> Answer:
        company = self._company()
        body = {
            "program": program,
            "cono": int(company["cono"]),
            **({"divi": company["divi"]} if "divi" in company else {}),
            "maxReturnedRecords": 0,
            "transactions": [{"transaction": name, "record": dict(record)} for name, record in transactions],
        }
        names = [transaction for transaction, _ in transactions]
        name = f"{program} {_told(names)}"
        reply = self.gateway.post(self._root, name, body, effect=effect, fence=fence, accepts=_FAILED)
        return answers.read(reply, names, name=name, where=self.where, effect=effect)

    def _company(self) -> dict[str, str]:
        if not self.options.company:
            msg = f"{self.where}: M3 needs the number of the company; fill in field Company"
            raise ConfigurationError(msg, field=f"{self.where}, field Company")
        division = self.options.division
        return {"cono": self.options.company, **({"divi": division} if division else {})}


def _told(names: Iterable[str]) -> str:
    """Return what a call runs, in short (``GetHead, LstLine``)."""
    return ", ".join(dict.fromkeys(names))


def _went_on(listing: Listing, rows: Sequence[Row], identity: Callable[[Row], object]) -> bool:
    """Add the rows that come from a list's last one on; return whether there were any.

    Rows from before that one say that the transaction does not begin where it is told to.
    """
    known = {identity(row) for row in listing.rows}
    last = identity(listing.rows[-1])
    if any(identity(row) in known and identity(row) != last for row in rows):
        listing.whole = len(listing.rows) < DEFAULT_ROWS
        return False
    more = [row for row in rows if identity(row) not in known]
    listing.rows += more
    return bool(more)


def _ascends(keys: Sequence[str]) -> bool:
    """Whether keys stand in an order of M3's database: digits come first in ASCII, letters on IBM i."""
    return any(
        all(one < other for one, other in pairwise(key.encode(coding, "replace") for key in keys))
        for coding in ("utf-8", "cp037")
    )
