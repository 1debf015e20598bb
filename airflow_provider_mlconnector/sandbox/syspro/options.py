"""What can be switched on the simulated SYSPRO site: its set-up, and behavior nobody has documented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SysproOptions:
    """One site set-up; every field can be given to ``POST /_sandbox/reset`` under ``syspro``.

    Attributes:
        strict: Documents are held to their schema: mandatory elements, known names, order (reference/syspro.md §2.0).
        uniqueness: Refuse a second type I invoice under one (supplier, invoice); False stores both.
        unlicensed: Business objects answered with ``ERROR: e.net exception raised: 100000`` (§1.5).
        idle_minutes: A session unused for longer is gone (§1.6; the default is an assumption).
        licenses: Seats of the e.net class; 0 = never full (§1.6).
        lock_after: Wrong passwords in a row after which an operator is locked; 0 = never (SIM).
        url_limit: Longest request target in bytes before HTTP 414 (§1.3, a Windows default).
        post_ld: Whether ``POST /Transaction/PostLD`` exists at all (§1.3, SYSPRO 8, one source).
        oversize: What happens to text longer than its column (unknown, §4).
        numeric_keys: A numeric supplier or order sent to a business object is padded with zeros to 15 (§4, per site).
        comfnd_pads: COMFND conditions on supplier, order and receipt pad numeric values the same way (unknown, §4).
        tax_distribution: AP tax distribution is on, so tax codes and TaxValue are checked (§2.1).
        ap_gl: AP to GL integration of the site.
        gl_create: The integration creates the GL journal at once; False leaves it to a later integration run.
        gl_post: The created journal is posted; False leaves it on hold.
        authorize_journals: GL set-up requires authorization of journals before they post (§2.3).
        update_omitted: What APSSSP Update does to a field whose element is left out (unknown, §2.4).
        update_empty: What it does to one whose element is there, but empty (unknown, §2.4).
        po_numbering: Who numbers purchase orders: the system, or the document that adds them (§2.7).
        receipts_accrue: Receipts make a GL journal, debit expense or stock, credit goods received not vouchered.
        suppliers: How many suppliers the company holds beside the named ones: ``master.more_suppliers``.
        version: SYSPRO version shown in the root attributes.
    """

    strict: bool = True
    uniqueness: bool = True
    unlicensed: tuple[str, ...] = ()
    idle_minutes: float = 20.0
    licenses: int = 0
    lock_after: int = 0
    url_limit: int = 16384
    post_ld: bool = True
    oversize: Literal["truncate", "error"] = "error"
    numeric_keys: bool = True
    comfnd_pads: bool = False
    tax_distribution: bool = True
    ap_gl: Literal["detail", "summary", "not_linked"] = "detail"
    gl_create: bool = True
    gl_post: bool = True
    authorize_journals: bool = False
    update_omitted: Literal["keep", "blank"] = "keep"
    update_empty: Literal["keep", "blank"] = "blank"
    po_numbering: Literal["system", "manual"] = "system"
    receipts_accrue: bool = True
    suppliers: int = 0
    version: str = "8.0.105"
