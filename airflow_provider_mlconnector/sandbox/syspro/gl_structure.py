"""GENQST, the sections of the ledger code, and GENQ08, the list of accounts (reference/syspro.md §2.6).

Ledger codes here have two sections: 1, the cost center, and 2, the account. What makes a section valid is not recorded:
here a cost center that is not closed, an account with at least one code that is not on hold (SIM).
"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import money, sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.comfnd import like
from airflow_provider_mlconnector.sandbox.syspro.documents import children, load, text_of
from airflow_provider_mlconnector.sandbox.syspro.records import GlAccount
from airflow_provider_mlconnector.sandbox.syspro.tables_ap import yes
from airflow_provider_mlconnector.sandbox.syspro.tables_gl import balance
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError, leaf, node

COST_CENTER, ACCOUNT = "1", "2"
SECTIONS = {COST_CENTER: "Cost center", ACCOUNT: "Account"}
_INCLUDE = {
    "IncludeAssets": "A", "IncludeLiabilities": "L", "IncludeCapital": "C", "IncludeRevenue": "R",
    "IncludeExpenses": "E", "IncludeStatistical": "S", "IncludeTemplate": "T",
}  # fmt: skip
"""Option → AccountType. The names between the first and the last are SIM."""


def structure(books: Books, xml_in: str) -> str:
    """Answer GENQST: the codes of one section, or of all; below ``Parent`` only those that occur with it.

    Raises:
        EnetError: If the site has no such section.
    """
    option = load(xml_in, "Query").find("Option")
    asked = text_of(option, "Section")
    if asked and asked not in SECTIONS:
        raise EnetError(sim_texts.BAD_VALUE.format(value=asked, column="Section"))
    invalid = text_of(option, "IncludeInvalid") == "Y"
    content = "".join(
        _section(books, number, parent=text_of(option, "Parent"), invalid=invalid)
        for number in ([asked] if asked else SECTIONS)
    )
    return wire.report("GLStructureQuery", content, books.options.version)


def _section(books: Books, number: str, *, parent: str, invalid: bool) -> str:
    items = _cost_centers(books) if number == COST_CENTER else _accounts(books, parent)
    content = "".join(
        node(
            "Item",
            leaf("SectionCode", code)
            + leaf("HasValidChildren", yes(has_valid))
            + leaf("HasChildren", yes(has_any))
            + leaf("IsValidSection", yes(is_valid))
            + leaf("Description", description),
        )
        for code, description, is_valid, has_valid, has_any in items
        if is_valid or invalid
    )
    return node("Section", leaf("SectionNumber", number) + leaf("SectionDescription", SECTIONS[number]) + content)


_Item = tuple[str, str, bool, bool, bool]
"""Code, description, valid, has valid children, has children."""


def _cost_centers(books: Books) -> Iterable[_Item]:
    for section in books.sections.values():
        below = [account for account in books.accounts.values() if account.code.startswith(f"{section.code}-")]
        has_valid = any(not account.on_hold for account in below)
        yield section.code, section.description, not section.closed, has_valid, bool(below)


def _accounts(books: Books, parent: str) -> Iterable[_Item]:
    found: dict[str, list[GlAccount]] = {}
    for account in books.accounts.values():
        section, _, natural = account.code.partition("-")
        if parent in {"", section}:
            found.setdefault(natural, []).append(account)
    for natural, accounts in found.items():
        yield natural, accounts[0].description, any(not account.on_hold for account in accounts), False, False


def account_list(books: Books, xml_in: str) -> str:
    """Answer GENQ08: accounts by the types and codes asked for; without any type asked for, all of them (SIM).

    Raises:
        EnetError: If a filter is of an unknown kind.
    """
    query = load(xml_in, "Query")
    option = query.find("Option")
    types = {kind for name, kind in _INCLUDE.items() if text_of(option, name) == "Y"}
    accounts = [account for account in books.accounts.values() if not types or account.type in types]
    given = query.find("Filter")
    for element in [] if given is None else children(given, "GlCode"):
        accounts = _codes(accounts, element)
    return wire.report("GlListOfAccounts", "".join(_account(books, row) for row in accounts), books.options.version)


def _codes(accounts: list[GlAccount], element: etree._Element) -> list[GlAccount]:
    kind, value = element.get("FilterType", "A"), element.get("FilterValue", "")
    low, _, high = (part.strip() for part in value.partition(","))
    if kind == "A":
        return accounts
    if kind == "S":
        matches = like(low)
        return [account for account in accounts if matches(account.code)]
    if kind == "R":
        return [account for account in accounts if low <= account.code <= (high or "\uffff")]
    raise EnetError(sim_texts.BAD_CONDITION.format(name=kind))


def _account(books: Books, account: GlAccount) -> str:
    """Return one account; all its leaves but GlCode are SIM."""
    current = books.periods.gl_current
    return node(
        "Account",
        leaf("GlCode", account.code)
        + leaf("Description", account.description)
        + leaf("AccountType", account.type)
        + leaf("GlGroup", "")
        + leaf("ControlAccFlag", yes(account.control))
        + leaf("AccOnHldFlag", yes(account.on_hold))
        + leaf("CurrentBalance", money.show(balance(account, current))),
    )
