"""The ``.ionapi`` file: one JSON object that names tenant, gateway, login server and credentials.

reference/cloudsuite.md §1. Its keys are terse (``ci``, ``saak``), so every error names the key and what it means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import ConfigurationError

_MEANING = {
    "ti": "the tenant",
    "ci": "the client id",
    "cs": "the client secret",
    "iu": "the address of the gateway",
    "pu": "the address of the login server",
    "ot": "the path of tokens",
    "or": "the path that revokes tokens",
    "cn": "the app's name",
    "saak": "the service account's access key",
    "sask": "the service account's secret key",
}
_REQUIRED = ("ti", "ci", "cs", "iu", "pu", "ot")
_URLS = ("iu", "pu")
_SCOPES = ("sc", "scopes")
_REGION_LABELS = 4
"""``mingle-ionapi.eu1.inforcloudsuite.com``: the region is the label behind the first."""


@dataclass(frozen=True)
class IonApi:
    """A checked ``.ionapi`` file.

    Attributes:
        tenant: Tenant id (``ti``), first part of every path.
        client_id: ``ci``.
        client_secret: ``cs``.
        gateway: Base of all calls (``iu``), without slash at the end.
        login_server: Base of the login server (``pu``), with one.
        token_path: Below the login server (``ot``).
        revoke_path: The same (``or``), empty where the file names none.
        app: The app's name (``cn``), for people.
        access_key: User name of the service account (``saak``), empty without one.
        secret_key: Its password (``sask``).
        scope: Scopes to ask for, separated by blanks, mostly empty.
    """

    tenant: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    gateway: str
    login_server: str
    token_path: str
    revoke_path: str = ""
    app: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    scope: str = ""

    @classmethod
    def parse(cls, given: str | Mapping[str, object], *, label: str, allow_http: bool = False) -> IonApi:
        """Read a file's content, its absolute path, or the object itself.

        Args:
            given: What the connection holds.
            label: What errors call it ("connection 'x', field ION API file").
            allow_http: Permit plain http, for a sandbox.

        Raises:
            ConfigurationError: Names every key that is missing or wrong; never shows a value that may be secret.
        """
        keys, problems = _keys(_object(given, label))
        problems += _problems(keys, allow_http=allow_http)
        if problems:
            raise _wrong(label, "; ".join(problems))
        return cls(
            tenant=keys["ti"],
            client_id=keys["ci"],
            client_secret=keys["cs"],
            gateway=keys["iu"].rstrip("/"),
            login_server=keys["pu"].rstrip("/") + "/",
            token_path=keys["ot"].lstrip("/"),
            revoke_path=keys.get("or", "").lstrip("/"),
            app=keys.get("cn", ""),
            access_key=keys.get("saak", ""),
            secret_key=keys.get("sask", ""),
            scope=" ".join(next((keys[name] for name in _SCOPES if keys.get(name)), "").replace(",", " ").split()),
        )

    @property
    def has_service_account(self) -> bool:
        """Tell whether the password grant is possible (§1, variants)."""
        return bool(self.access_key and self.secret_key)

    @property
    def region(self) -> str:
        """Region of the tenant by the gateway's host, such as ``eu1``; empty where the host does not tell."""
        host = (urlsplit(self.gateway).hostname or "").lower()
        labels = host.split(".")
        try:
            ip_address(host)
        except ValueError:
            return labels[1] if len(labels) >= _REGION_LABELS else ""
        return ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that no log may show."""
        values = (self.client_id, self.client_secret, self.access_key, self.secret_key)
        return tuple(value for value in values if value)

    @property
    def limit_key(self) -> str:
        """Whose pace and quota it is: the tenant's at its gateway, whatever the client (§3.2)."""
        return f"ION {urlsplit(self.gateway).netloc.lower()} {self.tenant}"


def _object(given: str | Mapping[str, object], label: str) -> Mapping[str, object]:
    if isinstance(given, Mapping):
        return given
    text = given.strip().removeprefix("\ufeff")
    if not text:
        raise _wrong(label, "is empty; paste the whole .ionapi file, or enter its absolute path on every worker")
    if not text.startswith(("{", "[", '"')):
        text = _file(text, label)
    try:
        read = json.loads(text)
    except ValueError:
        raise _wrong(label, "is not valid JSON; paste the .ionapi file whole, from { to }") from None
    if not isinstance(read, dict):
        raise _wrong(label, "must be one JSON object, as in the file downloaded")
    return read


def _file(name: str, label: str) -> str:
    path = Path(name)
    # a pasted secret must not be shown as if it were a path
    if not path.is_absolute():
        raise _wrong(label, "is neither JSON nor an absolute path; paste the whole .ionapi file, from { to }")
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise _wrong(label, f"names a file that cannot be read here ({type(error).__name__})") from None


def _keys(read: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    """Return the known keys in lower case with their texts, and what is wrong with them."""
    keys: dict[str, str] = {}
    problems = []
    for name, value in read.items():
        key = str(name).strip().lower()
        if key not in _MEANING and key not in _SCOPES:
            continue
        if key in keys:
            problems.append(f"key `{key}` is there twice, in capital and small letters")
        if key in _SCOPES and isinstance(value, list | tuple):
            value = " ".join(map(str, value))  # noqa: PLW2901 - a comma list or an array (§1)
        if value is not None and not isinstance(value, str):
            problems.append(f"key `{key}` must be a text in quotes")
            continue
        keys[key] = (value or "").strip()
    return keys, problems


def _problems(keys: Mapping[str, str], *, allow_http: bool) -> list[str]:
    found = [f"key `{key}` is {_lack(keys, key)}: {_MEANING[key]}" for key in _REQUIRED if not keys.get(key)]
    for one, other in (("saak", "sask"), ("sask", "saak")):
        if keys.get(one) and not keys.get(other):
            found.append(f"key `{other}` is {_lack(keys, other)} beside `{one}`: {_MEANING[other]}")
    found += [problem for key in _URLS if keys.get(key) and (problem := _url_problem(key, keys[key], allow_http))]
    found += [
        f"key `{key}` must be a path below `pu`, not an address"
        for key in ("ot", "or")
        if "://" in keys.get(key, "") or "?" in keys.get(key, "")
    ]
    if "/" in keys.get("ti", ""):
        found.append("key `ti` must be just the tenant's id, without slash")
    return found


def _lack(keys: Mapping[str, str], key: str) -> str:
    return "empty" if key in keys else "missing"


def _url_problem(key: str, url: str, allow_http: bool) -> str:
    about = f"key `{key}` ({_MEANING[key]})"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"{about} is no address"
    if parts.scheme not in {"http", "https"} or not host:
        return f"{about} must be a whole address that begins with https://"
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return f"{about} must be just scheme, host, port and path: no user, no query"
    if parts.scheme == "http" and not allow_http:
        return f"{about} begins with http://: secrets would travel readable; allow plain HTTP for a sandbox only"
    return ""


def _wrong(label: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"{label}: {problem}", field=label)
