"""Who numbers vouchers: CSI itself or, where a tenant leaves that to its users, we (reference/cloudsuite.md §4a)."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_mlconnector.errors import Refused
from airflow_provider_mlconnector.systems.call import Effect
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Action, Change, IdoClient, Saved
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import UNPOSTED, VoucherBook
from airflow_provider_mlconnector.systems.ports import Fence

_TRIES = 5
"""Numbers tried before the refusal is believed to be about something else: people take some at the same time."""
_WORD = "voucher"


class Numbering:
    """Inserts headers with a number of CSI's or, failing that, the highest one there is and one more.

    The caller holds the lease of the configuration, so no other worker of ours takes the same number; a person may.

    Args:
        client: Speaks to the configuration.
        book: Knows the highest number.

    Attributes:
        guesses: Whether numbers are ours, as far as this session has found out.
    """

    def __init__(self, client: IdoClient, book: VoucherBook) -> None:
        self._client = client
        self._book = book
        self.guesses = client.options.voucher_numbering == "max_plus_one"

    def insert(self, header: Mapping[str, str | None], fence: Fence) -> Saved:
        """Insert a header once.

        Raises:
            Refused: CSI would not have it, under any number tried.
            MLConnectorError: As :meth:`~.ido.IdoClient.update`.
        """
        if not self.guesses:
            try:
                return self._send(header, fence)
            except Refused as error:
                # the wording is not public: one that names vouchers may mean that it wants a number
                about = _WORD in (error.remote_text or "").lower()
                if self._client.options.voucher_numbering != "auto" or not about:
                    raise
        saved = self._insert_numbered(header, fence)
        self.guesses = True
        return saved

    def _insert_numbered(self, header: Mapping[str, str | None], fence: Fence) -> Saved:
        tried = 0
        for attempt in range(1, _TRIES + 1):
            tried = max(tried, self._book.highest()) + 1
            try:
                return self._send({**header, "Voucher": str(tried)}, fence)
            except Refused:
                if attempt == _TRIES or not self._is_taken(header, tried):
                    raise
        message = "unreachable: the last attempt raises"
        raise AssertionError(message)

    def _is_taken(self, header: Mapping[str, str | None], number: int) -> bool:
        vendor = header["VendNum"] or ""
        return bool(self._book.numbered([(vendor, str(number))])) or self._book.highest() >= number

    def _send(self, header: Mapping[str, str | None], fence: Fence) -> Saved:
        saved = self._client.update(UNPOSTED, Change(Action.INSERT, header), effect=Effect.WRITE, fence=fence)
        number = header.get("Voucher")
        if number and not saved.properties.get("Voucher"):
            shown = {**saved.properties, "Voucher": number}
            return Saved(shown, saved.item_id, saved.message, saved.request_id)
        return saved


def lease(tenant: str, configuration: str) -> str:
    """Return the name of the lease under which one worker at a time writes vouchers of a configuration."""
    return f"cloudsuite:{tenant}:{configuration}:vouchers".lower()
