"""Reading the fields of one item, collecting errors and warnings by field, and showing them as SYSPRO does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import money, sim_texts
from airflow_provider_mlconnector.sandbox.syspro.documents import text_of
from airflow_provider_mlconnector.sandbox.syspro.wire import leaf, node


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error on a field; ``container`` and ``line`` say which repeated container it sits in."""

    element: str
    value: str
    number: int
    text: str
    container: str = ""
    line: int = 0

    def xml(self) -> str:
        """Return the field element, lower-cased, with its children (reference/syspro.md §2.1, §3)."""
        return node(
            self.element.lower(),
            leaf("Value", self.value) + leaf("ErrorNumber", str(self.number)) + leaf("ErrorDescription", self.text),
        )


class Findings:
    """What is wrong with one item. ``ignore`` is the IgnoreWarnings parameter."""

    def __init__(self, ignore: str) -> None:
        self._ignore = ignore
        self.errors: list[FieldError] = []
        self.warnings: list[FieldError] = []

    def fail(self, kind: str, element: str, value: str, at: tuple[str, int] = ("", 0), **parts: object) -> None:
        """Record an error by its name in the SIM table."""
        number, template = sim_texts.ITEM_ERRORS[kind]
        text = template.format(element=element, value=value, **parts)
        self.errors.append(FieldError(element, value, number, text, *at))

    def warn(self, kind: str, element: str, value: str, at: tuple[str, int] = ("", 0)) -> None:
        """Record a warning: an error under IgnoreWarnings N, reported under W, nothing under Y (§2.0)."""
        if self._ignore == "N":
            self.fail(kind, element, value, at)
        elif self._ignore == "W":
            number, template = sim_texts.ITEM_ERRORS[kind]
            self.warnings.append(FieldError(element, value, number, template.format(element=element, value=value), *at))

    def reason(self) -> str:
        """Return the errors as one text for the oracle."""
        return "; ".join(f"{error.element.lower()}: {error.text}" for error in self.errors)

    def errors_xml(self) -> str:
        """Return the failing fields; those of a repeated container inside one container per failing line."""
        parts = [error.xml() for error in self.errors if not error.container]
        places: dict[tuple[str, int], list[str]] = {}
        for error in self.errors:
            if error.container:
                places.setdefault((error.container, error.line), []).append(error.xml())
        return "".join([*parts, *(node(container, "".join(xml)) for (container, _), xml in places.items())])

    def warnings_xml(self) -> str:
        """Return ``WarningMessages`` (§3), or nothing."""
        if not self.warnings:
            return ""
        return node("WarningMessages", "".join(leaf("WarningDescription", warning.text) for warning in self.warnings))


class Fields:
    """The fields of one item or line; what cannot be read becomes a finding and a harmless default."""

    def __init__(
        self,
        element: etree._Element,
        findings: Findings,
        *,
        oversize: Literal["truncate", "error"],
        at: tuple[str, int] = ("", 0),
    ) -> None:
        self._element = element
        self.findings = findings
        self._oversize = oversize
        self.at = at

    def text(self, name: str, size: int = 0) -> str:
        """Return a text; longer than ``size`` it is cut or refused, as the option says (SIM)."""
        value = text_of(self._element, name)
        if size and len(value) > size:
            if self._oversize == "truncate":
                return value[:size].rstrip()
            self.findings.fail("too_long", name, value, self.at, size=size)
        return value

    def needed(self, name: str, size: int = 0) -> str:
        """Return a text that may not be blank."""
        value = self.text(name, size)
        if not value:
            self.findings.fail("blank", name, value, self.at)
        return value

    def choice(self, name: str, allowed: str, default: str) -> str:
        """Return a one-letter field."""
        value = self.text(name)
        if value and (len(value) != 1 or value not in allowed):
            self.findings.fail("choice", name, value, self.at)
            return default
        return value or default

    def amount(self, name: str) -> int | None:
        """Return an amount in hundredths, None when blank or wrong; a third decimal is an error (SIM)."""
        value = self.text(name)
        if not value:
            return None
        try:
            return money.cents(value)
        except money.NotNumericError:
            self.findings.fail("numeric", name, value, self.at)
        except money.TooManyDecimalsError:
            self.findings.fail("decimals", name, value, self.at)
        return None

    def number(self, name: str, scale: int) -> Decimal | None:
        """Return a number of up to ``scale`` decimals, None when blank or wrong; more decimals are an error (SIM)."""
        value = self.text(name)
        if not value:
            return None
        try:
            number = money.decimal(value)
        except money.NotNumericError:
            self.findings.fail("numeric", name, value, self.at)
            return None
        if number != round(number, scale):
            self.findings.fail("scale", name, value, self.at, scale=scale)
        return number

    def day(self, name: str, default: date) -> date:
        """Return a date, ``default`` when blank or wrong."""
        value = self.text(name)
        if not value:
            return default
        try:
            return money.iso_date(value)
        except ValueError:
            self.findings.fail("date", name, value, self.at)
            return default
