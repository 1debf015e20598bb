"""``{}`` where a text should be is an empty field: said so where it is needed, nothing more, nowhere the text "{}"."""

from __future__ import annotations

import json
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from support.empties import braces, dotted, emptied, generated, texts, without

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.errors import DocumentError
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.invoices import decode
from airflow_provider_mlconnector.systems.jaggaer.rows import read
from airflow_provider_mlconnector.systems.jaggaer.source import invoice_rows
from airflow_provider_mlconnector.systems.ports import Eligibility

DOCUMENTS = generated()
PATHS = {f"{label} {dotted(path)}": (label, path) for label, document in DOCUMENTS.items() for path in texts(document)}
NEEDED = {
    "supplierInvoiceNumber",
    "supplierNumber",
    "invoiceType",
    "invoiceDate",
    "lastUpdate",
    "currency",
    "internalName",
}
"""Without these an invoice cannot be read; everything else may be empty."""
STATUS = {"workflowStatus", "paymentStatus", "matchStatus"}


def _outcome(document: dict[str, Any]) -> Invoice | tuple[str, str]:
    try:
        return decode(json.dumps(document).encode())
    except DocumentError as error:
        return error.code, error.message


@pytest.mark.parametrize("name", PATHS)
def test_an_empty_text_is_read_like_a_field_that_is_not_there(name: str) -> None:
    label, path = PATHS[name]
    outcome = _outcome(emptied(DOCUMENTS[label], path))
    assert outcome == _outcome(without(DOCUMENTS[label], path))
    if path[-1] in NEEDED and "customFieldValueSetList" not in path:
        assert isinstance(outcome, tuple)
        assert outcome[0] == ("supplier_without_number" if path[-1] == "supplierNumber" else "missing_field")
        assert f"({path[-1]}) is empty" in outcome[1]
    elif path[-1] == "distributionType" and reduce(getitem, path, DOCUMENTS[label]) == "AmountOfPrice":
        assert isinstance(outcome, tuple), "amounts are no percentages of one whole"
        assert outcome[0] == "allocation_mismatch"
        assert "distributionType is empty" in outcome[1]
    else:
        assert isinstance(outcome, Invoice)
        assert braces(outcome.model_dump(mode="json")) == []


@pytest.mark.parametrize("name", [name for name, (_label, path) in PATHS.items() if path[0] == "header"])
def test_a_list_row_with_an_empty_text_is_listed_and_judged(name: str) -> None:
    label, path = PATHS[name]
    contract = JaggaerContract()
    row = read(json.dumps(emptied(DOCUMENTS[label], path)).encode(), invoice_rows(contract, contract.eligibility))
    missing = path[-1] in STATUS and len(path) == 2
    assert row.eligibility is (Eligibility.NOT_ELIGIBLE if missing else Eligibility.ELIGIBLE)
    assert not missing or f"{path[-1]} missing" in row.status_text
    assert braces([row.key, row.revision, row.status_text]) == []
    assert braces([str(getattr(row.summary, field)) for field in row.summary.__slots__]) == []


def test_the_paths_reach_header_supplier_lines_splits_and_custom_fields() -> None:
    reached = {dotted(tuple(step for step in path if isinstance(step, str))) for _label, path in PATHS.values()}
    split = "lineList.invoiceLine.splittableFieldSetGroupList.splittableFieldSetGroup.splittableFieldIndexSet"
    fields = f"{split}.splittableFieldIndexList.splittableFieldIndex.customFieldValueList.customFieldValue"
    assert reached >= {
        "header.supplierInvoiceNumber",
        "header.supplier.supplierNumber",
        "header.supplier.name",
        "header.terms.standardPaymentTermsCode",
        "header.miscFeeList.miscFee.name",
        "header.customFieldValueSetList.customFieldValueSet.name",
        "lineList.invoiceLine.item.description",
        "lineList.invoiceLine.item.unitOfMeasure.dimension",
        "lineList.invoiceLine.poNumber",
        "lineList.invoiceLine.poLineNumber",
        f"{split}.context",
        f"{split}.distributionType",
        f"{fields}.internalName",
        f"{fields}.value",
        f"{fields}.description",
    }
