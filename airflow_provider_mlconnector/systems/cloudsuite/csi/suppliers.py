"""CSI's vendors as a source (reference/cloudsuite.md §4a ``SLVendors``, §5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.documents.supplier import Address, Contact, RemitTo, Supplier
from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.csi.fields import Fields, dump, load
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Query, Row
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import BY_CHANGE, CHANGED, ROW, CsiSource, inside
from airflow_provider_mlconnector.systems.ports import Eligibility, SourcePage, SourceRecord, Summary, Window

ACTIVE: Final = "A"
_ADDRESS: Final = ("VadAddr_1", "VadAddr_2", "VadAddr_3", "VadAddr_4", "VadCity", "VadZip", "VadCountry")
_REMIT: Final = ("VadRAddr_1", "VadRAddr_2", "VadRAddr_3", "VadRAddr_4", "VadRCity", "VadRZip", "VadRCountry")
ADDRESS_CHANGED: Final = "VadRecordDate"
"""Change of the joined address, which is a row of another table; from public clients, not every version shows it."""
_STAMPS: Final = frozenset({CHANGED, ROW, ADDRESS_CHANGED})
VENDORS: Final = Query(
    "SLVendors",
    needs=("VendNum", "Name", CHANGED, ROW),
    likes=(
        *_ADDRESS,
        *_REMIT,
        *("Contact", "Phone", "VadFaxNum", "ExternalEmailAddr", "TermsCode", "CurrCode", "TaxRegNum1", "Stat"),
        *("VadPayHold", "VadPayHoldReason", "VendRemit"),
    ),
    variants=("VadState", "VadStateCode", "VadRState", "VadRStateCode", "VadRName", ADDRESS_CHANGED),
    order=BY_CHANGE,
)


class CsiSupplierSource(CsiSource):
    """Vendors by their change; inactive ones and those on hold too, since the target must hear of it.

    The revision is left to what is read of a vendor: every purchase and payment changes its row, for sums that are none
    of it.
    """

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass is read from its beginning
        """List the vendors changed in the window, in the order of change, then those whose address changed.

        One of which both changed comes twice, the same both times.
        """
        window = self._closed(window)
        told = [name for name, there in self._ido.spelled(VENDORS).items() if there]
        stamps = (CHANGED, ADDRESS_CHANGED) if window.start is not None and ADDRESS_CHANGED in told else (CHANGED,)
        for stamp in stamps:
            for page in self._ido.pages(replace(VENDORS, where=self._within(window, stamp), order=(stamp, ROW))):
                records = (self._record(row, told) for row in page.rows)
                yield SourcePage(inside(records, window), None, page.date, None)

    def decode(self, payload: bytes) -> Supplier:
        """Turn a row into the canonical supplier (see :func:`decode`)."""
        return decode(load(payload, "supplier"))

    def _clock(self) -> Query:
        return Query(VENDORS.ido, ("VendNum",))

    def _record(self, row: Row, told: Sequence[str]) -> SourceRecord:
        vendor = Fields(row, "vendor")
        key, active = vendor.text("VendNum"), is_active(row)
        return SourceRecord(
            key=key,
            revision="",
            payload=dump({name: row[name] for name in told if name not in _STAMPS}),
            complete=True,
            eligibility=Eligibility.ELIGIBLE,
            status_text=status_text(row),
            summary=Summary(
                number=key,
                supplier=vendor.text("Name"),
                kind="active" if active else "inactive",
                currency=vendor.text("CurrCode"),
            ),
            changed_at=newest(row, self._zone),
        )


def newest(row: Mapping[str, Any], zone: ZoneInfo) -> datetime | None:
    """Return when a vendor or its address was last changed (aware, UTC)."""
    found = (values.to_utc(row.get(name), zone) for name in (CHANGED, ADDRESS_CHANGED))
    return max((stamp for stamp in found if stamp is not None), default=None)


def is_active(row: Mapping[str, Any]) -> bool:
    """Tell whether a vendor may be used; versions without a status know no inactive ones."""
    return values.unpad(row.get("Stat")) in {"", ACTIVE}


def status_text(row: Mapping[str, Any]) -> str:
    """Return the vendor's status in words."""
    status = "active" if is_active(row) else f"status {values.unpad(row.get('Stat'))}"
    if not values.to_flag(row.get("VadPayHold")):
        return status
    reason = values.unpad(row.get("VadPayHoldReason"))
    return f"{status}, payments on hold{f' ({reason})' if reason else ''}"


def decode(row: Mapping[str, Any]) -> Supplier:
    """Turn a row of ``SLVendors`` into the canonical supplier.

    A property the row lacks is one this version does not tell; one that is null is empty there. The vendor's bank is
    none of them: ``BankCode`` is the bank payments are made from.

    Raises:
        Rejected: It has no number or no name.
    """
    number = Fields(row, "the vendor").needed("VendNum", "number")
    vendor = Fields(row, f"vendor {number}")
    name = vendor.needed("Name", "name")
    return Supplier(
        source_key=number,
        revision=number,  # the store numbers revisions
        number=number,
        name=name,
        active=is_active(row),
        on_hold=bool(values.to_flag(row.get("VadPayHold"))) if "VadPayHold" in row else None,
        currency=_told(vendor, "CurrCode"),
        terms=_told(vendor, "TermsCode"),
        tax_id=_told(vendor, "TaxRegNum1"),
        address=_address(vendor, "Vad", "VadAddr_"),
        contact=_contact(vendor),
        remit_to=_remit_to(vendor),
    )


def _told(vendor: Fields, name: str) -> str | None:
    return vendor.text(name) if name in vendor.row else None


def _address(vendor: Fields, prefix: str, lines: str) -> Address | None:
    """Return an address, None where the version tells nothing of it."""
    names = {name for name in vendor.row if name.startswith((lines, f"{prefix}City", f"{prefix}Zip"))}
    if not names:
        return None
    street = (vendor.text(f"{lines}{number}") for number in range(1, 5))
    return Address(
        lines=tuple(line for line in street if line),
        city=vendor.text(f"{prefix}City"),
        region=vendor.first(f"{prefix}State", f"{prefix}StateCode"),
        postal_code=vendor.text(f"{prefix}Zip"),
        country=vendor.text(f"{prefix}Country"),
    )


def _contact(vendor: Fields) -> Contact | None:
    if not {"Contact", "Phone", "ExternalEmailAddr"} & set(vendor.row):
        return None
    return Contact(
        name=vendor.text("Contact"),
        email=vendor.text("ExternalEmailAddr"),
        phone=vendor.text("Phone"),
        fax=_told(vendor, "VadFaxNum"),
    )


def _remit_to(vendor: Fields) -> RemitTo | None:
    """Return where payments are addressed; another vendor's number stands for its address."""
    address = _address(vendor, "VadR", "VadRAddr_")
    other = vendor.text("VendRemit")
    if address is None and not other:
        return None
    name = vendor.text("VadRName") or (f"vendor {other}" if other else "")
    return RemitTo(name=name, address=address or Address())
