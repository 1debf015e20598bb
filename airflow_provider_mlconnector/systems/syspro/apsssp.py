"""APSSSP, setting up and changing suppliers: documents out, refusals in (reference/syspro.md §2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from airflow_provider_mlconnector.errors import AmbiguousOutcome
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState
from airflow_provider_mlconnector.systems.syspro.answers import read_items
from airflow_provider_mlconnector.systems.syspro.client import PostCall
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.supplier_codec import KEY
from airflow_provider_mlconnector.systems.transport import Effect

BUSINESS_OBJECT = "APSSSP"
ROOT = "SetupApSupplier"
Method = Literal["Add", "Update"]
ELEMENTS = (
    *("SupplierName", "SupShortName", "SupplierChName", "LanguageCode", "Telephone", "Fax", "Contact", "Branch"),
    *("TermsCode", "Bank", "Currency", "DateSuppAdded", "WithTaxId", "WithTaxCode", "SupAddr1", "SupAddr2", "SupAddr3"),
    *("SupAddr3Loc", "SupAddr4", "SupAddr5", "SupPostalCode", "RemitName", "RemitAddr1", "RemitAddr2", "RemitAddr3"),
    *("RemitAddr4", "RemitAddr5", "RemitPostalCode", "SupplierClass", "LineDiscCode", "InvDiscCode", "Area"),
    *("UserField1", "UserField2", "DefTaxCode", "TaxRegnNum", "DefaultChequeDay", "PoDefaultDoc", "OnHold"),
    *("FaxRemitFlag", "FaxRemitNum", "FaxRemitContact", "SupplierType", "NumMthsBeforDel", "MerchGlCode"),
    *("FreightGlCode", "PayByEft", "BankBranch", "BankAccount", "EftUserField1", "EftUserField2", "EftStatementRef"),
    *("EftBankAccType", "ChLanguage", "Required1099", "DefaultFmt1099", "AskYtdValue1099", "MinPay1099"),
    *("PayeRef1099", "YtdAmount1099", "PurchOrdAllowed", "MinPoVal", "MinPoMass", "MinPoVolume", "Contracts"),
    *("GrnMatchReqd", "LctRequired", "EdiTypeFlag", "EdiReceiverCode", "EdiFax", "FaxContact", "Email", "Nationality"),
    *("TransactionNature", "DeliveryTerms"),
)
"""Every element after the key, in the schema's order (§2.4)."""
_TARGET_SIDE = {
    "branch": "branch",
    "bank": "bank",
    "termscode": "terms",
    "currency": "currency",
    "supplierclass": "supplier_class",
    "deftaxcode": "tax_code",
    "merchglcode": "ledgercode",
    "freightglcode": "ledgercode",
}
"""Fields whose refusal lies outside the document, in SYSPRO's set-up or in the mapping, and the code that groups it."""


def setup_call(method: Method, key: str, fields: Mapping[str, str], *, validate_only: bool = False) -> PostCall:
    """Build the request of one supplier; ``fields`` by element, sent in the schema's order, empty ones included."""
    unknown = fields.keys() - set(ELEMENTS)
    if unknown:
        msg = f"no elements of APSSSP: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    e = xml.element
    parameters = {
        "IgnoreWarnings": "N",
        "ApplyIfEntireDocumentValid": "Y",
        "ValidateOnly": "Y" if validate_only else "N",
    }
    heads = e("Parameters", *(e(tag, value) for tag, value in parameters.items()))
    item = e(
        "Item",
        e("Key", e(KEY, key)),
        *(e(element, fields[element]) for element in ELEMENTS if element in fields),
    )
    return PostCall(
        BUSINESS_OBJECT,
        xml.write(xml.with_schema(ROOT, "APSSSP.XSD", heads)),
        xml.write(xml.with_schema(ROOT, "APSSSPDOC.XSD", item)),
        Effect.READ if validate_only else Effect.WRITE,
        path=f"/Setup/{method}",
    )


def read_refusal(root: xml.Element, key: str) -> Outcome | None:
    """Read the answer for the one supplier sent: None when SYSPRO does not object.

    A refused key (code ``supplier``) is a duplicate of an Add and unknown to an Update: the caller knows which.

    Raises:
        AmbiguousOutcome: The answer is not this business object's, or about another supplier.
    """
    items = read_items(root, ROOT)
    other = next((item.said(KEY) for item in items if normal(item.said(KEY)) not in {"", normal(key)}), "")
    if len(items) > 1 or other:
        msg = f"SYSPRO answered for supplier {other or key}, {len(items)} items, where {key} alone was sent"
        raise AmbiguousOutcome(msg)
    problems = [problem for item in items for problem in item.problems]
    if not problems:
        return None
    text = "; ".join(dict.fromkeys(problem.text for problem in problems))
    fields = [problem.field for problem in problems]
    if KEY.lower() in fields:
        return Outcome(OutcomeState.REFUSED, "supplier", key, text, parked=True)
    for problem in problems:
        if problem.field in _TARGET_SIDE:
            return Outcome(OutcomeState.REFUSED, _TARGET_SIDE[problem.field], problem.value, text, parked=True)
    return Outcome(OutcomeState.REFUSED, fields[0], problems[0].value, text)
