"""One document's fate never decides another's, and every fate has its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import pytest
from support.pipeline import Pipeline
from support.remote import invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import ConfigurationError, Unavailable
from airflow_provider_mlconnector.store.records import Actor, Change
from airflow_provider_mlconnector.sync.mappings import MappingText
from airflow_provider_mlconnector.systems.ports import (
    Eligibility,
    Outcome,
    OutcomeState,
    SourcePage,
    StepDraft,
    Window,
)

POSTED = Outcome(OutcomeState.POSTED)
LATER = "2026-11-21T08:30:00.000Z"


def test_a_sound_invoice_is_posted_once_however_often_everything_runs(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    for _ in range(3):
        pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert pipeline.target.keys() == [("ap_invoice", "V00001|A1|I")]


def test_one_bad_invoice_of_each_kind_never_blocks_the_good_one(pipeline: Pipeline) -> None:
    pipeline.source.put(
        invoice("good"),
        invoice("unreadable", gross="lots"),
        invoice("no-lines", lines=[]),
        invoice("off-by-a-cent", gross="100.01"),
        invoice("far-too-long-a-number-for-it"),
        invoice(
            "unmapped",
            lines=[
                invoice("x")["lines"][0]
                | {"allocations": [{"account": "59999", "cost_center": "CC10", "percent": "100"}]}
            ],
        ),
        invoice("on-hold", supplier="V00042"),
        invoice("old", invoice_date="2026-01-10"),
        invoice("pending"),
        invoice("paid"),
    )
    pipeline.source.eligibility |= {"pending": Eligibility.NOT_ELIGIBLE, "paid": Eligibility.PAID}
    result = pipeline.all()
    assert pipeline.states() == {
        "good": State.POSTED,
        "unreadable": State.REJECTED,
        "no-lines": State.REJECTED,
        "off-by-a-cent": State.REJECTED,
        "far-too-long-a-number-for-it": State.REJECTED,
        "unmapped": State.PARKED,
        "on-hold": State.PARKED,
        "old": State.SKIPPED,
        "paid": State.SKIPPED,
    }
    assert result.failing == {"rejected": 4}
    assert {reason.code for reason in result.reasons} >= {"unreadable_field", "no_lines", "total_mismatch"}


def test_a_refused_invoice_fails_alone_and_keeps_the_targets_words(pipeline: Pipeline) -> None:
    pipeline.target.batch = 1
    pipeline.source.put(invoice("A1"), invoice("A2"))
    pipeline.target.endings = ["refuse"]
    pipeline.all()
    assert sorted(pipeline.states().values()) == [State.FAILED, State.POSTED]


def test_a_parked_invoice_goes_through_once_the_mapping_is_corrected(pipeline: Pipeline) -> None:
    lines = [
        invoice("x")["lines"][0] | {"allocations": [{"account": "51300", "cost_center": "CC10", "percent": "100"}]}
    ]
    pipeline.source.put(invoice("A1", lines=lines))
    whole = pipeline.mapping
    pipeline.mapping = MappingText(whole.text.replace('"51300": "5130"', '"51400": "5140"'), "test")
    assert pipeline.all().counts == {"parked": 1}
    pipeline.mapping = whole
    assert pipeline.all().counts == {"posted": 1}


def test_a_parked_invoice_writes_no_audit_row_while_its_cause_stays_the_same(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", supplier="V00042"))
    pipeline.all()
    before = pipeline.store.head().seq
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    assert pipeline.states() == {"A1": State.PARKED}
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        kinds = [event.kind for event in uow.events.of(document.id)]
    assert kinds.count("parked") == 1
    assert pipeline.store.head().seq - before <= 2  # the watermark's rows, none of the document's


def test_validate_alone_can_be_cleared_and_judges_its_chunk_again(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", supplier="V00042"))
    pipeline.all()
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        uow.snapshots.purge(pipeline.clock.now())
    pipeline.target.read_reference = lambda **_: {"on_hold": []}  # type: ignore[method-assign]
    pipeline.validate()
    assert pipeline.states() == {"A1": State.VALIDATED}


def test_a_route_without_cut_over_date_refuses_to_run_and_names_the_option(pipeline: Pipeline) -> None:
    pipeline.route = pipeline.route.model_copy(update={"start_at": None})
    with pytest.raises(ConfigurationError, match="start_at"):
        pipeline.extract()


def test_two_invoices_with_the_same_supplier_and_number_collide_instead_of_being_posted_twice(
    pipeline: Pipeline,
) -> None:
    pipeline.source.put(invoice("A1"), invoice("A2", number="A1"))
    pipeline.all()
    assert sorted(pipeline.states().values()) == [State.PARKED, State.POSTED]
    assert len(pipeline.target.ledger) == 1


def test_an_invoice_entered_by_hand_is_linked_and_another_under_its_number_is_rejected(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"), invoice("A2"), invoice("A3"))
    same = {"gross": "100.00", "currency": "USD", "date": "2026-11-10"}
    pipeline.target.ledger += [
        {"key": ("ap_invoice", "V00001|A1|I"), "ours": "", "fingerprint": same},
        {"key": ("ap_invoice", "V00001|A2|I"), "ours": "", "fingerprint": same | {"gross": "90.00"}},
    ]
    pipeline.all()
    assert pipeline.states() == {"A1": State.LINKED, "A2": State.REJECTED, "A3": State.POSTED}
    assert len(pipeline.target.ledger) == 3


def test_a_newer_revision_supersedes_one_that_never_left(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", supplier="V00042"))
    pipeline.all()
    pipeline.source.put(invoice("A1", revision=LATER))
    pipeline.clock.sleep(3600)
    assert pipeline.all().counts == {"posted": 1, "superseded": 1}


def test_a_change_after_posting_is_for_a_person_and_sends_nothing(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"), invoice("A2"))
    pipeline.all()
    line = invoice("x")["lines"][0] | {"unit_price": "120.00", "amount": "120.00"}
    pipeline.source.put(invoice("A1", revision=LATER, gross="120.00", lines=[line]), invoice("A2", revision=LATER))
    pipeline.clock.sleep(3600)
    pipeline.all()
    assert pipeline.states() == {"A1": State.CHANGED_AFTER_POSTING, "A2": State.SKIPPED}
    assert "gross 100.00 → 120.00" in pipeline.documents()["A1"].reason
    assert len(pipeline.target.ledger) == 2


def test_an_invoice_withdrawn_after_posting_is_shown(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.all()
    pipeline.source.put(invoice("A1", revision=LATER))
    pipeline.source.eligibility["A1"] = Eligibility.CLOSED
    pipeline.clock.sleep(3600)
    pipeline.all()
    assert pipeline.states() == {"A1": State.CHANGED_AFTER_POSTING}


def test_an_invoice_paid_at_the_source_after_posting_is_no_news(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.all()
    pipeline.source.put(invoice("A1", revision=LATER))
    pipeline.source.eligibility["A1"] = Eligibility.PAID
    pipeline.clock.sleep(3600)
    pipeline.all()
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        found = {document.revision: document.state for document in uow.documents.search(after_id="")}
    assert found == {invoice("A1")["revision"]: State.POSTED, LATER: State.SKIPPED}


def test_a_credit_memo_follows_its_invoice_within_one_run(pipeline: Pipeline) -> None:
    credit = invoice("C1", kind="credit_memo", original_number="IA9")
    pipeline.source.put(credit, invoice("A9"), invoice("C2", kind="credit_memo", original_number="I404"))
    pipeline.all()
    assert pipeline.states() == {"C1": State.POSTED, "A9": State.POSTED, "C2": State.PARKED}
    assert pipeline.target.attempts == ["V00001|A9|I", "V00001|C1|C"]


def test_at_a_site_without_link_a_refused_journal_resumes_alone(pipeline: Pipeline) -> None:
    pipeline.target.journal = True
    pipeline.target.endings = ["ok", "refuse"]
    pipeline.source.put(invoice("A1"))
    pipeline.all()
    assert pipeline.states() == {"A1": State.FAILED}
    replay = Change(pipeline.documents()["A1"], State.EXTRACTED, reason="replayed")
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        uow.documents.apply([replay])
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert pipeline.target.keys() == [("ap_invoice", "V00001|A1|I"), ("gl_journal", "V00001|A1|I")]


def test_a_list_whose_total_shrinks_while_paging_is_read_until_two_passes_agree(pipeline: Pipeline) -> None:
    pipeline.source.put(*(invoice(f"A{n}") for n in range(20)))
    pipeline.source.shrink_passes = 1
    pipeline.all()
    assert len(pipeline.target.ledger) == 20
    assert pipeline.source.details_read == 20


def test_a_list_that_never_settles_fails_loudly_and_keeps_the_watermark(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pages = pipeline.source.pages

    def growing(window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        pipeline.source.put(invoice(f"B{len(pipeline.source.invoices)}"))
        return pages(window, position=position)

    pipeline.source.pages = growing  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="passes"):
        pipeline.extract()
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        assert uow.watermarks.get("r") is None
    assert len(pipeline.documents()) == pipeline.route.max_passes + 1


def test_an_explicit_window_leaves_the_watermark_alone(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.extract(window=Window(end=pipeline.clock.now()))
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        assert uow.watermarks.get("r") is None
    pipeline.extract()
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        mark = uow.watermarks.get("r")
    assert mark is not None
    assert mark < pipeline.clock.now()


def test_a_dry_run_moves_nothing_and_a_real_run_after_it_equals_a_real_run_alone(
    new_pipeline: Callable[..., Pipeline],
) -> None:
    alone, after_dry = new_pipeline(), new_pipeline()
    bodies = [invoice("A1"), invoice("A2", supplier="V00042"), invoice("A3", lines=[]), invoice("A4")]
    for one in (alone, after_dry):
        one.source.put(*bodies)
    shown = after_dry.all(preview_id="dry1")
    assert shown.counts == {"would_post": 2, "parked": 1, "rejected": 1}
    assert after_dry.target.ledger == []
    assert after_dry.documents() == {}
    with after_dry.store.unit_of_work(Actor(user="test")) as uow:
        assert uow.watermarks.get("r") is None
        assert uow.mappings.current("r") is None
    assert after_dry.all().counts == alone.all().counts
    assert after_dry.target.keys() == alone.target.keys()
    assert after_dry.states() == alone.states()


def test_a_dry_run_judges_a_credit_memo_by_the_invoice_the_same_run_would_post(
    new_pipeline: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = new_pipeline()
    rehearsed: list[str] = []

    def rehearse(steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """As SYSPRO does: an invoice that does not exist cannot be credited."""
        rehearsed.extend(step.remote_reference for step in steps)
        refused = Outcome(OutcomeState.REFUSED, "original_missing", text="no such invoice", parked=True)
        return [refused if step.remote_reference.endswith(("|C", "REFUSED|I")) else POSTED for step in steps]

    monkeypatch.setattr(pipeline.target, "rehearse", rehearse)
    pipeline.source.put(
        invoice("C1", kind="credit_memo", original_number="IA9"),
        invoice("C2", kind="credit_memo", original_number="IREFUSED"),
        invoice("C3", kind="credit_memo", original_number="I404"),
        invoice("C4", kind="credit_memo", original_number="A9", supplier="V00031"),
        invoice("A9"),
        invoice("REFUSED"),
    )
    shown = pipeline.all(preview_id="dry1")
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        found = {body["key"]: (body["state"], body["reason_code"]) for _, body in uow.previews.list("dry1")}
    assert found == {
        "A9": ("would_post", ""),
        "C1": ("would_post", ""),
        "REFUSED": ("would_be_refused", "original_missing"),
        "C2": ("would_be_refused", "original_missing"),
        "C3": ("parked", "original_unknown"),
        "C4": ("parked", "original_unknown"),
    }
    assert shown.counts == {"would_post": 2, "would_be_refused": 2, "parked": 2}
    assert sorted(rehearsed) == ["V00001|A9|I", "V00001|C2|C", "V00001|REFUSED|I"]


def test_a_dry_run_has_a_credit_memo_of_a_posted_invoice_rehearsed_under_the_suppliers_number(
    new_pipeline: Callable[..., Pipeline],
) -> None:
    pipeline = new_pipeline()
    pipeline.source.put(invoice("A9"))
    pipeline.all()
    pipeline.source.put(invoice("C1", kind="credit_memo", original_number="IA9", revision=LATER))
    pipeline.clock.sleep(3600)
    assert pipeline.all(preview_id="dry1").counts["would_post"] == 1
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        (memo,) = [body for _, body in uow.previews.list("dry1") if body["key"] == "C1"]
    assert memo["follows"] == "", "nothing of this run has to be posted before it"


def test_money_is_reported_per_state_and_currency(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"), invoice("A2"))
    result = pipeline.all()
    assert result.sums["posted"] == {"USD": 200}
    assert "posted" in result.text
    assert pipeline.store.verify_chain().ok
    assert date(2026, 10, 1) == pipeline.route.require_cut_over()
