"""The operators beside the one DAG shape: what they hand to the pipeline, and what they return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.operators.match import CombineJournalsOperator, MatchDocumentsOperator
from airflow_provider_mlconnector.operators.outcome import translated
from airflow_provider_mlconnector.sync import combine, match
from airflow_provider_mlconnector.sync.job import Reference

JOURNALS = {"name": "j", "document": "journal", "source": "a", "target": "b"}


def opened(monkeypatch: pytest.MonkeyPatch, operator: Any, runtime: Any) -> SimpleNamespace:
    """Let an operator run with this runtime; return the job it works on."""
    job = SimpleNamespace(route=SimpleNamespace(name=operator.route["name"]))

    @contextmanager
    def step(_context: Any) -> Iterator[tuple[Any, Any]]:
        with translated():
            yield runtime, job

    monkeypatch.setattr(operator, "step", step, raising=True)
    return job


def test_both_take_templates() -> None:
    assert {"route", "preview", "invoices_route"} <= set(CombineJournalsOperator.template_fields)
    assert {"route", "preview"} <= set(MatchDocumentsOperator.template_fields)


def test_combining_hands_on_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, str]] = []

    def fake(job: Any, *, invoices_route: str) -> Reference:
        asked.append((job, invoices_route))
        return Reference("b1", "j", "journal", 2, {"extracted": 2}, 5, 9, "store")

    monkeypatch.setattr(combine, "combine", fake)
    operator = CombineJournalsOperator(task_id="extract", route=JOURNALS, invoices_route="i")
    runtime = SimpleNamespace(warn_if_behind=lambda: None, target=lambda _route: None)
    job = opened(monkeypatch, operator, runtime)
    assert operator.execute({})["states"] == {"extracted": 2}  # type: ignore[typeddict-item]
    assert asked == [(job, "i")]


def test_nothing_is_combined_where_the_target_makes_no_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_route: Any) -> None:
        message = "AP is linked"
        raise ConfigurationError(message, field="ap_gl")

    monkeypatch.setattr(combine, "combine", lambda *_a, **_k: pytest.fail("combined all the same"))
    operator = CombineJournalsOperator(task_id="extract", route=JOURNALS, invoices_route="i")
    opened(monkeypatch, operator, SimpleNamespace(warn_if_behind=lambda: None, target=refuse))
    with pytest.raises(AirflowFailException, match="AP is linked"):
        operator.execute({})  # type: ignore[typeddict-item]


def test_a_survey_is_returned_with_its_first_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [(f"NB-{n}", "too many") for n in range(500)]
    found = match.Survey(Counter(matched=3, out_of_tolerance=500), problems)
    monkeypatch.setattr(match, "survey", lambda _job, _decode: found)
    operator = MatchDocumentsOperator(task_id="match", route={**JOURNALS, "document": "invoice"})
    opened(monkeypatch, operator, SimpleNamespace(decoder=lambda _route: None))
    said = operator.execute({})  # type: ignore[typeddict-item]
    assert said["counts"] == {"matched": 3, "out_of_tolerance": 500}
    assert (len(said["problems"]), said["problems"][0]) == (200, ["NB-0", "too many"])
