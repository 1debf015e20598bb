"""The elements of a supplier in APSSSP, their sizes, values and defaults (reference/syspro.md §2.4, §4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro.documents import Sequence

Kind = Literal["text", "date", "amount"]
NAME_SIZE, SHORT_NAME_SIZE, ADDRESS_SIZE = 50, 20, 40
DAYS = tuple(f"{day:02d}" for day in range(29))
YES_NO = ("Y", "N")


@dataclass(frozen=True, slots=True)
class Element:
    """One element; ``size`` 0 is not recorded, ``allowed`` lists its values, ``default`` is taken when it is blank."""

    name: str
    size: int = 0
    allowed: tuple[str, ...] = ()
    default: str = ""
    kind: Kind = "text"


def _flag(name: str, default: str = "N") -> Element:
    return Element(name, 1, YES_NO, default)


def _lines(stem: str, numbers: str) -> Iterator[Element]:
    return (Element(f"{stem}{number}", ADDRESS_SIZE) for number in numbers)


ADDRESS: tuple[Element, ...] = (
    *_lines("SupAddr", "123"),
    Element("SupAddr3Loc", ADDRESS_SIZE),
    *_lines("SupAddr", "45"),
    Element("SupPostalCode", 10),
    Element("RemitName", NAME_SIZE),
    *_lines("RemitAddr", "12345"),
    Element("RemitPostalCode", 10),
)
"""What ApSupplierAddr keeps (inferred, §4)."""
ELEMENTS: tuple[Element, ...] = (
    Element("SupplierName", NAME_SIZE),
    Element("SupShortName", SHORT_NAME_SIZE),
    Element("SupplierChName", NAME_SIZE),
    Element("LanguageCode"),
    Element("Telephone", 20),
    Element("Fax", 20),
    Element("Contact", 50),
    Element("Branch", 10),
    Element("TermsCode", 2),
    Element("Bank", 15),
    Element("Currency", 3),
    Element("DateSuppAdded", kind="date"),
    Element("WithTaxId", 30),
    Element("WithTaxCode", 3),
    *ADDRESS,
    Element("SupplierClass", 10),
    Element("LineDiscCode"),
    Element("InvDiscCode"),
    Element("Area", 10),
    Element("UserField1"),
    Element("UserField2"),
    Element("DefTaxCode", 3),
    Element("TaxRegnNum", 30),
    Element("DefaultChequeDay", 2, DAYS, "00"),
    Element("PoDefaultDoc", 1, tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "0"),
    _flag("OnHold"),
    _flag("FaxRemitFlag"),
    Element("FaxRemitNum", 20),
    Element("FaxRemitContact", 50),
    Element("SupplierType", 1, ("P", "T"), "P"),
    Element("NumMthsBeforDel"),
    Element("MerchGlCode", 35),
    Element("FreightGlCode", 35),
    _flag("PayByEft"),
    Element("BankBranch", 50),
    Element("BankAccount", 50),
    Element("EftUserField1"),
    Element("EftUserField2"),
    Element("EftStatementRef"),
    Element("EftBankAccType"),
    Element("ChLanguage", 2, ("05", "07", "08", "11", "12")),
    Element("Required1099"),
    Element("DefaultFmt1099"),
    Element("AskYtdValue1099"),
    Element("MinPay1099"),
    Element("PayeRef1099"),
    Element("YtdAmount1099"),
    _flag("PurchOrdAllowed", "Y"),
    Element("MinPoVal", kind="amount"),
    Element("MinPoMass"),
    Element("MinPoVolume"),
    Element("Contracts"),
    _flag("GrnMatchReqd", "Y"),
    _flag("LctRequired"),
    Element("EdiTypeFlag", 1, ("Y", "N", "F"), "N"),
    Element("EdiReceiverCode"),
    Element("EdiFax"),
    Element("FaxContact", 50),
    Element("Email", 255),
    Element("Nationality", 3),
    Element("TransactionNature"),
    Element("DeliveryTerms"),
)
"""Every element after the key, in order. Sizes are the later schema's; blank defaults of flags that §2.4 does not give
are N (SIM)."""
REMIT_EMAIL = "RemitEmail"
"""A column (§4) that is in no known part of APSSSP: only a person fills it."""
NEEDED = ("SupplierName", "Branch", "TermsCode", "Bank", "Currency")
"""What a supplier cannot be without (inferred, §2.4)."""
_PARAMETERS = Sequence(names=("IgnoreWarnings", "ApplyIfEntireDocumentValid", "ValidateOnly"))
PARAMETER_DOCUMENT = Sequence(
    names=("Parameters",), mandatory=frozenset({"Parameters"}), nested={"Parameters": _PARAMETERS}
)
_ITEM = Sequence(
    names=("Key", *(element.name for element in ELEMENTS), "eSignature"),
    mandatory=frozenset({"Key"}),
    nested={"Key": Sequence(names=("Supplier",), mandatory=frozenset({"Supplier"}))},
)
DOCUMENT = Sequence(
    names=("Item",), mandatory=frozenset({"Item"}), repeated=frozenset({"Item"}), nested={"Item": _ITEM}
)


def with_defaults(given: Mapping[str, str]) -> dict[str, str]:
    """Return every field of a supplier: what is given, else the default, else nothing."""
    fields = {element.name: given.get(element.name) or element.default for element in ELEMENTS}
    fields[REMIT_EMAIL] = given.get(REMIT_EMAIL, "")
    fields["SupShortName"] = fields["SupShortName"] or fields["SupplierName"][:SHORT_NAME_SIZE].rstrip()
    return fields


def shipped(supplier: master.MasterSupplier) -> dict[str, str]:
    """Return the fields of a supplier of the master data, as the site had it from the start."""
    return with_defaults({
        "SupplierName": supplier.name, "Branch": supplier.branch, "TermsCode": supplier.terms, "Bank": "1",
        "Currency": master.LOCAL_CURRENCY if supplier.currency == "USD" else supplier.currency,
        "TaxRegnNum": supplier.tax_number, "OnHold": "Y" if supplier.on_hold else "N",
        "GrnMatchReqd": "Y" if supplier.grn_match_required else "N", "DateSuppAdded": "2020-01-02",
        "SupAddr1": supplier.street, "SupAddr3": supplier.city, "SupPostalCode": supplier.postal_code,
        "Contact": "Accounts department", "Email": supplier.email, "RemitName": supplier.name,
        "RemitAddr1": supplier.street, "RemitAddr3": supplier.city, "RemitPostalCode": supplier.postal_code,
        "BankBranch": "Central", "BankAccount": supplier.bank_account, REMIT_EMAIL: supplier.email,
    })  # fmt: skip
