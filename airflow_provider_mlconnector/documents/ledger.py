"""Canonical master data of the general ledger."""

from __future__ import annotations

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
