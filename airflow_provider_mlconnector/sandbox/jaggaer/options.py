"""What can be switched on the simulated JAGGAER tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class JaggaerOptions:
    """Settings of the tenant; each is switchable by ``POST /_sandbox/reset {"jaggaer": {...}}``."""

    invoices: int = 0
    """How many invoices the tenant holds at the start."""
    mix: Literal["all", "good"] = "all"
    """``all``: every label, about 12 % bad ones. ``good``: only invoices an ERP route can post."""
    credit_memos: int | None = None
    """How many of them are credit memos; None: their natural share."""
    page_size: int = 100
    """Rows per list page: server-side, no parameter asks for it (§2.3)."""
    expires_in: int = 3600
    """Life of an access token in seconds; about one hour is claimed (§1.1)."""
    expires_in_form: Literal["number", "text", "missing"] = "number"
    """How the token answer states its life."""
    list_with_lines: bool = False
    """Captured lists are header-only; a tenant that sends lines too is unproven (§2.4)."""
    order: Literal["id", "lastUpdate"] = "id"
    """Order of list rows: by ``lastUpdate``, an edit while paging shifts the rows behind it."""
    counts_as_text: bool = False
    """``totRecords`` and the like as strings, which one client tolerates (§2.2)."""
    purchase_orders: int = 0
    """How many purchase orders the tenant holds at the start, from a random stream of their own."""
    po_invoices: int = 0
    """How many further invoices bill those purchase orders, after the ``invoices``."""
    po_variance_status: Literal["Matched", "Unmatched"] = "Unmatched"
    """SIM: ``matchStatus`` of a further invoice that bills another quantity or price than its order."""
    suppliers: int = 0
    """How many suppliers the tenant holds beside the named ones: ``master.more_suppliers``."""
    suppliers_unlinked: int = 0
    """How many of those have no ERP number in JAGGAER, in turn: a tax id; only name and postal code; a twin as well."""
    last_mod_time: Literal["seconds", "day", "iso"] = "seconds"
    """Form of a profile's ``lastModTime``; all three are documented (§2.3)."""
    profile_time_zone: str = "UTC"
    """SIM: zone of the forms of ``lastModTime`` that name none; no source says which one a tenant writes."""
    match_key: Literal["auto", "bravoId", "extUniqueCode", "extCode", "fiscalCode"] = "auto"
    """SIM: what CREATEUPDATE of a profile matches by; ``auto``: bravoId, else extUniqueCode, else extCode."""
    router_identity: str = "AcmeERP"
    router_secret: str = "r0uter-s3cret<&>"  # noqa: S105 - invented; holds what XML has to escape
    """Who may send XML messages to the router; both stand in the message itself (§1.5)."""
    ocr_path: str = "/apps/Router/BuyerInvoiceOcrImport"
    """SIM: where BuyerInvoiceOcrMessage is taken; real sites configure it (§3.1). Must begin with ``/apps/``."""
    padded_texts: bool = True
    """Whether the router's answers surround texts with line breaks and blanks, as seen (§3.4)."""
    tsm_partial: bool = True
    """Whether a supplier message stores its sound suppliers beside faulty ones; partial or full is unknown (§3.4)."""
    tsm_stops_at_violation: bool = True
    """Whether suppliers before one that breaks the DTD are stored; "later documents not read" allows it (§3.4)."""
    tsm_custom_elements: tuple[str, ...] = ("PaymentNote",)
    """Custom elements of suppliers the tenant has configured."""
    order_custom_fields: tuple[str, ...] = ("Account", "CostCenter", "Project", "BusinessUnit")
    """Custom fields of purchase orders the tenant has configured; others are refused (§3.2)."""
    ocr_unique: Literal["supplier", "tenant", "off"] = "supplier"
    """SIM: within what an imported supplierInvoiceNumber must be unique; that it must be is documented (§2.5)."""
    ocr_status: Literal["Pending", "Completed"] = "Pending"
    """SIM: workflowStatus of an imported invoice; a completed one is Payable, a pending one InProcess."""
    ocr_answers_id: bool = True
    """SIM: whether the JSON import answers ``invoiceId``; its answer was never captured (§2.5)."""
    code_fields: tuple[str, ...] = ("Account", "CostCenter", "Project")
    """Custom fields whose values the tenant keeps as code lists."""
    code_writes: bool = True
    """Whether code lists may be written; sources disagree (§2.8)."""
    payments: bool = False
    """Whether payments of an invoice are taken; sources disagree (§2.8)."""
    payments_off_status: Literal[404, 405] = 404
    """SIM: the answer of a tenant that does not take payments."""
    cxml_domain: str = "DUNS"
    cxml_identity: str = "123456789"
    cxml_secret: str = "cxml-s3cret<&>"  # noqa: S105 - invented; holds what XML has to escape
    """Who may send cXML: domain, identity and secret of the credential in ``Sender`` (§4.2)."""
    cxml_buyer: str = "ACME-T"
    """The buyer's NetworkID, to whom messages are."""
    cxml_order_check: bool = False
    """SIM: whether an invoice must refer to an order the tenant sent, by its number and payloadID."""
    cxml_same_payload: Literal["book", "conflict", "ok"] = "book"
    """SIM: a payloadID that was booked before: booked like any other, refused by 409, or passed over as done."""
    cxml_plain_success: bool = False
    """Whether success is the bare text SUCCESS, as one client takes it (§4.2)."""
    cxml_http_status: bool = False
    """Whether the code of the status is the answer's HTTP status too; usually that is 200 (§4.4)."""
    aso_daily_quota: int = 0
    """Calls of ASO a day, which customers agree on (§1.4); 0 is any number."""
    unique_ext_code: bool = True
    """SIM: whether CREATE of a profile refuses an external code that is taken."""
