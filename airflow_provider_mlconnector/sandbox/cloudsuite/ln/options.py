"""What can be switched on the simulated LN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LnOptions:
    """Settings of LN; all but the count concern what the reference leaves open (SIM)."""

    orders: int = 0
    """How many purchase orders there are at the start."""
    company: int = 1000
    """The one that ``X-Infor-LnCompany`` may name."""
    active: tuple[str, ...] = ("tdapi.purPurchaseOrder",)
    """Services that are activated for the company."""
    errors: Literal["ln", "odata"] = "ln"
    """Shape of error bodies: the documented one, or the one a client has met (§4c)."""
    page_size: int = 50
    """Most rows of a page, whatever ``$top`` says; more are behind ``@odata.nextLink``."""
    next_link: Literal["relative", "absolute"] = "relative"
    """Form of ``@odata.nextLink``, which can be relative (§4c)."""
    change_column: str = ""
    """Name of a column with the moment of the last change; none was found (§4c), so there is none unless named."""
