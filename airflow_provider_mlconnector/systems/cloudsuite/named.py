"""Orders of products whose field names are not public: named by options, checked as they are read (§9.11, §9.12).

What a name stands for is ours (``order_date``), what it is called is the product's. A record without a field that is
needed stops the run with the option that names it, rather than with an order that lacks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from pydantic import Field, field_validator, model_validator

from airflow_provider_mlconnector.documents.currency import EXACT
from airflow_provider_mlconnector.documents.invoice import Allocation, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import ConfigurationError, Parked
from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.systems.cloudsuite.rows import Fields, digest, rounded
from airflow_provider_mlconnector.systems.ports import Eligibility

NEEDED: Final = (
    *("order.number", "order.supplier", "order.date", "order.currency", "order.status"),
    *("line.number", "line.quantity", "line.price"),
)
TRUE: Final = frozenset({"yes", "true", "1"})


class NamedOptions(CloudSuiteOptions):
    """Choices of a product read by names.

    Attributes:
        context: See :class:`CloudSuiteOptions`.
        company: Whose data.
        fields: What a field is called at this site, where it is not the default: ``{"order.currency": "Curr"}``.
        order_statuses: Statuses of orders that may leave †.
        planned_statuses: Statuses of orders that do not leave yet †.
        canceled_statuses: Statuses of orders nothing is wanted of any more †.
        closed_statuses: Statuses of orders nothing more is expected on †.
    """

    DEFAULTS: ClassVar[Mapping[str, str]] = {}

    company: str = ""
    fields: dict[str, str] = Field(default_factory=dict)
    order_statuses: tuple[str, ...] = ()
    planned_statuses: tuple[str, ...] = ()
    canceled_statuses: tuple[str, ...] = ()
    closed_statuses: tuple[str, ...] = ()

    @field_validator("order_statuses", "planned_statuses", "canceled_statuses", "closed_statuses", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        """Take ``Sent, InProcess`` too, which is what a form or a DAG file holds."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("company", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value).strip() if value is not None else ""

    @model_validator(mode="after")
    def _known(self) -> NamedOptions:
        unknown = self.fields.keys() - self.DEFAULTS.keys()
        if unknown:
            msg = f"fields has {', '.join(sorted(unknown))}; known are {', '.join(sorted(self.DEFAULTS))}"
            raise ValueError(msg)
        return self

    def called(self, what: str) -> str:
        """Return what a field is called at this site, empty where it has none."""
        return self.fields.get(what, self.DEFAULTS.get(what, ""))

    def names(self, kind: str) -> dict[str, str]:
        """Return the fields of a kind of record: ``{"number": "PurchaseOrder", …}``; those without a name left out."""
        mine = {
            what.removeprefix(f"{kind}."): self.called(what) for what in self.DEFAULTS if what.startswith(f"{kind}.")
        }
        return {what: name for what, name in mine.items() if name}


def check(row: Mapping[str, Any], kind: str, options: NamedOptions, *, where: str) -> None:
    """Check that a record shows every field its kind needs.

    Raises:
        ConfigurationError: One is called otherwise at this site.
    """
    needed = [what for what in NEEDED if what.startswith(f"{kind}.")]
    missing = [what for what in needed if options.called(what) not in row]
    if missing:
        told = ", ".join(f"{what} as {options.called(what) or 'nothing'}" for what in missing)
        msg = f"{where}: records show no {told}; name the field in option fields of the connection"
        raise ConfigurationError(msg, field=f"{where}, field Further options (fields)")


def judge(head: Mapping[str, Any], options: NamedOptions) -> tuple[Eligibility, str]:
    """Return whether an order is to be transferred, and the words that decided (FINANCE §4)."""
    said = texts.unpad(head.get(options.called("order.status")))
    text = f"status {said or 'missing'}"
    planned = said in options.planned_statuses
    return (Eligibility.NOT_ELIGIBLE, f"{text} (planned)") if planned else (Eligibility.ELIGIBLE, text)


def decode(payload: Mapping[str, Any], options: NamedOptions, fields: type[Fields]) -> PurchaseOrder:
    """Turn head and lines into the canonical order.

    Raises:
        Rejected: ``missing_field``, ``unreadable_field``.
        Parked: ``unknown_status``.
    """
    names = options.names("order")
    number = fields(payload["header"], "the order").needed(names["number"], "number")
    head = fields(payload["header"], f"order {number}")
    currency = head.needed(names["currency"], "currency")
    status = _status(head, names["status"], options)
    lines = [_line(fields(row, head.place), currency, options, status) for row in payload["lines"]]
    terms = head.text(names.get("terms", ""))
    return PurchaseOrder(
        source_key=number,
        number=number,
        revision=payload.get("changed") or digest(payload),
        status=OrderStatus.CANCELED if lines and all(line.is_canceled for line in lines) else status,
        supplier=head.needed(names["supplier"], "supplier"),
        supplier_name=head.text(names.get("supplier_name", "")),
        order_date=head.day(names["date"]) or head.missing(names["date"], "order date"),
        currency=currency,
        terms=PaymentTerms(code=terms) if terms else None,
        lines=tuple(lines),
        requester=head.text(names.get("buyer", "")),
    )


def _status(head: Fields, name: str, options: NamedOptions) -> OrderStatus:
    said = head.text(name)
    told = {
        OrderStatus.APPROVED: options.order_statuses,
        OrderStatus.CANCELED: options.canceled_statuses,
        OrderStatus.CLOSED: options.closed_statuses,
    }
    for status, words in told.items():
        if said in words:
            return status
    msg = f"{head.place}: status {said or 'missing'} is neither an ordered nor an ended one; see order_statuses"
    raise Parked(msg, code="unknown_status", field="status", subject=said)


def _line(line: Fields, currency: str, options: NamedOptions, status: OrderStatus) -> OrderLine:
    names = options.names("line")
    number = texts.to_whole(line.text(names["number"]))
    if number is None:
        line.refuse(names["number"], "a line number")
    part = texts.to_whole(line.text(names.get("part", ""))) or 0
    number += part * _PART
    line = type(line)(line.row, f"{line.place}, line {number}")
    canceled = status is OrderStatus.CANCELED or is_canceled(line, names, options)
    quantity = Decimal(0) if canceled else line.amount(names["quantity"], "ordered quantity")
    price = line.amount(names["price"], "price")
    return OrderLine(
        number=number,
        item=line.text(names.get("item", "")),
        description=line.text(names.get("description", "")),
        quantity=quantity,
        unit=line.text(names.get("unit", "")),
        unit_price=price,
        amount=rounded(EXACT.multiply(quantity, price), currency),
        allocations=_allocations(line, names),
        requested_date=line.day(names["due"]) if "due" in names else None,
    )


_PART: Final = 100_000
"""A part of a line (a sequence) stands in front of the line's number."""


def is_canceled(line: Fields, names: Mapping[str, str], options: NamedOptions) -> bool:
    """Tell whether nothing of a line is wanted: by a flag of its own, or by its status."""
    flag, said = line.text(names.get("canceled", "")), line.text(names.get("status", ""))
    return flag.lower() in TRUE or (bool(said) and said in options.canceled_statuses)


def _allocations(line: Fields, names: Mapping[str, str]) -> tuple[Allocation, ...]:
    account, center = line.text(names.get("account", "")), line.text(names.get("cost_center", ""))
    if not account and not center:
        return ()
    told = {names["account"]: account, names.get("cost_center", ""): center}
    segments = {name: code for name, code in told.items() if name and code}
    return (Allocation(account=account, cost_center=center, percent=Decimal(100), segments=segments),)


def line_keys(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return lines by the number of their order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(texts.unpad(row.get(name)), []).append(row)
    return found
