"""Element sequences and parameters of APSTIN (reference/syspro.md §2.1)."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_mlconnector.sandbox.syspro import money
from airflow_provider_mlconnector.sandbox.syspro.documents import Sequence, check, choice, load, reject, text_of

ROOT = "PostApInvoice"
_LINE = Sequence(
    names=(
        "LedgerCode", "PasswordForLedgerCode", "LedgerTaxCode", "LedgerSecondTaxCode", "LedgerWithholdingTaxCode",
        "LedgerWithholdingTaxExpenseType", "LedgerNotation", "LedgerValue", "TaxOnlyLine", "AnalysisEntry",
        "AnalysisLineEntry",
    ),
    mandatory=frozenset({
        "LedgerCode", "PasswordForLedgerCode", "LedgerTaxCode", "LedgerSecondTaxCode", "LedgerNotation", "LedgerValue",
    }),
    repeated=frozenset({"AnalysisLineEntry"}),
)  # fmt: skip
_GRN = Sequence(
    names=(
        "GrnDetailKey", "GrnMatchType", "GrnMatchValue", "GrnPartialMatchQuantity", "GrnPartialMatchValue",
        "GrnSupplier", "GrnGrn", "GrnFlag", "GrnJournal", "GrnEntry",
    ),
)  # fmt: skip
_ITEM = Sequence(
    names=(
        "eSignature", "Supplier", "TransactionCode", "Branch", "Invoice", "EntryNumber", "TransactionValue",
        "FreightCharge", "MiscellaneousCharge", "Notation", "TransactionReference", "JournalNotation",
        "DiscountBasis", "DiscountableValue", "DiscountPercentageValue", "DiscountAdjustment", "InvoiceDate",
        "DueDate", "DiscountDate", "ExchRateAtEntry", "FixedExchRate", "TaxBasis", "CalculateQstOnTax", "TaxCode",
        "TaxValue", "SecondTaxCode", "SecondTaxValue", "WithholdingTaxCode", "WithholdingTaxValue", "EcAcquisition",
        "Nationality", "AutoVoucherCreated", "POGLCode", "ReestablishInvoice", "AnalysisEntry", "AnalysisLineEntry",
        "PpvAnalysisEntry", "PpvAnalysisLineEntry", "GrnDetails", "LedgerDistribution",
    ),
    mandatory=frozenset({
        "Supplier", "TransactionCode", "Invoice", "TransactionValue", "Notation", "TransactionReference",
        "JournalNotation", "InvoiceDate", "DueDate", "DiscountDate", "FixedExchRate", "TaxBasis", "CalculateQstOnTax",
        "TaxCode", "TaxValue", "SecondTaxCode", "SecondTaxValue", "LedgerDistribution",
    }),
    repeated=frozenset({"AnalysisLineEntry", "PpvAnalysisLineEntry", "GrnDetails", "LedgerDistribution"}),
    nested={"LedgerDistribution": _LINE, "GrnDetails": _GRN},
)  # fmt: skip
DOCUMENT = Sequence(
    names=("Item",), mandatory=frozenset({"Item"}), repeated=frozenset({"Item"}), nested={"Item": _ITEM}
)
_PARAMETERS = Sequence(
    names=(
        "PostingPeriod", "IgnoreWarnings", "ApplyIfEntireDocumentValid", "ValidateOnly", "PostZeroAdjustments",
        "DefaultDiscountDate", "DefaultDueDate", "LedgerDistributionCurrency", "AutomaticTaxCalculation",
        "PermissibleTaxVariance", "ApArContraTrx", "IgnoreAnalysis", "ApTaxReliefAsOfDate", "ApTaxReliefNoOfDays",
        "IncludeDimensionAnalysis",
    ),
)  # fmt: skip
_PARAMETER_DOCUMENT = Sequence(
    names=("Parameters",), mandatory=frozenset({"Parameters"}), nested={"Parameters": _PARAMETERS}
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters that are honored, with the vendor's defaults; IgnoreWarnings and ValidateOnly default N (SIM)."""

    posting_period: str = "C"
    ignore_warnings: str = "N"
    entire: bool = True
    validate_only: bool = False
    zero_adjustments: bool = False
    lines_local: bool = True
    automatic_tax: bool = False
    tax_variance: int = 0


def read_parameters(text: str, *, strict: bool) -> Parameters:
    """Return the parameters; a blank document means all defaults (inferred, §1.1).

    Raises:
        EnetError: If the document does not match its schema.
    """
    if not text.strip():
        return Parameters()
    root = load(text, ROOT)
    if strict:
        check(root, _PARAMETER_DOCUMENT)
    given = root.find("Parameters")
    try:
        variance = money.cents(text_of(given, "PermissibleTaxVariance") or "0")
    except ValueError:
        reject("value of element 'PermissibleTaxVariance' is not numeric")
    return Parameters(
        posting_period=choice(given, "PostingPeriod", "CPB", "C"),
        ignore_warnings=choice(given, "IgnoreWarnings", "NYW", "N"),
        entire=choice(given, "ApplyIfEntireDocumentValid", "YN", "Y") == "Y",
        validate_only=choice(given, "ValidateOnly", "YN", "N") == "Y",
        zero_adjustments=choice(given, "PostZeroAdjustments", "YN", "N") == "Y",
        lines_local=choice(given, "LedgerDistributionCurrency", "LF", "L") == "L",
        automatic_tax=choice(given, "AutomaticTaxCalculation", "YN", "N") == "Y",
        tax_variance=variance,
    )
