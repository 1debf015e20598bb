"""The simulated M3, LN and FSM over real HTTP, and a gateway that answers from a list, for what no sandbox says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from support.csi_samples import OpenFence
from support.csi_sandbox import CsiSite
from support.syspro_samples import coded as coded_invoice

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.systems.call import Reply
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.ports import DocumentSource, Outcome, StepDraft, Window

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
FENCE = OpenFence()


@contextmanager
def site(**products: Mapping[str, Any]) -> Iterator[CsiSite]:
    """Run a tenant whose products are set so; logging in is not limited."""
    settings = {"logins_per_minute": 0, "tokens_per_day": 0, **products}
    with serving(seed=7, start=START, cloudsuite=settings) as sandbox:
        yield CsiSite(sandbox)


def m3_options(**changes: Any) -> M3Options:
    """Return options of the simulated company; what no source tells of a supplier is filled in."""
    new = {"SUTY": "0", "LNCD": "GB", "SUCL": "GEN", "TEDL": "EXW", "MODL": "TRK", "PYME": "CHK"}
    return M3Options(**{"company": "100", "division": "AAA", "new_supplier": new, **changes})


def m3_coded(number: str = "NB-7781", **changes: Any) -> CodedInvoice:
    """Return a coded invoice of supplier V00001 over accounts of the simulated company, cost center CC10."""
    base = {"accounts": ("51200", "51300", "52100"), "currency": ("USD", "USD"), "company": "100", "tax_code": "10"}
    found = coded_invoice(number, **{**base, **changes})
    postings = tuple(one.model_copy(update={"cost_center": "CC10"}) for one in found.postings)
    return found.model_copy(update={"postings": postings})


def listed(source: DocumentSource, window: Window | None = None) -> list[Any]:
    """Return all records of one pass."""
    return [record for page in source.pages(window or Window()) for record in page.records]


def carried_out(session: Any, steps: list[StepDraft]) -> list[Outcome]:
    """Post steps one after the other, each alone."""
    return [outcome for step in steps for outcome in session.post([step], fence=FENCE)]


class Scripted:
    """A gateway that answers requests in turn and keeps what it was asked.

    An answer is a body (JSON-able, or bytes), or a pair of it and a status.
    """

    connection, tenant, timeout = "cloudsuite_default", "ACME_TST", 90.0

    def __init__(self, *answers: Any, date: str = "Fri, 20 Nov 2026 12:00:00 GMT") -> None:
        self.answers, self.asked, self._date = list(answers), [], date

    def get(self, path: str, name: str, **given: Any) -> Reply:
        """Answer a read."""
        return self._next(path, name, given)

    def post(self, path: str, name: str, body: object, **given: Any) -> Reply:
        """Answer a call."""
        return self._next(path, name, {**given, "body": body})

    def _next(self, path: str, name: str, given: Mapping[str, Any]) -> Reply:
        self.asked.append({"path": path, "name": name, **given})
        answer = self.answers.pop(0)
        body, status = answer if isinstance(answer, tuple) else (answer, 200)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Reply(status, {"Date": self._date}, data, 0.01, f"req-{len(self.asked)}")


def mi_answer(*results: Mapping[str, Any], **whole: Any) -> dict[str, Any]:
    """Return a body of MI REST: ``{"transaction", "records"}`` or ``{"transaction", "errorMessage", …}`` each."""
    done = sum("errorMessage" not in result for result in results)
    counted = {"nrOfSuccessfullTransactions": done, "nrOfFailedTransactions": len(results) - done}
    return {"results": [{"records": [], **result} for result in results], "wasTerminated": False, **counted, **whole}
