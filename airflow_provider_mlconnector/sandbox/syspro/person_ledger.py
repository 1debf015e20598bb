"""What a person does to the general ledger at a SYSPRO screen: accounts, periods, journals, the integration run."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import gentjl
from airflow_provider_mlconnector.sandbox.syspro.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.syspro.records import GlAccount, GlJournal, Section
from airflow_provider_mlconnector.sandbox.syspro.sim_texts import JOURNAL_CANCELLED, JOURNAL_HELD, JOURNAL_NOT_POSTED


class LedgerClerk(Clerk):
    """Keeps the chart, the periods and the journals."""

    def actions(self) -> dict[str, Action]:
        """Return what can be done, by name."""
        return {
            "gl_account": self._account,
            "gl_section": self._section,
            "period": self._period,
            "currency": self._currency,
            "gl_integration_run": self._integrate,
            "gl_journal": self._enter_journal,
            "gl_journal_authorize": self._authorize_journal,
            "gl_journal_post": self._post_journal,
            "gl_journal_cancel": self._cancel_journal,
        }

    def _account(self, body: Body) -> dict[str, object]:
        """Change a ledger account, or add it."""
        code = body["gl_code"]
        row = self._books.accounts.setdefault(code, GlAccount(code, code, "E", on_hold=False, control=False))
        for name in ("description", "type", "on_hold", "control"):
            if name in body:
                setattr(row, name, body[name])
        row.version = self._books.next_version()
        return {"gl_code": code}

    def _section(self, body: Body) -> dict[str, object]:
        """Open, rename or close a cost center, the first section of ledger codes."""
        code = str(body["section"])
        before = self._books.sections.get(code, Section(code, code))
        description = str(body.get("description", before.description))
        self._books.sections[code] = Section(code, description, closed=bool(body.get("closed", before.closed)))
        return {"section": code}

    def _currency(self, body: Body) -> dict[str, object]:
        """Change the rate of a currency, or fix it."""
        before = self._books.currencies[str(body["currency"])]
        rate, fixed = Decimal(str(body.get("rate", before.rate))), bool(body.get("fixed", before.fixed))
        self._books.currencies[before.code] = replace(before, rate=rate, fixed=fixed)
        return {"currency": before.code}

    def _period(self, body: Body) -> dict[str, object]:
        """Open or close a period of AP or GL, or make it the current one."""
        module, period = body["module"], (int(body["year"]), int(body["month"]))
        if module not in {"AP", "GL"}:
            msg = f"module must be AP or GL, not {module!r}"
            raise ValueError(msg)
        if body.get("current"):
            self._books.periods.set_current(module, period)
        if "open" in body:
            self._books.periods.set_state(module, period, is_open=bool(body["open"]))
        return {"module": module, "year": period[0], "month": period[1]}

    def _integrate(self, _body: Body) -> dict[str, object]:
        """Run the AP to GL integration for AP journals that have no GL journal yet."""
        outcomes = self._books.run_integration(self._origin)
        return {"journals": [outcome.journal.journal for outcome in outcomes if outcome.journal is not None]}

    def _enter_journal(self, body: Body) -> dict[str, object]:
        """Type a journal in: ``lines`` of gl_code and signed value; ``hold`` keeps it from being posted."""
        journal = gentjl.enter(self._books, _journal(body), self._origin)
        return {"journal": journal.journal, "status": journal.status}

    def _stored_journal(self, body: Body) -> GlJournal:
        journal = self._books.journal_numbered(int(body["journal"]))
        if journal is None:
            msg = f"GL journal {body['journal']} not found"
            raise ValueError(msg)
        return journal

    def _post_journal(self, body: Body) -> dict[str, object]:
        """Authorize and post a GL journal that is on hold or was not posted."""
        journal = self._stored_journal(body)
        self._books.post_held(journal)
        return {"journal": journal.journal, "status": journal.status}

    def _authorize_journal(self, body: Body) -> dict[str, object]:
        """Authorize a GL journal and leave its posting to someone else."""
        journal = self._unposted(body)
        journal.authorized = True
        if journal.status == JOURNAL_HELD:
            journal.status = JOURNAL_NOT_POSTED
        return {"journal": journal.journal, "status": journal.status}

    def _cancel_journal(self, body: Body) -> dict[str, object]:
        """Cancel a GL journal that was not posted: it stays in the control table and never reaches a balance."""
        journal = self._unposted(body)
        journal.status = JOURNAL_CANCELLED
        return {"journal": journal.journal, "status": journal.status}

    def _unposted(self, body: Body) -> GlJournal:
        journal = self._stored_journal(body)
        if journal.status not in {JOURNAL_HELD, JOURNAL_NOT_POSTED}:
            msg = f"GL journal {journal.journal} is posted or cancelled"
            raise ValueError(msg)
        return journal


def _journal(body: Body) -> etree._Element:
    """Return the GENTJL item of what was typed in."""
    item = etree.Element("Item")
    fields = {
        "AuthorizeJournal": "A", "HoldJournal": "Y" if body.get("hold") else "N",
        "JournalReference": body.get("reference", ""), "Notation": body.get("notation", ""),
        "PostingPeriod": body.get("period", ""), "PostingYear": body.get("year", ""),
    }  # fmt: skip
    for name, value in fields.items():
        etree.SubElement(item, name).text = str(value)
    for line in body["lines"]:
        element = etree.SubElement(item, "JournalDetails")
        etree.SubElement(element, "LedgerCode").text = line["gl_code"]
        etree.SubElement(element, "Reference").text = line.get("reference", "")
        etree.SubElement(element, "EntryAmount").text = str(line["value"])
    return item
