"""Methods of IDOs for ``invoke``; SIM throughout, as the reference names the IDOs but no parameters (§4a)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.posting import post
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import Method, Returned
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

FAILED = "16"
"""ReturnValue of a validation error; the text is in the Infobar, the last parameter (§4a invoke)."""


def of(books: CsiBooks) -> Mapping[tuple[str, str], Method]:
    """Return the methods by (IDO, method).

    * ``SLTTApPosts.AppPostSp`` (first voucher, last voucher, Infobar) posts what is ready, as a person does.
    * ``SLPeriods.DateChkSp`` (date, label, site, Infobar) tells whether a date is in an open period.
    """
    found: dict[tuple[str, str], Method] = {("SLPeriods", "DateChkSp"): lambda given, _: _date_check(books, given)}
    if books.options.post_method:
        found["SLTTApPosts", "AppPostSp"] = lambda given, origin: _post(books, given, origin)
    return found


def _post(books: CsiBooks, given: list[str | None], origin: Origin) -> Returned:
    first, last = (_number(text) for text in _padded(given, 3)[:2])
    highest = books.register.voucher
    ready = {row["Voucher"] for row in books.tables["SLAptrxs"] if (first or 0) <= row["Voucher"] <= (last or highest)}
    posted = post(books, origin, ready)
    return Returned([*_padded(given, 3)[:2], f"{len(posted)} vouchers were posted."])


def _date_check(books: CsiBooks, given: list[str | None]) -> Returned:
    parameters = _padded(given, 4)
    text = (parameters[0] or "").replace("-", "")[:8]
    try:
        day = datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day of the site's calendar
    except ValueError:
        return Returned([*parameters[:3], f"{parameters[0]!r} is not a date"], FAILED)
    if books.period_open(day):
        return Returned([*parameters[:3], ""])
    return Returned([*parameters[:3], f"{parameters[1] or 'Date'} {day} is in no open period"], FAILED)


def _padded(given: list[str | None], count: int) -> list[str | None]:
    return [*given, *[None] * count][:count]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() else None
