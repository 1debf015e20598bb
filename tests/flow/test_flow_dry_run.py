"""A dry run changes nothing: what follows it is what would have happened without it (DESIGN §3)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.flow import Flow, flow

TENANT = {"invoices": 60, "mix": "all", "list_with_lines": True}


def _dry_run(deployment: Flow) -> Any:
    for name in ("extract", "plan", "validate", "post", "settle"):
        getattr(deployment, name)(preview_id="dry1")
    report = deployment.report(preview_id="dry1")
    deployment.run += 1
    return report


def _booked(deployment: Flow) -> list[tuple[Any, ...]]:
    ledger = deployment.ledger()
    rows = (*ledger["ap_invoices"], *ledger["ap_transactions"])
    named = ("supplier", "invoice", "type", "value", "tax_value", "reference", "year", "month")
    return sorted((*(row[name] for name in named), str(row["lines"])) for row in rows)


def _verdicts(deployment: Flow) -> dict[str, tuple[str, str]]:
    return {document.key: (str(document.state), document.reason_code) for document in deployment.documents()}


def test_a_dry_run_then_a_real_run_is_the_real_run_alone(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("rehearsed", "plain")]
    results = []
    now = datetime.now(UTC)
    for folder in folders:
        folder.mkdir()
        with flow(folder, jaggaer=TENANT, start=now) as deployment:
            if folder.name == "rehearsed":
                preview = _dry_run(deployment)
                attempts = deployment.ledger()["write_attempts"]
                assert attempts
                assert all(attempt["validate_only"] for attempt in attempts)
                assert deployment.ledger()["ap_invoices"] == deployment.ledger()["gl_journals"] == []
                assert deployment.documents() == []
            deployment.all()
            results.append((_booked(deployment), _verdicts(deployment)))
            if folder.name == "rehearsed":
                really = Counter(state for state, _ in _verdicts(deployment).values())
                assert preview.dry_run
                assert deployment.ledger()["ap_transactions"], "some are credit memos"
                assert preview.counts["would_post"] == really["posted"]
                assert Counter(preview.counts)["rejected"] == really["rejected"]
    assert results[0] == results[1]
