"""What JAGGAER's invoices and orders have in common: terms, taxes, charges, codes (reference/jaggaer.md §2.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from airflow_provider_mlconnector.documents.invoice import ChargeKind
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import (
    Place,
    UnreadableJson,
    as_place,
    at,
    is_empty,
    loads,
    moment_of,
)
from airflow_provider_mlconnector.systems.jaggaer.names import as_documented
from airflow_provider_mlconnector.systems.jaggaer.resources import ResourceContract

Model = TypeVar("Model", bound=Document)
CHARGE_FIELDS = {
    "shippingCharge": ChargeKind.FREIGHT,
    "handlingCharge": ChargeKind.HANDLING,
    "discountAmount": ChargeKind.DISCOUNT,
}
TAX_FIELDS = ("taxCharge1", "taxCharge2")
"""JAGGAER has two tax slots and no tax codes: the slot's name serves as the source's tax code."""
PERCENT, AMOUNT = "PercentOfPrice", "AmountOfPrice"
_WHOLE = Decimal(100)


def opened(payload: bytes, resource: ResourceContract) -> Place:
    """Return the record a payload holds, under the documented names.

    Raises:
        Rejected: It is not a JSON object.
    """
    try:
        return as_place(as_documented(loads(payload), resource), "the record")
    except UnreadableJson:
        msg = "the record is not readable JSON; look at it in JAGGAER"
        raise Rejected(msg, code="unreadable_field") from None


def need_detail(record: Place) -> None:
    """Refuse a row of a header-only list: its lines have not been read.

    Raises:
        Parked: ``detail_missing``; the next extraction asks for them again.
    """
    if "lineList" not in record.data:
        msg = "only its header has been read so far; the next run asks JAGGAER for its lines again"
        raise Parked(msg, code="detail_missing", field="lines")


def supplier_number(supplier: Place) -> str:
    """Return the supplier's number in the ERP.

    A supplier new in JAGGAER has none until the exchange of suppliers has allotted it; its invoices wait for that
    (FINANCE §7).

    Raises:
        Parked: ``supplier_without_number``; the next extraction asks JAGGAER for the document again.
    """
    number = supplier.text("supplierNumber")
    if not number:
        name = supplier.text("name")
        msg = (
            f"the ERP number of {f'supplier {name}' if name else 'the supplier'} (supplierNumber) is empty; every run "
            "asks JAGGAER again, until the exchange of suppliers or somebody there has given it one"
        )
        raise Parked(msg, code="supplier_without_number", field="supplier", subject=name)
    return number


def validated(model: type[Model], fields: Mapping[str, Any]) -> Model:
    """Build a canonical document.

    Raises:
        Rejected: A field does not fit; the message names the first.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"{where}: {first['msg']}; correct it in JAGGAER"
        raise Rejected(msg, code="unreadable_field", field=where) from None


def key_of(record: Place, resource: ResourceContract, what: str) -> str:
    """Return the record's key, called ``what`` where it is missing."""
    parent, key = parent_of(record, resource.id)
    return parent.text(key, required=what)


def changed_at(record: Place, resource: ResourceContract) -> datetime:
    """Return when the record was last changed (aware, UTC)."""
    parent, key = parent_of(record, resource.modified)
    parent.text(key, required="the time of the last change")
    moment = moment_of(parent.data.get(key), resource.time_zone)
    return parent.refuse(key, "a time such as 2026-01-15T10:20:30.400Z") if moment is None else moment


def parent_of(record: Place, path: str) -> tuple[Place, str]:
    """Return the object a dotted path of the contract ends in, and its last key."""
    parent, _, key = path.rpartition(".")
    data = at(record.data, parent) if parent else record.data
    return Place(data if isinstance(data, Mapping) else {}, parent or "the record"), key


def terms(terms: Place) -> dict[str, Any] | None:
    """Return the payment terms, None when empty.

    JAGGAER's ``days`` and ``discount`` are those of the early payment, ``daysAfter`` is when the whole is due.
    """
    fields = {
        "code": terms.text("standardPaymentTermsCode"),
        "days": whole(terms, "daysAfter"),
        "discount_percent": None if is_empty(terms.data.get("discount")) else terms.number("discount"),
        "discount_days": whole(terms, "days"),
    }
    return fields if any(value not in ("", None) for value in fields.values()) else None


def whole(place: Place, key: str) -> int | None:
    """Return a whole number, None when empty."""
    if is_empty(place.data.get(key)):
        return None
    number = place.number(key)
    return int(number) if number == number.to_integral_value() else place.refuse(key, "a whole number")


def taxes(place: Place) -> list[dict[str, Any]]:
    """Return the taxes of a header or line that are not zero."""
    return [{"amount": amount, "code": field} for field in TAX_FIELDS if (amount := place.number(field))]


def charges(place: Place) -> list[dict[str, Any]]:
    """Return the freight, handling and discount of a header or line that are not zero."""
    return [
        {"kind": kind, "amount": amount} for field, kind in CHARGE_FIELDS.items() if (amount := place.number(field))
    ]


def misc_fees(header: Place) -> list[dict[str, Any]]:
    """Return a header's further fees that are not zero."""
    fees = [as_place(fee, f"fee {n + 1}") for n, fee in enumerate(header.items("miscFeeList", "miscFee"))]
    return [
        {"kind": ChargeKind.MISCELLANEOUS, "amount": amount, "name": fee.text("name")}
        for fee in fees
        if (amount := fee.number("fee"))
    ]


def allocations(line: Place, contract: JaggaerContract) -> list[dict[str, Any]]:
    """Read the first group of accounting codes with an account; further groups repeat it in other structures."""
    groups = [
        _group(line, group, contract) for group in line.items("splittableFieldSetGroupList", "splittableFieldSetGroup")
    ]
    for group in groups:
        if any(part["account"] for part in group):
            return group
    return groups[0] if groups else []


def _group(line: Place, group: object, contract: JaggaerContract) -> list[dict[str, Any]]:
    sets = as_place(group, f"{line.words}, accounting codes", line.path).data.get("splittableFieldIndexSet")
    for entry in sets if isinstance(sets, list) else [] if is_empty(sets) else [sets]:
        place = as_place(entry, f"{line.words}, accounting codes", line.path)
        if place.text("context").lower() not in {"", "line"}:
            continue
        splits = place.items("splittableFieldIndexList", "splittableFieldIndex")
        parts = [_split(line, place, split, n, len(splits), contract) for n, split in enumerate(splits)]
        return _told_apart(place, splits, parts)
    return []


def _told_apart(owner: Place, splits: Sequence[object], parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Refuse values of splits that do not say what they are and cannot be percentages."""
    places = [place for place in (owner.data, *splits) if isinstance(place, Mapping)]
    stated = any(not is_empty(place.get("distributionType")) for place in places)
    percents = [part["percent"] for part in parts if "percent" in part]
    if not parts or stated or sum(percents) == _WHOLE:
        return parts
    values = ", ".join(f"{percent:f}" for percent in percents)
    msg = (
        f"{owner.words}: distributionType is empty, and the splits' values {values} are no percentages of one whole; "
        f"state {PERCENT} or {AMOUNT} in JAGGAER"
    )
    raise Rejected(msg, code="allocation_mismatch", field=f"{owner.path}allocations", subject="distributionType")


def _split(
    line: Place, owner: Place, split: object, index: int, count: int, contract: JaggaerContract
) -> dict[str, Any]:
    place = as_place(split, f"{line.words}, split {index + 1}", f"{line.path}allocations[{index}].")
    values = place.items("customFieldValueList", "customFieldValue")
    fields = [as_place(value, place.words, place.path) for value in values]
    segments = {field.text("internalName", required="the segment's name"): field.text("value") for field in fields}
    share = _share(owner, place, count)
    return {
        "account": segments.get(contract.segments.account, ""),
        "cost_center": segments.get(contract.segments.cost_center, ""),
        "segments": segments,
    } | share


def _share(owner: Place, split: Place, count: int) -> dict[str, Any]:
    """Return ``amount`` or ``percent``. A line's only split may state no value: it bears everything (as captured)."""
    holder = split if not is_empty(split.data.get("distributionType")) else owner
    kind = holder.text("distributionType")
    if count == 1 and is_empty(split.data.get("distributionValue")):
        return {"percent": _WHOLE}
    value = split.number("distributionValue", required="the split's share")
    if kind in {PERCENT, ""}:
        return {"percent": value}
    if kind == AMOUNT:
        return {"amount": value}
    return holder.refuse("distributionType", f"{PERCENT} or {AMOUNT}")
