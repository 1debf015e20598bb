"""Infor CloudSuite and JAGGAER in step: purchase orders and GL codes into JAGGAER, suppliers and invoices both ways.

Copy this file and `mappings/` into your DAGs folder (`mlconnector dags copy DIR`) and change what stands at the top.
Any task may be cleared and rerun at any time: the connector's store, not Airflow, knows what has been posted.

Orders are polled on a schedule of their own; invoices follow the first exchange of suppliers after the ledger's codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, Param, TaskGroup

from airflow_provider_mlconnector.operators.pipeline import PERIOD_PARAMS, RUN_PARAMS, document_pipeline
from airflow_provider_mlconnector.operators.reconcile import ReconcileOperator

SITE = ""  # put in front of all names where this file is copied for a second company, such as "plant2_"
JAGGAER, CLOUDSUITE = "jaggaer_default", "cloudsuite_default"  # Airflow connection ids
MAPPING = {"file": str(Path(__file__).parent / "mappings" / "jaggaer_to_cloudsuite.yaml")}
# first document date to carry, such as 2026-01-01: everything dated earlier stays with whoever typed it in
CUT_OVER = "{{ var.value.get('mlconnector_cut_over', '') }}"
# who decides which fields of a supplier; what is not named here: ERP terms, currency, tax_id, hold, JAGGAER the rest
OWNERS: dict[str, str] = {}
# JAGGAER's business unit for orders and invoices CloudSuite sends, as the mapping's business_units name it
BUSINESS_UNIT = "PLANT1"
# CloudSuite account that bears recoverable tax; empty where the site has none, and with any product but CSI
TAX_ACCOUNT = "23000"

SUPPLIERS = Asset(name=f"{SITE}cloudsuite_jaggaer_suppliers")
LEDGER = Asset(name=f"{SITE}cloudsuite_jaggaer_ledger_codes")
SCHEDULES: dict[str, Any] = {
    "cloudsuite_jaggaer_suppliers": "0 6-20 * * 1-5",  # hourly
    "cloudsuite_to_jaggaer_ledger": "30 5 * * 1-5",  # daily
    "cloudsuite_to_jaggaer_orders": "*/15 6-20 * * 1-5",  # an order is in JAGGAER a quarter of an hour later
    "cloudsuite_jaggaer_invoices": [SUPPLIERS, LEDGER],  # daily: once both have been exchanged
    "cloudsuite_jaggaer_reconciliation": "0 4 * * 1",  # weekly, before the first exchange of the week
}
INTO_CLOUDSUITE = {"source": JAGGAER, "target": CLOUDSUITE, "mapping": MAPPING, "start_at": CUT_OVER}
INTO_JAGGAER = {
    "source": CLOUDSUITE,
    "target": JAGGAER,
    "mapping": {**MAPPING, "reverse": True},
    "start_at": CUT_OVER,
}
# suppliers and codes are those of all business units; orders and invoices belong to one
OF_UNIT = {"options": {"business_unit": BUSINESS_UNIT}}
SUPPLIERS_IN = {
    **INTO_CLOUDSUITE,
    "name": f"{SITE}jaggaer_to_cloudsuite_suppliers",
    "document": "supplier",
    "owners": OWNERS,
}
SUPPLIERS_OUT = {
    **INTO_JAGGAER,
    "name": f"{SITE}cloudsuite_to_jaggaer_suppliers",
    "document": "supplier",
    "owners": OWNERS,
}
ACCOUNTS = {**INTO_JAGGAER, "name": f"{SITE}cloudsuite_to_jaggaer_accounts", "document": "ledger_account"}
COST_CENTERS = {**INTO_JAGGAER, "name": f"{SITE}cloudsuite_to_jaggaer_cost_centers", "document": "cost_center"}
ORDERS = {**INTO_JAGGAER, **OF_UNIT, "name": f"{SITE}cloudsuite_to_jaggaer_orders", "document": "purchase_order"}
# po_lines: CloudSuite vouchers received orders by a path of its own; "post" where the site receives nothing there
INVOICES_IN = {
    **INTO_CLOUDSUITE,
    "name": f"{SITE}jaggaer_to_cloudsuite_invoices",
    "document": "invoice",
    "options": {"tax_account": TAX_ACCOUNT} if TAX_ACCOUNT else {},
}
INVOICES_OUT = {**INTO_JAGGAER, **OF_UNIT, "name": f"{SITE}cloudsuite_to_jaggaer_invoices", "document": "invoice"}
for there, back in ((SUPPLIERS_IN, SUPPLIERS_OUT), (INVOICES_IN, INVOICES_OUT)):
    there["opposite"], back["opposite"] = back["name"], there["name"]


def dag(dag_id: str, description: str, params: Mapping[str, Param] = RUN_PARAMS) -> DAG:
    """Return a DAG with this pair's cadence and habits."""
    return DAG(
        dag_id=SITE + dag_id,
        description=description,
        schedule=SCHEDULES[dag_id],
        start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow reads it in the DAG's time zone
        catchup=False,
        max_active_runs=1,
        params=dict(params),
        tags=["mlconnector", "cloudsuite", "jaggaer"],
        default_args={"retries": 3, "retry_delay": timedelta(minutes=2), "execution_timeout": timedelta(minutes=30)},
        doc_md=__doc__,
    )


with dag("cloudsuite_jaggaer_suppliers", "Suppliers both ways: each side's own fields win") as suppliers:
    with TaskGroup("into_cloudsuite"):
        into_ledger = document_pipeline(SUPPLIERS_IN, group="into_cloudsuite")
    with TaskGroup("into_jaggaer"):
        out_of_ledger = document_pipeline(SUPPLIERS_OUT, group="into_jaggaer", outlets=[SUPPLIERS])
    into_ledger.arrived >> out_of_ledger.first

with dag(
    "cloudsuite_to_jaggaer_ledger", "GL accounts and unit codes of CloudSuite into JAGGAER's code lists"
) as ledger:
    with TaskGroup("accounts"):
        accounts = document_pipeline(ACCOUNTS, group="accounts")
    with TaskGroup("cost_centers"):
        cost_centers = document_pipeline(COST_CENTERS, group="cost_centers", outlets=[LEDGER])
    accounts.arrived >> cost_centers.first

with dag("cloudsuite_to_jaggaer_orders", "Purchase orders of CloudSuite into JAGGAER, approved") as orders:
    document_pipeline(ORDERS)

with dag("cloudsuite_jaggaer_invoices", "Invoices both ways; none goes back where it came from") as invoices:
    with TaskGroup("into_cloudsuite"):
        vouchers = document_pipeline(INVOICES_IN, group="into_cloudsuite")
    with TaskGroup("into_jaggaer"):
        imports = document_pipeline(INVOICES_OUT, group="into_jaggaer")
    vouchers.arrived >> imports.first

with dag(
    "cloudsuite_jaggaer_reconciliation", "Both sides compared, every difference explained", PERIOD_PARAMS
) as reconciliation:
    ReconcileOperator(
        task_id="reconcile",
        routes=[INVOICES_IN, INVOICES_OUT, ORDERS, SUPPLIERS_IN, SUPPLIERS_OUT],
        period_from="{{ params.period_from or '' }}",
        period_to="{{ params.period_to or '' }}",
        fail_on_unexplained="{{ params.fail_on_unexplained }}",
    )
