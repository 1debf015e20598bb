"""What can be switched on the simulated M3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class M3Options:
    """Settings of M3; all but the counts concern what the reference leaves open (SIM)."""

    orders: int = 0
    """How many purchase orders there are at the start."""
    invoices: int = 0
    """How many supplier invoices people have typed in, some of them validated or posted already."""
    company: int = 100
    division: str = "AAA"
    """CONO and DIVI of the service account's user, where a call names none."""
    mi_errors: Literal["200", "400"] = "200"
    """HTTP status of an answer with a failed transaction; clients have met both (§4b)."""
    too_long: Literal["refuse", "cut"] = "refuse"
    """What becomes of an input wider than its field."""
    echo_parameters: bool = True
    """Whether results hold ``parameters``, which they may (§4b)."""
    query_maxrecs: bool = True
    """Whether ``maxrecs`` counts as a query parameter too, or as a matrix parameter alone."""
    most_rows: int = 0
    """Ceiling of one answer whatever ``maxrecs`` says; 0 is none. There is no cursor to go on from it."""
    terminate_after: int = 0
    """Break a bulk call off after so many transactions, which stay executed, with ``wasTerminated``; 0 never does."""
    line_dimensions: bool = True
    """Whether APS450MI AddLine takes AIT1 to AIT7 (§5.3 †); without them line type 8 goes to the clearing account."""
    unique_invoices: bool = False
    """Whether validation refuses a SINO that a posted invoice of the same supplier, payee and year has."""
    approval: bool = False
    """Whether a batch must be approved before it can be posted."""
    closed_until: str = ""
    """Last day, as ``yyyyMMdd``, of the accounting dates that validation refuses; empty refuses none."""
    post_after: float | None = None
    """Seconds after its validation in which a batch is posted by itself; None leaves that to a person."""
    supplier_required: tuple[str, ...] = (
        "SUNO", "SUNM", "SUTY", "CSCD", "LNCD", "SUCL", "TEDL", "MODL", "CUCD", "TEPY", "PYME",
    )  # fmt: skip
    """Inputs AddSupplier asks for: at 15.1 about 22 (§4b), of which these are the ones §5.2 names."""
