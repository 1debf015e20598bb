"""How many requests an invoice costs SYSPRO, everything included: log-ons, reference data, look-ups, postings.

Counts, not timings: the same data give the same figures.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.flow import flow

INVOICES = 1000


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("transport", "limit"), [("get", 0.25), ("postld", 0.05)])
def test_requests_per_invoice_stay_within_what_is_promised(tmp_path: Path, transport: str, limit: float) -> None:
    site = {"invoices": INVOICES, "mix": "good", "credit_memos": 0, "list_with_lines": True}
    with flow(tmp_path, jaggaer=site, syspro={"transport": transport}) as deployment:
        report = deployment.all()
        assert report.counts == {"posted": INVOICES}
        calls = deployment.sandbox.app.requests.report()["systems"]["syspro"]
        print(f"\nSYSPRO by {transport}: {calls['total'] / INVOICES:.3f} requests per invoice {calls['calls']}")
        assert calls["total"] / INVOICES <= limit
        assert calls["calls"]["Logon"] == calls["calls"]["Logoff"] == 2, "one to plan, one to post"
