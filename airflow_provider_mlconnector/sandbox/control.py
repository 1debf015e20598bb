"""The control API under ``/_sandbox/``: what tests and the demo ask of the sandbox itself.

GET credentials, accounts, router, ledger, truth, requests, faults, health · POST reset, documents, exports,
clock, faults · DELETE faults.
Errors are ``{"error": text}`` with 400 (not understood) or 404 (no such command).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jsonio import dumps

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.app import SandboxApp, System

CONNECTION_FIELDS = {"login", "password", "schema", "extra"}
Command = Callable[["SandboxApp", Request], Awaitable[Any]]


async def answer(app: SandboxApp, request: Request) -> Response:
    """Run one control command and return its result as JSON."""
    command = COMMANDS.get((request.method, request.url.path.removeprefix("/_sandbox/").strip("/")))
    if command is None:
        return _json({"error": f"no such command: {request.method} {request.url.path}"}, 404)
    try:
        return _json(await command(app, request))
    except (ValueError, KeyError, TypeError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


def _json(body: object, status: int = 200) -> Response:
    return Response(dumps(body), status, media_type="application/json")


async def _body(request: Request) -> dict[str, Any]:
    """Read a JSON object; an empty body is an empty object."""
    raw = await request.body()
    body = json.loads(raw) if raw else {}
    if not isinstance(body, dict):
        message = "a JSON object is needed"
        raise TypeError(message)
    return body


async def _health(app: SandboxApp, _request: Request) -> dict[str, Any]:
    return {"status": "ok", "now": app.clock.now().isoformat(), "systems": sorted(app.systems)}


async def _credentials(app: SandboxApp, request: Request) -> dict[str, Any]:
    """Give, per system, an Airflow connection as JSON; ``host`` is the whole base URL the caller reached us by."""
    url = str(request.base_url).rstrip("/")
    base = {"host": url, "port": None}
    found = {name: {"conn_type": name, **base, **_parts(system)[0]} for name, system in app.systems.items()}
    found["cloudsuite"]["extra"]["ionapi"] = app.cloudsuite.ionapi(url)
    return found


async def _accounts(app: SandboxApp, _request: Request) -> dict[str, Any]:
    """Give, per system, what it lets in besides that connection, such as SYSPRO's other operators."""
    return {name: _parts(system)[1] for name, system in app.systems.items()}


async def _router(app: SandboxApp, request: Request) -> dict[str, Any]:
    """Give JAGGAER's XML router: the URL that takes each kind of message, and the credentials inside the message."""
    known, base = app.jaggaer.router(), str(request.base_url).rstrip("/")
    return known | {"urls": {root: base + path for root, path in known.pop("paths").items()}}


def _parts(system: System) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell the fields of an Airflow connection, which takes no others, from the rest."""
    offered = system.credentials()
    fields = {key: offered.pop(key) for key in CONNECTION_FIELDS & offered.keys()}
    return fields, offered


async def _ledger(app: SandboxApp, _request: Request) -> dict[str, Any]:
    return {name: system.ledger() for name, system in app.systems.items()}


async def _truth(app: SandboxApp, request: Request) -> dict[str, Any]:
    """Tell which kind of document each generated one is: JAGGAER's, or with ``?system=cloudsuite`` that one's."""
    return app.cloudsuite.truth() if request.query_params.get("system") == "cloudsuite" else app.jaggaer.truth()


async def _requests(app: SandboxApp, _request: Request) -> dict[str, Any]:
    return app.requests.report()


async def _reset(app: SandboxApp, request: Request) -> dict[str, Any]:
    """Take ``{"seed", "invoices", "jaggaer": {...}, "syspro": {...}, "cloudsuite": {...}}``, all optional."""
    body = await _body(request)
    jaggaer = dict(body.pop("jaggaer", {}))
    if "invoices" in body:
        jaggaer["invoices"] = body.pop("invoices")
    others = {name: body.pop(name, None) for name in ("syspro", "cloudsuite")}
    app.reset(seed=body.pop("seed", None), jaggaer=jaggaer, **others)
    _nothing_left(body)
    return {"status": "reset"}


async def _documents(app: SandboxApp, request: Request) -> dict[str, Any]:
    """Take ``{"system", "kind", …}``; what follows, or what is under ``body``, is the document."""
    body = await _body(request)
    system, kind = app.systems[body.pop("system")], body.pop("kind")
    return system.add(kind, body.get("body", body))


async def _exports(app: SandboxApp, request: Request) -> dict[str, Any]:
    """Give what changed in JAGGAER as XML messages, ready to be put into a folder; see ``jaggaer.exports``."""
    return app.jaggaer.export(await _body(request))


async def _clock(app: SandboxApp, request: Request) -> dict[str, Any]:
    """Take ``{"advance": seconds}`` or ``{"set": ISO time with zone}``."""
    body = await _body(request)
    if "set" in body:
        moment = datetime.fromisoformat(body.pop("set"))
        if moment.tzinfo is None:
            message = "the time needs a zone"
            raise ValueError(message)
        app.clock.set(moment)
    app.clock.advance(float(body.pop("advance", 0)))
    _nothing_left(body)
    return {"now": app.clock.now().isoformat()}


async def _set_faults(app: SandboxApp, request: Request) -> dict[str, Any]:
    """Take the whole plan, a list of rules; it replaces the one in force."""
    rules = json.loads(await request.body())
    if not isinstance(rules, list):
        message = "a plan is a JSON list of rules"
        raise TypeError(message)
    app.faults.set(rules)
    return await _show_faults(app, request)


async def _show_faults(app: SandboxApp, _request: Request) -> dict[str, Any]:
    return {"rules": [rule.describe() for rule in app.faults.rules]}


async def _clear_faults(app: SandboxApp, request: Request) -> dict[str, Any]:
    app.faults.set([])
    return await _show_faults(app, request)


def _nothing_left(body: dict[str, Any]) -> None:
    if body:
        message = f"unknown fields: {', '.join(sorted(body))}"
        raise ValueError(message)


COMMANDS: dict[tuple[str, str], Command] = {
    ("GET", "health"): _health,
    ("GET", "credentials"): _credentials,
    ("GET", "accounts"): _accounts,
    ("GET", "router"): _router,
    ("GET", "ledger"): _ledger,
    ("GET", "truth"): _truth,
    ("GET", "requests"): _requests,
    ("POST", "reset"): _reset,
    ("POST", "documents"): _documents,
    ("POST", "exports"): _exports,
    ("POST", "clock"): _clock,
    ("GET", "faults"): _show_faults,
    ("POST", "faults"): _set_faults,
    ("DELETE", "faults"): _clear_faults,
}
