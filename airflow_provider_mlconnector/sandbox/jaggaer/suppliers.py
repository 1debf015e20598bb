"""The tenant's suppliers: one record behind companyprofiles (§2.6) and the TSM supplier messages (§3.4).

Both describe the same supplier. Name, address of business, tax ids and status are on both sides; sub-users and custom
data elements only in companyprofiles; remit-to addresses, payment terms and bank accounts only in TSM. A change
through either moves ``lastModTime``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from airflow_provider_mlconnector.sandbox.jaggaer import wire
from airflow_provider_mlconnector.sandbox.master import COMPANY_NAME, TERMS, MasterSupplier

Part = dict[str, Any]
"""One address, location, contact or account as a TSM message nests it: texts by element name, ``@type`` beside them."""
PROFILE_FIELDS: tuple[str, ...] = (
    "companyName", "extCode", "extUniqueCode", "dAndBCode", "type", "status", "bizEmail", "bizPhone", "bizFax",
    "webSite", "address", "zip", "city", "province", "isoCountry", "fiscalCode", "euVat", "bizLegalStruct", "currency",
    "locale", "timezone", "userAlias", "userName", "userSurName", "userEmail", "userPhone", "userFax", "userMobPhone",
    "userPecEmails", "userRole", "userId", "userExtCode", "userBusinessUnitCode", "userDivisionCode",
    "registrationDate", "ssoCodeData",
)  # fmt: skip
"""What ``returnCompanyInfo`` has beside ``bravoId`` and ``lastModTime``, in the order it shows them."""
ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"
FIRST_ID = 48_001
_BUYER_ID = "47001"
_COUNTRIES = {"EUR": "DE", "GBP": "GB", "JPY": "JP", "KWD": "KW"}
_TERMS_BY_CODE = {syspro: (code, days) for code, (syspro, days) in TERMS.items()}
_SPREAD = 30 * 86_400


@dataclass(slots=True)
class Supplier:
    """One company.

    ``profile`` holds texts by ``PROFILE_FIELDS``, ``parts`` the TSM message's lists by their keys, ``texts`` whatever
    else the message says by element name: text, or nested texts.
    """

    bravo_id: str
    sq_id: str
    profile: dict[str, str]
    changed: datetime
    changed_by: str = "generator"
    sub_users: list[dict[str, str]] = field(default_factory=list)
    texts: dict[str, Any] = field(default_factory=dict)
    vendor_numbers: dict[str, str] = field(default_factory=dict)
    parts: dict[str, dict[str, Part]] = field(default_factory=dict)

    @property
    def number(self) -> str:
        """The ERP's number, empty while none was allotted."""
        return self.profile.get("extCode", "")

    def part(self, name: str, key: str) -> Part:
        """Return an element of a TSM list for changing; an absent one is made."""
        return self.parts.setdefault(name, {}).setdefault(key, {})


class SupplierBook:
    """All companies of the tenant by ``bravoId``."""

    def __init__(self, master: Iterable[MasterSupplier], start: datetime) -> None:
        buyer = {"companyName": COMPANY_NAME, "type": "BUYER", "status": ACTIVE, "isoCountry": "US"}
        self._rows: dict[str, Supplier] = {_BUYER_ID: Supplier(_BUYER_ID, "", buyer, start - timedelta(days=400))}
        for supplier in master:
            self._add_known(supplier, start)

    def __iter__(self) -> Iterator[Supplier]:
        return iter(self._rows.values())

    def get(self, bravo_id: str) -> Supplier | None:
        """Return one company, or None."""
        return self._rows.get(bravo_id)

    def by_number(self, number: object) -> Supplier | None:
        """Return the supplier the ERP knows as ``number``, or None."""
        return self.first("extCode", str(number)) if number else None

    def first(self, name: str, value: str) -> Supplier | None:
        """Return the oldest company whose profile has ``value`` in ``name``; an empty value finds none."""
        return next((row for row in self._rows.values() if value and row.profile.get(name) == value), None)

    def create(self, profile: Mapping[str, str], now: datetime, *, by: str) -> Supplier:
        """Add a company; what is not given is absent, but for type, status and the day of registration."""
        bravo_id = str(max((int(key) for key in self._rows if key != _BUYER_ID), default=FIRST_ID - 1) + 1)
        given = {"type": "SELLER", "status": ACTIVE, "registrationDate": f"{now:%Y%m%d}"} | dict(profile)
        row = Supplier(bravo_id, str(900_000 + int(bravo_id)), given, now, by)
        self._rows[bravo_id] = row
        return row

    def change(self, row: Supplier, now: datetime, *, by: str, profile: Mapping[str, str] | None = None) -> None:
        """Set fields of the profile, an empty text removing one, and move ``lastModTime``, also if nothing differs."""
        for name, value in (profile or {}).items():
            if value:
                row.profile[name] = value
            else:
                row.profile.pop(name, None)
        row.changed, row.changed_by = now, by

    def unlink(self, numbered: Iterable[MasterSupplier]) -> None:
        """Take the ERP number from suppliers, in turn leaving a tax id, only name and postal code, or a twin beside."""
        for turn, known in enumerate(numbered):
            row = self.by_number(known.number)
            assert row is not None  # noqa: S101 - they are those this book was made of
            kept = row.profile | ({"fiscalCode": ""} if turn % 3 else {}) | {"extCode": "", "extUniqueCode": ""}
            self.change(row, row.changed, by="generator", profile=kept)
            row.parts = {}
            if turn % 3 == 2:  # noqa: PLR2004 - the third of three kinds
                twin = {name: value for name, value in row.profile.items() if name not in ("userAlias", "userEmail")}
                self.create(twin, row.changed, by="generator")

    def ledger(self) -> list[dict[str, Any]]:
        """Return every company with profile and TSM data, for the oracle."""
        return [
            {
                "bravo_id": row.bravo_id,
                "sq_id": row.sq_id,
                "number": row.number,
                "at": row.changed.isoformat(),
                "changed_by": row.changed_by,
                "profile": dict(row.profile),
                "sub_users": row.sub_users,
                "tsm": row.texts,
                "vendor_numbers": row.vendor_numbers,
                "parts": row.parts,
            }
            for row in self._rows.values()
        ]

    def _add_known(self, known: MasterSupplier, start: datetime) -> None:
        bravo_id = str(FIRST_ID + len(self._rows) - 1)
        changed = start - timedelta(seconds=crc32(known.number.encode()) % _SPREAD)
        row = Supplier(bravo_id, str(wire.supplier_id(known.number)), _profile(known), changed)
        row.parts = {"AddressList": _remit_to(known), "LocationList": _location(known)}
        login = row.profile["userAlias"]
        row.sub_users = [{"name": "Kim", "surName": "Sales", "email": f"sales@{login}.example", "login": f"{login}-s"}]
        self._rows[bravo_id] = row


def terms_part(code: str, days: int) -> Part:
    """Return the ``TermsAndCondition`` of a location for a standard payment terms code."""
    terms = {"Active": "true", "StandardPaymentTermsCode": code, "TermsType": "Net", "DaysAfter": str(days)}
    return {"PaymentTerms": terms}


def _profile(known: MasterSupplier) -> dict[str, str]:
    alias = known.number.lower()
    profile = {
        "companyName": known.name,
        "extCode": known.number,
        "extUniqueCode": known.number,
        "type": "SELLER",
        "status": ACTIVE,
        "bizEmail": known.email,
        "address": known.street,
        "zip": known.postal_code,
        "city": known.city,
        "isoCountry": _COUNTRIES.get(known.currency, "US"),
        "fiscalCode": known.tax_number,
        "currency": known.currency,
        "locale": "en_US",
        "timezone": "UTC",
        "userAlias": alias,
        "userName": "Robin",
        "userSurName": "Account",
        "userEmail": f"robin@{alias}.example",
        "registrationDate": "20240115",
    }
    return {name: value for name, value in profile.items() if value}


def _remit_to(known: MasterSupplier) -> dict[str, Part]:
    key = f"{known.number}-R1"
    address = {
        "@type": "remitto",
        "ERPNumber": key,
        "Name": "Remit to",
        "Active": "true",
        "AddressLine1": known.street,
        "City": known.city,
        "PostalCode": known.postal_code,
        "IsoCountryCode": _COUNTRIES.get(known.currency, "US"),
    }
    return {key: address}


def _location(known: MasterSupplier) -> dict[str, Part]:
    key = f"{known.number}-L1"
    terms = terms_part(*_TERMS_BY_CODE[known.terms])
    return {key: {"ERPNumber": key, "Name": "Main", "Active": "true", "TermsAndCondition": terms}}
