"""Fills the site: master data as set up, orders and vouchers generated from the seed, each a function of its number."""

from __future__ import annotations

import calendar
import random
from collections import deque
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import order_recipes, posting, recipes, setup, voucher_recipes
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.order_recipes import OrderDraft
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.paying import pay
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.receiving import receive
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.rules_ap import ADJUSTMENT, SEQUENCE_STEP
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.tables_gl import PERIODS
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.tables_po import extended
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.voucher_recipes import VoucherDraft
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Row

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

USER = "generator"
FIRST_INVOICE = 70_000
_ORDER, _LINE, _VOUCHER, _VENDOR, _SETUP_DAYS = 1, 3, 5, 7, 400


class Filling:
    """Writes what is there at the start; the same seed, counts and start give the same rows."""

    def __init__(self, books: CsiBooks) -> None:
        self._books = books
        self._seed, self._start = books.site.seed, books.start
        self._setup = Origin(self._start - timedelta(days=_SETUP_DAYS), USER)
        self._first_day = _months_back(books.today(self._start), 2)
        self._orders: list[str] = []
        self._vouchers: list[tuple[int, str]] = []
        self._twins = count()
        self._received: deque[tuple[Row, list[Row]]] = deque()

    def truth(self) -> dict[str, Any]:
        """Return the label of each generated order, voucher and vendor."""
        return {
            "orders": {f"P{number:09d}": label for number, label in enumerate(self._orders, start=1)},
            "vouchers": {str(number): label for number, label in self._vouchers},
            "vendors": {setup.vend_num(each.number): each.label for each in setup.vendors(self._books.options.vendors)},
        }

    def fill(self) -> None:
        """Write everything."""
        self._codes()
        self._chart()
        self._calendar()
        for number, known in enumerate(setup.vendors(self._books.options.vendors)):
            self._vendor(number, known)
        options, every = self._books.options, self._books.options.mix == "all"
        orders = order_recipes.RECIPES if every else order_recipes.GOOD
        self._orders = recipes.deal(self._seed, options.purchase_orders, [*orders])
        for number, label in enumerate(self._orders, start=1):
            self._order(number, label)
        vouchers = voucher_recipes.RECIPES if every else voucher_recipes.GOOD
        for number, label in enumerate(recipes.deal(self._seed + 1, options.vouchers, [*vouchers])):
            self._vouchers.append((self._voucher(number, label), label))

    # Master data

    def _codes(self) -> None:
        put = self._put
        for code, (text, days) in setup.TERMS.items():
            put("SLTerms", {"TermsCode": code, "Description": text, "DueDays": days})
        for currency in setup.CURRENCIES.values():
            row = {"CurrCode": currency.code, "Description": currency.description, "Places": currency.places}
            put("SLCurrencyCodes", row | {"BuyRate": currency.rate})
        for code, (text, rate) in setup.TAX_CODES.items():
            row = {"TaxSystem": 1, "TaxCode": code, "Description": text, "TaxRate": rate}
            put("SLTaxcodes", row | {"ApAcct": setup.INPUT_TAX})

    def _chart(self) -> None:
        today = self._books.today(self._start)
        for known in setup.ACCOUNTS:
            row: Row = {"Acct": known.acct, "Description": known.description, "Type": known.type}
            row["EffDate"] = setup.on_day(known.eff, today)
            if known.obs:
                row["ObsDate"] = setup.on_day(known.obs, today)
            self._put("SLCharts", row | {f"AccessUnit{n}": letter for n, letter in enumerate(known.access, start=1)})
        for number, codes in enumerate(setup.UNIT_CODES, start=1):
            for code, text in codes.items():
                self._put(f"SLUnitcd{number}s", {f"Unit{number}": code, "Description": text})
        for account, units in setup.CHART_UNITS:
            for unit in units:
                self._put("SLChartUnitcd1s", {"Acct": account, "Unit1": unit})

    def _calendar(self) -> None:
        """Three fiscal years of calendar months; what is before the second month before the start is closed."""
        today = self._books.today(self._start)
        for year in range(today.year - 1, today.year + 2):
            row: Row = {"FiscalYear": year, "CurPer": today.month if year == today.year else None, "Closed": False}
            for number in range(1, PERIODS + 1):
                first = date(year, number, 1)
                row[f"PerStart_{number}"] = first
                row[f"PerEnd_{number}"] = first.replace(day=calendar.monthrange(year, number)[1])
                row[f"PerClosed_{number}"] = first < self._first_day
            self._put("SLPeriods", row)

    def _vendor(self, number: int, known: setup.Vendor) -> None:
        row = {
            "VendNum": setup.vend_num(known.number), "Name": known.name, "Stat": "A", "CurrCode": known.currency,
            "TermsCode": known.terms, "TaxRegNum1": known.tax_number or None, "VadAddr_1": known.street,
            "VadCity": known.city, "VadZip": known.postal_code, "ExternalEmailAddr": known.email,
            "VadCountry": setup.COUNTRIES[known.currency], "BankCode": "BK1",
        }  # fmt: skip
        at = recipes.moment(self._seed, number, self._start, _VENDOR, self._first_day).changed
        self._books.tables["SLVendors"].insert(row | known.fields, Origin(at, USER), checked=False)

    def _put(self, ido: str, row: Row) -> None:
        self._books.tables[ido].insert(row, self._setup, checked=False)

    # Purchase orders

    def _order(self, number: int, label: str) -> None:
        rng = random.Random(recipes.mixed(self._seed, number, 11))  # noqa: S311 - reproducible test data
        vendor_num = recipes.vendor_of(rng, order_recipes.LABEL_VENDORS.get(label, recipes.PLAIN))
        vendor = self._books.vendor(vendor_num) or {}
        when = recipes.moment(self._seed, number, self._start, _ORDER, self._first_day)
        header: Row = {
            "PoNum": self._books.register.next_order(), "Type": "R", "Stat": "O", "VendNum": vendor_num,
            "OrderDate": when.day, "TermsCode": vendor["TermsCode"], "Buyer": rng.choice(("kay", "lou")),
            "ExchRate": self._books.rate(vendor["CurrCode"]), "Whse": "MAIN",
        }  # fmt: skip
        draft = OrderDraft(vendor["CurrCode"], header, [])
        draft.lines = [order_recipes.line(rng, draft.currency, line) for line in (1, 2)]
        order_recipes.RECIPES[label](draft, rng)
        header["PoCost"] = sum((extended(each) for each in draft.lines), Decimal(0))
        stored = self._books.tables["SLPos"].insert(header, Origin(when.changed, USER), checked=False)
        lines = [self._line(stored, each, number) for each in draft.lines]
        if header["Type"] == "B":
            self._blanket(stored, lines)
        self._receive(stored, lines, draft.received)

    def _line(self, order: Row, values: Row, number: int) -> Row:
        """Store a line; it may have changed after its order did."""
        rate, later = order["ExchRate"], (self._start - order["RecordDate"]) / 2
        part = recipes.mixed(self._seed, number * 100 + values["PoLine"], _LINE) % 1000
        at = order["RecordDate"] + later * (part / 1000)
        row = {"PoNum": order["PoNum"], "Stat": order["Stat"], "QtyOrdered": values["QtyOrderedConv"]} | values
        row |= {"ItemCost": values["ItemCostConv"] * rate, "DueDate": order["OrderDate"] + timedelta(days=21)}
        return self._books.tables["SLPoItems"].insert(row, Origin(at, USER), checked=False)

    def _blanket(self, order: Row, lines: list[Row]) -> None:
        first = lines[0]
        quantity = sum((line["QtyOrderedConv"] for line in lines), Decimal(0))
        row: Row = {name: first.get(name) for name in ("PoNum", "PoLine", "Item", "Description", "UM", "ItemCostConv")}
        row |= {"BlanketQty": quantity, "BlanketQtyConv": quantity, "Stat": order["Stat"]}
        self._books.tables["SLPoBlns"].insert(row, Origin(order["RecordDate"], USER), checked=False)

    def _receive(self, order: Row, lines: list[Row], shares: list[Decimal]) -> None:
        grn, received = "", []
        for line, share in zip(lines, shares, strict=False):
            quantity = (line["QtyOrderedConv"] * share).to_integral_value()
            if quantity:
                grn = grn or self._books.register.next_grn()
                origin = Origin(line["RecordDate"], USER)
                day = self._books.today(origin.at)
                receive(self._books, order, line, quantity, day, grn, origin, checked=False)
                received.append(line)
        if received:
            self._received.append((order, received))

    # Vouchers

    def _voucher(self, number: int, label: str) -> int:
        """Store a voucher as far as its label says it has come; return its number."""
        rng = random.Random(recipes.mixed(self._seed, number, 13))  # noqa: S311 - reproducible test data
        vendor_num = recipes.vendor_of(rng, voucher_recipes.LABEL_VENDORS.get(label, recipes.PLAIN))
        when = recipes.moment(self._seed, number, self._start, _VOUCHER, self._first_day)
        written = f"TWICE-{next(self._twins) // 2}" if label == "same_number" else f"IN{FIRST_INVOICE + number}"
        header: Row = {"VendNum": vendor_num, "Type": "V", "InvNum": written, "InvDate": when.day}
        header |= {"Voucher": self._books.register.next_voucher(), "BGPostingStat": posting.READY, "AuthStatus": "M"}
        currency = (self._books.vendor(vendor_num) or {})["CurrCode"]
        draft = VoucherDraft(currency, header, [voucher_recipes.part(rng, currency)])
        voucher_recipes.RECIPES[label](draft, rng)
        if draft.bills_order and self._received:
            order, lines = self._received.popleft()
            draft.currency = (self._books.vendor(order["VendNum"]) or {})["CurrCode"]
            voucher_recipes.bill(draft, order, lines, rng)
            # an invoice is not dated before the goods came
            header["InvDate"] = max(header["InvDate"], *(line["RcvdDate"] for line in lines))
        self._complete(draft)
        origin = Origin(when.changed, USER)
        store = self._posted if draft.posted else self._unposted
        store(draft, origin)
        return int(header["Voucher"])

    def _complete(self, draft: VoucherDraft) -> None:
        header = draft.header
        vendor = self._books.vendor(header["VendNum"]) or {}
        days, total = setup.TERMS[vendor["TermsCode"]][1], draft.total
        charges = sum((header.get(name, Decimal(0)) for name in ("SalesTax", "Freight")), Decimal(0))
        header |= {
            "DistDate": header["InvDate"], "DueDate": header["InvDate"] + timedelta(days=days), "DueDays": days,
            "InvAmt": total, "PurchAmt": total - charges, "CurrCode": draft.currency, "ApAcct": setup.AP_CONTROL,
            "ExchRate": self._books.rate(draft.currency),
        }  # fmt: skip

    def _unposted(self, draft: VoucherDraft, origin: Origin) -> None:
        key = {name: draft.header[name] for name in ("VendNum", "Voucher")}
        self._books.tables["SLAptrxs"].insert(draft.header, origin, checked=False)
        for number, part in enumerate(draft.parts, start=1):
            row = key | {"DistSeq": number * SEQUENCE_STEP} | part
            self._books.tables["SLAptrxds"].insert(row, origin, checked=False)

    def _posted(self, draft: VoucherDraft, origin: Origin) -> None:
        header = {name: value for name, value in draft.header.items() if name != "BGPostingStat"}
        posting.write_posted(self._books, header, 0, origin)
        posting.write_ledger(self._books, header, draft.parts, origin)
        posting.bill(self._books, header, draft.billed, origin, 0)
        if draft.paid:
            pay(self._books, header["Voucher"], None, self._books.today(origin.at), origin)
        if draft.adjusted is not None:
            first = draft.parts[0]
            header |= {"Type": ADJUSTMENT, "InvAmt": draft.adjusted, "PurchAmt": draft.adjusted}
            header |= {"BGPostingStat": posting.READY}
            self._unposted(VoucherDraft(draft.currency, header, [first | {"Amount": draft.adjusted}]), origin)


def _months_back(day: date, months: int) -> date:
    """Return the first day of the month that many months before."""
    for _ in range(months):
        day = day.replace(day=1) - timedelta(days=1)
    return day.replace(day=1)
