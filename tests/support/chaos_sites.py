"""What a seed is about: a small business of one kind, the routes that carry it, and what a site chose."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from support.chaos_site import CUT_OVER, LEASE, M3_MAPPED, REMOTE_TIMEOUT, TIMEOUT, ChaosFlow, MappedText, Site
from support.chaos_time import Time
from support.cloudsuite import MAPPING as CLOUD_MAPPING
from support.cloudsuite import example_route
from support.flow import MAPPING, ROUTE

from airflow_provider_mlconnector.sync.route import MappingSource, Route

__all__ = [
    "CUT_OVER",
    "KINDS",
    "LEASE",
    "REMOTE_TIMEOUT",
    "TIMEOUT",
    "ChaosFlow",
    "Site",
    "deployed",
    "draw",
    "process_of",
]


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


def _m3_vouchers(rng: random.Random) -> Site:
    route = _cloud("invoices_in").model_copy(update={"options": {}})
    options = {"company": "100", "division": "AAA", "remote_timeout": REMOTE_TIMEOUT}
    tenant = _gateway(rng, auto_voucher=True) | {"m3": {"post_after": rng.choice([None, 600.0])}}
    return Site(
        "invoices into M3",
        {"jaggaer": {"expires_in": rng.choice([90, 3600])}, "cloudsuite": tenant},
        (route,),
        {"mapping": MappedText(CLOUD_MAPPING, M3_MAPPED), "m3": options},
        bills=rng.randint(3, 8),
    )


def _cloud_orders(rng: random.Random) -> Site:
    route = _cloud("orders")
    unclear = rng.choice(["person", "repeat"])
    options = {**route.options, "orders_by": rng.choice(["j1p", "router"]), "unclear_orders": unclear}
    return Site(
        "orders of CloudSuite into JAGGAER",
        {"jaggaer": {"expires_in": rng.choice([90, 3600])}, "cloudsuite": _gateway(rng, auto_voucher=True)},
        (route.model_copy(update={"options": options}),),
        {"mapping": CLOUD_MAPPING, "csi": {"remote_timeout": REMOTE_TIMEOUT}},
        errands={"buy in CSI": rng.randint(3, 9)},
    )


def _suppliers(rng: random.Random) -> Site:
    into = _route(name="suppliers_in", document="supplier", opposite="suppliers_out")
    back = into.model_copy(
        update={
            "name": "suppliers_out",
            "opposite": "suppliers_in",
            "source": "syspro",
            "target": "jaggaer",
            "mapping": MappingSource(reverse=True),
        }
    )
    return Site(
        "suppliers both ways with SYSPRO",
        {"jaggaer": {"expires_in": rng.choice([90, 3600])}},
        (into, back),
        {"syspro": {"remote_timeout": REMOTE_TIMEOUT}},
        errands={"suppliers of SYSPRO": rng.randint(3, 8)},
        first_contact=True,
    )


def _vendors(rng: random.Random) -> Site:
    return Site(
        "suppliers both ways with CloudSuite",
        {"jaggaer": {"expires_in": rng.choice([90, 3600])}, "cloudsuite": _gateway(rng, auto_voucher=True)},
        (_cloud("suppliers_in"), _cloud("suppliers_out")),
        {"mapping": CLOUD_MAPPING, "csi": {"remote_timeout": REMOTE_TIMEOUT}},
        errands={"suppliers of CSI": rng.randint(3, 8)},
        first_contact=True,
    )


def _payments(rng: random.Random) -> Site:
    tenant = _tenant(rng, payments=True, credit_memos=0)
    told = _route(
        name="payments",
        document="payment",
        source="syspro",
        target="jaggaer",
        mapping=MappingSource(reverse=True),
        options={"invoices_route": ROUTE.name},
    )
    return Site(
        "payments of SYSPRO into JAGGAER",
        {"jaggaer": tenant, "syspro": {"uniqueness": True}},
        (_route(), told),
        {"syspro": {"remote_timeout": REMOTE_TIMEOUT}},
        errands={"pay in SYSPRO": rng.randint(3, 8)},
    )


KINDS = (
    _linked,
    _unlinked,
    _combined,
    _orders,
    _vouchers,
    _both_ways,
    _cloud_orders,
    _suppliers,
    _vendors,
    _payments,
    _m3_vouchers,
)


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
