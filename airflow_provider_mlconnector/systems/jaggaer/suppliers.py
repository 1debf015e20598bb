"""JAGGAER suppliers as a document source: companyprofiles (reference/jaggaer.md §2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from pydantic import BaseModel

from airflow_provider_mlconnector.documents.supplier import Supplier
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import DEFAULT_CONTRACT, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import Place, as_place, at, is_whole_day, sortable
from airflow_provider_mlconnector.systems.jaggaer.listing import ListedSource
from airflow_provider_mlconnector.systems.jaggaer.parts import changed_at, key_of, opened, validated
from airflow_provider_mlconnector.systems.jaggaer.resources import SupplierContract
from airflow_provider_mlconnector.systems.jaggaer.rows import RowForm, among, scalar
from airflow_provider_mlconnector.systems.ports import Eligibility, Summary

INFO: Final = "returnCompanyInfo"


class JaggaerSupplierSource(ListedSource):
    """Suppliers of one tenant; inactive ones too, since the target must hear of it.

    Args:
        client: Speaks to the tenant.
        tenant: The label under which keys are recorded; the client id when empty, because one tenant has one client.
    """

    def __init__(self, client: JaggaerClient, *, tenant: str = "") -> None:
        words = client.contract.suppliers
        super().__init__(client, supplier_rows(words), noun="supplier", wanted=str(words), tenant=tenant)

    def decode(self, payload: bytes) -> Supplier:
        """Turn a payload into the canonical supplier (see :func:`decode`)."""
        return decode(payload, self._contract)


def supplier_rows(resource: SupplierContract) -> RowForm:
    """Return how rows of companyprofiles are read; a row is the whole record."""
    return RowForm(
        resource,
        judge=partial(judge, words=resource),
        summarize=partial(summarize, resource=resource),
        revise=partial(_row_revision, path=resource.modified),
        lines="",
    )


def judge(row: object, *, words: SupplierContract) -> tuple[Eligibility, str]:
    """Return whether a company is to be transferred, and the words that decided.

    One with a status nobody has explained is taken too, so that decoding it can say so.
    """
    kind, status = (scalar(at(row, f"{INFO}.{key}")) for key in ("type", "status"))
    said = f"type {kind or 'missing'}, status {status or 'missing'}"
    waits = bool(words.types and not among(kind, words.types)) or among(status, words.pending)
    return Eligibility.NOT_ELIGIBLE if waits else Eligibility.ELIGIBLE, said


def summarize(row: object, *, resource: SupplierContract) -> Summary:
    """Return what people want to see of a supplier. It has no date: a cut-over date is for documents."""
    number = next((text for name in resource.number if (text := scalar(at(row, f"{INFO}.{name}")))), "")
    return Summary(
        number=number,
        supplier=number,
        kind="supplier",
        currency=scalar(at(row, f"{INFO}.currency")),
        source_number=scalar(at(row, resource.id)),
        business_unit=scalar(at(row, f"{INFO}.userBusinessUnitCode")),
    )


def decode(payload: bytes, contract: JaggaerContract = DEFAULT_CONTRACT) -> Supplier:
    """Read a supplier.

    Companyprofiles tell neither payment terms nor remit-to nor bank: these are None, unless the contract names custom
    data elements that hold them and the tenant shows at least one of a group.

    Args:
        payload: ``{"returnCompanyInfo": {…}, "deBasic": {…}}``.
        contract: Names of fields and elements, status words.

    Raises:
        Rejected: ``missing_field`` or ``unreadable_field``; the message names the field in words.
        Parked: ``unknown_status``: the contract does not say what the status word means.
    """
    record, resource = opened(payload, contract.suppliers), contract.suppliers
    info = Place(record.object(INFO).data, "the company")
    fields = {
        "source_key": key_of(record, resource, "JAGGAER's key of the supplier"),
        "revision": sortable(changed_at(record, resource)),
        "number": _first(info, *resource.number),
        "name": info.text("companyName", required="the supplier's name"),
        "active": _is_active(info.text("status"), resource),
        "currency": info.text("currency"),
        "tax_id": _first(info, *resource.tax_id),
        "address": {
            "lines": [line for line in info.text("address").splitlines() if line.strip()],
            "city": info.text("city"),
            "region": info.text("province"),
            "postal_code": info.text("zip"),
            "country": info.text("isoCountry"),
        },
        "contact": {
            "name": " ".join(part for part in (info.text("userName"), info.text("userSurName")) if part),
            "email": _first(info, "bizEmail", "userEmail"),
            "phone": _first(info, "bizPhone", "userPhone"),
            "fax": _first(info, "bizFax", "userFax"),
        },
    }
    return validated(Supplier, fields | _from_elements(_elements(record), resource))


def _first(info: Place, *names: str) -> str:
    return next((text for name in names if (text := info.text(name))), "")


def _is_active(status: str, words: SupplierContract) -> bool:
    for allowed, active in ((words.active, True), (words.inactive, False)):
        if among(status, allowed):
            return active
    shown = f"status {status}" if status else "status is missing"
    msg = f"{shown}: the contract's suppliers do not say whether that is an active or an inactive supplier"
    raise Parked(msg, code="unknown_status", field="active", subject=status)


def _elements(record: Place) -> dict[str, str | None]:
    """Return the custom data elements by name: several values on lines of their own, None where they are withheld."""
    found: dict[str, str | None] = {}
    for n, entry in enumerate(record.items("deBasic", "deInfo")):
        element = as_place(entry, f"data element {n + 1}")
        values = [as_place(value, element.words) for value in element.items("values", "value")]
        texts = [text for value in values if (text := value.text("deValue"))]
        found[element.text("name")] = "\n".join(texts) if texts or not values else None
    return found


def _from_elements(shown: Mapping[str, str | None], resource: SupplierContract) -> dict[str, Any]:
    bank, remit = (_group(shown, names) for names in (resource.bank_elements, resource.remit_elements))
    fields: dict[str, Any] = {"terms": shown.get(resource.terms_element) if resource.terms_element else None}
    if bank is not None:
        fields["bank"] = bank
    if remit is not None:
        lines = [remit.pop(name) for name in ("line1", "line2", "line3")]
        fields["remit_to"] = {
            "name": remit.pop("name"),
            "address": {**remit, "lines": [line for line in lines if line]},
        }
    return fields


def _group(shown: Mapping[str, str | None], names: BaseModel) -> dict[str, str] | None:
    """Return the group's fields, or None when the tenant shows no element of it or withholds one: it does not tell."""
    chosen = {field: element for field, element in names.model_dump().items() if element}
    values = {field: shown.get(element, "") for field, element in chosen.items()}
    if not any(element in shown for element in chosen.values()) or None in values.values():
        return None
    return {field: values.get(field) or "" for field in type(names).model_fields}


def _row_revision(row: object, changed: datetime, *, path: str) -> str:
    """Return the change time; none where it says the day only: then another payload is another revision."""
    return "" if is_whole_day(at(row, path)) else sortable(changed)
