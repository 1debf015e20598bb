"""One document's codes looked up in a mapping: what stands for what, and where a cost is posted (FINANCE §4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from airflow_provider_mlconnector.documents.allocation import Cost, Share
from airflow_provider_mlconnector.documents.coding import BilledLine
from airflow_provider_mlconnector.documents.invoice import Allocation
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.mapping.model import ChargeRule, CodeMap, CostCenterMode, MappingSet, look_up

_RULES = {
    Cost.FREIGHT: "freight",
    Cost.HANDLING: "handling",
    Cost.MISCELLANEOUS: "miscellaneous",
    Cost.DISCOUNT: "discount",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Where a share is posted."""

    gl_code: str
    cost_center: str
    analysis_category: str
    source_account: str


@dataclass(slots=True)
class Coder:
    """Looks codes up once per document; thousands of lines share few of them.

    Attributes:
        mapping: The code maps and policies.
        day: Codes with effective dates are those of this day.
        billed: The lines that bill an order line, by place.
    """

    mapping: MappingSet
    day: date
    billed: Mapping[int, BilledLine] = field(default_factory=dict)
    _known: dict[tuple[str, str, Cost], Account] = field(default_factory=dict)

    def mapped(self, codes: CodeMap, code: str, what: str) -> str:
        """Return the target's code.

        Raises:
            Parked: ``unmapped_<what>``, the code is the subject.
        """
        found = look_up(codes, code, self.day)
        if found is None:
            ended = f" on {self.day}" if code in codes else ""
            msg = f"{what} {code} is not mapped{ended}"
            raise Parked(msg, code=f"unmapped_{what.replace(' ', '_')}", subject=code)
        return found

    def billed_by(self, share: Share) -> int | None:
        """Return the place of the line if it bills an order line and bears the share on its own accounts."""
        return share.line if share.line in self.billed and self._rule(share.cost) == ChargeRule() else None

    def account_of(self, share: Share, line: int) -> Account:
        """Return where a share is posted.

        What goes into stock has no account, neither on the order nor on the invoice, and needs none: once received, it
        stands on the suspense account.
        """
        suspense, place = self.mapping.receipts.suspense_account, self.billed_by(share)
        if place is not None and self.billed[place].received and suspense and not share.allocation.account:
            return Account(suspense, "", "", "")
        return self.account(share.allocation, share.cost, line)

    def account(self, allocation: Allocation, cost: Cost, line: int) -> Account:
        """Return where a cost of a line is posted that its source allocates so.

        Raises:
            Parked: ``unmapped_account`` or ``unmapped_cost_center``.
            Rejected: ``missing_account`` or ``missing_cost_center``.
        """
        key = (allocation.account, allocation.cost_center, cost)
        if key not in self._known:
            self._known[key] = self._resolve(allocation, cost, line)
        return self._known[key]

    def _rule(self, cost: Cost) -> ChargeRule:
        rule: ChargeRule = getattr(self.mapping.charges, _RULES[cost]) if cost in _RULES else ChargeRule()
        return rule

    def _resolve(self, allocation: Allocation, cost: Cost, line: int) -> Account:
        rule = self._rule(cost)
        if rule.gl_code:
            return Account(rule.gl_code, "", "", "")
        centers = self.mapping.cost_centers
        section = "" if centers.mode is CostCenterMode.NONE else self._cost_center(allocation, line)
        account = rule.account or self._ledger_account(allocation, line)
        source = "" if rule.account else allocation.account
        if centers.mode is CostCenterMode.GL_SECTION:
            code = centers.template.replace("{cost_center}", section).replace("{account}", account)
            return Account(code, "", "", source)
        return Account(account, section, centers.analysis_category if section else "", source)

    def _ledger_account(self, allocation: Allocation, line: int) -> str:
        if allocation.account:
            return self.mapped(self.mapping.accounts, allocation.account, "account")
        if self.mapping.defaults.account:
            return self.mapping.defaults.account
        msg = f"line {line} has no account; code it at the source"
        raise Rejected(msg, code="missing_account", field="lines.allocations")

    def _cost_center(self, allocation: Allocation, line: int) -> str:
        centers = self.mapping.cost_centers
        if allocation.cost_center:
            return self.mapped(centers.map, allocation.cost_center, "cost center")
        if self.mapping.defaults.cost_center or centers.mode is CostCenterMode.ANALYSIS:
            return self.mapping.defaults.cost_center
        msg = f"line {line} has no cost center; code it at the source"
        raise Rejected(msg, code="missing_cost_center", field="lines.allocations")
