"""What Airflow discovers of this package: connection types and their forms, hooks, operators, settings."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector import __version__
from airflow_provider_mlconnector.hooks.forms import (
    CLOUDSUITE_BEHAVIOUR,
    CLOUDSUITE_FIELDS,
    JAGGAER_BEHAVIOUR,
    JAGGAER_FIELDS,
    SYSPRO_BEHAVIOUR,
    SYSPRO_FIELDS,
)

_ROOT = "airflow_provider_mlconnector"
_SYSTEMS = ("SYSPRO", "Infor CloudSuite", "JAGGAER")
_OPERATORS = ("audit", "documents", "match", "reconcile", "replay")


def get_provider_info() -> dict[str, Any]:
    """Return the provider metadata (`airflow/provider_info.schema.json`)."""
    return {
        "package-name": "airflow-provider-mlconnector",
        "name": "ML Connector",
        "description": "Keeps SYSPRO, Infor CloudSuite and the JAGGAER source-to-pay platform in step, exactly once.",
        "versions": [__version__],
        "integrations": [
            {"integration-name": "SYSPRO", "external-doc-url": "https://help.syspro.com/", "tags": ["service"]},
            {
                "integration-name": "Infor CloudSuite",
                "external-doc-url": "https://docs.infor.com/",
                "tags": ["service"],
            },
            {"integration-name": "JAGGAER", "external-doc-url": "https://www.jaggaer.com/", "tags": ["service"]},
        ],
        "hooks": [
            {"integration-name": "SYSPRO", "python-modules": [f"{_ROOT}.hooks.syspro"]},
            {"integration-name": "Infor CloudSuite", "python-modules": [f"{_ROOT}.hooks.cloudsuite"]},
            {"integration-name": "JAGGAER", "python-modules": [f"{_ROOT}.hooks.jaggaer"]},
        ],
        "operators": [
            {
                "integration-name": system,
                "python-modules": [f"{_ROOT}.operators.{name}" for name in _OPERATORS],
            }
            for system in _SYSTEMS
        ],
        "sensors": [
            {"integration-name": system, "python-modules": [f"{_ROOT}.operators.settle"]} for system in _SYSTEMS
        ],
        "connection-types": [
            {
                "connection-type": "mlconnector_syspro",
                "hook-class-name": f"{_ROOT}.hooks.syspro.SysproHook",
                "hook-name": "ML Connector: SYSPRO",
                "ui-field-behaviour": SYSPRO_BEHAVIOUR,
                "conn-fields": SYSPRO_FIELDS,
            },
            {
                "connection-type": "mlconnector_jaggaer",
                "hook-class-name": f"{_ROOT}.hooks.jaggaer.JaggaerHook",
                "hook-name": "ML Connector: JAGGAER",
                "ui-field-behaviour": JAGGAER_BEHAVIOUR,
                "conn-fields": JAGGAER_FIELDS,
            },
            {
                "connection-type": "mlconnector_cloudsuite",
                "hook-class-name": f"{_ROOT}.hooks.cloudsuite.CloudSuiteHook",
                "hook-name": "ML Connector: Infor CloudSuite",
                "ui-field-behaviour": CLOUDSUITE_BEHAVIOUR,
                "conn-fields": CLOUDSUITE_FIELDS,
            },
        ],
        "config": {"mlconnector": {"description": _SECTION, "options": _OPTIONS}},
    }


_SECTION = "Where the ML Connector keeps its documents and audit trail, and how it protects them."


def _option(
    description: str, *, kind: str = "string", default: str | None = None, example: str | None = None
) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": default,
    }


_OPTIONS = {
    "store_conn_id": _option(
        "Airflow connection (type Postgres) of the connector's own database: documents, audit trail, leases.",
        default="mlconnector_store",
    ),
    "local_store": _option(
        "Keep everything in one SQLite file under AIRFLOW_HOME, keys derived from the Fernet key. For a demo on one "
        "machine; never for production.",
        kind="boolean",
        default="False",
    ),
    "encryption_keys": {
        **_option(
            "Keys that encrypt documents at rest, as id:key pairs separated by commas, each key 32 bytes in URL-safe "
            "base64. The first is used for new data, the others can still be read.",
            example="k2:<base64>,k1:<base64>",
        ),
        "sensitive": True,
    },
    "audit_key": {
        **_option("Key of the audit trail's hash chain: 32 bytes in URL-safe base64. Never change it."),
        "sensitive": True,
    },
    "anchor_file": _option(
        "File outside the store, or object such as s3://connection@bucket/anchor, to which every run and the DAG "
        "mlconnector_audit write the end of the audit trail. A store restored, cut or rewritten is then noticed.",
        default="",
    ),
    "lease_seconds": _option(
        "How long a worker may hold documents and a SYSPRO operator without renewing. Longer than any request timeout.",
        kind="integer",
        default="120",
    ),
}
