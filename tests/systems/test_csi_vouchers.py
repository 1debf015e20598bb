"""Writing vouchers: looked up in three places, completed by key, released once read back, whatever gets lost."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from support.csi_samples import VENDOR, OpenFence, coded, csi, options
from support.fake_csi import FakeCsi, Fault, Ido

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError, StaleClaim, Unavailable
from airflow_provider_mlconnector.systems.cloudsuite.csi.vouchers import CsiVoucherTarget
from airflow_provider_mlconnector.systems.ports import Found, FoundState, Outcome, OutcomeState, StepDraft

OURS = "MLC0123"
BY_HAND = {
    "VendNum": VENDOR,
    "Voucher": 77,
    "Type": "V",
    "InvNum": "NB-7781",
    "InvDate": "20261110 00:00:00.000",
    "InvAmt": 225,
    "BGPostingStat": "H",
}


class Site:
    """One configuration and one session of a target with it."""

    def __init__(self, fake: FakeCsi | None = None, **choices: Any) -> None:
        self.fake = fake or csi()
        self.target = CsiVoucherTarget("csi_default", self.fake, options(**choices))
        self._context = self.target.session()
        self.session = self._context.__enter__()
        self.reference = self.session.read_reference(suppliers=(), accounts=())
        self.fake.requests.clear()

    def steps(self, invoice: CodedInvoice | None = None, ours: str = OURS) -> Sequence[StepDraft]:
        """The steps of an invoice."""
        return self.target.plan(invoice or coded(), self.reference, our_reference=ours).steps

    def find(self, step: StepDraft, *, settling: bool = False) -> Found:
        """Look one step up."""
        (found,) = self.session.find([step], settling=settling)
        return found

    def post(self, step: StepDraft) -> Outcome:
        """Look up and send, as the pipeline does; what is there already is told by its look-up."""
        found = self.find(step)
        assert found.state is FoundState.ABSENT, found
        (batch,) = self.session.batches([step])
        (outcome,) = self.session.post(batch, fence=OpenFence())
        return outcome

    def run(self, steps: Sequence[StepDraft]) -> list[OutcomeState]:
        """Post all steps."""
        return [self.post(step).state for step in steps]

    def lines(self) -> list[tuple[int, str, float]]:
        """Distributions as CSI has them."""
        return [(row["DistSeq"], row["Acct"], row["Amount"]) for row in self.fake.rows("SLAptrxds")]


LINES = [(5, "51200", 100.0), (10, "51300", 75.5), (15, "52100", 49.5)]


# --- the way it goes -----------------------------------------------------------------------------------------------


def test_a_voucher_is_on_hold_until_it_is_complete_and_posted_once_released() -> None:
    site = Site()
    header, lines, release = site.steps()
    made = site.post(header)
    assert (made.state, made.result) == (OutcomeState.POSTED, {"key": "V00042|501", "voucher": "501"})
    (row,) = site.fake.rows("SLAptrxs")
    assert (row["BGPostingStat"], row["Ref"], row["InvAmt"], row["VendNum"]) == ("H", OURS, 225, VENDOR)
    site.fake.post_vouchers()
    assert not site.fake.rows("SLAptrxps")
    assert site.post(lines).state is OutcomeState.POSTED
    assert site.lines() == LINES
    released = site.post(release)
    assert (released.state, released.result["gl_status"]) == (OutcomeState.ACCEPTED, "held")
    waiting = site.session.observe([(release, released.result)])
    assert [outcome.state for outcome in waiting] == [OutcomeState.ACCEPTED]
    site.fake.post_vouchers()
    (booked,) = site.session.observe([(release, released.result)])
    assert (booked.state, booked.result["gl_status"]) == (OutcomeState.POSTED, "booked")
    assert site.find(header).state is FoundState.OURS
    assert (site.find(release).state, site.find(release).stands) == (FoundState.OURS, OutcomeState.POSTED)


def test_a_three_line_invoice_takes_eight_requests_beside_the_look_ups_that_many_share() -> None:
    site = Site()
    sent = 0
    for step in site.steps():
        site.session.find([step])
        site.fake.requests.clear()
        site.session.post([step], fence=OpenFence())
        sent += len([name for name in site.fake.requests if not name.startswith("info")])
    assert sent == 1 + 4 + 3


def test_many_invoices_are_looked_up_in_one_request_per_place() -> None:
    site = Site()
    steps = [site.steps(coded(f"NB-{number}"))[0] for number in range(20)]
    assert {found.state for found in site.session.find(steps)} == {FoundState.ABSENT}
    assert [name for name in site.fake.requests if name.startswith("load")] == [
        "load SLAptrxs",
        "load SLAptrxps",
        "load SLVchHdrs",
    ]


def test_a_credit_memo_may_have_the_number_of_its_invoice() -> None:
    site = Site()
    site.run(site.steps())
    credit = site.steps(coded(kind=InvoiceKind.CREDIT_MEMO, amounts=("25.00",)), ours="MLC0456")
    assert site.run(credit) == [OutcomeState.POSTED, OutcomeState.POSTED, OutcomeState.ACCEPTED]
    assert [row["InvAmt"] for row in site.fake.rows("SLAptrxs")] == [225, -25]


def test_recoverable_tax_stands_among_the_distributions_with_code_and_basis() -> None:
    site = Site()
    site.run(site.steps(coded(tax="20.00", tax_code="VS")))
    tax = site.fake.rows("SLAptrxds")[-1]
    assert (tax["Acct"], tax["Amount"], tax["TaxCode"], tax["TaxSystem"], tax["TaxBasis"]) == (
        "13400",
        20,
        "VS",
        1,
        225,
    )


def test_a_rehearsal_sends_nothing_and_says_what_it_is_worth() -> None:
    site = Site()
    (outcome,) = site.session.rehearse(site.steps()[:1])
    assert outcome.state is OutcomeState.POSTED
    assert "without storing" in outcome.text
    assert site.fake.requests == []


# --- found is not ours ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", [VENDOR, "V00042", "v00042"])
@pytest.mark.parametrize("number", ["NB-7781", "nb-7781"])
@pytest.mark.parametrize("place", ["SLAptrxs", "SLAptrxps", "SLVchHdrs"])
def test_one_entered_by_hand_is_linked_wherever_it_stands(place: str, number: str, vendor: str) -> None:
    fake = csi()
    names = fake.idos[place].names
    row = {**BY_HAND, "InvNum": number, "VendNum": vendor}
    fake.put(place, **{name: value for name, value in row.items() if name in names})
    site = Site(fake)
    found = site.find(site.steps()[0])
    assert found.state is FoundState.SAME_NOT_OURS
    assert found.result["key"].upper() == "V00042|77"


@pytest.mark.parametrize("written", ["310", "0310", "0000000310"])
def test_a_number_is_found_in_every_padding(written: str) -> None:
    fake = csi()
    fake.put("SLAptrxs", **{**BY_HAND, "InvNum": written})
    site = Site(fake)
    assert site.find(site.steps(coded("00310"))[0]).state is FoundState.SAME_NOT_OURS
    assert site.find(site.steps(coded("10"))[0]).state is FoundState.ABSENT


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"InvAmt": 226}, "InvAmt 226 there, 225.00 here"),
        ({"InvDate": "20261109 00:00:00.000"}, "InvDate 2026-11-09 there"),
        ({"AptCurrCode": "EUR"}, "currency EUR there"),
        ({"SalesTax": 5}, "SalesTax 5 there, 0.00 here"),
    ],
)
def test_another_document_under_the_number_is_told_with_the_difference(changes: dict[str, Any], words: str) -> None:
    fake = csi()
    fake.put("SLAptrxs", **{**BY_HAND, **changes})
    site = Site(fake)
    found = site.find(site.steps()[0])
    assert found.state is FoundState.DIFFERENT
    assert "number already used by voucher 77" in found.detail
    assert words in found.detail


def test_adjustments_and_other_vendors_and_signs_take_no_number() -> None:
    fake = csi()
    fake.put("SLAptrxs", **{**BY_HAND, "Type": "A"})
    fake.put("SLAptrxs", **{**BY_HAND, "VendNum": " V00043", "Voucher": 78})
    fake.put("SLAptrxs", **{**BY_HAND, "InvAmt": -225, "Voucher": 79})
    site = Site(fake)
    assert site.find(site.steps()[0]).state is FoundState.ABSENT


def test_two_vouchers_with_our_reference_are_an_issue() -> None:
    fake = csi()
    for number in (77, 78):
        fake.put("SLAptrxs", **{**BY_HAND, "Voucher": number, "Ref": OURS})
    site = Site(fake)
    found = site.find(site.steps()[0])
    assert found.state is FoundState.OURS
    assert "2 vouchers carry our reference (77, 78)" in found.result["issue"]


def test_posted_vouchers_without_readable_reference_leave_an_uncertain_write_to_a_person() -> None:
    fake = csi()
    posted = fake.idos["SLAptrxps"]
    fake.idos["SLAptrxps"] = Ido(posted.base, posted.keys, tuple(name for name in posted.names if name != "Ref"))
    fake.put("SLAptrxps", **{name: value for name, value in BY_HAND.items() if name != "BGPostingStat"})
    site = Site(fake)
    header, _, release = site.steps()
    assert site.find(header).state is FoundState.SAME_NOT_OURS
    unsure = site.find(header, settling=True)
    assert unsure.state is FoundState.UNKNOWN
    assert "look whether it is ours" in unsure.detail
    assert site.find(release).state is FoundState.OURS


# --- lost answers --------------------------------------------------------------------------------------------------


def test_a_header_whose_answer_was_lost_is_found_by_our_reference_and_never_sent_by_itself() -> None:
    site = Site()
    header, *rest = site.steps()
    site.fake.faults.append(Fault("update SLAptrxs", "lost_after"))
    with pytest.raises(AmbiguousOutcome):
        site.post(header)
    found = site.find(header, settling=True)
    assert (found.state, found.result["key"]) == (FoundState.OURS, "V00042|501")
    assert site.run(rest) == [OutcomeState.POSTED, OutcomeState.ACCEPTED]
    assert len(site.fake.rows("SLAptrxs")) == 1
    assert not site.target.may_repost(header, not_found=9, minutes_since_first=999)


def test_a_second_look_may_be_enough_where_the_site_says_so() -> None:
    site = Site(voucher_repost="second_look")
    header, lines, release = site.steps()
    assert not site.target.may_repost(header, not_found=1, minutes_since_first=60)
    assert not site.target.may_repost(header, not_found=2, minutes_since_first=14)
    assert site.target.may_repost(header, not_found=2, minutes_since_first=15)
    assert all(site.target.may_repost(step, not_found=1, minutes_since_first=0) for step in (lines, release))


@pytest.mark.parametrize("act", ["lost_before", "lost_after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_lost_distribution_is_completed_by_its_key(act: str, nth: int) -> None:
    site = Site()
    header, lines, release = site.steps()
    site.post(header)
    site.fake.faults.append(Fault("update SLAptrxds", act, nth))
    with pytest.raises(AmbiguousOutcome):
        site.post(lines)
    site.fake.post_vouchers()
    again = Site(site.fake)
    if again.find(lines, settling=True).state is FoundState.ABSENT:
        assert again.post(lines).state is OutcomeState.POSTED
    else:
        assert (act, nth) == ("lost_after", 3)
    assert again.lines() == LINES
    assert again.post(release).state is OutcomeState.ACCEPTED


def test_a_distribution_that_a_lost_request_writes_meanwhile_is_not_written_twice() -> None:
    site = Site()
    header, lines, _ = site.steps()
    site.post(header)

    def zombie(name: str) -> None:
        if name == "update SLAptrxds":
            site.fake.before = None
            row = {"VendNum": VENDOR, "Voucher": 501, "DistSeq": 5, "Acct": "51200", "Amount": 100}
            site.fake.put("SLAptrxds", **row)

    site.fake.before = zombie
    assert site.post(lines).state is OutcomeState.POSTED
    assert site.lines() == LINES


def test_a_claim_that_grows_too_old_between_two_lines_is_given_back_and_gone_on_with() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.post(header)
    site.fake.faults.append(Fault("update SLAptrxds", "raise", 1, error=StaleClaim("old")))
    with pytest.raises(StaleClaim):
        site.post(lines)
    site.fake.faults.append(Fault("update SLAptrxds", "raise", 3, error=StaleClaim("old")))
    outcome = site.post(lines)
    assert (outcome.state, site.lines()) == (OutcomeState.NOT_EXECUTED, LINES[:2])
    assert "2 of 3 distributions" in outcome.text
    assert site.post(lines).state is OutcomeState.POSTED
    assert site.lines() == LINES
    assert site.post(release).state is OutcomeState.ACCEPTED


def test_whatever_fails_among_the_distributions_leaves_them_to_be_completed() -> None:
    site = Site()
    header, lines, _ = site.steps()
    site.post(header)
    site.fake.faults.append(Fault("update SLAptrxds", "raise", 2, error=Unavailable("gone")))
    with pytest.raises(Unavailable):
        site.post(lines)
    assert site.find(lines).state is FoundState.ABSENT
    site.fake.faults.append(Fault("load SLAptrxds", "raise", 2, error=Unavailable("gone")))
    with pytest.raises(Unavailable):
        site.post(lines)
    assert site.find(lines).state is FoundState.OURS


def test_a_failed_read_after_the_header_is_an_open_end() -> None:
    site = Site()
    site.fake.silent = True
    header = site.steps()[0]
    site.session.find([header])
    site.fake.faults.append(Fault("load SLAptrxs", "raise", 1, error=Unavailable("gone")))
    with pytest.raises(AmbiguousOutcome, match="part of voucher"):
        site.session.post([header], fence=OpenFence())
    assert site.find(header, settling=True).state is FoundState.OURS


@pytest.mark.parametrize(("act", "there"), [("lost_before", FoundState.ABSENT), ("lost_after", FoundState.OURS)])
def test_a_lost_release_is_read_back(act: str, there: FoundState) -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.faults.append(Fault("update SLAptrxs", act))
    with pytest.raises(AmbiguousOutcome):
        site.post(release)
    found = site.find(release, settling=True)
    assert found.state is there
    if there is FoundState.OURS:
        assert found.stands is OutcomeState.ACCEPTED
    else:
        assert site.post(release).state is OutcomeState.ACCEPTED


# --- refusals ------------------------------------------------------------------------------------------------------


def test_a_refused_header_leaves_nothing_and_keeps_csis_words() -> None:
    site = Site()
    site.fake.faults.append(Fault("update SLAptrxs", "refuse", words="Invoice date is not valid"))
    outcome = site.post(site.steps()[0])
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "voucher_refused")
    assert "Invoice date is not valid" in outcome.text
    assert not site.fake.rows("SLAptrxs")


def test_a_refused_distribution_leaves_the_voucher_on_hold_to_be_completed() -> None:
    site = Site()
    header, lines, _ = site.steps()
    site.post(header)
    site.fake.faults.append(Fault("update SLAptrxds", "refuse", 2, words="Account is not valid"))
    outcome = site.post(lines)
    assert (outcome.state, outcome.code, outcome.subject) == (OutcomeState.REFUSED, "distribution_refused", "51300")
    assert "voucher 501 stays on hold" in outcome.text
    site.fake.post_vouchers()
    assert site.fake.rows("SLAptrxs")[0]["BGPostingStat"] == "H"
    assert site.post(lines).state is OutcomeState.POSTED
    assert site.lines() == LINES


def test_a_version_without_a_hold_gets_no_voucher() -> None:
    fake = csi()
    known = fake.idos["SLAptrxs"]
    fake.idos["SLAptrxs"] = Ido(known.base, known.keys, known.names, known.lengths, frozenset({"BGPostingStat"}))
    site = Site(fake)
    with pytest.raises(ConfigurationError, match="could be posted before it is complete"):
        site.post(site.steps()[0])
    assert not fake.rows("SLAptrxs")


def test_a_header_csi_does_not_keep_on_hold_is_taken_back() -> None:
    fake = csi()
    fake.hold_kept = False
    site = Site(fake)
    outcome = site.post(site.steps()[0])
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "hold_not_kept")
    assert "deleted again" in outcome.text
    assert not fake.rows("SLAptrxs")


def test_a_header_that_somebody_has_touched_is_not_taken_back() -> None:
    fake = csi()
    fake.hold_kept = False
    site = Site(fake)

    def person(name: str) -> None:
        if name == "update SLAptrxs" and fake.rows("SLAptrxs"):
            fake.change("SLAptrxs", "1=1", Txt="checked")

    fake.before = person
    outcome = site.post(site.steps()[0])
    assert outcome.code == "hold_not_kept"
    assert "put it on hold or delete it" in outcome.text
    assert len(fake.rows("SLAptrxs")) == 1


# --- people --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [{"InvAmt": 230}, {"DistDate": "20261101 00:00:00.000"}, {"InvDate": "20261109 00:00:00.000"}]
)
def test_a_voucher_changed_by_a_person_is_not_released(changes: dict[str, Any]) -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.change("SLAptrxs", "1=1", **changes)
    (outcome,) = site.session.post([release], fence=OpenFence())
    assert (outcome.state, outcome.parked) == (OutcomeState.REFUSED, True)
    assert site.fake.rows("SLAptrxs")[0]["BGPostingStat"] == "H"
    site.fake.change("SLAptrxs", "1=1", InvAmt=225, DistDate="20261110 00:00:00.000", InvDate="20261110 00:00:00.000")
    assert site.post(release).state is OutcomeState.ACCEPTED


@pytest.mark.parametrize(
    ("where", "changes", "words"),
    [
        ("DistSeq = 5", {"Acct": "52100"}, "distribution 5 is 52100 100, not 51200 100.00"),
        ("DistSeq = 5", {"Amount": 99}, "distribution 5 is 51200 99"),
        ("DistSeq = 5", {"AcctUnit1": "200"}, "51200/200 100, not 51200"),
        ("DistSeq = 5", {"DistSeq": 7}, "distribution 7 51200 100 is not ours"),
    ],
)
def test_distributions_changed_by_a_person_stop_the_release(where: str, changes: dict[str, Any], words: str) -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.change("SLAptrxds", where, **changes)
    outcome = site.post(release)
    assert (outcome.state, outcome.code, outcome.parked) == (OutcomeState.REFUSED, "distributions_differ", True)
    assert words in outcome.text
    assert site.fake.rows("SLAptrxs")[0]["BGPostingStat"] == "H"


def test_a_distribution_not_ours_is_left_alone_and_stops_the_rest() -> None:
    site = Site()
    header, lines, _ = site.steps()
    site.post(header)
    site.fake.put("SLAptrxds", VendNum=VENDOR, Voucher=501, DistSeq=3, Acct="52100", Amount=1)
    outcome = site.post(lines)
    assert (outcome.code, outcome.parked) == ("distributions_differ", True)
    assert site.lines() == [(3, "52100", 1.0)]
    site.fake.delete("SLAptrxds")
    assert site.post(lines).state is OutcomeState.POSTED


def test_somebody_touching_the_voucher_between_read_and_release_makes_us_read_again() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    touched = []

    def person(name: str) -> None:
        if name == "update SLAptrxs" and not touched:
            touched.append(name)
            site.fake.change("SLAptrxs", "1=1", Txt="looked at")

    site.fake.before = person
    assert site.post(release).state is OutcomeState.ACCEPTED
    assert site.fake.requests.count("update SLAptrxs") == 3


def test_what_csi_works_out_anew_is_no_persons_change() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.change("SLAptrxs", "1=1", DueDate="20270101 00:00:00.000", PurchAmt=200)
    assert site.post(release).state is OutcomeState.ACCEPTED


def test_a_change_of_content_between_read_and_release_parks() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.before = lambda name: (
        site.fake.change("SLAptrxs", "1=1", InvAmt=999) if name == "update SLAptrxs" else None
    )
    outcome = site.post(release)
    assert outcome.parked
    assert site.fake.rows("SLAptrxs")[0]["BGPostingStat"] == "H"


def test_a_voucher_touched_again_and_again_waits_for_the_next_run() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.before = lambda name: site.fake.change("SLAptrxs", "1=1", Txt=name) if name == "update SLAptrxs" else None
    outcome = site.post(release)
    assert (outcome.code, outcome.parked) == ("voucher_busy", True)


def test_a_release_csi_refuses_of_an_unchanged_voucher_is_its_word() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.faults.append(Fault("update SLAptrxs", "refuse", words="Authorization is required"))
    outcome = site.post(release)
    assert (outcome.code, outcome.parked) == ("release_refused", False)
    assert "Authorization is required" in outcome.text


def test_a_half_voucher_that_somebody_released_is_told_and_not_written_into() -> None:
    site = Site()
    header, lines, _ = site.steps()
    site.post(header)
    site.fake.change("SLAptrxs", "1=1", BGPostingStat="A")
    outcome = site.post(lines)
    assert (outcome.code, outcome.parked) == ("voucher_released", True)
    assert site.lines() == []


def test_a_complete_voucher_that_a_person_released_is_accepted() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.change("SLAptrxs", "1=1", BGPostingStat="A")
    found = site.find(release)
    assert (found.state, found.stands) == (FoundState.OURS, OutcomeState.ACCEPTED)


def test_a_voucher_changed_after_its_release_is_an_issue() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines, release])
    site.fake.change("SLAptrxs", "1=1", InvAmt=230)
    assert "changed after its release" in site.find(release).result["issue"]


@pytest.mark.parametrize("place", [1, 2])
def test_a_voucher_deleted_by_a_person_is_told_and_never_made_again(place: int) -> None:
    site = Site()
    steps = site.steps()
    site.run(steps[:place])
    site.fake.delete("SLAptrxds")
    site.fake.delete("SLAptrxs")
    outcome = site.post(steps[place])
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "voucher_deleted")
    assert not site.fake.rows("SLAptrxs")


def test_a_released_voucher_deleted_or_in_error_is_no_longer_waited_for() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    result = site.post(release).result
    site.fake.change("SLAptrxs", "1=1", BGPostingStat="E")
    (failed,) = site.session.observe([(release, result)])
    assert (failed.state, failed.code) == (OutcomeState.REFUSED, "background_posting")
    assert site.post(release).state is OutcomeState.ACCEPTED
    site.fake.delete("SLAptrxs")
    (gone,) = site.session.observe([(release, result)])
    assert (gone.state, gone.code) == (OutcomeState.REFUSED, "thrown_out")
    site.fake.put("SLAptrxs", **{**BY_HAND, "Voucher": 501, "InvNum": "OTHER"})
    (other,) = site.session.observe([(release, result)])
    assert other.code == "thrown_out"


def test_a_posted_voucher_that_was_purged_is_known_by_the_ledger() -> None:
    site = Site()
    header, lines, release = site.steps()
    site.run([header, lines])
    result = site.post(release).result
    site.fake.post_vouchers()
    for place in ("SLAptrxps", "SLVchHdrs"):
        site.fake.delete(place)
    (outcome,) = site.session.observe([(release, result)])
    assert (outcome.state, outcome.result["gl_status"]) == (OutcomeState.POSTED, "booked")


def test_a_foreign_voucher_at_rate_one_is_not_released() -> None:
    site = Site(domestic_currency="EUR")
    header, lines, release = site.steps()
    site.run([header, lines])
    site.fake.change("SLAptrxs", "1=1", ExchRate=1)
    outcome = site.post(release)
    assert (outcome.code, outcome.parked) == ("exchange_rate", True)
    site.fake.change("SLAptrxs", "1=1", ExchRate=1.08)
    assert site.post(release).state is OutcomeState.ACCEPTED


# --- numbers -------------------------------------------------------------------------------------------------------


def test_where_csi_leaves_numbers_to_its_users_the_highest_and_one_more_is_taken() -> None:
    fake = csi(numbers=False)
    fake.put("SLVchHdrs", VendNum=VENDOR, Voucher=812, VouchSeq=0, Type="V", InvNum="OLD", InvAmt=1)
    site = Site(fake)
    assert site.post(site.steps()[0]).result["voucher"] == "813"
    assert site.post(site.steps(coded("NB-2"), ours="MLC2")[0]).result["voucher"] == "814"
    # once it is known, no insert without a number is tried
    assert fake.requests.count("update SLAptrxs") == 3


def test_a_number_taken_by_a_person_meanwhile_gives_way_to_the_next() -> None:
    fake = csi(numbers=False)
    site = Site(fake, voucher_numbering="max_plus_one")
    taken: list[str] = []

    def person(name: str) -> None:
        if name == "update SLAptrxs" and not taken:
            taken.append(name)
            fake.put("SLAptrxs", **{**BY_HAND, "Voucher": 1, "InvNum": "THEIRS"})

    fake.before = person
    assert site.post(site.steps()[0]).result["voucher"] == "2"


def test_a_number_another_vendor_got_meanwhile_is_an_issue() -> None:
    fake = csi(numbers=False)
    site = Site(fake, voucher_numbering="max_plus_one")

    def person(name: str) -> None:
        if name == "update SLAptrxs":
            fake.before = None
            fake.put("SLAptrxs", **{**BY_HAND, "VendNum": " V00043", "Voucher": 1, "InvNum": "THEIRS"})

    fake.before = person
    assert "V00043|1" in site.post(site.steps()[0]).result["issue"]


def test_a_refusal_about_something_else_is_not_tried_under_a_number() -> None:
    site = Site()
    site.fake.faults.append(Fault("update SLAptrxs", "refuse", words="Vendor is not valid"))
    assert site.post(site.steps()[0]).state is OutcomeState.REFUSED
    assert site.fake.requests.count("update SLAptrxs") == 1
    assigned = Site(csi(numbers=False), voucher_numbering="assigned")
    assert assigned.post(assigned.steps()[0]).code == "voucher_refused"


def test_one_worker_at_a_time_numbers_vouchers_of_a_configuration() -> None:
    assert Site().target.operator_lease == "cloudsuite:acme_tst:acme_tst_main:vouchers"
    assert Site(voucher_numbering="assigned").target.operator_lease == ""


def test_a_property_the_tenant_lacks_is_dropped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    fake = csi()
    known = fake.idos["SLAptrxs"]
    fake.idos["SLAptrxs"] = Ido(known.base, known.keys, tuple(n for n in known.names if n != "AptCurrCode"))
    with caplog.at_level(logging.WARNING):
        site = Site(fake)
        assert site.run(site.steps())[-1] is OutcomeState.ACCEPTED
    assert any("SLVchHdrs has no Ref, SalesTax in this version" in one.message for one in caplog.records)
    assert not any("CurrCode" in one.message for one in caplog.records), "a version has one name of it, or none"


def test_a_draft_made_from_the_stores_summary_finds_the_voucher() -> None:
    fake = csi()
    fake.put("SLAptrxs", **BY_HAND)
    site = Site(fake)
    invoice = coded().invoice
    draft = site.target.identify(
        supplier="V00042",
        number="NB-7781",
        kind=InvoiceKind.INVOICE,
        currency="USD",
        gross=invoice.gross,
        document_date=invoice.invoice_date,
    )
    assert site.find(draft).state is FoundState.SAME_NOT_OURS
