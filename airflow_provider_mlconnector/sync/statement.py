"""A reconciliation on paper: one self-contained HTML page to read or print, one CSV to calculate with. Pure.

Everything in them comes from other systems, so every text is escaped in the page, and in the CSV no cell can become a
formula of a spreadsheet (numbers are ours and stay numbers).
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any, Final

from airflow_provider_mlconnector.documents.currency import EXACT, minor_unit
from airflow_provider_mlconnector.documents.reconciliation import Area
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.sync.differences import Difference, Row, Tally
from airflow_provider_mlconnector.sync.reconcile import Reconciliation

Cell = str | int | Decimal | None
_CENT: Final = Decimal("0.01")
_LONG: Final = 40
_PERIOD: Final = re.compile(r"\d{4}-\d{2}")
SHOWN: Final = 200
"""Differences of one cause that the page lists; the CSV has all of them."""
BOM: Final = "\ufeff"
"""Spreadsheets read a CSV as UTF-8 only when it begins with this."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS: Final = (
    *("section", "area", "kind", "period", "currency", "label", "left key", "right key"),
    *("left count", "right count", "left amount", "right amount", "difference"),
    *("explained", "cause", "why", "what differs"),
)
_TITLES: Final[Mapping[str, str]] = {
    Area.INVOICES: "Invoices and credit memos",
    Area.BALANCES: "Still owed, of invoices both sides have",
    Area.SUPPLIERS: "Suppliers",
    Area.ORDERS: "Open purchase orders",
    Area.LEDGER: "General ledger",
}


def summary(result: Reconciliation) -> dict[str, Any]:
    """Return what travels by XCom and stands in lists: counts, never documents or amounts."""
    areas: dict[str, dict[str, int]] = {}
    for area in (*result.areas, Area.BALANCES):
        tallies = [tally for row, tally in result.findings.tallies.items() if row[0] == area]
        listed = [one for one in result.findings.differences if one.row[0] == area]
        areas[str(area)] = {
            "left": sum(tally.left_count for tally in tallies),
            "right": sum(tally.right_count for tally in tallies),
            "agree": sum(tally.agree for tally in tallies),
            "by_hand": sum(tally.by_hand for tally in tallies),
            "differences": len(listed),
            "unexplained": sum(not one.reason.explained for one in listed),
        }
    return {
        "left": result.left,
        "right": result.right,
        "from": result.span.start.isoformat(),
        "to": result.span.end.isoformat(),
        "made_at": result.made_at.isoformat(),
        "store": result.store,
        "differences": len(result.findings.differences),
        "unexplained": result.findings.unexplained,
        "areas": areas,
    }


# --- CSV -----------------------------------------------------------------------------------------------------------


def to_csv(result: Reconciliation) -> str:
    """Return the report as CSV (RFC 4180, with a byte order mark): totals, differences, accounts, one row each."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row, tally in sorted(result.findings.tallies.items()):
        writer.writerow([safe(cell) for cell in _total(row, tally)])
    for difference in result.findings.differences:
        writer.writerow([safe(cell) for cell in _difference(difference)])
    for cells in _account_rows(result):
        writer.writerow([safe(cell) for cell in cells])
    return BOM + out.getvalue()


def safe(cell: Cell) -> str:
    """Return a cell that no spreadsheet takes for a formula: texts that could be one get an apostrophe in front."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, int):
        return str(cell)
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def _total(row: Row, tally: Tally) -> list[Cell]:
    counts: list[Cell] = [tally.left_count, tally.right_count, tally.left_sum, tally.right_sum]
    return ["total", *row, "", "", "", *counts, tally.left_sum - tally.right_sum, "", "", "", ""]


def _difference(one: Difference) -> list[Cell]:
    counts: list[Cell] = [int(one.left is not None), int(one.right is not None), one.left, one.right]
    said = ["yes" if one.reason.explained else "NO", one.reason.code, one.reason.text, one.what]
    return ["difference", *one.row, one.label, one.left_key, one.right_key, *counts, _delta(one), *said]


def _account_rows(result: Reconciliation) -> Iterable[list[Cell]]:
    if result.ledger is None:
        return
    period = f"{result.ledger.year}/{result.ledger.number:02d}"
    for line in result.accounts:
        account = line.account
        text = (
            f"debit {account.debit}, credit {account.credit}, balance {account.balance}, before {account.previous}, "
            f"waiting {line.waiting}, postings in foreign currencies {line.foreign}"
        )
        label = f"{account.code} {account.description}"
        moved = account.debit - account.credit
        keys: list[Cell] = ["account", Area.LEDGER, "account", period, result.ledger.currency, label, "", account.code]
        yield [*keys, None, None, line.ours, moved, line.ours - moved, "", "", text, ""]


def _delta(one: Difference) -> Decimal:
    return (one.left or Decimal(0)) - (one.right or Decimal(0))


# --- HTML ----------------------------------------------------------------------------------------------------------


def to_html(result: Reconciliation) -> str:
    """Return the report as one page: no script, nothing from elsewhere, printable."""
    title = f"Reconciliation {result.left} – {result.right}, {result.span}"
    areas = [area for area in Area if area in result.areas or area is Area.BALANCES]
    parts = [_head(result, title), _unexplained(result), *(_area(result, area) for area in areas)]
    parts += [_ledger(result), *_explained(result), _states(result)]
    return f"{_PAGE.format(title=escape(title), style=_STYLE)}{''.join(parts)}</main></body></html>\n"


def _head(result: Reconciliation, title: str) -> str:
    count = result.findings.unexplained
    verdict = (
        '<p class="verdict good">Unexplained: 0 — every difference below has a known cause.</p>'
        if not count
        else f'<p class="verdict bad">Unexplained: {count} — somebody must look at them.</p>'
    )
    facts = (
        f"Documents dated {result.span}, compared {result.made_at:%Y-%m-%d %H:%M} UTC; "
        f"{len(result.findings.differences)} differences, explained by store {result.store}."
    )
    return f"<h1>{escape(title)}</h1><p>{escape(facts)}</p>{verdict}"


def _area(result: Reconciliation, area: Area) -> str:
    rows = sorted((row, tally) for row, tally in result.findings.tallies.items() if row[0] == area)
    title = f"<h2>{escape(_TITLES[area])}</h2>"
    if not rows:
        return f"{title}<p>None on either side.</p>"
    money = area is not Area.SUPPLIERS
    left, right = result.left, result.right
    sums = (f"sum {left}", f"sum {right}", "difference") if money else ()
    head = ("kind", "period", "currency", left, right, *sums, "agree", "by hand")
    body = []
    for (_, kind, period, currency), tally in rows:
        amounts = (tally.left_sum, tally.right_sum, tally.left_sum - tally.right_sum) if money else ()
        cells = [kind.replace("_", " "), period, currency, tally.left_count, tally.right_count]
        cells += [_money(amount, currency) for amount in amounts]
        body.append(([*cells, tally.agree, tally.by_hand or ""], tally_differs(tally)))
    return title + _table(head, body, numbers_from=3)


def tally_differs(tally: Tally) -> bool:
    """Tell whether a line of totals does not agree."""
    return (tally.left_count, tally.left_sum) != (tally.right_count, tally.right_sum)


def _ledger(result: Reconciliation) -> str:
    if result.ledger is None:
        return ""
    title = (
        f"<h2>{_TITLES[Area.LEDGER]}, period {result.ledger.year}/{result.ledger.number:02d}</h2>"
        "<p>Accounts we post to. Others post to them too: what is not ours is shown, not judged.</p>"
    )
    head = ("account", "description", "debit", "credit", "balance", "period before", "ours", "not ours", "waiting")
    body = []
    for line in result.accounts:
        account = line.account
        shown = (account.debit, account.credit, account.balance, account.previous, line.ours, line.others, line.waiting)
        note = f" (+ {line.foreign} in foreign currency)" if line.foreign else ""
        cells = [account.code, account.description + note, *(_money(v, result.ledger.currency) for v in shown)]
        body.append((cells, False))
    return title + _table(head, body, numbers_from=2)


def _unexplained(result: Reconciliation) -> str:
    open_ones = [one for one in result.findings.differences if not one.reason.explained]
    return f"<h2>Unexplained differences</h2>{_listed(result, open_ones)}" if open_ones else ""


def _explained(result: Reconciliation) -> Iterable[str]:
    groups: dict[tuple[str, str], list[Difference]] = defaultdict(list)
    for one in result.findings.differences:
        if one.reason.explained:
            groups[one.row[0], one.reason.code].append(one)
    yield "<h2>Explained differences</h2>" + ("" if groups else "<p>None.</p>")
    for (area, code), listed in sorted(groups.items()):
        yield f"<h3>{escape(_TITLES[area])}: {escape(code.replace('_', ' '))} ({len(listed)})</h3>"
        yield _listed(result, listed)


def _listed(result: Reconciliation, listed: Sequence[Difference]) -> str:
    head = ("what", "document", "period", "currency", result.left, result.right, "why")
    body = []
    for one in listed[:SHOWN]:
        _, kind, period, currency = one.row
        sides = (one.left, one.right)
        if one.row[0] == Area.SUPPLIERS:
            amounts = ["missing" if amount is None else "there" for amount in sides]
        else:
            amounts = ["" if amount is None else _money(amount, currency) for amount in sides]
        why = f"{one.what}: {one.reason.text}" if one.what else one.reason.text
        keys = f" [{' / '.join(key for key in (one.left_key, one.right_key) if key)}]"
        body.append(([kind.replace("_", " "), one.label + keys, period, currency, *amounts, why], False))
    more = len(listed) - SHOWN
    rest = f"<p>{more} more of this cause are in the CSV.</p>" if more > 0 else ""
    return _table(head, body, numbers_from=4, numbers_to=6) + rest


def _states(result: Reconciliation) -> str:
    rows = [
        ([route, state.replace("_", " "), count], False)
        for route, counts in result.states.items()
        for state, count in counts.items()
    ]
    if not rows:
        return ""
    return "<h2>Where the documents stand</h2>" + _table(("route", "state", "documents"), rows, numbers_from=2)


def _table(
    head: Sequence[str], body: Iterable[tuple[Sequence[object], bool]], *, numbers_from: int, numbers_to: int = 99
) -> str:
    """Return a table; columns in the range are aligned as numbers, marked rows stand out."""

    def cells(tag: str, values: Sequence[object]) -> str:
        styles = [
            " class=n" if numbers_from <= place < numbers_to else _style_of(str(value))
            for place, value in enumerate(values)
        ]
        shown = zip(styles, values, strict=True)
        return "".join(f"<{tag}{style}>{escape(str(value))}</{tag}>" for style, value in shown)

    rows = "".join(f"<tr{' class=off' if marked else ''}>{cells('td', values)}</tr>" for values, marked in body)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{rows}</tbody></table>"


def _style_of(text: str) -> str:
    """Break a word that would push the table off the page, and no period at its hyphen."""
    if _PERIOD.fullmatch(text):
        return " class=p"
    return " class=w" if any(len(word) > _LONG for word in text.split()) else ""


def _money(amount: Decimal, currency: str) -> str:
    """Write an amount with its currency's decimals, and more only where there are more."""
    try:
        unit = minor_unit(currency)
    except Rejected:
        unit = _CENT
    shown = amount.quantize(unit, context=EXACT)
    return f"{shown:,f}" if shown == amount else f"{amount.normalize(EXACT):,f}"


_PAGE: Final = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>{style}</style></head><body><main>"
)
_STYLE: Final = """
body{margin:0;background:#f4f6f5;color:#1d2b26;font:14px/1.45 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px 32px;background:#fff}
h1{font-size:22px;margin:0 0 4px}h2{font-size:17px;margin:28px 0 8px;border-bottom:2px solid #cfe0d8;padding-bottom:4px}
h3{font-size:14px;margin:18px 0 6px}p{margin:4px 0}
table{border-collapse:collapse;width:100%;margin:6px 0 12px}
th,td{padding:4px 8px;text-align:left;vertical-align:top;border-bottom:1px solid #e3e9e6}
.w{overflow-wrap:anywhere}th,td:first-child,td:nth-child(3),.p{white-space:nowrap}th{background:#eef4f1;font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums}td.n{white-space:nowrap}th.n{white-space:normal}
tr.off td{background:#fdf6e3}.verdict{padding:10px 14px;border-radius:6px;font-weight:600;margin:12px 0}
.good{background:#e2f3e8;color:#14532d}.bad{background:#fde8e6;color:#8a1c12}
@media print{body{background:#fff}main{max-width:none;padding:0}thead{display:table-header-group}tr{break-inside:avoid}
h2,h3{break-after:avoid}.verdict,tr.off td,th{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@page{size:A4 landscape;margin:12mm}
"""
