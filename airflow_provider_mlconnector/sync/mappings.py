"""The mapping in force: what people edit becomes an immutable version in the store before anything is judged by it."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.mapping.model import MappingSet
from airflow_provider_mlconnector.sync.job import Job


@dataclass(frozen=True, slots=True)
class MappingText:
    """A mapping as written by people, and where it came from (``file mappings/x.yaml``, ``Variable y``)."""

    text: str
    origin: str


def current_mapping(job: Job, text: MappingText | None) -> tuple[MappingSet, int]:
    """Return the mapping in force and its version.

    Args:
        job: The job; the mapping is kept under the route's name.
        text: The edited text, None to use the newest version imported.

    Raises:
        ConfigurationError: No version exists, or the text is wrong (names origin and line).
    """
    if text is not None:
        mapping = load_mapping(text.text, origin=text.origin)
        if job.dry_run:
            with job.unit_of_work() as uow:
                current = uow.mappings.current(job.route.name)
            return mapping, current.version if current else 0
        with job.unit_of_work() as uow:
            kept = uow.mappings.add(job.route.name, mapping.model_dump(mode="json"), origin=text.origin)
        return mapping, kept.version
    with job.unit_of_work() as uow:
        kept_version = uow.mappings.current(job.route.name)
    if kept_version is None:
        message = (
            f"Route {job.route.name!r} has no mapping: set mapping.file or mapping.variable of the route, or import "
            "one with `mlconnector mapping import`."
        )
        raise ConfigurationError(message, field=f"route {job.route.name!r}, mapping")
    return MappingSet.model_validate(kept_version.body), kept_version.version
