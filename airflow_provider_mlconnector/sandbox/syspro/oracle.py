"""The books as JSON-able data: the oracle of every test. Amounts are text with two decimals."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.ledger_rules import GRN_SUSPENSE
from airflow_provider_mlconnector.sandbox.syspro.money import show
from airflow_provider_mlconnector.sandbox.syspro.receipts import Receipt
from airflow_provider_mlconnector.sandbox.syspro.records import (
    ApInvoice,
    ApPosting,
    ApTransaction,
    GlJournal,
    LogonRecord,
    Origin,
    RegisteredInvoice,
    Supplier,
    WriteAttempt,
)
from airflow_provider_mlconnector.sandbox.syspro.records_po import Order, OrderLine
from airflow_provider_mlconnector.sandbox.syspro.sim_texts import JOURNAL_POSTED
from airflow_provider_mlconnector.sandbox.syspro.tables_gl import balance

_ALWAYS = (9999, 12)


def ledger(books: Books) -> dict[str, object]:
    """Return everything stored and everything attempted; what was purged stays visible here, marked."""
    return {
        "ap_invoices": [
            *(_invoice(row, purged=False) for row in books.invoices),
            *(_invoice(row, purged=True) for row in books.purged if isinstance(row, ApInvoice)),
        ],
        "ap_transactions": [
            *(_transaction(row, purged=False) for row in books.transactions),
            *(_transaction(row, purged=True) for row in books.purged if isinstance(row, ApTransaction)),
        ],
        "suppliers": [
            *(_supplier(row, deleted=False) for row in books.suppliers.values()),
            *(_supplier(row, deleted=True) for row in books.deleted_suppliers),
        ],
        "purchase_orders": [_order(row) for row in books.orders.by_number.values()],
        "receipts": [_receipt(row) for row in (*books.receipts.rows(), *books.receipts.taken_back)],
        "grn_suspense": {
            "gl_balance": show(balance(books.accounts[GRN_SUSPENSE], _ALWAYS)),
            "not_invoiced": show(sum(row.outstanding_value for row in books.receipts.rows())),
        },
        "registered_invoices": [
            *(_registered(row, approved=False) for row in books.all_registered()),
            *(_registered(row, approved=True) for row in books.approved),
        ],
        "payments": [_transaction(row, purged=False) for row in books.transactions if row.type == "P"],
        "gl_journals": [_journal(row) for row in books.journals],
        "gl_entries": _totals(books),
        "write_attempts": [_attempt(row) for row in books.attempts],
    }


def logon(record: LogonRecord) -> dict[str, object]:
    """Return one logon attempt."""
    return {
        "request_no": record.request_no,
        "at": record.at.isoformat(),
        "operator": record.operator,
        "company": record.company,
        "outcome": record.outcome,
        "reason": record.reason,
        "wrong_attempts": record.wrong_attempts,
    }


def _origin(origin: Origin) -> dict[str, object]:
    return {
        "request_no": origin.request_no,
        "at": origin.at.isoformat(),
        "by": origin.by,
        "operator": origin.operator,
    }


def _supplier(row: Supplier, *, deleted: bool) -> dict[str, object]:
    return {"supplier": row.key, **row.fields, "deleted": deleted, **_origin(row.origin)}


def _order(row: Order) -> dict[str, object]:
    """Return an order with its lines, removed ones included; the origin is that of the add, ``changes`` those after."""
    return {
        "purchase_order": row.number,
        "customer_po": row.customer_po,
        "supplier": row.supplier,
        "status": row.status,
        "currency": row.currency,
        "rate": str(row.rate),
        "value": show(row.value),
        "order_date": row.ordered_on.isoformat(),
        "due_date": row.due.isoformat() if row.due else "",
        "amended": row.amended,
        "fields": row.fields,
        "lines": [
            *(_order_line(line, removed=False) for line in row.lines.values()),
            *(_order_line(line, removed=True) for line in row.removed),
        ],
        "changes": [_origin(origin) for origin in row.origins[1:]],
        **_origin(row.origins[0]),
    }


def _order_line(line: OrderLine, *, removed: bool) -> dict[str, object]:
    return {
        "line": line.number,
        "type": line.kind,
        "stock_code": line.fields["StockCode"],
        "description": line.fields["StockDescription"],
        "comment": line.fields.get("Comment", ""),
        "qty": str(line.quantity),
        "uom": line.fields["OrderUom"],
        "price": str(line.price),
        "charge": show(line.charge),
        "value": show(line.value),
        "gl_code": line.fields["LedgerCode"],
        "product_class": line.fields["ProductClass"],
        "received": str(line.received),
        "due_date": line.due.isoformat() if line.due else "",
        "removed": removed,
    }


def _receipt(row: Receipt) -> dict[str, object]:
    return {
        "supplier": row.supplier,
        "grn": row.grn,
        "journal": row.journal,
        "entry": row.entry,
        "purchase_order": row.purchase_order,
        "line": row.line,
        "stock_code": row.stock_code,
        "debit_code": row.debit_code,
        "qty": str(row.quantity),
        "value": show(row.value),
        "foreign_value": show(row.foreign_value),
        "currency": row.currency,
        "matched_qty": str(row.matched_quantity),
        "matched_value": show(row.matched_value),
        "matched": row.matched,
        "reversed": row.reversed,
        "delivery_note": row.delivery_note,
        **_origin(row.origin),
    }


def _posting(row: ApPosting) -> dict[str, object]:
    return {
        "supplier": row.supplier,
        "invoice": row.invoice,
        "type": row.type,
        "value": show(row.value),
        "tax_value": show(row.tax_value),
        "tax_code": row.tax_code,
        "currency": row.currency,
        "rate": str(row.rate),
        "mul_div": row.mul_div,
        "reference": row.reference,
        "year": row.year,
        "month": row.month,
        "journal": row.journal,
        "entry": row.entry,
        "lines": [
            {
                "gl_code": line.gl_code,
                "value": show(line.value),
                "local_value": show(line.local),
                "tax_code": line.tax_code,
                "notation": line.notation,
            }
            for line in row.lines
        ],
        "grn_matches": [
            {
                "grn": match.receipt.grn,
                "purchase_order": match.receipt.purchase_order,
                "line": match.receipt.line,
                "qty": str(match.quantity),
                "value": show(match.value),
            }
            for match in row.matches
        ],
        **_origin(row.origin),
    }


def _invoice(row: ApInvoice, *, purged: bool) -> dict[str, object]:
    return {
        **_posting(row),
        "branch": row.branch,
        "status": row.status,
        "invoice_date": row.invoice_date.isoformat(),
        "due_date": row.due_date.isoformat(),
        "balance": show(row.balance),
        "purged": purged,
    }


def _transaction(row: ApTransaction, *, purged: bool) -> dict[str, object]:
    return {**_posting(row), "sequence": row.sequence, "reversed": row.reversed, "purged": purged}


def _registered(row: RegisteredInvoice, *, approved: bool) -> dict[str, object]:
    return {
        "supplier": row.supplier,
        "invoice": row.invoice,
        "value": show(row.value),
        "invoice_date": row.invoice_date.isoformat(),
        "due_date": row.due_date.isoformat(),
        "reference": row.reference,
        "orders": list(row.orders),
        "entry": row.entry,
        "approved": approved,
        **_origin(row.origin),
    }


def _journal(row: GlJournal) -> dict[str, object]:
    return {
        "year": row.year,
        "period": row.period,
        "journal": row.journal,
        "source": row.source,
        "reference": row.reference,
        "notation": row.notation,
        "journal_date": row.journal_date.isoformat(),
        "status": row.status,
        "authorized": row.authorized,
        "ap_journal": row.ap_journal or None,
        "debit": show(row.debit),
        "credit": show(row.credit),
        "entries": [
            {"gl_code": e.gl_code, "amount": show(e.amount), "reference": e.reference, "comment": e.comment}
            for e in row.entries
        ],
        **_origin(row.origin),
    }


def _totals(books: Books) -> dict[str, object]:
    """Return what reached the general ledger: posted journals only, and the balance of each account that moved."""
    posted = [row for row in books.journals if row.status == JOURNAL_POSTED]
    return {
        "debit": show(sum(row.debit for row in posted)),
        "credit": show(sum(row.credit for row in posted)),
        "count": sum(len(row.entries) for row in posted),
        "balances": {
            code: show(balance(account, _ALWAYS)) for code, account in books.accounts.items() if account.balances
        },
    }


def _attempt(row: WriteAttempt) -> dict[str, object]:
    return {
        **_origin(row.origin),
        "bo": row.bo,
        "supplier": row.supplier,
        "invoice": row.invoice,
        "type": row.type,
        "value": row.value,
        "reference": row.reference,
        "outcome": row.outcome,
        "reason": row.reason,
        "validate_only": row.validate_only,
        "key": row.key,
    }
