"""From a connection's fields to the client of its ION tenant: file, login, pace and quota."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from airflow.sdk.log import mask_secret

from airflow_provider_mlconnector.errors import MLConnectorError
from airflow_provider_mlconnector.hooks.connections import Endpoint
from airflow_provider_mlconnector.hooks.forms import CLOUDSUITE_BEHAVIOUR, CLOUDSUITE_FIELDS
from airflow_provider_mlconnector.hooks.session import number, transport_to
from airflow_provider_mlconnector.systems.cloudsuite.gateway import (
    ALLOWANCE,
    DEFAULT_TIMEOUT,
    LOGINS_AT_ONCE,
    LOGINS_PER_MINUTE,
    REQUESTS_PER_MINUTE,
    TOKEN_TIMEOUT,
    TOKENS_PER_DAY,
    GatewayClient,
)
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.cloudsuite.login import AuthOptions

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store import Store
    from airflow_provider_mlconnector.store.pace import StoredLimiter
    from airflow_provider_mlconnector.systems.transport import Transport

log = logging.getLogger(__name__)

FILE: Final = str(CLOUDSUITE_BEHAVIOUR["relabeling"]["password"])
ISSUE: Final = "daily_quota"


def open_gateway(endpoint: Endpoint, *, system: str, store: Store | None) -> GatewayClient:
    """Return the client of a connection's tenant; it logs in at its first call.

    Args:
        endpoint: The connection.
        system: What errors call the remote.
        store: Shares tokens and pace between all workers; without one nothing is shared or paced.

    Raises:
        ConfigurationError: A field of the connection or a key of its file is missing or wrong.
    """
    ionapi = read_file(endpoint)
    timeout = number(endpoint, "timeout", _label("timeout")) or DEFAULT_TIMEOUT
    gateway = transport_to(
        ionapi.gateway,
        endpoint,
        system=system,
        timeout=timeout,
        limiter=pace(endpoint, store) if store is not None else None,
        limiter_key=ionapi.limit_key,
    )
    auth = _auth(endpoint)
    return GatewayClient.between(
        endpoint.conn_id,
        ionapi,
        gateway=gateway,
        login=_login(endpoint, ionapi, system, store, timeout),
        revoking=_login(endpoint, ionapi, system, None, timeout) if auth.revoke else None,
        cache=store.tokens if store is not None else None,
        auth=auth,
        on_secret=mask_secret,
    )


def read_file(endpoint: Endpoint) -> IonApi:
    """Return the `.ionapi` file: the password field, or `ionapi` of the extra (its text, its path, or the object).

    The extra is for connections kept in a secrets backend or in the environment: Airflow would show it to whoever may
    see connections.

    Raises:
        ConfigurationError: It is missing, or a key of it is; names each.
    """
    label = f"connection '{endpoint.conn_id}', field {FILE}"
    given = endpoint.extra.get("ionapi") or endpoint.password
    return IonApi.parse(given, label=label, allow_http=endpoint.extra.get("allow_http") is True)


def pace(endpoint: Endpoint, store: Store) -> StoredLimiter:
    """Return what paces all workers of the tenant, a little below what it allows."""
    per_minute = number(endpoint, "requests_per_minute", _label("requests_per_minute")) or REQUESTS_PER_MINUTE
    quota = number(endpoint, "daily_quota", _label("daily_quota"))
    return store.limiter(per_minute * ALLOWANCE, quota=max(1, int(quota)) if quota else None)


def tell_quota(endpoint: Endpoint, ionapi: IonApi, store: Store, route: str) -> None:
    """Open or resolve a route's issue about the day's quota of the tenant; a failure is logged and nothing else."""
    from airflow_provider_mlconnector.store.records import Actor

    if not endpoint.extra.get("daily_quota"):
        return
    try:
        usage = pace(endpoint, store).usage(ionapi.limit_key)
        with store.unit_of_work(Actor()) as uow:
            if usage.near:
                text = f"tenant {ionapi.tenant}: {usage.used} of the {usage.quota} requests of this day (UTC) are used"
                uow.issues.open(route, ISSUE, ionapi.tenant, text)
            else:
                uow.issues.resolve(route, ISSUE, ionapi.tenant)
    except MLConnectorError as error:
        log.warning("The day's quota of tenant %s could not be noted: %s", ionapi.tenant, error)


def _login(endpoint: Endpoint, ionapi: IonApi, system: str, store: Store | None, timeout: float) -> Transport:
    parts = urlsplit(ionapi.login_server)
    limiter = None
    if store is not None:
        limiter = store.limiter(LOGINS_PER_MINUTE, burst=LOGINS_AT_ONCE, quota=TOKENS_PER_DAY)
    return transport_to(
        f"{parts.scheme}://{parts.netloc}",
        endpoint,
        system=f"{system} login server",
        timeout=min(timeout, TOKEN_TIMEOUT),
        limiter=limiter,
        limiter_key=f"{ionapi.limit_key} logins",
        retries=0,
        wait_budget=0,
    )


def _auth(endpoint: Endpoint) -> AuthOptions:
    chosen: dict[str, Any] = {}
    for name in ("grant", "client_auth"):
        schema = CLOUDSUITE_FIELDS[name]["schema"]
        chosen[name] = endpoint.extra.get(name, schema["default"])
        if chosen[name] not in schema["enum"]:
            problem = f"{chosen[name]!r} is not offered; choose one of {', '.join(schema['enum'])}"
            raise endpoint.wrong(_label(name), problem)
    return AuthOptions(**chosen, revoke=endpoint.extra.get("revoke") is True)


def _label(name: str) -> str:
    return str(CLOUDSUITE_FIELDS[name]["label"])
