"""The simulated systems as the demo sees them, a process of its own over HTTP; and people at SYSPRO and JAGGAER."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

from airflow_provider_mlconnector.demo.home import Home, StepFailed, mlconnector

START_SECONDS = 60
ORDERS, ORDER_INVOICES = 80, 40
"""Purchase orders JAGGAER holds, and how many more invoices bill them."""
READY = re.compile(rb"^sandbox ready on (http://\S+)$", re.MULTILINE)
TYPED_IN = ("plain", "multi_line", "eur", "split_percent")
"""Kinds of the invoices somebody typed into SYSPRO before the connector came."""


class Simulated:
    """The control API of a sandbox at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, command: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """GET a control command, or POST it with a body.

        Raises:
            StepFailed: The sandbox refused it.
        """
        method = "GET" if body is None else "POST"
        answer = self._session.request(method, f"{self.url}/_sandbox/{command}", json=body, timeout=60)
        if not answer.ok:
            message = f"the sandbox refused {command}: {answer.text}"
            raise StepFailed(message)
        return answer.json()

    def connection(self, system: str, **extra: object) -> dict[str, Any]:
        """Return a connection to one of its systems as `airflow connections import` reads it.

        Args:
            system: ``syspro`` or ``jaggaer``.
            extra: What a user fills in beside the credentials.
        """
        found = self.ask("credentials")[system]
        address, _, port = self.url.rpartition(":")
        return {
            "conn_type": f"mlconnector_{system}",
            "host": address,
            "port": int(port),
            "login": found["login"],
            "password": found["password"],
            "extra": json.dumps({**found["extra"], "allow_http": True, **extra}),
        }

    def calls(self) -> dict[str, Counter[str]]:
        """Return how often each call was made since this process of the sandbox started, by system."""
        return {name: Counter(row["calls"]) for name, row in self.ask("requests")["systems"].items()}

    def done(self, body: Mapping[str, Any]) -> bool:
        """Do what a person does; False where the system itself would refuse it."""
        answer = self._session.post(f"{self.url}/_sandbox/documents", json=body, timeout=60)
        return bool(answer.ok)


class Site(Simulated):
    """The simulated SYSPRO and its JAGGAER tenant, with the people at SYSPRO."""

    def connections(self) -> dict[str, dict[str, Any]]:
        """Return both connections: what a user types into the forms, the XML router's fields included."""
        known = self.ask("router")
        identity = {"router_identity": known["identity"], "router_secret": known["shared_secret"]}
        jaggaer = self.connection("jaggaer", router_url=self.url, **identity)
        return {"syspro_default": self.connection("syspro"), "jaggaer_default": jaggaer}

    def type_in(self) -> list[str]:
        """Let a clerk type four invoices into SYSPRO, the last with a wrong amount; return their numbers."""
        truth = self.ask("truth")
        of_kind = {truth[key]["label"]: truth[key] for key in sorted(truth, key=int)}
        rows = [of_kind[label] for label in TYPED_IN]
        for row in rows:
            mistake = 10 if row is rows[-1] else 0
            self._type_in(row, str(Decimal(row["gross"]) + mistake))
        return [row["number"] for row in rows]

    def receive_goods(self) -> int:
        """Let the warehouse receive what of the open orders has not come yet, but for every fifth; return how many."""
        received = 0
        for place, row in enumerate(self.ask("ledger")["syspro"]["purchase_orders"]):
            outstanding = any(Decimal(line["received"]) < Decimal(line["qty"]) for line in row["lines"])
            if row["status"] == "4" and outstanding and place % 5:
                order = {"system": "syspro", "kind": "receipt", "purchase_order": row["purchase_order"]}
                received += self.done(order)
        return received

    def pay(self) -> int:
        """Let accounts payable pay what is due; return how many invoices that was."""
        run = {"system": "syspro", "kind": "payment_run"}
        before = len(self.ask("ledger")["syspro"]["payments"])
        self.done(run)
        return len(self.ask("ledger")["syspro"]["payments"]) - before

    def _type_in(self, row: Mapping[str, Any], value: str) -> None:
        invoice = {
            "supplier": row["supplier"],
            "invoice": row["number"],
            "value": value,
            "invoice_date": row["invoice_date"],
            "reference": "typed in by hand",
        }
        self.ask("documents", {"system": "syspro", "kind": "ap_invoice", **invoice})


@contextmanager
def running_site(home: Home, *, seed: int, invoices: int) -> Iterator[Site]:
    """Run the sandbox over the home's journal for the length of a ``with`` block.

    Raises:
        StepFailed: It does not start, for example because the home was made with another seed.
    """
    counts = {"seed": seed, "invoices": invoices, "orders": ORDERS, "order-invoices": ORDER_INVOICES}
    with sandbox_over(home, home.journal, counts, "--payments") as url:
        yield Site(url)


@contextmanager
def sandbox_over(home: Home, journal: Path, counts: Mapping[str, int], *more: str) -> Iterator[str]:
    """Run a sandbox of its own over a journal for the length of a ``with`` block; its log is named like the journal.

    Args:
        home: The home.
        journal: Its journal.
        counts: Options of `mlconnector sandbox` that are numbers.
        more: Its other options.

    Raises:
        StepFailed: It does not start, for example because the journal was made with other options.
    """
    numbers = [text for name, value in {"port": 0, **counts}.items() for text in (f"--{name}", str(value))]
    command = mlconnector("sandbox", *numbers, *more, "--journal", str(journal))
    with home.started(journal.stem, *command) as process:
        yield _url_of(process, home.logs / f"{journal.stem}.log")


def _url_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address a sandbox prints once it accepts connections.

    Raises:
        StepFailed: It does not start.
    """
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        if found := READY.search(log.read_bytes()):
            return found.group(1).decode()
        if process.poll() is not None:
            break
        time.sleep(0.05)
    message = f"the sandbox did not start:\n{log.read_text(encoding='utf-8', errors='replace').strip()[-2000:]}"
    raise StepFailed(message)
