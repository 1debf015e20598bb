"""SYSPRO and JAGGAER in step: orders and invoices into SYSPRO, suppliers both ways, GL codes into JAGGAER.

Copy this file and `mappings/` into your DAGs folder (`mlconnector dags copy DIR`) and change what stands at the top.
Any task may be cleared and rerun at any time: the connector's store, not Airflow, knows what has been posted.

Master data goes first: orders follow each exchange of suppliers, invoices the first one after the ledger's codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, Param, TaskGroup

from airflow_provider_mlconnector.operators.documents import ExtractDocumentsOperator
from airflow_provider_mlconnector.operators.match import MatchDocumentsOperator
from airflow_provider_mlconnector.operators.pipeline import DRY_RUN, PERIOD_PARAMS, RUN_PARAMS, document_pipeline
from airflow_provider_mlconnector.operators.reconcile import ReconcileOperator

SITE = ""  # put in front of all names where this file is copied for a second company, such as "plant2_"
JAGGAER, SYSPRO = "jaggaer_default", "syspro_default"  # Airflow connection ids
MAPPING = {"file": str(Path(__file__).parent / "mappings" / "jaggaer_to_syspro.yaml")}
# first document date to post, such as 2026-01-01: everything dated earlier stays with whoever typed it in
CUT_OVER = "{{ var.value.get('mlconnector_cut_over', '') }}"
# who decides which fields of a supplier; what is not named here: ERP terms, currency, tax_id, hold, JAGGAER the rest
OWNERS: dict[str, str] = {}
# where AP does not reach GL by itself: a journal for "each" invoice, or "combined" ones by a DAG of their own
JOURNALS_OF_INVOICES = "each"
# where JAGGAER does not match invoices with their orders itself: "warn" of those that do not match, or "park" them;
# jaggaer_to_syspro_matching shows beforehand what that means, also with other tolerances
MATCH_ORDERS = "off"
TOLERANCES: dict[str, Any] = {}  # such as {"price": {"percent": "2", "absolute": "50"}}

SUPPLIERS = Asset(name=f"{SITE}syspro_jaggaer_suppliers")
LEDGER = Asset(name=f"{SITE}syspro_jaggaer_ledger_codes")
SCHEDULES: dict[str, Any] = {
    "jaggaer_syspro_suppliers": "0 6-20 * * 1-5",  # hourly
    "syspro_to_jaggaer_ledger": "30 5 * * 1-5",  # daily
    "jaggaer_to_syspro_orders": [SUPPLIERS],  # after each exchange of suppliers
    "jaggaer_to_syspro_invoices": [SUPPLIERS, LEDGER],  # daily: once both have been exchanged
    "jaggaer_to_syspro_matching": None,  # by hand, before MATCH_ORDERS or TOLERANCES are changed
    "syspro_jaggaer_reconciliation": "0 4 * * 1",  # weekly, before the first exchange of the week
    # off: where AP is linked to GL every cost is in the ledger already; such as "0 22 * * 5" with "combined" above
    "jaggaer_to_syspro_journals": None,
    "syspro_to_jaggaer_payments": None,  # off; such as "0 21 * * 1-5" where the tenant takes payment status
}
TO_SYSPRO = {"source": JAGGAER, "target": SYSPRO, "mapping": MAPPING, "start_at": CUT_OVER}
TO_JAGGAER = {"source": SYSPRO, "target": JAGGAER, "mapping": {**MAPPING, "reverse": True}, "start_at": CUT_OVER}
INVOICES: dict[str, Any] = {
    **TO_SYSPRO,
    "name": f"{SITE}jaggaer_to_syspro_invoices",
    "document": "invoice",
    "journals": JOURNALS_OF_INVOICES,
    "match": MATCH_ORDERS,
    "tolerances": TOLERANCES,
}
JOURNALS = {**TO_SYSPRO, "name": f"{SITE}jaggaer_to_syspro_journals", "document": "journal"}
ORDERS = {**TO_SYSPRO, "name": f"{SITE}jaggaer_to_syspro_orders", "document": "purchase_order"}
SUPPLIERS_IN = {**TO_SYSPRO, "name": f"{SITE}jaggaer_to_syspro_suppliers", "document": "supplier", "owners": OWNERS}
SUPPLIERS_OUT = {**TO_JAGGAER, "name": f"{SITE}syspro_to_jaggaer_suppliers", "document": "supplier", "owners": OWNERS}
SUPPLIERS_IN["opposite"], SUPPLIERS_OUT["opposite"] = SUPPLIERS_OUT["name"], SUPPLIERS_IN["name"]
# how this site's GL codes are made, as in the mapping; leave it out where they carry no cost center
GL_CODE = {"source_options": {"gl_template": "{cost_center}-{account}"}}
ACCOUNTS = {**TO_JAGGAER, **GL_CODE, "name": f"{SITE}syspro_to_jaggaer_accounts", "document": "ledger_account"}
COST_CENTERS = {**TO_JAGGAER, **GL_CODE, "name": f"{SITE}syspro_to_jaggaer_cost_centers", "document": "cost_center"}
PAYMENTS = {
    **TO_JAGGAER,
    "name": f"{SITE}syspro_to_jaggaer_payments",
    "document": "payment",
    "options": {"invoices_route": INVOICES["name"]},
}


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
        tags=["mlconnector", "syspro", "jaggaer"],
        default_args={"retries": 3, "retry_delay": timedelta(minutes=2), "execution_timeout": timedelta(minutes=30)},
        doc_md=__doc__,
    )


with dag("jaggaer_syspro_suppliers", "Suppliers both ways: each side's own fields win") as suppliers:
    with TaskGroup("into_syspro"):
        into_ledger = document_pipeline(SUPPLIERS_IN, group="into_syspro")
    with TaskGroup("into_jaggaer"):
        out_of_ledger = document_pipeline(SUPPLIERS_OUT, group="into_jaggaer", outlets=[SUPPLIERS])
    into_ledger.arrived >> out_of_ledger.first

with dag("syspro_to_jaggaer_ledger", "GL accounts and cost centers of SYSPRO into JAGGAER's code lists") as ledger:
    with TaskGroup("accounts"):
        accounts = document_pipeline(ACCOUNTS, group="accounts")
    with TaskGroup("cost_centers"):
        cost_centers = document_pipeline(COST_CENTERS, group="cost_centers", outlets=[LEDGER])
    accounts.arrived >> cost_centers.first

with dag("jaggaer_to_syspro_orders", "Purchase orders approved in JAGGAER into SYSPRO") as orders:
    document_pipeline(ORDERS)

with dag("jaggaer_to_syspro_invoices", "Invoices approved in JAGGAER into SYSPRO accounts payable") as ap_invoices:
    document_pipeline(INVOICES)

with dag(
    "jaggaer_to_syspro_matching", "What does not match its order among invoices that wait: posts nothing", {}
) as match:
    read = ExtractDocumentsOperator(task_id="extract", route=INVOICES)
    read >> MatchDocumentsOperator(task_id="match", route=INVOICES)

with dag(
    "jaggaer_to_syspro_journals",
    "One GL journal per period and branch of what was posted to accounts payable (off where AP is linked to GL)",
    {"dry_run": DRY_RUN},
) as journals:
    document_pipeline(JOURNALS, combines=INVOICES["name"])

with dag("syspro_to_jaggaer_payments", "Payment status of SYSPRO into JAGGAER (off by default)") as payments:
    document_pipeline(PAYMENTS)

with dag(
    "syspro_jaggaer_reconciliation", "Both sides compared, every difference explained", PERIOD_PARAMS
) as reconciliation:
    ReconcileOperator(
        task_id="reconcile",
        routes=[INVOICES, JOURNALS, ORDERS, SUPPLIERS_IN, SUPPLIERS_OUT, PAYMENTS],
        period_from="{{ params.period_from or '' }}",
        period_to="{{ params.period_to or '' }}",
        fail_on_unexplained="{{ params.fail_on_unexplained }}",
    )
