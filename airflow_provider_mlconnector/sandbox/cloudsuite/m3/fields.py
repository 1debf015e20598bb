"""Fields of MI programs: kind, width, and the text form of their values (``reference/cloudsuite.md §4b``, §5.2).

All values travel as text: dates as ``yyyyMMdd``, decimals with a point, everything padded with blanks on the right to
the width of its field unless the caller asks for trimmed values. An absent date is blank, an absent number ``0``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Value = str | int | Decimal | date | None
Row = dict[str, Value]
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


class InputError(ValueError):
    """An input that is no value of its field; the text says why."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field, of the same shape wherever it occurs: A text, N number with ``decimals``, D date."""

    name: str
    kind: Literal["A", "N", "D"]
    width: int
    words: str
    decimals: int = 0

    def show(self, value: Value) -> str:
        """Return a value as text, not padded."""
        if value is None or value == "":
            return "0" if self.kind == "N" else ""
        if isinstance(value, date):
            return f"{value:%Y%m%d}"
        return f"{value:f}" if isinstance(value, Decimal) else str(value)

    def pad(self, text: str) -> str:
        """Fill a text with blanks up to the width of the field."""
        return text.ljust(self.width)

    def read(self, text: str) -> Value:
        """Return the value of an input; a blank one is None.

        Raises:
            InputError: It is no number or no date.
        """
        text = text.strip()
        if not text:
            return None
        if self.kind == "A":
            return text
        return _date(text) if self.kind == "D" else self._number(text)

    def _number(self, text: str) -> Value:
        if not _NUMBER.fullmatch(text) or len(text.partition(".")[2]) > self.decimals:
            message = f"{self.name} is not numeric, or has more than {self.decimals} decimals: {text}"
            raise InputError(message)
        return Decimal(text) if self.decimals else int(text)


def _date(text: str) -> date:
    try:
        return datetime.strptime(text.replace("-", ""), "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        message = f"Date {text} is invalid"
        raise InputError(message) from error


# Name, kind and width, decimals after a point, description. SIM: decimals; AIT1 to AIT7, IBHE, IBLE, MSGD; statuses
# and stamps of records §5.2 names without them.
_TABLE = """
CONO N3 Company|DIVI A3 Division|FACI A3 Facility|WHLO A3 Warehouse
PUNO A10 Purchase order number|PNLI N3 Purchase order line|PNLS N3 Purchase order line subnumber
SUNO A10 Supplier|PRSU A10 Payee|ORTY A3 Order type|PUDT D10 Order date|DWDT D10 Requested delivery date
BUYE A10 Buyer|PURC A10 Requisition by|CUCD A3 Currency|TEPY A3 Payment terms|COAM N17.3 Order value
NTAM N17.3 Net value|OURR A10 Our reference|YRE1 A36 Your reference|PROJ A7 Project number
ITNO A15 Item number|SITE A30 Supplier item number|PITD A30 Description|PITT A60 Description 2
ORQA N17.6 Ordered quantity|CFQA N17.6 Confirmed quantity|RVQA N17.6 Received quantity|IVQA N17.6 Invoiced quantity
PUUN A3 Purchase order unit|PPUN A3 Purchase price unit|PUPR N17.6 Purchase price|LNAM N17.3 Line amount
CODT D10 Confirmed delivery date|PUST A2 Highest status|PUSL A2 Lowest status|VTCD N2 VAT code|TXID N13 Text identity
COCE A8 Cost center|SUNM A36 Supplier name|SUTY N1 Supplier type|STAT A2 Status|ALSU A10 Search key
CORG A11 Organization number|VRNO A16 VAT registration number|PHNO A16 Telephone|TFNO A16 Telefax|CSCD A3 Country
ECAR A2 State|LNCD A2 Language|PYME A3 Payment method|TEDL A3 Delivery terms|MODL A3 Delivery method
SUCL A3 Supplier group|TINO A15 Tax identity|FRSU A10 From supplier|TOSU A10 To supplier
INBN N10 Invoice batch number|IBTP A2 Invoice batch type|SINO A24 Supplier invoice number|SPYN A10 Payee
IVDT D10 Invoice date|DUDT D10 Due date|ACDT D10 Accounting date|CUAM N17.3 Foreign currency amount
VTAM N17.3 VAT amount|APCD A10 Authorized user|IMCD A1 Invoice matching|VONO N8 Voucher number
CORI A36 Correlation identity|SUPA N2 Invoice status|BIST N1 Approval status|IBHE N1 Error in head
IBLE N1 Error in line|MSGD A78 Message|YEA4 N4 Year|AAPD D10 Approval date
TRNO N5 Transaction number|RDTP N2 Line type|NLAM N17.3 Net amount of line|VTA1 N17.3 VAT amount 1
GRPR N17.6 Gross price|NEPR N17.6 Net price|REPN N10 Receiving number|SUDO A20 Delivery note number
CHGT A30 Charge text|AIT1 A10 Accounting dimension 1|AIT2 A10 Accounting dimension 2|AIT3 A10 Accounting dimension 3
AIT4 A10 Accounting dimension 4|AIT5 A10 Accounting dimension 5|AIT6 A10 Accounting dimension 6
AIT7 A10 Accounting dimension 7|AITP N1 Accounting dimension|AITM A10 Accounting identity|TX15 A15 Name
TX40 A40 Description|AICL A8 Accounting identity class|LCCD N1 Blocked|VFDT D10 Valid from|VTDT D10 Valid to
ACR2 N1 Requires dimension 2|ACR3 N1 Requires dimension 3|ACR4 N1 Requires dimension 4|ACR5 N1 Requires dimension 5
ACR6 N1 Requires dimension 6|ACR7 N1 Requires dimension 7
RGDT D10 Entry date|LMDT D10 Change date|LMTS N18 Time stamp|CHNO N3 Change number|CHID A10 Changed by
SQRY A512 Search query|QERY A1024 Query|SEPC A1 Separator|HDRS N1 Header|REPL A984 Reply
MINM A10 Program name|TRNM A15 Transaction name|TRTP A1 Transaction type|FLNM A10 Field name|FLDS A60 Description
FRPO N4 From position|TOPO N4 To position|LENG N4 Length|FLDP N2 Decimals|TYPE A1 Field type|MAND A1 Mandatory
"""


def _parse(entry: str) -> Field:
    name, shape, words = entry.split(" ", 2)
    width, _, decimals = shape[1:].partition(".")
    kind: Literal["A", "N", "D"] = "N" if shape[0] == "N" else "D" if shape[0] == "D" else "A"
    return Field(name, kind, int(width), words, int(decimals or 0))


FIELDS: dict[str, Field] = {
    field.name: field for line in _TABLE.strip().splitlines() for field in map(_parse, line.split("|"))
}
"""Every field by its name."""
