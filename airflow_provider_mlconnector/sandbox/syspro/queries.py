"""GENQGL, GENQRY, APSQRY and the logon profile (reference/syspro.md §1.7, §2.5, §2.6)."""

from __future__ import annotations

from lxml import etree

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import money, sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import load, text_of
from airflow_provider_mlconnector.sandbox.syspro.orders import shown
from airflow_provider_mlconnector.sandbox.syspro.receipts import GRN_SOURCE, Receipt
from airflow_provider_mlconnector.sandbox.syspro.records import ApInvoice, GlAccount, Supplier
from airflow_provider_mlconnector.sandbox.syspro.sessions import Session
from airflow_provider_mlconnector.sandbox.syspro.tables_ap import BANK_CODE, yes
from airflow_provider_mlconnector.sandbox.syspro.tables_gl import balance
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError, leaf, node


def _account(books: Books, code: str) -> GlAccount:
    account = books.accounts.get(code)
    if account is None:
        raise EnetError(sim_texts.LEDGER_KEY.format(value=code))
    return account


def ledger_code(books: Books, xml_in: str) -> str:
    """Answer GENQGL, the validity check of a ledger code.

    Raises:
        EnetError: If the code does not exist, or is on hold while ValidateFlags is Y (inferred, §2.6).
    """
    key = load(xml_in, "Query").find("key")
    code = text_of(key, "LedgerCode")
    account = _account(books, code)
    if account.on_hold and text_of(key, "ValidateFlags") == "Y":
        raise EnetError(sim_texts.LEDGER_ON_HOLD_KEY.format(value=code))
    details = (
        leaf("LedgerCode", account.code)
        + leaf("Description", account.description)
        + leaf("AccountType", account.type)
        + leaf("GlGroup", "")
        + leaf("ExpenseType", "")
        + leaf("ControlAccFlag", yes(account.control))
        + leaf("AltCurIndicator", "N")
        + leaf("BudgetMethod", "")
        + leaf("TaxCode", "")
        + leaf("IntegrationMethod", "")
        + leaf("Tax2Code", "")
        + leaf("RevalCategory", "")
        + leaf("GlUnitOfMeasure", "")
        + leaf("ProcessTypes", "")
        + leaf("AccountPassword", "")
    )
    return wire.report("GLStructureQuery", node("LedgerDetails", details), books.options.version)


def ledger_query(books: Books, xml_in: str) -> str:
    """Answer GENQRY, which shows whether an account is on hold, its balances and, if asked, its transactions.

    Raises:
        EnetError: If the code does not exist.
    """
    query = load(xml_in, "Query")
    account = _account(books, text_of(query.find("Key"), "LedgerCode"))
    year, month = books.periods.gl_current
    debit, credit = account.balances.get((year, month), (0, 0))
    content = (
        leaf("GlCode", account.code)
        + leaf("Description", account.description)
        + leaf("Currency", master.LOCAL_CURRENCY)
        + leaf("GlYear", str(year))
        + leaf("GlPeriod", f"{month:02d}")
        + leaf("AccountType", account.type)
        + leaf("GlGroup", "")
        + leaf("ControlAccFlag", yes(account.control))
        + leaf("AccOnHldFlag", yes(account.on_hold))
        + leaf("PasswordInUse", "N")
        + leaf("PrevPerEndBal", money.show(balance(account, (year, month - 1))))
        + leaf("PtdDrValue", money.show(debit))
        + leaf("PtdCrValue", money.show(credit))
        + leaf("CurrentBalance", money.show(balance(account, (year, month))))
    )
    if text_of(query.find("Option"), "IncludeTransactions") == "Y":
        content += node("Transactions", _ledger_transactions(books, account, query))
    return wire.report("LedgerQuery", content, books.options.version)


def _ledger_transactions(books: Books, account: GlAccount, query: etree._Element) -> str:
    limit = (query.findtext("Option/Transactions/MaxRowsToReturn") or "").strip()
    found = [
        node(
            "Item",
            leaf("GlPeriod", f"{journal.period:02d}")
            + leaf("Source", journal.source)
            + leaf("Journal", f"{journal.journal:05d}")
            + leaf("JnlDate", journal.journal_date.isoformat())
            + leaf("Reference", entry.reference)
            + leaf("EntryValue", money.show(entry.amount))
            + leaf("Comment", entry.comment),
        )
        for journal in books.journals
        if journal.status == sim_texts.JOURNAL_POSTED
        for entry in journal.entries
        if entry.gl_code == account.code
    ]
    return "".join(found[: int(limit)] if limit.isdigit() else found)


def supplier_query(books: Books, xml_in: str) -> str:
    """Answer APSQRY: a supplier with invoices, payments and registered invoices as the options ask.

    Raises:
        EnetError: If the supplier does not exist.
    """
    query = load(xml_in, "Query")
    sent = text_of(query.find("Key"), "Supplier")
    supplier = books.suppliers.get(books.supplier_key(sent))
    if supplier is None:
        raise EnetError(sim_texts.SUPPLIER_KEY.format(value=sent))
    option = query.find("Option")
    payments = text_of(option, "IncludeInvoicePayments") == "Y"
    content = _supplier_data(books, supplier)
    if text_of(option, "IncludeInvoices") == "Y":
        found = (_invoice(books, invoice, payments=payments) for invoice in books.invoices_of(supplier.key))
        content += node("Invoices", "".join(found))
    if text_of(option, "IncludeRegisteredInvoices") == "Y":
        content += node("RegisteredInvoices", _registered(books, supplier.key))
    if text_of(option, "IncludeGoodsReceivedNotes") in {"Y", "M"}:  # how M differs is not recorded
        content += node("GoodsReceivedNotes", "".join(map(_receipt, books.receipts.of_supplier(supplier.key))))
    return wire.report("ApQuery", content, books.options.version)


def _supplier_data(books: Books, supplier: Supplier) -> str:
    """Return the supplier's own data; which elements APSQRY gives here is not recorded (SIM)."""
    owed = sum(invoice.balance for invoice in books.invoices_of(supplier.key))
    return (
        leaf("Supplier", supplier.key)
        + leaf("SupplierName", supplier.name)
        + leaf("Branch", supplier.branch)
        + leaf("Currency", supplier.currency)
        + leaf("TermsCode", supplier.terms)
        + leaf("OnHold", yes(supplier.on_hold))
        + leaf("GrnMatchReqd", yes(supplier.grn_match_required))
        + leaf("TaxRegnNum", supplier.fields["TaxRegnNum"])
        + leaf("CurrentBalance", money.show(owed))
    )


def _invoice(books: Books, invoice: ApInvoice, *, payments: bool) -> str:
    detail = (
        leaf("Invoice", invoice.invoice)
        + leaf("JournalDate", invoice.posted_on.isoformat())
        + leaf("Journal", f"{invoice.journal:05d}")
        + leaf("Branch", invoice.branch)
        + leaf("InvoiceDate", invoice.invoice_date.isoformat())
        + leaf("DiscountDate", invoice.discount_date.isoformat())
        + leaf("DueDate", invoice.due_date.isoformat())
        + leaf("Reference", invoice.reference)
        + leaf("OrigInvValue", money.show(invoice.value))
        + leaf("OrigDiscValue", money.show(0))
        + leaf("MthInvBal", money.show(invoice.balance))
        + leaf("InvoiceStatus", invoice.status)
        + leaf("Currency", invoice.currency)
        + leaf("Bank", BANK_CODE)
        + leaf("PaymGrossValue", money.show(invoice.paid))
        + leaf("InvoiceYear", str(invoice.year))
        + leaf("InvoiceMonth", f"{invoice.month:02d}")
        + leaf("ConvRate", f"{invoice.rate:.6f}")
        + leaf("MulDiv", invoice.mul_div)
        + leaf("EntryNumber", f"{invoice.entry:03d}")
    )
    if payments:
        found = (
            node(
                "PaymentDetail",
                leaf("EntryNumber", str(row.sequence))
                + leaf("JournalDate", row.posted_on.isoformat())
                + leaf("Journal", f"{row.journal:05d}")
                + leaf("PaymentReference", row.reference)
                + leaf("TrnValue", money.show(row.value))
                + leaf("TrnType", row.type)
                + leaf("PostValue", money.show(row.value)),
            )
            for row in books.transactions_under(invoice.supplier, invoice.invoice)
        )
        detail += node("Payments", "".join(found))
    return node("InvoiceDetail", detail)


def _registered(books: Books, supplier: str) -> str:
    """Return the registered invoices; the leaves of a detail are SIM."""
    return "".join(
        node(
            "RegisteredInvoiceDetail",
            leaf("Invoice", row.invoice)
            + leaf("InvoiceDate", row.invoice_date.isoformat())
            + leaf("Reference", row.reference)
            + leaf("InvoiceValue", money.show(row.value)),
        )
        for row in books.all_registered()
        if row.supplier == supplier
    )


def _receipt(row: Receipt) -> str:
    return node(
        "GRNDetail",
        leaf("Grn", shown(row.grn))
        + leaf("GrnSource", GRN_SOURCE)
        + leaf("Journal", f"{row.journal:05d}")
        + leaf("JournalEntry", str(row.entry))
        + leaf("OrigReceiptDate", row.received_on.isoformat())
        + leaf("PurchaseOrder", shown(row.purchase_order))
        + leaf("StockCode", row.stock_code)
        + leaf("QtyReceived", f"{row.quantity:.6f}")
        + leaf("DeliveryNote", row.delivery_note)
        + leaf("CurGrnValue", money.show(row.value))
        + leaf("MatchedValue", money.show(row.matched_value))
        + leaf("GrnMatchedFlag", "Y" if row.matched else "N"),
    )


def logon_profile(books: Books, session: Session, today: str) -> str:
    """Answer GetLogonProfile; the root element's name is SIM."""
    leaves = {
        "CompanyName": master.COMPANY_NAME, "OperatorCode": session.operator, "OperatorGroup": "ADMIN",
        "OperatorEmailAddress": "", "OperatorLocation": "", "OperatorLanguageCode": "05", "SystemLanguage": "05",
        "AccountingDate": today, "CompanyDate": today, "DefaultArBranch": "10", "DefaultApBranch": "10",
        "DefaultBank": BANK_CODE, "DefaultWarehouse": "", "DefaultCustomer": "", "SystemSiteId": "",
        "SystemNationalityCode": "USA", "LocalCurrencyCode": master.LOCAL_CURRENCY,
        "CurrencyDescription": "US dollar", "DefaultRequisitionUser": "", "XMLToHTMLTransform": "", "CssStyle": "",
        "CssSuffix": "", "DecimalFormat": "1", "DateFormat": "01", "FunctionalRole": "01", "DatabaseType": "SQL",
        "SysproVersion": books.options.version, "EnetVersion": sim_texts.ENET_VERSION, "SysproServerBitWidth": "64",
    }  # fmt: skip
    content = "".join(leaf(name, value) for name, value in leaves.items())
    return f"{wire.DECLARATION}{node(sim_texts.PROFILE_ROOT, content)} "
