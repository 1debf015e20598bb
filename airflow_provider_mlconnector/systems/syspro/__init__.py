"""How SYSPRO speaks: e.net business objects over the WCF REST endpoint (reference/syspro.md)."""

from __future__ import annotations
