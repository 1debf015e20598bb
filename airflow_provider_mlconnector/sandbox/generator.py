"""The invoices a simulated JAGGAER tenant holds, each a function of (seed, id): 100,000 of them cost little memory."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from typing import Any, Literal

from airflow_provider_mlconnector.sandbox.jaggaer import recipes, wire
from airflow_provider_mlconnector.sandbox.jaggaer.draft import Draft, Line, Split, to_minor
from airflow_provider_mlconnector.sandbox.master import BUSINESS_UNITS

BAD_SHARE = 0.12
"""Share of bad invoices in the ``all`` mix, where there are enough to show every label once and still keep to it."""
DATE_DAYS, UPDATE_DAYS = 60, 30
"""Days before the clock's start over which invoice dates and last updates are spread."""
_UNITS = tuple(BUSINESS_UNITS)
_NUMBER_FORMS = ("NB-{}", "INV{}", "{}/26", "000{}", "r {}")
_MASK = (1 << 64) - 1


class Generator:
    """Generates invoices ``wire.FIRST_ID …`` on demand; the same (seed, count, mix, start) gives the same ones.

    ``count`` includes ``credit_memos`` (None: their natural share). With ``count`` ≥ 60 in the ``all`` mix every label
    of ``recipes.RECIPES`` occurs.
    """

    def __init__(
        self, *, seed: int, count: int, start: datetime, mix: Literal["all", "good"], credit_memos: int | None = None
    ) -> None:
        # milliseconds are all the wire carries
        self._seed, self._start = seed, start.replace(microsecond=0)
        # not further back than the second month before: SYSPRO's AP keeps three periods open
        month = (self._start.replace(day=1) - timedelta(days=1)).replace(day=1) - timedelta(days=1)
        self._first_moment = max(
            self._start - timedelta(days=DATE_DAYS), month.replace(day=1, hour=0, minute=0, second=0)
        )
        self._names = list(recipes.RECIPES)
        position = {name: index for index, name in enumerate(self._names)}
        rng = random.Random(seed)  # noqa: S311 - reproducible test data
        # one byte per invoice is all that is kept
        self._labels = bytes(position[label] for label in _labels(rng, count, mix, credit_memos))

    @property
    def ids(self) -> range:
        """Every generated invoice id, ascending."""
        return range(wire.FIRST_ID, wire.FIRST_ID + len(self._labels))

    def label(self, invoice_id: int) -> str:
        """Return the recipe an invoice was made by."""
        return self._names[self._labels[invoice_id - wire.FIRST_ID]]

    def last_update(self, invoice_id: int) -> datetime:
        """Return when the invoice last changed, to the millisecond; cheap, for filtering whole lists."""
        return self._start - timedelta(milliseconds=self._hash(invoice_id, 1) % (UPDATE_DAYS * 86_400_000))

    def statuses(self, invoice_id: int) -> dict[str, Any]:
        """Return the header fields a list is usually filtered by, without building the invoice."""
        workflow, payment = recipes.STATUSES.get(self.label(invoice_id), recipes.ELIGIBLE)
        return {
            "invoiceId": invoice_id,
            "lastUpdate": self.last_update(invoice_id),
            "workflowStatus": workflow,
            "paymentStatus": payment,
        }

    def draft(self, invoice_id: int, label: str | None = None) -> Draft:
        """Build an invoice with exact amounts; ``label`` is needed for an id that was not generated."""
        label = label or self.label(invoice_id)
        rng = random.Random(self._hash(invoice_id, 3))  # noqa: S311 - reproducible test data
        supplier = recipes.SUPPLIER[rng.choice(recipes.LABEL_SUPPLIERS.get(label, recipes.PLAIN_SUPPLIERS))]
        updated = self.last_update(invoice_id)
        draft = Draft(
            id=invoice_id,
            label=label,
            supplier=supplier,
            currency=supplier.currency,
            number=rng.choice(_NUMBER_FORMS).format(invoice_id),
            business_unit=rng.choice(_UNITS),
            invoice_date=self._day_until(updated, invoice_id),
            last_update=updated,
            lines=[recipes.line(rng, supplier.currency)],
        )
        if label == "credit_memo":
            self._credit(draft, rng)
        recipes.RECIPES[label](draft, rng)
        return draft

    def big(self, invoice_id: int, lines: int) -> Draft:
        """Build one sound invoice with ``lines`` lines under an id that was not generated."""
        draft = self.draft(invoice_id, "plain")
        rng = random.Random(self._hash(invoice_id, 4))  # noqa: S311 - reproducible test data
        draft.lines = [recipes.line(rng, draft.currency) for _ in range(lines)]
        return draft

    def _credit(self, draft: Draft, rng: random.Random) -> None:
        """Credit up to a fifth of the nearest earlier sound invoice: its supplier, currency, unit and coding."""
        original = self.draft(self._original_of(draft.id))
        draft.type, draft.original = "Credit memo", wire.number(original.id)
        draft.supplier, draft.currency = original.supplier, original.currency
        draft.business_unit = original.business_unit
        draft.invoice_date = max(draft.invoice_date, original.invoice_date)
        amount = to_minor(original.total * rng.randint(5, 20) / 100, original.currency)
        coding = original.lines[0].splits[0]
        split = Split(coding.account, coding.cost_center)
        draft.lines = [Line("Credit for returned goods", Decimal(1), amount, [split])]

    def _original_of(self, invoice_id: int) -> int:
        before = range(wire.FIRST_ID, min(invoice_id, self.ids.stop))
        for candidate in reversed(before):
            if _creditable(self.label(candidate)):
                return candidate
        message = f"no invoice before {invoice_id} can be credited"
        raise ValueError(message)

    def _day_until(self, updated: datetime, invoice_id: int) -> date:
        """Spread invoice dates from the first day up to the invoice's own last update."""
        seconds = int((updated - self._first_moment).total_seconds())
        return (self._first_moment + timedelta(seconds=self._hash(invoice_id, 2) % seconds)).date()

    def _hash(self, invoice_id: int, salt: int) -> int:
        """Mix (seed, id, salt) into 64 bits (splitmix64): cheap where a Random per value would not be."""
        value = (invoice_id * 0x9E3779B97F4A7C15 + self._seed * 0xD1B54A32D192ED03 + salt * 0x8CB92BA72F3D8DD7) & _MASK
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        return value ^ (value >> 31)


def _creditable(label: str) -> bool:
    return label in recipes.GOOD and label != "credit_memo" and label not in recipes.OUTSIDE_GOOD_MIX


def _labels(rng: random.Random, count: int, mix: str, credit_memos: int | None) -> list[str]:
    """Deal the labels: good and bad ones in turn, shuffled, with something to credit in front."""
    good = [name for name in recipes.GOOD if mix == "all" or name not in recipes.OUTSIDE_GOOD_MIX]
    # every bad label once where the list is long enough to carry them beside the good ones
    bad_count = max(round(BAD_SHARE * count), min(len(recipes.BAD), count * 2 // 5)) if mix == "all" else 0
    labels = list(islice(cycle(recipes.BAD), bad_count))
    if credit_memos is not None:
        good.remove("credit_memo")
        labels += ["credit_memo"] * credit_memos
    if len(labels) >= count > 0:
        message = f"{count} invoices cannot hold {bad_count} bad ones and {credit_memos} credit memos"
        raise ValueError(message)
    labels += islice(cycle(good), count - len(labels))
    rng.shuffle(labels)
    first = next((index for index, label in enumerate(labels) if _creditable(label)), 0)
    if labels:
        labels[0], labels[first] = labels[first], labels[0]
    return labels
