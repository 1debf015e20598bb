"""Pairs of keys that name the same thing on both sides of a route: the crosswalk, read in either direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import IN_TARGET, State
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord
from airflow_provider_mlconnector.sync.job import logger
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.verdicts import EXECUTED, FIRST_CONTACT
from airflow_provider_mlconnector.systems.ports import Links

COMPANY = ""
"""A connection is a company of its system, so its id says enough."""


def all_links(uow: UnitOfWork, route: Route) -> Links:
    """Return every known pair of a route's kind of document, whichever route established it."""
    forward = uow.crosswalk.pairs(route.document, COMPANY, route.source, route.target)
    backward = uow.crosswalk.pairs(route.document, COMPANY, route.target, route.source)
    pairs = [*forward, *((ours, theirs) for theirs, ours in backward)]
    return Links(by_source=dict(pairs), by_target={target: source for source, target in pairs})


def held_result(uow: UnitOfWork, route: Route, record: DocumentRecord) -> dict[str, Any]:
    """Return what is known of a document in the target, with its ``key`` there.

    Its steps' results; of one that was found there, whose steps were never sent, what the look-up that linked it found.

    Args:
        uow: Only read from.
        route: Names the systems of the pair of keys.
        record: In the target.
    """
    result: dict[str, Any] = {}
    for step in uow.steps.of([record.id])[record.id]:
        if step.state in EXECUTED:
            result |= step.result
    if record.state is State.LINKED:
        for event in uow.events.of(record.id):
            result |= event.detail.get("result") or {}
        if record.reason_code == FIRST_CONTACT and record.target_reference:
            result.setdefault("key", record.target_reference)
    pairs = uow.crosswalk.right(record.document, COMPANY, route.source, route.target, [record.key])
    return {**result, "key": pairs[record.key]} if record.key in pairs else result


def remember_links(uow: UnitOfWork, route: Route, changes: Sequence[Change], done: Sequence[DocumentRecord]) -> None:
    """Keep the target's keys of documents that have just arrived there (``result["key"]`` of their last step)."""
    arrived = {record.id: record for record in done if record.state in IN_TARGET}
    for change in changes:
        key = change.detail.get("result", {}).get("key")
        if key and (record := arrived.get(change.document.id)) is not None:
            remember_link(uow, route, record, str(key))


def remember_link(uow: UnitOfWork, route: Route, record: DocumentRecord, key: str) -> None:
    """Keep the target's key of a document; one that contradicts an earlier pair becomes an issue for a person."""
    links = uow.crosswalk.right(route.document, COMPANY, route.target, route.source, [key])
    if links.get(key, record.key) != record.key:
        text = f"{route.document} {record.key} was written as {key}, which belongs to {links[key]} at {route.source!r}"
        uow.issues.open(route.name, "link_differs", record.id, text)
        return
    try:
        if key not in links:
            uow.crosswalk.put(route.document, COMPANY, route.source, record.key, route.target, key, record.id)
            if route.opposite and route.document == "invoice":
                # found by the key of either side, where there are too many to read them all (both_ways)
                uow.crosswalk.put(route.document, COMPANY, route.target, key, route.source, record.key, record.id)
    except ValueError as error:
        logger.warning("Link not kept: %s", error)
        uow.issues.open(route.name, "link_differs", record.id, str(error))
