"""How an AP transaction's value spreads over ledger lines and tax, and what of it reaches the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.syspro.money import rounded, to_local
from airflow_provider_mlconnector.sandbox.syspro.records import Line


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A ledger line as sent, its tax code resolved."""

    gl_code: str
    value: int
    tax_code: str
    notation: str


@dataclass(frozen=True, slots=True)
class Distribution:
    """A transaction to distribute.

    Attributes:
        value: Gross value in the supplier's currency.
        tax: Tax in the supplier's currency.
        inclusive: TaxBasis I: ledger values include tax.
        lines: Ledger lines, in company currency if ``lines_local``, else in the supplier's.
        lines_local: Whether ``LedgerDistributionCurrency`` is L.
        rate: Exchange rate, used by ``mul_div``.
        mul_div: M or D.
    """

    value: int
    tax: int
    inclusive: bool
    lines: tuple[LineDraft, ...]
    lines_local: bool
    rate: Decimal
    mul_div: str

    @property
    def _foreign(self) -> bool:
        return self.rate != 1

    def _local(self, amount: int) -> int:
        return to_local(amount, self.rate, self.mul_div)

    @property
    def _to_ledger(self) -> Callable[[int], int]:
        """Convert a supplier-currency amount into the currency the lines are in."""
        return self._local if self.lines_local else int

    def calculated_tax(self, rates: Mapping[str, Decimal]) -> int:
        """Return the tax the lines make by their codes' rates, each line rounded, in the lines' currency."""
        return sum(rounded(line.value * rates.get(line.tax_code, Decimal())) for line in self.lines)

    def tax_gap(self, rates: Mapping[str, Decimal]) -> int:
        """Return how far TaxValue is from the calculated tax, beyond what conversion rounding explains."""
        gap = abs(self.calculated_tax(rates) - self._to_ledger(self.tax))
        return max(0, gap - self._slack)

    @property
    def _slack(self) -> int:
        return len(self.lines) + 1 if self.lines_local and self._foreign else 0

    def is_balanced(self) -> bool:
        """Whether the lines agree with the value: net of tax for basis E, gross for I (inferred, §2.1)."""
        expected = self._to_ledger(self.value) - (0 if self.inclusive else self._to_ledger(self.tax))
        return abs(sum(line.value for line in self.lines) - expected) <= self._slack

    def booked(self, rates: Mapping[str, Decimal]) -> tuple[tuple[Line, ...], int]:
        """Return the lines with their net ledger amounts, and the tax, in company currency.

        Lines and tax add up to the converted gross value exactly; rounding differences go to the first line.
        """
        tax = self._local(self.tax)
        amounts = [line.value if self.lines_local else self._local(line.value) for line in self.lines]
        if self.inclusive:
            amounts = [
                amount - rounded(amount * rate / (1 + rate))
                for amount, rate in zip(
                    amounts, (rates.get(line.tax_code, Decimal()) for line in self.lines), strict=True
                )
            ]
        amounts[0] += self._local(self.value) - tax - sum(amounts)
        lines = (
            Line(line.gl_code, line.value, line.tax_code, line.notation, amount)
            for line, amount in zip(self.lines, amounts, strict=True)
        )
        return tuple(lines), tax
