"""What differs between JAGGAER tenants, as configuration with defaults (reference/jaggaer.md §2.8).

JAGGAER publishes no contract for its J1P API, so nothing that was only inferred is fixed in code: realm, paths,
envelope keys, paging, filter syntax, status words and the names of fields are settings of :class:`JaggaerContract`;
those of the single resources are in :mod:`.resources`. The connection's extra may override any of them::

    {"contract": {"paging": {"size_param": "limit", "size": 200}, "segments": {"cost_center": "Financial_Unit"}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.jaggaer.cxml_contract import CxmlContract
from airflow_provider_mlconnector.systems.jaggaer.resources import (
    CodeListContract,
    ExportContract,
    InvoiceContract,
    Name,
    OptionalPath,
    OrderContract,
    Part,
    Path,
    PaymentContract,
    SupplierContract,
)


class AuthContract(Part):
    """OAuth 2.0 client credentials at a Keycloak realm (reference/jaggaer.md §1.1)."""

    realm: Name = "J1p-integrations"
    token_path: Path = "/auth/realms/{realm}/protocol/openid-connect/token"  # noqa: S105 - a path
    """``{realm}`` is filled in; same host as the data calls."""
    client_auth: Literal["body", "basic"] = "body"
    """Where the client id and secret go: form fields, or the Authorization header."""
    scope: str = ""
    """Sent only when not empty; JAGGAER's clients send none."""
    refresh_margin_s: float = Field(default=60, ge=0)
    """A token is renewed this many seconds before it expires."""


class EnvelopeContract(Part):
    """Keys and codes of the JSON around a list (reference/jaggaer.md §2.2)."""

    code: Name = "returnCode"
    message: Name = "returnMessage"
    total: Name = "totRecords"
    returned: Name = "returnedRecords"
    ok_codes: tuple[str, ...] = ("0",)
    warn_codes: tuple[str, ...] = ("1",)


class PagingContract(Part):
    """Record offset: the next start is this start plus the records returned (reference/jaggaer.md §2.3)."""

    start_param: Name = "start"
    first: int = Field(default=1, ge=0)
    size_param: str = ""
    """Name of a page size parameter where the tenant has one; the server decides otherwise."""
    size: int = Field(default=100, ge=1)


class FilterContract(Part):
    """FIQL-like filter (reference/jaggaer.md §2.3)."""

    param: Name = "flt"
    equal: Name = "=="
    greater_or_equal: Name = ">="
    among: Name = "=in="
    """Before a list of values in parentheses."""
    conjunction: Name = ";"
    """Between two conditions that must both hold."""
    components_param: Name = "comp"
    """Names the components of a record to return."""
    time_format: Name = "%Y-%m-%dT%H:%M:%S.000Z"


class SegmentContract(Part):
    """Names (``internalName``) of the accounting segments that carry the GL account and the cost center."""

    account: Name = "Account"
    cost_center: str = "CostCenter"
    """Empty where the tenant codes no cost centers."""


class EligibilityWords(Part):
    """Which status words let an invoice through (FINANCE §4). Case does not matter.

    ``match`` empty means that the match status is not looked at.
    """

    workflow: tuple[str, ...] = ("Completed",)
    payment: tuple[str, ...] = ("Payable",)
    match: tuple[str, ...] = ("Matched", "Do Not Match")
    closed_payment: tuple[str, ...] = ("Paid",)
    closed_workflow: tuple[str, ...] = ("Cancelled",)

    def __str__(self) -> str:
        parts = [f"workflowStatus {' or '.join(self.workflow)}", f"paymentStatus {' or '.join(self.payment)}"]
        if self.match:
            parts.append(f"matchStatus {' or '.join(self.match)}")
        return ", ".join(parts)


class SupplierWrites(Part):
    """What writing a company's profile needs beside :class:`.SupplierContract` (reference/jaggaer.md §2.6)."""

    created: Mapping[str, str] = {"type": "SELLER"}
    """Fields that every new company gets, such as locale or time zone where the tenant demands them."""
    tax_id: Name = "fiscalCode"
    """Field for a tax id where none of ``suppliers.tax_id`` is filled yet."""
    id_filter: Name = "BRAVOID"
    """Name of the company's key in the filter."""


class TsmContract(Part):
    """What supplier messages to the XML router say beyond the DTD (reference/jaggaer.md §3.4)."""

    path: Path = "/apps/Router/TSMSupplierXMLImport"
    address_key: Name = "{number}-R1"
    """Key of the remit-to address; ``{number}`` is the supplier's ERP number. Likewise the others."""
    location_key: Name = "{number}-L1"
    account_key: Name = "{number}-B1"
    address_type: Name = "remitto"
    account_type: str = ""
    """``type`` of the account a supplier is paid through; empty leaves the attribute out."""
    bank_account: Name = "AccountId"
    """Path of the account number below ``AccountsPayable``."""
    bank_branch: str = ""
    """Path of the bank's branch or sort code; empty where the tenant keeps none: nobody has published its place."""
    send_name: bool = False
    """Whether the supplier's name goes along: JAGGAER owns it, so it is JAGGAER's own that is repeated."""


class OrderWrites(Part):
    """How purchase orders are written (reference/jaggaer.md §2.8, §3.2)."""

    by: Literal["j1p", "router"] = "j1p"
    """``j1p``: the record of the list goes back by REST; ``router``: PurchaseOrderMessage to the XML router."""
    approved: Mapping[str, str] = {"status": "Approved", "workflowStatus": "Completed"}
    """Fields of the J1P header that say that the order is approved, likewise ``canceled``."""
    canceled: Mapping[str, str] = {"status": "Cancelled", "workflowStatus": "Completed"}
    distribute: str = "header.distributeRevision"
    """Dotted path in the J1P record that says whether the supplier is told; empty where the tenant has none."""
    path: Path = "/apps/Router/POXMLImport"
    version: Name = "2.0"
    """Of PurchaseOrderMessage; 1.0 to 3.0 were seen."""
    custom_fields: tuple[Name, ...] = ()
    """Custom fields of lines beside account and cost center that the tenant has configured for orders. It refuses any
    other, so segments that are not named here stay behind."""
    business_unit_field: str = "BusinessUnit"
    """Custom field of the message's header that names the business unit, for which it has no element."""
    distribution_method: str = ""
    """``OrderDistribution`` of the message (``manual``, ``fax``, …); empty leaves it to the supplier's profile."""


class InvoiceFields(Part):
    """Names in the JSON import that no capture of it shows; empty leaves the field out.

    Sums are called as in JAGGAER's own invoice (reference/jaggaer.md §2.4), and are bare numbers like there.
    """

    total: Name = "total"
    total_amount: Name = "value"
    """Of the amount in the total, beside its ``currency``."""
    due: str = "dueDate"
    accounting: str = "accountingDate"
    freight: str = "shippingCharge"
    handling: str = "handlingCharge"
    discount: str = "discountAmount"
    taxes: tuple[Name, Name] = ("taxCharge1", "taxCharge2")
    splits: str = "splittableFieldSetGroupList"


class InvoiceWrites(Part):
    """How invoices are imported (reference/jaggaer.md §2.5, §3.3)."""

    by: Literal["j1p", "router", "cxml"] = "j1p"
    """``j1p``: JSON to ``invoices.create``; ``router``: BuyerInvoiceOcrMessage to :attr:`path`; ``cxml``:
    InvoiceDetailRequest to ``cxml.invoices``."""
    prefix: Name = "invoiceOcr"
    """Of the JSON import's objects; captured as ``invoiceOCR`` as well."""
    fields: InvoiceFields = InvoiceFields()
    path: OptionalPath = ""
    """Where the router takes BuyerInvoiceOcrMessage: every customer's own."""
    custom_fields: tuple[Name, ...] = ()
    """As :attr:`OrderWrites.custom_fields`."""


class AsoContract(Part):
    """The Advanced Sourcing Optimizer, which the connection test alone speaks to (reference/jaggaer.md §1.4)."""

    path: Path = "/v1/events"
    """What the test reads: any path the client may read will do, and those of ASO carry the customer's own ids."""
    client_auth: Literal["body", "basic"] = "body"
    """Where client id and secret go, as :attr:`AuthContract.client_auth`."""
    scope: str = ""
    """Sent only when not empty."""


class JaggaerContract(Part):
    """Everything a tenant may do differently; the defaults are those of reference/jaggaer.md §2.8."""

    auth: AuthContract = AuthContract()
    envelope: EnvelopeContract = EnvelopeContract()
    paging: PagingContract = PagingContract()
    filter: FilterContract = FilterContract()
    invoices: InvoiceContract = InvoiceContract()
    purchase_orders: OrderContract = OrderContract()
    suppliers: SupplierContract = SupplierContract()
    gl_codes: CodeListContract = CodeListContract()
    payments: PaymentContract = PaymentContract()
    exports: ExportContract = ExportContract()
    supplier_writes: SupplierWrites = SupplierWrites()
    order_writes: OrderWrites = OrderWrites()
    invoice_writes: InvoiceWrites = InvoiceWrites()
    tsm: TsmContract = TsmContract()
    cxml: CxmlContract = CxmlContract()
    aso: AsoContract = AsoContract()
    segments: SegmentContract = SegmentContract()
    eligibility: EligibilityWords = EligibilityWords()

    @classmethod
    def parse(cls, data: str | Mapping[str, Any] | None, *, field: str = "contract") -> JaggaerContract:
        """Read a contract from configuration.

        Args:
            data: JSON text or an object with the parts to override; None or empty gives the defaults.
            field: What errors call the setting, such as ``connection 'jaggaer_default', extra field 'contract'``.

        Raises:
            ConfigurationError: Not JSON, an unknown key or a wrong value; every problem is named with its path.
        """
        try:
            parsed = json.loads(data) if isinstance(data, str) and data.strip() else data
            return cls.model_validate(parsed or {})
        except json.JSONDecodeError as error:
            msg = f"{field} is not JSON: {error.msg} in line {error.lineno}"
            raise ConfigurationError(msg, field=field) from error
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'contract'}: {e['msg']}" for e in error.errors())
            msg = f"{field} is wrong: {problems}"
            raise ConfigurationError(msg, field=field) from None


DEFAULT_CONTRACT = JaggaerContract()
