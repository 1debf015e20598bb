"""How many requests an invoice costs SYSPRO, everything included: log-ons, reference data, look-ups, postings.

Counts, not timings: the same data give the same figures. The day of the month moves them by three or four requests in
a thousand invoices, because what is posted to different periods cannot share a request.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.flow import flow

INVOICES = 1000


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("transport", "credit_memos", "limit"),
    [("get", 0, 0.25), ("get", 50, 0.255), ("postld", 0, 0.05), ("postld", 50, 0.06)],
)
def test_requests_per_invoice_stay_within_what_is_promised(
    tmp_path: Path, transport: str, credit_memos: int, limit: float
) -> None:
    """Credit memos follow the invoices in requests of their own, again one for each period and kind of currency."""
    site = {"invoices": INVOICES, "mix": "good", "credit_memos": credit_memos, "list_with_lines": True}
    with flow(tmp_path, jaggaer=site, syspro={"transport": transport}) as deployment:
        report = deployment.all()
        assert report.counts == {"posted": INVOICES}
        calls = deployment.sandbox.app.requests.report()["systems"]["syspro"]
        each = calls["total"] / INVOICES
        print(f"\nSYSPRO by {transport}, {credit_memos} credits: {each:.3f} requests per invoice {calls['calls']}")
        assert each <= limit
        assert calls["calls"]["Logon"] == calls["calls"]["Logoff"] == 2, "one to plan, one to post"
