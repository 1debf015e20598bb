"""A person's corrected payload: read by the codec of the document's source, for the command line and the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.corrections import edited, read_correction
from airflow_provider_mlconnector.sync.orders import Order
from airflow_provider_mlconnector.sync.route import Route

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.runtime import Runtime


def corrected(
    runtime: Runtime,
    actor: Actor,
    order: Order,
    document: DocumentRecord,
    *,
    payload: bytes = b"",
    edits: Mapping[str, object] | None = None,
) -> Order:
    """Return the order with its correction, made sure to stand for the document.

    Args:
        runtime: Store and connections.
        actor: Who asks.
        order: Without a correction.
        document: The one document it is for.
        payload: The whole corrected record, as its source would have sent it.
        edits: Or only the fields that change, by path (``corrections.edited``).

    Raises:
        Rejected: The corrected record cannot be read, is of another document, or corrects nothing.
    """
    # the codec depends on document and source alone
    body = {"name": document.route, "document": document.document, "source": document.source}
    decode = runtime.decoder(Route.parse({**body, "target": document.source}))
    with runtime.store.unit_of_work(actor) as uow:
        before = uow.documents.payloads([document.id])[document.id]
    after = edited(before, edits) if edits else payload
    return replace(order, correction=read_correction(document, before, after, decode))
