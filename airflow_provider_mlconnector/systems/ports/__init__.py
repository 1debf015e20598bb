"""Small protocols between the systems and what carries them. The store's classes satisfy these; mypy checks it."""

from __future__ import annotations

from airflow_provider_mlconnector.systems.ports.figures import (
    FiguresSource,
    LedgerFigures,
)
from airflow_provider_mlconnector.systems.ports.sources import (
    DocumentSource,
    Eligibility,
    SourcePage,
    SourceRecord,
    Summary,
    Window,
)
from airflow_provider_mlconnector.systems.ports.steps import (
    NO_CONTEXT,
    NOT_SEEN,
    Context,
    Found,
    FoundState,
    Known,
    Links,
    Outcome,
    OutcomeState,
    Overruled,
    Plan,
    StepDraft,
    StepKind,
)
from airflow_provider_mlconnector.systems.ports.targets import (
    AdoptingTarget,
    DocumentTarget,
    SelfContainedTarget,
    TargetSession,
)
from airflow_provider_mlconnector.systems.ports.worker import (
    Clock,
    Fence,
    RateLimiter,
    SystemClock,
    TokenCache,
)

__all__ = [
    "NOT_SEEN",
    "NO_CONTEXT",
    "AdoptingTarget",
    "Clock",
    "Context",
    "DocumentSource",
    "DocumentTarget",
    "Eligibility",
    "Fence",
    "FiguresSource",
    "Found",
    "FoundState",
    "Known",
    "LedgerFigures",
    "Links",
    "Outcome",
    "OutcomeState",
    "Overruled",
    "Plan",
    "RateLimiter",
    "SelfContainedTarget",
    "SourcePage",
    "SourceRecord",
    "StepDraft",
    "StepKind",
    "Summary",
    "SystemClock",
    "TargetSession",
    "TokenCache",
    "Window",
]
