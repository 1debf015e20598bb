"""What every canonical document shares: immutability, exact types, text keys."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Document(BaseModel):
    """Base of the canonical models: frozen, strict about unknown fields, no silent coercion of numbers to text."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        msg = "must be a finite number"
        raise ValueError(msg)
    return value


Amount = Annotated[Decimal, AfterValidator(_finite)]
"""An exact amount in major units of the document's currency; signs are kept."""
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
"""Free text, outer blanks removed."""
Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""A key of some system: kept as text, never a number (``0000000310`` stays ``0000000310``)."""
