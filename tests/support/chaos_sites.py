"""What a seed is about: a small business of one kind, the routes that carry it, and what a site chose."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from support.chaos_time import START, Time
from support.chaos_wire import URL, Network, ProcessSession
from support.cloudsuite import MAPPING as CLOUD_MAPPING
from support.cloudsuite import CloudFlow, example_route
from support.flow import MAPPING, ROUTE, Flow

from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.transport import Transport

TIMEOUT = 20.0
"""Total deadline of one request, simulated seconds."""
REMOTE_TIMEOUT = 40.0
"""How long a request may live in a remote system after we gave it up; late commits land within it."""
CUT_OVER = (START - timedelta(days=120)).date()
LEASE = 30.0
"""Longer than a request and its margin, shorter than what a remote system may still do after it."""


@dataclass(frozen=True)
class Site:
    """One business.

    Attributes:
        kind: Its name.
        systems: Options of the simulated systems.
        routes: Routes in the order a calm day runs them.
        chosen: What the deployment chooses (fields of the flow).
        bills: Invoices people enter in JAGGAER, half of them while the routes run.
        vouchers: The same in CSI.
    """

    kind: str
    systems: Mapping[str, Mapping[str, Any]]
    routes: tuple[Route, ...]
    chosen: Mapping[str, Any] = field(default_factory=dict)
    bills: int = 0
    vouchers: int = 0


@dataclass
class ChaosFlow(CloudFlow):
    """Routes between any two of the three systems, over the in-process network."""

    network: Network | None = None
    alive: Any = None

    def _transport(self, system: str, path: str = "", **limits: Any) -> Transport:
        assert self.network is not None
        return Transport(
            f"{URL}{path}",
            system=system.upper(),
            session=ProcessSession(self.network, self.alive),
            allow_http=True,
            timeout=self.timeout,
            wait_budget=20,
            clock=self.clock,
            **limits,
        )

    def source(self) -> Any:
        return Flow.source(self) if self.route.source == "syspro" else CloudFlow.source(self)

    def target(self) -> Any:
        return Flow.target(self) if self.route.target == "syspro" else CloudFlow.target(self)


def draw(seed: int) -> Site:
    """Return the business of a seed."""
    rng = random.Random(f"business {seed}")
    return KINDS[seed % len(KINDS)](rng)


def _tenant(rng: random.Random, **more: Any) -> dict[str, Any]:
    invoices = rng.randint(3, 10)
    return {
        "invoices": invoices,
        "mix": "good",
        "credit_memos": rng.randint(0, min(3, invoices // 2)),
        "list_with_lines": rng.random() < 0.6,
        "page_size": rng.choice([2, 3, 5, 100]),
        "expires_in": rng.choice([90, 600, 3600]),
        "expires_in_form": rng.choice(["number", "text", "missing"]),
        **more,
    }


def _route(**changes: Any) -> Route:
    return ROUTE.model_copy(update={"start_at": CUT_OVER, **changes})


def _linked(rng: random.Random) -> Site:
    site = {
        "uniqueness": rng.random() < 0.5,
        "gl_create": rng.random() < 0.9,
        "gl_post": rng.random() < 0.8,
        "ap_gl": rng.choice(["detail", "summary"]),
    }
    size = rng.choice([2, 5, 1000])
    route = _route(claim_size=size, chunk_size=rng.choice([2, 500]))
    chosen = {"syspro": {"remote_timeout": REMOTE_TIMEOUT, "max_items": rng.choice([1, 3, 50])}}
    return Site("invoices into SYSPRO", {"jaggaer": _tenant(rng), "syspro": site}, (route,), chosen)


def _unlinked(rng: random.Random) -> Site:
    site = {"uniqueness": rng.random() < 0.5, "ap_gl": "not_linked"}
    options = {"ap_gl": "not_linked", "authorize_journal": "A", "remote_timeout": REMOTE_TIMEOUT}
    return Site(
        "invoices with journals into SYSPRO",
        {"jaggaer": _tenant(rng), "syspro": site},
        (_route(claim_size=rng.choice([2, 1000])),),
        {"syspro": options},
    )


def _combined(rng: random.Random) -> Site:
    site = {"uniqueness": rng.random() < 0.5, "ap_gl": "not_linked"}
    options = {
        "ap_gl": "not_linked",
        "journals": "combined",
        "authorize_journal": "A",
        "transport": "postld",
        "remote_timeout": REMOTE_TIMEOUT,
    }
    return Site(
        "combined journals into SYSPRO",
        {"jaggaer": _tenant(rng), "syspro": site},
        (_route(journals="combined"), _route(name="journals", document="journal")),
        {"syspro": options},
    )


def _orders(rng: random.Random) -> Site:
    tenant = _tenant(rng, invoices=0, credit_memos=0, purchase_orders=rng.randint(3, 8))
    route = _route(name="jaggaer_to_syspro_orders", document="purchase_order")
    numbering = rng.choice(["system", "manual"])
    route = route.model_copy(update={"options": {"po_numbering": numbering}})
    return Site(
        "orders into SYSPRO",
        {"jaggaer": tenant, "syspro": {"po_numbering": numbering}},
        (route,),
        {"syspro": {"remote_timeout": REMOTE_TIMEOUT}},
    )


def _cloud(name: str) -> Route:
    return example_route(name).model_copy(update={"start_at": CUT_OVER})


def _vouchers(rng: random.Random) -> Site:
    return Site(
        "invoices into CloudSuite",
        {
            "jaggaer": {"expires_in": rng.choice([90, 3600])},
            "cloudsuite": _gateway(rng, auto_voucher=rng.random() < 0.5),
        },
        (_cloud("invoices_in"),),
        {"mapping": CLOUD_MAPPING, "csi": {"remote_timeout": REMOTE_TIMEOUT, "voucher_repost": _repost(rng)}},
        bills=rng.randint(3, 8),
    )


def _both_ways(rng: random.Random) -> Site:
    return Site(
        "invoices both ways with CloudSuite",
        {"jaggaer": {"expires_in": rng.choice([90, 3600])}, "cloudsuite": _gateway(rng, auto_voucher=True)},
        (_cloud("invoices_in"), _cloud("invoices_out")),
        {"mapping": CLOUD_MAPPING, "csi": {"remote_timeout": REMOTE_TIMEOUT}},
        bills=rng.randint(2, 5),
        vouchers=rng.randint(2, 5),
    )


def _repost(rng: random.Random) -> str:
    return rng.choice(["person", "second_look"])


def _gateway(rng: random.Random, *, auto_voucher: bool) -> dict[str, Any]:
    return {
        "expires_in": rng.choice([120, 7200]),
        "tokens_per_day": 0,
        "logins_per_minute": 0,
        "rotate_refresh": rng.random() < 0.5,
        "error_body": rng.choice(["message", "fault", "html", "empty"]),
        "csi": {"auto_voucher": auto_voucher},
    }


KINDS = (_linked, _unlinked, _combined, _orders, _vouchers, _both_ways)


def deployed(site: Site, sandbox: Any, store: Any, clock: Time) -> ChaosFlow:
    """Return the deployment of a site, for processes to be made of."""
    chosen = {"mapping": MAPPING, **site.chosen}
    return ChaosFlow(
        sandbox=sandbox,
        store=store,
        clock=clock,  # type: ignore[arg-type] - the simulated one
        route=site.routes[0],
        timeout=TIMEOUT,
        lease_seconds=LEASE,
        **chosen,
    )


def process_of(deployment: ChaosFlow, **changes: Any) -> ChaosFlow:
    """Return the deployment as one process has it."""
    return replace(deployment, **changes)
