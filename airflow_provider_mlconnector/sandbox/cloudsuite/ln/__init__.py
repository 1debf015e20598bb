"""LN behind the gateway: OData services (``reference/cloudsuite.md §4c``)."""
