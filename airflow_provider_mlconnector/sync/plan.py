"""Plan: cut the due documents into chunks for mapped validation, and read the target's reference data once."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import DUE_FOR_VALIDATION
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.preview import PREVIEW_CHUNK
from airflow_provider_mlconnector.sync.session import reference_data
from airflow_provider_mlconnector.systems.ports import DocumentTarget

MAX_CHUNKS = 200
EMPTY: list[dict[str, Any]] = [{"chunk_id": "", "count": 0}]
"""An empty map would skip everything behind it, posting and report included."""


def plan_chunks(job: Job, target: DocumentTarget) -> list[dict[str, Any]]:
    """Assign every due document of the route to a chunk.

    Args:
        job: The job.
        target: Whose chart, suppliers and periods validation will need.

    Returns:
        ``[{"chunk_id": …, "count": …}]``, never empty, at most :data:`MAX_CHUNKS`. Chunks are rows of the store; a
        rerun plans anew.
    """
    if job.dry_run:
        with job.unit_of_work() as uow:
            count = sum(1 for _ in uow.previews.list(job.preview_id))
        if count:
            reference_data(job, target, fresh=True)
        return [{"chunk_id": PREVIEW_CHUNK, "count": count}]
    with job.unit_of_work() as uow:
        chunks = uow.chunks.create(
            job.route.name,
            job.batch_id,
            DUE_FOR_VALIDATION,
            size=job.route.chunk_size,
            limit=MAX_CHUNKS,
            now=job.now(),
        )
    if not chunks:
        return EMPTY
    reference_data(job, target, fresh=True)
    return [{"chunk_id": chunk.id, "count": chunk.count} for chunk in chunks]
