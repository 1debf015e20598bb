"""Looks for secrets where none may be: logs, XComs, answers of an API."""

from __future__ import annotations

import re
from urllib.parse import quote_plus

from support.stores import AUDIT, KEY_1

from airflow_provider_mlconnector.sandbox.cloudsuite import tokens as cloudsuite
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.tokens import CLIENT_SECRET
from airflow_provider_mlconnector.sandbox.syspro.sessions import COMPANY_PASSWORD, OPERATORS

KNOWN = {
    "JAGGAER's client secret": CLIENT_SECRET,
    # without its end, which XML writes otherwise
    "the shared secret of JAGGAER's router": JaggaerOptions().router_secret.partition("<")[0],
    "CloudSuite's client secret": cloudsuite.CLIENT_SECRET,
    "the access key of CloudSuite's service account": cloudsuite.ACCESS_KEY,
    "the secret key of CloudSuite's service account": cloudsuite.SECRET_KEY,
    "SYSPRO's company password": COMPANY_PASSWORD,
    "the store's encryption key": KEY_1,
    "the store's audit key": AUDIT,
} | {f"password of operator {name}": password for name, password in OPERATORS.items()}
SHAPES = {
    "an access token": r"eyJhbGciOiJSUzI1NiJ9\.\S+",
    "a refresh token": r"sandboxRefresh\d{6}",
    "a SYSPRO session key": r"(?<![0-9A-F])[0-9A-F]{34}(?![0-9A-F])",
}
"""Secrets the sandbox makes up while it runs."""


def found_secrets(text: str, *others: str) -> list[str]:
    """Return what kind of secrets stand in ``text``, in the clear or as a URL spells them; never the secrets."""
    found = [name for name, secret in KNOWN.items() if secret in text or _in_url(secret) in text]
    found += [name for name, shape in SHAPES.items() if re.search(shape, text)]
    return found + [f"other secret {number}" for number, secret in enumerate(others) if secret in text]


def _in_url(secret: str) -> str:
    return quote_plus(secret)
