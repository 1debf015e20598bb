"""What can be switched on the simulated CSI site: its set-up, and behavior nobody has documented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CsiOptions:
    """One site; every field can be given to ``POST /_sandbox/reset`` under ``cloudsuite``, in ``csi``."""

    purchase_orders: int = 0
    """How many purchase orders the site holds at the start."""
    vouchers: int = 0
    """How many vouchers typed into CSI itself it holds, posted ones included."""
    mix: Literal["all", "good"] = "all"
    """``all``: every label of ``order_recipes`` and ``voucher_recipes``. ``good``: only what a route can carry."""
    vendors: int = 0
    """How many vendors it holds beside the named ones: ``master.more_suppliers``."""
    auto_voucher: bool = True
    """SIM: CSI numbers a voucher inserted without one; otherwise refused (reference/cloudsuite.md §9.7)."""
    auto_order: bool = True
    """SIM: CSI numbers an order inserted without one; otherwise refused."""
    posting_default: Literal["A", "H"] = "A"
    """SIM: ``BGPostingStat`` of a voucher inserted without one; A is what background posting takes (§5.1)."""
    check_distributions: bool = False
    """SIM: a distribution on an unknown or obsolete account, or breaking its unit code access, is refused at once.
    Off, it is stored and posted, so that a missing check of ours shows in the ledger."""
    check_periods: bool = False
    """SIM: posting refuses a voucher whose DistDate is in no open period, marking it E."""
    post_every_minutes: float = 0
    """How often background posting runs; 0 = only when a person starts it."""
    post_method: bool = True
    """SIM: whether posting can be started by invoking ``SLTTApPosts`` (§4a: should stay a person's step)."""
    post_unbalanced: bool = False
    """SIM: posting takes a voucher whose distributions are not its InvAmt as it is, instead of marking it E."""
    oversize: Literal["error", "truncate"] = "error"
    """SIM: what becomes of text longer than its property."""
    line_change_moves_header: bool = False
    """Whether a changed line moves the RecordDate of its order; it need not (§4a changed-since, §7.12)."""
