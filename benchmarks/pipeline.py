"""One pipeline process of ``soak.py``: each step of the DAG once, a JSON line per step with time and peak memory .

Usage: ``pipeline.py URL_OF_SANDBOX STORE get|postld``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.extract import extract
from airflow_provider_mlconnector.sync.job import Job, Reference
from airflow_provider_mlconnector.sync.mappings import MappingText
from airflow_provider_mlconnector.sync.plan import plan_chunks
from airflow_provider_mlconnector.sync.post import post
from airflow_provider_mlconnector.sync.report import Report, report
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.settle import Settled, settle
from airflow_provider_mlconnector.sync.validate import validate
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.invoices import decode
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.syspro.client import REST_PATH, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.options import Carrier, SysproOptions
from airflow_provider_mlconnector.systems.syspro.target import SysproTarget
from airflow_provider_mlconnector.systems.transport import Transport

MAPPING = Path(__file__).resolve().parents[1] / "dags" / "mappings" / "jaggaer_to_syspro.yaml"
STEPS = ("extract", "plan", "validate", "post", "settle", "report")
KILOBYTES = 1 if sys.platform != "darwin" else 1 / 1024
"""What one unit of ``ru_maxrss`` is: a kilobyte, but a byte on macOS."""


def run(url: str, database: str, transport: str) -> None:
    """Run every step once in this process and print one JSON line per step."""
    flow = Flow(url, database, transport)
    for step in STEPS:
        began = time.monotonic()
        result = getattr(flow, step)()
        line = {"step": step, "seconds": round(time.monotonic() - began, 2)}
        line["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTES / 1024
        if step == "report":
            line["counts"] = {str(state): count for state, count in result.counts.items() if count}
        print(json.dumps(line), flush=True)


class Flow:
    """The DAG's steps over real HTTP and a real store, without Airflow: its own memory is not what is measured."""

    def __init__(self, url: str, database: str, transport: str) -> None:

        self.url = url
        self.transport = transport
        self.offered = requests.get(f"{url}/_sandbox/credentials", timeout=60).json()
        self.store = Store.open(database, KeyRing.derive("benchmark only"))
        self.store.upgrade()
        cut_over = datetime.now(UTC).date() - timedelta(days=120)
        self.route = Route(name="soak", source="jaggaer", target="syspro", start_at=cut_over)
        self.chunks: list[dict[str, Any]] = []

    def job(self, task: str) -> Job:
        """Return the job of a task's first try."""
        actor = Actor(dag_id="soak", run_id="soak", task_id=task, try_number=1)
        return Job(store=self.store, route=self.route, actor=actor, batch_id="soak")

    def source(self) -> JaggaerInvoiceSource:
        """Return a client of the tenant."""
        parts = self.offered["jaggaer"]
        credentials = Credentials("jaggaer", self.url, parts["login"], parts["password"])
        carrier = Transport(self.url, system="JAGGAER", allow_http=True)
        return JaggaerInvoiceSource(
            JaggaerClient(carrier, credentials, contract=JaggaerContract(), cache=self.store.tokens)
        )

    def target(self) -> SysproTarget:
        """Return a client of the site."""
        parts = self.offered["syspro"]
        extra = parts["extra"]
        who = SysproCredentials(parts["login"], parts["password"], extra["company_id"], extra["company_password"])
        carrier = Transport(f"{self.url}{REST_PATH}", system="SYSPRO", allow_http=True)
        options = SysproOptions(company=extra["company_id"], transport=Carrier(self.transport))
        return SysproTarget("syspro", SysproClient(carrier, who), options)

    def extract(self) -> Reference:
        """Run the task."""
        return extract(self.job("extract"), self.source())

    def plan(self) -> None:
        """Run the task."""
        self.chunks = plan_chunks(self.job("plan"), self.target())

    def validate(self) -> None:
        """Run the mapped tasks one after the other."""
        text = MappingText(MAPPING.read_text(), MAPPING.name)
        for place, chunk in enumerate(self.chunks):
            job = self.job("validate")
            job = replace(job, actor=replace(job.actor, map_index=place))
            validate(job, decode=decode, target=self.target(), mapping_text=text, chunk_id=chunk["chunk_id"])

    def post(self) -> Reference:
        """Run the task."""
        return post(self.job("post"), self.target())

    def settle(self) -> Settled:
        """Poke the sensor once: nothing is uncertain without faults."""
        return settle(self.job("settle"), self.target())

    def report(self) -> Report:
        """Run the task."""
        return report(self.job("report"))


if __name__ == "__main__":
    run(*sys.argv[1:])
