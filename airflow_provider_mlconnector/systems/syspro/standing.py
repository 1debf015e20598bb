"""How accepted postings stand in SYSPRO's ledger now: booked, or still waiting for somebody (FINANCE §1, §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState, StepDraft
from airflow_provider_mlconnector.systems.syspro import gentjl
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, both, in_chunks
from airflow_provider_mlconnector.systems.syspro.keys import whole
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.plan import GL_JOURNAL

STATUS = Query("GenJournalCtl", ("GlYear", "GlPeriod", "GlJournal", "JnlStatus"))
Journal = tuple[int | None, int | None, int | None]
"""Year, period, number."""


def standing(
    client: SysproClient, options: SysproOptions, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]
) -> list[Outcome]:
    """Return for each step whether its GL journal is booked (POSTED) or not yet (ACCEPTED), with its ``gl_status``.

    A journal of ours that somebody has canceled will never be booked: REFUSED, for a person. One that AP made itself
    stays ACCEPTED: its invoice stands in AP all the same.

    An AP document whose GL journal could not be created is booked by SYSPRO's own AP to GL integration later; the
    journal that run makes is found by the number of the AP journal.

    Args:
        client: Logged on.
        options: Column names of this site.
        accepted: Steps and their results as kept.
    """
    journals = [_gl_journal(step, result) for step, result in accepted]
    late = _integrated_later(
        client,
        options,
        [_ap_journal(result) for (_, result), known in zip(accepted, journals, strict=True) if not known],
    )
    journals = [known or late.get(_ap_journal(result)) for (_, result), known in zip(accepted, journals, strict=True)]
    letters = _letters(client, [journal for journal in journals if journal])
    return [
        _outcome(step, result, journal, letters, options)
        for (step, result), journal in zip(accepted, journals, strict=True)
    ]


def _outcome(
    step: StepDraft,
    result: Mapping[str, Any],
    journal: Journal | None,
    letters: Mapping[Journal, str],
    options: SysproOptions,
) -> Outcome:
    if journal is None or journal not in letters:
        return Outcome(OutcomeState.ACCEPTED, result=result)
    year, period, number = journal
    named = {"gl_journal": str(number), "gl_year": year, "gl_period": period}
    if step.name == GL_JOURNAL and letters[journal] in options.canceled_journals:
        text = (
            f"journal {number} of {year}/{period} was canceled in SYSPRO, so the cost is in no ledger: once it may be "
            "booked, replay it, and it is made anew"
        )
        canceled = {**result, **named, "gl_status": "canceled"}
        return Outcome(OutcomeState.REFUSED, "journal_canceled", str(number), text, result=canceled)
    booked = letters[journal] == gentjl.POSTED_STATUS
    state = OutcomeState.POSTED if booked else OutcomeState.ACCEPTED
    return Outcome(state, result={**result, **named, "gl_status": "booked" if booked else "held"})


def _gl_journal(step: StepDraft, result: Mapping[str, Any]) -> Journal | None:
    prefix = "" if step.name == GL_JOURNAL else "gl_"
    number = whole(str(result.get(f"{prefix}journal", "")))
    return (result.get(f"{prefix}year"), result.get(f"{prefix}period"), number) if number else None


def _ap_journal(result: Mapping[str, Any]) -> Journal:
    return result.get("year"), result.get("period"), whole(str(result.get("journal", "")))


def _integrated_later(
    client: SysproClient, options: SysproOptions, missing: Sequence[Journal]
) -> dict[Journal, Journal]:
    """Find the GL journals made of AP journals, among those of the same period."""
    column = options.ap_journal_column
    numbers = dict.fromkeys(number for _, _, number in missing if number)
    if not column or not numbers:
        return {}
    query = origin_query(options)
    conditions = [Condition(column, "EQ", str(number)) for number in numbers]
    return {
        (whole(row["GlYear"]), whole(row["GlPeriod"]), whole(row[column])): (
            whole(row["GlYear"]),
            whole(row["GlPeriod"]),
            whole(row["GlJournal"]),
        )
        for rows in in_chunks(client, query, conditions)
        for row in rows
    }


def origin_query(options: SysproOptions) -> Query:
    """Ask which AP journal a GL journal came from, by the column this site has for it."""
    return Query("GenJournalDetail", ("GlYear", "GlPeriod", "GlJournal", options.ap_journal_column))


def _letters(client: SysproClient, journals: Sequence[Journal]) -> dict[Journal, str]:
    """Return the ``JnlStatus`` of each journal that is there."""
    conditions = [
        both(
            Condition("GlYear", "EQ", str(year)),
            Condition("GlPeriod", "EQ", str(period)),
            Condition("GlJournal", "EQ", str(number)),
        )
        for year, period, number in dict.fromkeys(journals)
    ]
    return {
        (whole(row["GlYear"]), whole(row["GlPeriod"]), whole(row["GlJournal"])): row["JnlStatus"].upper()
        for rows in in_chunks(client, STATUS, conditions)
        for row in rows
    }
