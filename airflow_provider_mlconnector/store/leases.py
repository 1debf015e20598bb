"""Leases: one worker at a time for what a remote system allows one of (a SYSPRO operator; DESIGN §7)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Executable, case, or_, select, update

from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store.records import LeaseRecord
from airflow_provider_mlconnector.store.schema import leases
from airflow_provider_mlconnector.store.work import Work


class Leases:
    """Named leases with a generation that grows with every new holder."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def acquire(self, name: str, owner: str, seconds: float, *, now: datetime) -> LeaseRecord | None:
        """Take a lease.

        Args:
            name: What is leased.
            owner: Who takes it; the same owner re-enters and keeps its generation.
            seconds: How long it lasts without renewal.
            now: Current time.

        Returns:
            The lease, None while somebody else holds it.
        """
        until = now + timedelta(seconds=seconds)
        statement = self._work.insert(leases).values(name=name, owner=owner, generation=1, acquired_at=now, until=until)
        new = statement.excluded
        # a lease that ran out was not held without a break, even by the same owner
        kept = (leases.c.owner == new.owner) & (leases.c.until > now)
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "owner": new.owner,
                "generation": case((kept, leases.c.generation), else_=leases.c.generation + 1),
                "acquired_at": case((kept, leases.c.acquired_at), else_=new.acquired_at),
                "until": new.until,
            },
            where=or_(leases.c.until <= now, leases.c.owner == new.owner),
        )
        return self._one(statement.returning(*leases.c))

    def holder(self, name: str) -> LeaseRecord | None:
        """Return the lease as held now, None if it is free."""
        return self._one(select(leases).where(leases.c.name == name, leases.c.until > self._work.now()))

    def renew(self, lease: LeaseRecord, seconds: float, *, now: datetime) -> LeaseRecord:
        """Keep a lease for ``seconds`` from ``now``.

        Raises:
            StaleClaim: It has ended or somebody else holds it: stop using what it protects.
        """
        statement = (
            update(leases)
            .where(*self._mine(lease), leases.c.until > now)
            .values(until=now + timedelta(seconds=seconds))
        )
        renewed = self._one(statement.returning(*leases.c))
        if renewed is None:
            msg = f"the lease {lease.name!r} of {lease.owner} has ended or was taken over: nothing more may be sent"
            raise StaleClaim(msg)
        return renewed

    def release(self, lease: LeaseRecord) -> None:
        """Give a lease back; one that is no longer held is left alone."""
        statement = update(leases).where(*self._mine(lease)).values(owner="", until=self._work.now())
        self._work.connection.execute(statement)

    @staticmethod
    def _mine(lease: LeaseRecord) -> tuple[ColumnElement[bool], ...]:
        return leases.c.name == lease.name, leases.c.owner == lease.owner, leases.c.generation == lease.generation

    def _one(self, statement: Executable) -> LeaseRecord | None:
        row = self._work.connection.execute(statement).one_or_none()
        return None if row is None else LeaseRecord(**row._asdict())
