"""Canonical master data of the general ledger."""

from __future__ import annotations

from enum import StrEnum

from airflow_provider_mlconnector.documents.model import Document, Key, Text


class LedgerAccount(Document):
    """A GL account that documents may be coded to. ``active`` is False for one on hold, of control, or deleted."""

    source_key: Key
    revision: Key
    code: Key
    """The complete GL code as the ledger writes it (``10-5120``)."""
    description: Text = ""
    kind: Text = ""
    """The ledger's own account type letter (reference/syspro.md §4 ``AccountType``)."""
    group: Text = ""
    active: bool = True


class CostCenter(Document):
    """A cost center documents may be coded to."""

    source_key: Key
    revision: Key
    code: Key
    description: Text = ""
    active: bool = True


class CodeList(StrEnum):
    """Lists of codes that documents are coded with."""

    ACCOUNT = "account"
    COST_CENTER = "cost_center"


class CodedEntry(Document):
    """A code of the ledger under the names the other side has for it."""

    field: CodeList
    values: tuple[Key, ...]
    """One name as a rule; several where several codes there mean the same one here."""
    description: Text = ""
    active: bool
    ledger_code: Key
    mapping_version: int
