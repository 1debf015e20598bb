"""Worker processes that call the ION gateway as fast as they may, on one store; for tests and benchmarks.

Run as a script it is one such worker: it prints one JSON line when its time is over.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from airflow_provider_mlconnector.errors import MLConnectorError, RateLimited
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.pace import StoredLimiter
from airflow_provider_mlconnector.systems.cloudsuite.gateway import LOGINS_AT_ONCE, LOGINS_PER_MINUTE, GatewayClient
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.transport import Transport

PATH = "/CSI/IDORequestService/ido/configurations"
SECRET = "load only"


@dataclass
class Tally:
    """What one worker did.

    Attributes:
        calls: Answered calls.
        gave_up: Calls given up because no slot came, or after repeated refusals.
        failed: Calls that ended otherwise, in words.
        reserve_ms: How long each slot took to get from the store: the lock that all workers share.
    """

    calls: int = 0
    gave_up: int = 0
    failed: list[str] = field(default_factory=list)
    reserve_ms: list[float] = field(default_factory=list)


class Timed:
    """A limiter that notes how long the store takes."""

    def __init__(self, limiter: StoredLimiter, tally: Tally) -> None:
        self._limiter = limiter
        self._tally = tally

    def reserve(self, key: str, *, patience: float = math.inf) -> float:
        began = time.perf_counter()
        wait = self._limiter.reserve(key, patience=patience)
        self._tally.reserve_ms.append((time.perf_counter() - began) * 1000)
        return wait

    def held(self, key: str) -> float:
        return self._limiter.held(key)

    def hold(self, key: str, seconds: float | None) -> None:
        self._limiter.hold(key, seconds)


def open_client(url: str, store: Store, *, limiter: Any = None, timeout: float = 30) -> GatewayClient:
    """Return a client of the sandbox's tenant as a task has it, without Airflow."""
    offered = requests.get(f"{url}/_sandbox/credentials", timeout=60).json()["cloudsuite"]
    ionapi = IonApi.parse(offered["extra"]["ionapi"], label="sandbox", allow_http=True)
    parts = urlsplit(ionapi.login_server)
    login = Transport(
        f"{parts.scheme}://{parts.netloc}",
        system="login server",
        allow_http=True,
        retries=0,
        wait_budget=0,
        timeout=15,
        limiter=store.limiter(LOGINS_PER_MINUTE, burst=LOGINS_AT_ONCE),
        limiter_key=f"{ionapi.limit_key} logins",
    )
    gateway = Transport(
        ionapi.gateway,
        system="ION",
        allow_http=True,
        timeout=timeout,
        limiter=limiter,
        limiter_key=ionapi.limit_key,
    )
    return GatewayClient.between("load", ionapi, gateway=gateway, login=login, cache=store.tokens)


def work(url: str, database: str, seconds: float, per_minute: float, pause: float = 0.0) -> Tally:
    """Call until the time is over."""
    store, tally = Store.open(database, KeyRing.derive(SECRET)), Tally()
    client = open_client(url, store, limiter=Timed(store.limiter(per_minute), tally))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            client.get(PATH, "configurations", headers={"X-Infor-MongooseConfig": "ACME_TST_MAIN"})
            tally.calls += 1
        except RateLimited:
            tally.gave_up += 1
        except MLConnectorError as error:
            tally.failed.append(str(error))
        if pause:
            time.sleep(pause)
    client.close()
    store.close()
    return tally


def start(url: str, database: str, seconds: float, per_minute: float, *, pause: float = 0.0) -> subprocess.Popen[str]:
    """Start one worker process."""
    command = [sys.executable, str(Path(__file__).resolve()), url, database, str(seconds), str(per_minute), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def collect(workers: Sequence[subprocess.Popen[str]], seconds: float) -> list[Tally]:
    """Wait for workers to end and return what each did."""
    outputs = [worker.communicate(timeout=seconds)[0] for worker in workers]
    return [Tally(**json.loads(output)) for output in outputs]


def new_store(database: str) -> None:
    """Set the store up that :func:`work` opens."""
    store = Store.open(database, KeyRing.derive(SECRET))
    store.upgrade()
    store.close()


if __name__ == "__main__":
    place, base, *numbers = sys.argv[1:]
    print(json.dumps(asdict(work(place, base, *map(float, numbers)))))
