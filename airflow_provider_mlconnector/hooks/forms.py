"""The connection forms: what Airflow's connection page asks for, as plain data.

`get_provider_info` hands these to Airflow (3.2 and later read the form from metadata); the hooks build the same form
in Python for Airflow 3.1, which does not (reference/airflow.md §3.3). Imports nothing but such data, so that discovery
is cheap.
"""

from __future__ import annotations

from typing import Any, Final

from airflow_provider_mlconnector.hooks.forms_jaggaer import ASO_FIELDS, CXML_FIELDS, EXPORT_FIELDS, ROUTER_FIELDS

Field = dict[str, Any]

TRANSPORT_FIELDS: Final[dict[str, Field]] = {
    "timeout": {
        "label": "Timeout (s)",
        "description": "Longest time one request may take, from connecting to the last byte.",
        "schema": {"type": ["integer", "null"], "default": 30, "minimum": 1, "maximum": 600},
    },
    "requests_per_minute": {
        "label": "Requests per minute",
        "description": "Pace of all workers together, where the server or tenant sets a limit. Empty for none.",
        "schema": {"type": ["integer", "null"], "minimum": 1},
    },
    "verify": {
        "label": "Verify TLS certificate",
        "description": "Leave on. For an internal certificate authority name its file below instead.",
        "schema": {"type": "boolean", "default": True},
    },
    "ca_file": {
        "label": "CA file",
        "description": "Path, on every worker, of the PEM file of your internal certificate authority.",
        "schema": {"type": ["string", "null"]},
    },
    "client_cert": {
        "label": "Client certificate file",
        "description": "Path, on every worker, of a PEM file with certificate and key, where the server asks for one.",
        "schema": {"type": ["string", "null"]},
    },
    "proxy": {
        "label": "Proxy",
        "description": "Address of an HTTP proxy for this connection, such as http://proxy.example:3128.",
        "schema": {"type": ["string", "null"]},
    },
    "allow_http": {
        "label": "Allow plain HTTP",
        "description": "Passwords and documents then travel readable. For a sandbox only.",
        "schema": {"type": "boolean", "default": False},
    },
}
"""How to reach a system; the same for every system."""

SYSPRO_FIELDS: Final[dict[str, Field]] = {
    "company_id": {
        "label": "Company",
        "description": "Company to log on to, as in SYSPRO's logon window.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 4},
    },
    "company_password": {
        "label": "Company password",
        "description": "Only if the company has one.",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "ap_gl": {
        "label": "AP to GL",
        "description": "linked: AP makes the GL entries of an invoice itself. not_linked: AP and GL are not integrated "
        "at this site, the connector then adds a GL journal. Ask finance: a wrong answer books costs twice or never.",
        "schema": {"type": "string", "enum": ["linked", "not_linked"], "default": "linked"},
    },
    "authorize_journal": {
        "label": "GL journals are",
        "description": "Only where AP and GL are not linked. D: posted when a person authorizes them in SYSPRO. "
        "A: authorized at once.",
        "schema": {"type": "string", "enum": ["D", "A"], "default": "D"},
    },
    "transport": {
        "label": "Send documents by",
        "description": "get: every e.net version. postld: fewer, larger requests, where the server offers "
        "Transaction/PostLD.",
        "schema": {"type": "string", "enum": ["get", "postld"], "default": "get"},
    },
    "logon_path": {
        "label": "Logon path",
        "description": "Path of the logon call below the service, where it differs (Logon or Utilities/Logon).",
        "schema": {"type": ["string", "null"]},
    },
    "remote_timeout": {
        "label": "SYSPRO's own request timeout (s)",
        "description": "How long SYSPRO may go on working on a request after the connection broke; a lost answer is "
        "looked up only after that.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 3600},
    },
    **TRANSPORT_FIELDS,
    "options": {
        "label": "Further options",
        "description": "Only where your site differs in what this form does not ask for: JSON with just the differing "
        "settings, such as the columns of its AP control table.",
        "schema": {"type": ["object", "null"]},
    },
}

JAGGAER_FIELDS: Final[dict[str, Field]] = {
    "realm": {
        "label": "Realm",
        "description": "Login realm of the J1P integrations.",
        "schema": {"type": ["string", "null"], "default": "J1p-integrations"},
    },
    "client_auth": {
        "label": "Client authentication",
        "description": "How client id and secret are sent to the login server: in the form body, or as HTTP Basic.",
        "schema": {"type": "string", "enum": ["body", "basic"], "default": "body"},
    },
    "tenant": {
        "label": "Tenant label",
        "description": "Short name of this tenant in reports and keys. Never change it once documents were moved.",
        "schema": {"type": ["string", "null"], "maxLength": 40},
    },
    **TRANSPORT_FIELDS,
    "contract": {
        "label": "Contract overrides",
        "description": "Only where your tenant's paths, field names or status words differ from the documented ones: "
        "JSON with just the differing settings. Most tenants leave all fields below this one empty.",
        "schema": {"type": ["object", "null"]},
    },
    **EXPORT_FIELDS,
    **ROUTER_FIELDS,
    **CXML_FIELDS,
    **ASO_FIELDS,
}
"""Airflow shows them in this order."""

CLOUDSUITE_FIELDS: Final[dict[str, Field]] = {
    "dialect": {
        "label": "Product",
        "description": "csi: CloudSuite Industrial (SyteLine). m3: CloudSuite M3. ln: CloudSuite LN. "
        "fsm: Financials and Supply Management.",
        "schema": {"type": "string", "enum": ["csi", "m3", "ln", "fsm"], "default": "csi"},
    },
    "configuration": {
        "label": "Configuration",
        "description": "csi only: Mongoose configuration that holds the site's data, such as ACME_TST_MAIN.",
        "schema": {"type": ["string", "null"]},
    },
    "site": {
        "label": "Site",
        "description": "csi only: site, where the tenant wants it beside the configuration.",
        "schema": {"type": ["string", "null"]},
    },
    "company": {
        "label": "Company",
        "description": "m3 and ln: number of the company. fsm: company whose orders are read, empty for all.",
        "schema": {"type": ["string", "null"]},
    },
    "division": {
        "label": "Division",
        "description": "m3 only: division, where the company has several.",
        "schema": {"type": ["string", "null"]},
    },
    "time_zone": {
        "label": "Time zone",
        "description": "Zone of the site's change times, such as Europe/Berlin; empty for UTC.",
        "schema": {"type": ["string", "null"]},
    },
    "grant": {
        "label": "Grant",
        "description": "auto: password where the .ionapi file has a service account (saak, sask), else client "
        "credentials.",
        "schema": {"type": "string", "enum": ["auto", "password", "client_credentials"], "default": "auto"},
    },
    "client_auth": {
        "label": "Client authentication",
        "description": "How client id and secret are sent to the login server: as HTTP Basic, or in the form body.",
        "schema": {"type": "string", "enum": ["basic", "body"], "default": "basic"},
    },
    "revoke": {
        "label": "Revoke when done",
        "description": "Revoke access when the last task that uses it ends, instead of keeping it for the next one. "
        "Every run then logs in anew, which tenants allow about 100 times a day.",
        "schema": {"type": "boolean", "default": False},
    },
    "daily_quota": {
        "label": "Requests per day",
        "description": "The tenant's daily quota, where it has one: from 80 % of it on, the log warns and reports show "
        "an issue. Empty: not counted.",
        "schema": {"type": ["integer", "null"], "minimum": 1},
    },
    **TRANSPORT_FIELDS,
    "requests_per_minute": {
        "label": "Requests per minute",
        "description": "What the tenant allows, for all workers and both directions together.",
        "schema": {"type": ["integer", "null"], "default": 100, "minimum": 1},
    },
    "timeout": {
        "label": "Timeout (s)",
        "description": "Longest time one request may take. The gateway itself waits 60 s for the product, or what its "
        "targetTimeout policy says: stay above that.",
        "schema": {"type": ["integer", "null"], "default": 90, "minimum": 65, "maximum": 600},
    },
    "options": {
        "label": "Further options",
        "description": "Only where your site differs in what this form does not ask for: JSON with just the differing "
        "settings, such as the context of its API suite.",
        "schema": {"type": ["object", "null"]},
    },
}

SYSPRO_BEHAVIOUR: Final[dict[str, Any]] = {
    "hidden-fields": ["schema"],
    "relabeling": {"host": "Base URL", "login": "Operator", "password": "Operator password"},
    "placeholders": {
        "host": "https://syspro.example",
        "port": "31002",
        "login": "operator code, used by nobody else",
    },
}
"""The port has its own field although a base URL could hold it: on Airflow 3.3.1 and 3.3.2 the *Test* button refuses
connections without one (apache/airflow#73298)."""

JAGGAER_BEHAVIOUR: Final[dict[str, Any]] = {
    "hidden-fields": ["schema"],
    "relabeling": {"host": "Base URL", "login": "Client id", "password": "Client secret"},
    "placeholders": {
        "host": "https://yourtenant.jaggaer.example",
        "port": "443",
        "login": "client id of the J1P integration",
    },
}


CLOUDSUITE_BEHAVIOUR: Final[dict[str, Any]] = {
    "hidden-fields": ["host", "schema", "login"],
    "relabeling": {"password": ".ionapi file", "port": "Port (not used)"},
    "placeholders": {
        "password": "paste the whole file, or its absolute path on every worker",
        "port": "443",
    },
}
"""Address, tenant and credentials are all in the file. It goes into the password field, which Airflow shows to nobody,
while it hides extra fields by their names only. For the port see :data:`SYSPRO_BEHAVIOUR`."""


def python_behaviour(behaviour: dict[str, Any]) -> dict[str, Any]:
    """Return a `ui-field-behaviour` in the spelling of the Python method (`hidden_fields`)."""
    return {key.replace("-", "_"): value for key, value in behaviour.items()}


def python_widgets(fields: dict[str, Field]) -> dict[str, Any]:
    """Return the fields as wtforms fields, for Airflow 3.1's `get_connection_form_widgets`.

    Called by Airflow 3.1 only, whose api-server puts stand-ins in place where wtforms is not installed.
    """
    # no stubs, and only Airflow 3.1 calls this
    from wtforms import BooleanField, IntegerField, PasswordField, StringField  # type: ignore[import-untyped]
    from wtforms.validators import Optional, any_of  # type: ignore[import-untyped]

    def widget(field: Field) -> object:
        schema = field["schema"]
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        plain = PasswordField if schema.get("format") == "password" else StringField
        kind = {"boolean": BooleanField, "integer": IntegerField}.get(kinds[0], plain)
        checks = [any_of(schema["enum"])] if "enum" in schema else [Optional()] if "null" in kinds else []
        return kind(field["label"], checks, description=field["description"], default=schema.get("default"))

    return {name: widget(field) for name, field in fields.items()}
