"""A running sandbox and a plain HTTP session on its JAGGAER tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from airflow_provider_mlconnector.sandbox.server import serving

INVOICES = "/j1p/api/public/ji/v1/invoices"
TOKEN = "/auth/realms/J1p-integrations/protocol/openid-connect/token"


class Tenant:
    """Speaks to one sandbox: ``control`` to its own API, ``get`` to JAGGAER with a fresh token, ``raw`` to any path."""

    def __init__(self, url: str, app: Any) -> None:
        self.url, self.app = url, app
        self.session = requests.Session()
        self.credentials: dict[str, dict[str, Any]] = self.control("GET", "credentials")

    def control(self, method: str, command: str, json: Any = None, *, status: int = 200) -> Any:
        answer = requests.request(method, f"{self.url}/_sandbox/{command}", json=json, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()

    def raw(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=options.pop("timeout", 30), **options)

    def ask_token(self, **form: str) -> requests.Response:
        own = self.credentials["jaggaer"]
        body = {"client_id": own["login"], "client_secret": own["password"], "grant_type": "client_credentials"}
        return self.raw("POST", TOKEN, data=body | form)

    def log_in(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.ask_token().json()['access_token']}"

    def syspro(self, call: str, **parameters: str) -> requests.Response:
        return self.raw("GET", f"/SYSPROWCFService/Rest/{call}", params=parameters)

    def log_on(self) -> str:
        """Open a SYSPRO session; return its id."""
        own = self.credentials["syspro"]
        company = own["extra"]
        return self.syspro(
            "Logon",
            Operator=own["login"],
            OperatorPassword=own["password"],
            CompanyId=company["company_id"],
            CompanyPassword=company["company_password"],
        ).text

    def listed(self, **params: Any) -> Any:
        return self.raw("GET", INVOICES, params=params).json()

    def ids(self, **params: Any) -> list[int]:
        return [row["header"]["invoiceId"] for row in self.listed(**params)["jiinvoiceList"]["jiinvoice"]]

    def detail(self, invoice_id: int | str) -> Any:
        return self.raw("GET", f"{INVOICES}/{invoice_id}").json()

    def truth(self) -> Any:
        return self.control("GET", "truth")

    def one(self, label: str) -> Any:
        """Return the detail of the first invoice generated under ``label``."""
        return self.detail(next(key for key, row in self.truth().items() if row["label"] == label))


@pytest.fixture
def new_tenant() -> Iterator[Callable[..., Tenant]]:
    """Start a sandbox with the given ``serving`` options and log in to its JAGGAER tenant."""
    with ExitStack() as stack:

        def start(**options: Any) -> Tenant:
            sandbox = stack.enter_context(serving(**options))
            tenant = Tenant(sandbox.url, sandbox.app)
            stack.callback(tenant.session.close)
            tenant.log_in()
            return tenant

        yield start


@pytest.fixture
def tenant(new_tenant: Callable[..., Tenant]) -> Tenant:
    """Start a sandbox of 60 invoices, one of every kind among them."""
    return new_tenant(seed=7, invoices=60)
