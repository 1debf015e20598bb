"""What SYSPRO's books must say, worked out anew from the JAGGAER side alone: no code of the package takes part.

Amounts are exact fractions. What a share of a percentage or of a header charge comes to in cents is the connector's
choice (largest remainder), so each GL code may be off by less than one minor unit per share that lies on it; everything
without such shares must agree to the cent, and every total always.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.jaggaer.draft import MINOR_DIGITS, Draft, Line, Split
from airflow_provider_mlconnector.sandbox.jaggaer.recipes import RECIPES

TAXES = ("taxCharge1", "taxCharge2")
SIGNS = {"shippingCharge": 1, "handlingCharge": 1, "discountAmount": -1}
FREIGHT = "5500"
AP_CONTROL, INPUT_TAX = "00-2100", "00-2300"
ACCOUNTS = {account.jaggaer_code: account.syspro_code for account in master.ACCOUNTS}
SECTIONS = {center: section for center, (section, _name) in master.COST_CENTERS.items()}


@dataclass
class Expected:
    """What one invoice or credit memo must look like in AP, in the supplier's currency, all values positive."""

    supplier: str
    number: str
    kind: str
    gross: Decimal
    tax: Decimal
    currency: str
    branch: str
    invoice_date: str
    unit: Decimal
    codes: defaultdict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    slack: Counter[str] = field(default_factory=Counter)

    @property
    def key(self) -> tuple[str, str, str]:
        """(supplier, number, C or I) as SYSPRO stores it; a credit stands under its original's number."""
        return self.supplier, self.number, self.kind

    def problems(self, posting: Mapping[str, Any]) -> list[str]:
        """Compare with a posting of the oracle; empty when it is this one to the cent."""
        said = {
            "value": (Decimal(posting["value"]), self.gross),
            "tax": (Decimal(posting["tax_value"]), self.tax),
            "currency": (posting["currency"], "$" if self.currency == "USD" else self.currency),
            "lines": (sum(Decimal(line["value"]) for line in posting["lines"]), self.gross - self.tax),
        }
        if self.kind == "I":
            said |= {"date": (posting["invoice_date"], self.invoice_date), "branch": (posting["branch"], self.branch)}
        wrong = [f"{what} {there}, not {here}" for what, (there, here) in said.items() if there != here]
        booked: defaultdict[str, Decimal] = defaultdict(Decimal)
        for line in posting["lines"]:
            booked[line["gl_code"]] += Decimal(line["value"])
        for code in self.codes.keys() | booked.keys():
            off = abs(Fraction(booked[code]) - self.codes[code])
            if off and off >= Fraction(self.unit) * self.slack[code]:
                wrong.append(f"{code}: {booked[code]} booked, {float(self.codes[code]):.4f} expected")
        return [f"{self.supplier} {self.number} {self.kind}: {text}" for text in wrong]


def expected(draft: Draft, originals: Mapping[str, str]) -> Expected:
    """Work out one draft; ``originals`` gives the supplier's number of an invoice by JAGGAER's own."""
    unit = Decimal(1).scaleb(-MINOR_DIGITS.get(draft.currency, 2))
    additional = {name: value for name, value in draft.charges.items() if name not in draft.repeated}
    tax = sum((line.charges.get(name, Decimal(0)) for line in draft.lines for name in TAXES), Decimal(0))
    tax += sum((additional.get(name, Decimal(0)) for name in TAXES), Decimal(0))
    credit = draft.type == "Credit memo"
    result = Expected(
        supplier=draft.supplier.number,
        number=originals[draft.original or ""] if credit else draft.number,
        kind="C" if credit else "I",
        gross=draft.total,
        tax=tax,
        currency=draft.currency,
        branch=master.BUSINESS_UNITS[draft.business_unit][1],
        invoice_date=draft.invoice_date.isoformat(),
        unit=unit,
    )
    goods = [line.extended.quantize(unit, rounding=ROUND_HALF_UP) for line in draft.lines]
    weight = sum(abs(amount) for amount in goods)
    for line, amount in zip(draft.lines, goods, strict=True):
        result_of_line(result, line, amount)
        for name, sign in SIGNS.items():
            own = Fraction(sign * line.charges.get(name, Decimal(0)))
            header = Fraction(sign * additional.get(name, Decimal(0))) * Fraction(abs(amount)) / Fraction(weight or 1)
            if own or header:
                spread = bool(header) and len(draft.lines) > 1
                charge_of_line(result, line, amount, own + header, freight=name == "shippingCharge", spread=spread)
    return result


def result_of_line(result: Expected, line: Line, amount: Decimal) -> None:
    """Book a line's goods onto its splits."""
    for split, share in shares(line, amount):
        code = f"{SECTIONS[split.cost_center]}-{ACCOUNTS[split.account]}"
        result.codes[code] += share * Fraction(amount)
        result.slack[code] += line.split_type == "PercentOfPrice"


def charge_of_line(
    result: Expected, line: Line, amount: Decimal, charge: Fraction, *, freight: bool, spread: bool
) -> None:
    """Book a line's charge in the proportion of its splits: freight on its own account, everything else on theirs."""
    for split, share in shares(line, amount):
        code = f"{SECTIONS[split.cost_center]}-{FREIGHT if freight else ACCOUNTS[split.account]}"
        result.codes[code] += share * charge
        result.slack[code] += spread or len(line.splits) > 1


def shares(line: Line, amount: Decimal) -> Iterable[tuple[Split, Fraction]]:
    """Yield each split with its fraction of the line."""
    for split in line.splits:
        if split.share is None:
            yield split, Fraction(1)
        elif line.split_type == "PercentOfPrice":
            yield split, Fraction(split.share) / 100
        else:
            yield split, Fraction(split.share) / Fraction(amount)


def drafts(app: Any) -> dict[str, Draft]:
    """Return every draft of the tenant by its key: those it began with, and those made by a recipe since."""
    generator = app.jaggaer._store._generator
    made = {key: row["label"] for key, row in app.jaggaer.truth().items() if row["label"] in RECIPES}
    since = {key: generator.draft(int(key), label) for key, label in made.items() if int(key) not in generator.ids}
    return {str(key): generator.draft(key) for key in generator.ids} | since


def all_expected(app: Any, keys: Iterable[str]) -> list[Expected]:
    """Work out the documents of these keys."""
    known = drafts(app)
    originals = {f"I{key - 900_000:06d}": draft.number for key, draft in ((int(k), d) for k, d in known.items())}
    return [expected(known[key], originals) for key in keys]


def compare(ledger: Mapping[str, Any], wanted: Iterable[Expected]) -> list[str]:
    """Compare AP with what is expected: every document once, to the cent, and nothing else by the API."""
    wrong: list[str] = []
    waiting: defaultdict[tuple[str, str, str], list[Expected]] = defaultdict(list)
    for document in wanted:
        waiting[document.key].append(document)
    postings = [row for row in (*ledger["ap_invoices"], *ledger["ap_transactions"]) if row["by"] == "api"]
    for posting in postings:
        key = (posting["supplier"], posting["invoice"], posting["type"])
        candidates = waiting.get(key, [])
        fits = next((one for one in candidates if not one.problems(posting)), None)
        if fits is None:
            wrong += candidates[0].problems(posting) if candidates else [f"{key}: booked, but nothing like it was sent"]
            continue
        candidates.remove(fits)
    wrong += [f"{key}: missing in SYSPRO" for key, rest in waiting.items() for _ in rest]
    return wrong


def general_ledger_problems(ledger: Mapping[str, Any]) -> list[str]:
    """Check the ledger made of AP: each journal balances, mirrors its AP documents code by code, and all sums agree."""
    wrong = []
    by_journal: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for posting in (*ledger["ap_invoices"], *ledger["ap_transactions"]):
        by_journal[posting["journal"]].append(posting)
    for journal in ledger["gl_journals"]:
        if Decimal(journal["debit"]) != Decimal(journal["credit"]):
            wrong.append(f"GL journal {journal['journal']}: debit {journal['debit']}, credit {journal['credit']}")
        booked: defaultdict[str, Decimal] = defaultdict(Decimal)
        for entry in journal["entries"]:
            booked[entry["gl_code"]] += Decimal(entry["amount"])
        for posting in by_journal[journal["ap_journal"]]:
            sign = -1 if posting["type"] == "C" else 1
            rate = Decimal(posting["rate"])
            for line in posting["lines"]:
                local, value = Decimal(line["local_value"]), Decimal(line["value"])
                booked[line["gl_code"]] -= sign * local
                exact = value / rate if posting["mul_div"] == "D" else value * rate
                if abs(local - exact) > Decimal("0.01") * len(posting["lines"]):
                    wrong.append(f"{posting['invoice']}: {value} at {rate} became {local}")
        left = {code: amount for code, amount in booked.items() if amount and code not in {AP_CONTROL, INPUT_TAX}}
        if left or (
            booked[AP_CONTROL] + booked[INPUT_TAX] != 0 and not _is_gross(booked, by_journal[journal["ap_journal"]])
        ):
            wrong.append(f"GL journal {journal['journal']}: {left or dict(booked)} unexplained")
    totals = ledger["gl_entries"]
    if Decimal(totals["debit"]) != Decimal(totals["credit"]):
        wrong.append(f"ledger: debit {totals['debit']}, credit {totals['credit']}")
    return wrong


def _is_gross(booked: Mapping[str, Decimal], postings: Iterable[Mapping[str, Any]]) -> bool:
    """Whether control and tax account hold what the local suppliers' documents come to (foreign ones: by the lines)."""
    owed = Decimal(0)
    for posting in postings:
        sign = -1 if posting["type"] == "C" else 1
        owed += sign * sum((Decimal(line["local_value"]) for line in posting["lines"]), Decimal(0))
    return -(booked[AP_CONTROL] + booked[INPUT_TAX]) == owed
