"""What cXML messages to a tenant say beyond the DTDs, as configuration (reference/jaggaer.md §4)."""

from __future__ import annotations

from typing import Literal

from airflow_provider_mlconnector.systems.jaggaer.resources import Name, Part, Path


class CxmlContract(Part):
    """Addresses and habits of the tenant's cXML inbound."""

    invoices: Path = "/apps/Router/CXMLInvoiceImport"
    confirmations: Path = "/apps/Router/CXMLReceive"
    domain: Name = "DUNS"
    """Of our own credential, in ``From`` and ``Sender``."""
    to_domain: Name = "NetworkID"
    """Of the buyer's, in ``To``."""
    deployment: Literal["", "production", "test"] = ""
    """``deploymentMode``; empty: ``test`` for a buyer whose id ends in ``-T``, which test ids were seen to do."""
    invoice_dtd: str = "http://xml.cxml.org/schemas/cXML/1.2.021/InvoiceDetail.dtd"
    """Named in the document, never fetched; empty leaves it out. The version was seen in use, likewise the next."""
    confirmation_dtd: str = "http://xml.cxml.org/schemas/cXML/1.2.009/Fulfill.dtd"
    language: Name = "en-US"
    """``xml:lang`` of texts."""
    payload_host: Name = "mlconnector"
    """What follows the ``@`` of a ``payloadID``."""
    order_payload: str = ""
    """``payloadID`` of an order, with ``{number}`` for its number, where the tenant makes it of that. Otherwise nobody
    knows the one its order went out under, and the reference names the number alone."""
    supplier_role: Name = "from"
    """``InvoicePartner`` whose ``addressID`` is the supplier's ERP number."""
    business_unit: str = "BusinessUnit"
    """``Extrinsic`` of an invoice that names the business unit; empty leaves it out."""
    tax_categories: tuple[Name, Name] = ("tax1", "tax2")
    """``TaxDetail@category`` of JAGGAER's two taxes."""
    credit_purpose: Literal["creditMemo", "lineLevelCreditMemo"] = "creditMemo"
    """The DTD has both. Lines and their coding go with either, and so does the number of the original invoice where it
    is known; the ``payloadID`` that lineLevelCreditMemo should name as well is known to nobody here."""
    credit_sign: Literal["positive", "negative"] = "positive"
    """Of a credit memo's quantities and sums. Positive as in JAGGAER's own invoices (§2.4). The DTD's remarks want
    them negative: a receiver that insists refuses positive ones, while one that does not would book the reverse of
    negative ones."""
    plain_answers: tuple[Name, ...] = ()
    """Bare texts (``SUCCESS``, ``OK``) by which a tenant says that it has taken a message, instead of a status. They
    prove nothing that was executed: the document is looked for like any other."""
