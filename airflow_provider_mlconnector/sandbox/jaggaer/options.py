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
    match_key: Literal["auto", "bravoId", "extUniqueCode", "extCode", "fiscalCode"] = "auto"
    """SIM: what CREATEUPDATE of a profile matches by; ``auto``: bravoId, else extUniqueCode, else extCode."""
    unique_ext_code: bool = True
    """SIM: whether CREATE of a profile refuses an external code that is taken."""
