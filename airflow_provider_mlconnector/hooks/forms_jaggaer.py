"""Fields of the JAGGAER form that most tenants leave empty: files, the XML router, cXML and ASO.

Plain data, as `forms`; imports nothing.
"""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = {"type": ["string", "null"]}
_SECRET: Final = {"type": ["string", "null"], "format": "password"}

EXPORT_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "export_folder": {
        "label": "Export folder",
        "description": "Folder with JAGGAER's exported XML files, cXML orders included: an absolute path, the same on "
        "every worker, such as /data/jaggaer/export, or a place in object storage such as "
        "s3://connection@bucket/prefix. Orders and invoices are then read from there; empty where they come from the "
        "tenant.",
        "schema": _TEXT,
    },
}

ROUTER_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "router_url": {
        "label": "Router URL",
        "description": "Address of the XML router, such as https://router.example, with or without "
        "/apps/Router/TSMSupplierXMLImport. It alone takes payment terms, remit-to and bank data of suppliers: empty "
        "leaves those out. Routes may send orders and invoices by it too.",
        "schema": _TEXT,
    },
    "router_identity": {
        "label": "Router identity",
        "description": "Identity agreed with JAGGAER for XML messages.",
        "schema": _TEXT,
    },
    "router_secret": {
        "label": "Router shared secret",
        "description": "Shared secret that goes with the identity.",
        "schema": _SECRET,
    },
}

CXML_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "cxml_url": {
        "label": "cXML URL",
        "description": "Address that takes cXML, such as https://router.example, with or without "
        "/apps/Router/CXMLInvoiceImport. Only for routes whose invoices go into JAGGAER by cXML.",
        "schema": _TEXT,
    },
    "cxml_identity": {
        "label": "cXML identity",
        "description": "Identity of the sender (From and Sender), usually a DUNS number.",
        "schema": _TEXT,
    },
    "cxml_buyer": {
        "label": "cXML buyer id",
        "description": "Network id of the buyer's organization at JAGGAER (To). Test ids end in -T.",
        "schema": _TEXT,
    },
    "cxml_secret": {
        "label": "cXML shared secret",
        "description": "Shared secret that goes with the sender's identity.",
        "schema": _SECRET,
    },
}

ASO_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "aso_base_url": {
        "label": "ASO base URL",
        "description": "Address of the Advanced Sourcing Optimizer, such as https://ches.aso-api.jaggaer.com. Only the "
        "connection test uses it; empty leaves it alone.",
        "schema": _TEXT,
    },
    "aso_login_url": {
        "label": "ASO login URL",
        "description": "Whole address of its token endpoint, at its own login server.",
        "schema": _TEXT,
    },
    "aso_client_id": {
        "label": "ASO client id",
        "description": "Client of that login server.",
        "schema": _TEXT,
    },
    "aso_client_secret": {
        "label": "ASO client secret",
        "description": "Secret of that client.",
        "schema": _SECRET,
    },
    "aso_api_key": {
        "label": "ASO API key",
        "description": "Key that goes along with every call (X-Api-Key).",
        "schema": _SECRET,
    },
}
