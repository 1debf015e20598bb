"""What can be switched on the simulated tenant: policies of the gateway, and behavior nobody has documented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

PASSWORD, REFRESH, CLIENT = "password", "refresh_token", "client_credentials"
PRODUCTS = frozenset({"csi", "m3", "ln", "fsm"})


@dataclass(frozen=True, slots=True)
class CloudSuiteOptions:
    """Settings of the tenant; each is switchable by ``POST /_sandbox/reset {"cloudsuite": {...}}``."""

    # The authorization server (§2)
    service_account: bool = True
    """Whether the ``.ionapi`` file has a service account (``saak``, ``sask``)."""
    grants: tuple[str, ...] = (PASSWORD, REFRESH, CLIENT)
    """Grants the application may use."""
    refresh_tokens: bool = True
    """Whether the application issues refresh tokens."""
    rotate_refresh: bool = False
    """Whether a refresh gives a new refresh token and ends the old one; unknown (§9.2)."""
    repeat_refresh: bool = True
    """Without rotation: whether the answer to a refresh names the token again, or none (§2.2)."""
    refresh_life: int = 86_400
    """Life of a refresh token in seconds, set per application."""
    expires_in: int = 7200
    """Life of an access token in seconds."""
    expires_in_form: Literal["number", "text", "missing"] = "number"
    """How the token answer states its life; one client types it as text."""
    logins_per_minute: int = 20
    """Token requests with credentials per calendar minute, refused ones included; 0 is any number (§3.2)."""
    tokens_per_day: int = 100
    """Access tokens per calendar day (UTC), refreshed ones included; 0 is any number (§3.2)."""

    # The gateway (§3)
    error_body: Literal["message", "fault", "html", "empty"] = "message"
    """Shape of the gateway's own errors; undocumented."""
    retry_after: Literal["none", "seconds", "date"] = "none"
    """Whether a 429 says when to come again; undocumented."""
    request_id_header: str = "X-Request-Id"
    """SIM: response header with the request's number; empty sends none."""
    period_ms: int = 60_000
    """Throttling policy: length of the fixed period the next three count in."""
    max_requests_per_period: int = 3000
    """Spike arrest: further requests of the period get 429; 0 is any number."""
    delay_after_count: int = 0
    """Rate smoothing: further requests of the period are delayed; 0 never."""
    delay_factor_ms: int = 0
    """Rate smoothing: the first is delayed by this, the second by twice this, and so on."""
    requests_per_day: int = 250_000
    """Quota per calendar day (UTC): further requests get 429; 0 is any number."""

    # CSI: the IDO service (§4a)
    configurations: tuple[str, ...] = ("ACME_TST_MAIN",)
    """Names the header ``X-Infor-MongooseConfig`` may have; the first is the site's own."""
    config_error: Literal[200, 400] = 400
    """SIM: status of a request whose ``X-Infor-MongooseConfig`` is missing or unknown."""
    time_zone: str = "UTC"
    """Zone of the site: change stamps are shown and compared in its local time; unknown (§9.8)."""
    record_cap: int = 200
    """Rows a load gives when it does not say how many (``recordCap`` -1 or absent)."""
    most_rows: int = 0
    """Most rows a load gives whatever it asks for; 0 is any number; unknown (§9.3)."""
    update_batch_mode: Literal["all", "first_only"] = "all"
    """Whether further changes of one update are made or silently passed over; unknown (§9.5)."""
    update_atomic: bool = False
    """Whether a refused change of an update takes back those before it; unknown (§9.5)."""
    info_success: bool = False
    """``Success`` of ``info``: Infor's own sample says false with full data."""
    absent: tuple[str, ...] = ()
    """IDOs (``SLVchHdrs``) and properties (``SLVchHdrs.DistDate``) this version of the product does not have."""
    unprivileged: tuple[str, ...] = ()
    """What the user may not do: ``SLLedgers`` anything, ``SLAptrxs:Insert`` one of Read, Insert, Update, Delete."""

    # What the products have of their own: fields of CsiOptions, M3Options and so on
    csi: Mapping[str, Any] = field(default_factory=dict)
    m3: Mapping[str, Any] = field(default_factory=dict)
    ln: Mapping[str, Any] = field(default_factory=dict)
    fsm: Mapping[str, Any] = field(default_factory=dict)


def changed(options: CloudSuiteOptions, changes: Mapping[str, Any]) -> CloudSuiteOptions:
    """Return the options with some replaced; of a product's own ones those not named stay.

    Raises:
        TypeError: An option nobody has.
    """
    products = {name: {**getattr(options, name), **changes[name]} for name in PRODUCTS & changes.keys()}
    return replace(options, **{**changes, **products})
