"""Codes of the ledger as the other side's code lists name them: the account and cost center maps, read backwards."""

from __future__ import annotations

from datetime import UTC, date, datetime

from airflow_provider_mlconnector.documents.ledger import CodedEntry, CodeList, CostCenter, LedgerAccount
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.mapping.model import MappingSet, look_back, look_up


def code_entry(
    document: LedgerAccount | CostCenter,
    mapping: MappingSet,
    *,
    version: int,
    reverse: bool = False,
    on: date | None = None,
) -> CodedEntry:
    """Name a ledger's code as the other side does; one that is not mapped goes under its own name.

    Args:
        document: The account, without its cost center where that is a part of the GL code, or the cost center.
        mapping: The code maps.
        version: Which version of the mapping this is; kept for the audit.
        reverse: The source is the ledger: the maps are read backwards, and one code may then have several names.
        on: The day on which codes must hold; master data has no date of its own, so the present day when None.

    Raises:
        Parked: ``code_clash``: the code is not mapped, yet its own name means another code of the ledger.
    """
    day = on or datetime.now(UTC).date()
    is_account = isinstance(document, LedgerAccount)
    codes = mapping.accounts if is_account else mapping.cost_centers.map
    if reverse:
        named = look_back(codes, document.code, day)
        meant = look_up(codes, document.code, day)
        if not named and meant is not None:
            what = "account" if is_account else "cost center"
            msg = (
                f"{what} {document.code} of the ledger is not mapped, and on the other side {document.code} means"
                f" {meant}: map it to another name"
            )
            raise Parked(msg, code="code_clash", subject=document.code)
    else:
        mapped = look_up(codes, document.code, day)
        named = [mapped] if mapped else []
    return CodedEntry(
        field=CodeList.ACCOUNT if is_account else CodeList.COST_CENTER,
        values=tuple(sorted(named)) or (document.code,),
        description=document.description,
        active=document.active,
        ledger_code=document.code,
        mapping_version=version,
    )
