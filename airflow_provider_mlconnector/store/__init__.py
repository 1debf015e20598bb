"""Everything durable, behind one unit of work (DESIGN §5)."""

from __future__ import annotations

from airflow_provider_mlconnector.store import records
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.store import Store
from airflow_provider_mlconnector.store.unit import UnitOfWork

__all__ = ["KeyRing", "Store", "UnitOfWork", "records"]
