"""``mlconnector sandbox``: what it is told of its systems reaches the server, or is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from airflow_provider_mlconnector.cli import app
from airflow_provider_mlconnector.sandbox import server


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Take what the server would be started with."""
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(server, "run", lambda **options: started.append(options))
    return started


def test_the_tenant_is_sized_and_switched(served: list[dict[str, Any]]) -> None:
    more = '{"error_body": "html", "csi": {"mix": "good"}}'
    result = CliRunner().invoke(
        app, ["sandbox", "--ledger-orders", "7", "--ledger-vouchers", "9", "--cloudsuite", more]
    )
    assert result.exit_code == 0, result.output
    csi = {"mix": "good", "purchase_orders": 7, "vouchers": 9}
    assert served[0]["cloudsuite"] == {"error_body": "html", "csi": csi}


def test_told_nothing_it_is_as_it_comes(served: list[dict[str, Any]]) -> None:
    assert CliRunner().invoke(app, ["sandbox"]).exit_code == 0
    assert [served[0][name] for name in ("jaggaer", "syspro", "cloudsuite")] == [{}, {}, {}]


def test_a_site_and_its_tenant_are_switched(served: list[dict[str, Any]]) -> None:
    given = ("--jaggaer", '{"mix": "good"}', "--payments", "--syspro", '{"ap_gl": "not_linked"}')
    result = CliRunner().invoke(app, ["sandbox", *given])
    assert result.exit_code == 0, result.output
    assert served[0]["jaggaer"] == {"mix": "good", "payments": True}
    assert served[0]["syspro"] == {"ap_gl": "not_linked"}


@pytest.mark.parametrize("option", ["--jaggaer", "--syspro"])
@pytest.mark.parametrize("wrong", ["no json", "[1]", '{"colour": 1}'])
def test_what_no_site_has_is_refused_before_anything_starts(
    option: str, wrong: str, served: list[dict[str, Any]]
) -> None:
    result = CliRunner().invoke(app, ["sandbox", option, wrong])
    assert result.exit_code == 2
    assert option in result.output
    assert served == []


@pytest.mark.parametrize(
    "wrong", ["no json", "[1]", '{"colour": 1}', '{"csi": {"colour": 1}}', '{"m3": {"colour": 1}}']
)
def test_what_no_tenant_has_is_refused_before_anything_starts(served: list[dict[str, Any]], wrong: str) -> None:
    result = CliRunner().invoke(app, ["sandbox", "--cloudsuite", wrong])
    assert result.exit_code == 2
    assert "--cloudsuite" in result.output
    assert served == []
