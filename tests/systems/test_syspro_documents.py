"""APSTIN, GENTJL and COMFND documents: written compactly, read back whole, answered per item in any casing."""

from __future__ import annotations

import random
import string
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st
from support.syspro_samples import coded, reference, supplier_row

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.errors import AmbiguousOutcome, ProtocolError
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import OutcomeState, StepDraft
from airflow_provider_mlconnector.systems.syspro import apstin, comfnd, gentjl
from airflow_provider_mlconnector.systems.syspro.apstin import ApInvoiceItem, LedgerLine
from airflow_provider_mlconnector.systems.syspro.batches import SESSION_ROOM, Batcher, item_of, shape_of
from airflow_provider_mlconnector.systems.syspro.client import SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, both, either
from airflow_provider_mlconnector.systems.syspro.gentjl import Journal, JournalLine
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.plan import Planner
from airflow_provider_mlconnector.systems.transport import Transport

BASE = "https://erp.plant.example:31002/SYSPROWCFService/Rest"
GUID = "0123456789ABCDEF0123456789ABCDEF00"
OPTIONS = SysproOptions(company="EDU1")

FREE = st.text(st.characters(codec="cp1252", exclude_categories=("Cc", "Cs", "Zs")), max_size=20)
KEYS = st.text(string.ascii_letters + string.digits + "-/&<>'\"äß€", min_size=1, max_size=15)
MONEY = st.decimals(min_value=-999999, max_value=999999, places=2)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
LINES = st.builds(LedgerLine, code=KEYS, value=MONEY, tax_code=st.sampled_from("AZ"), notation=FREE, analysis_code=FREE)
ITEMS = st.builds(
    ApInvoiceItem,
    supplier=KEYS,
    transaction_code=st.sampled_from("IC"),
    branch=FREE,
    invoice=KEYS,
    value=MONEY,
    notation=FREE,
    reference=FREE,
    invoice_date=DAYS,
    due_date=DAYS,
    discount_date=DAYS,
    tax_code=st.sampled_from(["", "A"]),
    tax_value=MONEY,
    freight=MONEY,
    miscellaneous=MONEY,
    distribution=st.lists(LINES, min_size=1, max_size=4).map(tuple),
)


def read_item(root: xml.Element) -> ApInvoiceItem:
    """Read an item back the way SYSPRO would."""
    lines = tuple(
        LedgerLine(
            code=xml.text(line, "LedgerCode"),
            value=Decimal(xml.text(line, "LedgerValue")),
            tax_code=xml.text(line, "LedgerTaxCode"),
            notation=xml.text(line, "LedgerNotation"),
            analysis_code=xml.text(line, "AnalysisLineEntry/AnalysisCode1"),
        )
        for line in xml.children(root, "LedgerDistribution")
    )
    return ApInvoiceItem(
        supplier=xml.text(root, "Supplier"),
        transaction_code=xml.text(root, "TransactionCode"),
        branch=xml.text(root, "Branch"),
        invoice=xml.text(root, "Invoice"),
        value=Decimal(xml.text(root, "TransactionValue")),
        notation=xml.text(root, "Notation"),
        reference=xml.text(root, "TransactionReference"),
        invoice_date=date.fromisoformat(xml.text(root, "InvoiceDate")),
        due_date=date.fromisoformat(xml.text(root, "DueDate")),
        discount_date=date.fromisoformat(xml.text(root, "DiscountDate")),
        tax_code=xml.text(root, "TaxCode"),
        tax_value=Decimal(xml.text(root, "TaxValue")),
        freight=Decimal(xml.text(root, "FreightCharge") or "0"),
        miscellaneous=Decimal(xml.text(root, "MiscellaneousCharge") or "0"),
        distribution=lines,
    )


@given(st.lists(ITEMS, min_size=1, max_size=3))
def test_apstin_items_are_read_back_as_written(items: list[ApInvoiceItem]) -> None:
    shape = apstin.Settings(period="C", foreign=False, analysis=False, warnings="N", variance=Decimal(0))
    root = xml.parse(apstin.post_call(items, shape).document.encode(), encoding="utf-8")
    assert [read_item(item) for item in xml.children(root, "Item")] == items


def test_elements_come_in_the_schemas_order_and_the_parameters_are_explicit() -> None:
    (step,) = Planner(coded(branch="20"), reference(), OPTIONS, our_reference="ML-1").steps()
    call = apstin.post_call([item_of(step)], shape_of(step).settings("P", override=False))
    item = xml.child(xml.parse(call.document.encode()), "Item")
    assert item is not None
    assert [child.tag for child in item][:21] == [
        "Supplier", "TransactionCode", "Branch", "Invoice", "TransactionValue", "Notation", "TransactionReference",
        "JournalNotation", "InvoiceDate", "DueDate", "DiscountDate", "FixedExchRate", "TaxBasis", "CalculateQstOnTax",
        "TaxCode", "TaxValue", "SecondTaxCode", "SecondTaxValue", "LedgerDistribution", "LedgerDistribution",
        "LedgerDistribution",
    ]  # fmt: skip
    parameters = xml.child(xml.parse(call.parameters.encode()), "Parameters")
    assert parameters is not None
    said = {child.tag: child.text for child in parameters}
    assert (said["PostingPeriod"], said["IgnoreWarnings"], said["ValidateOnly"]) == ("P", "N", "N")
    assert (said["ApplyIfEntireDocumentValid"], said["LedgerDistributionCurrency"]) == ("N", "L")
    assert 'xsd:noNamespaceSchemaLocation="APSTINDOC.XSD"' in call.document


# --- answers ---------------------------------------------------------------------------------------------------------


def item(number: str, supplier: str = "V1") -> ApInvoiceItem:
    day = date(2026, 11, 10)
    return ApInvoiceItem(
        supplier=supplier,
        transaction_code="I",
        branch="",
        invoice=number,
        value=Decimal(1),
        notation="",
        reference="ML",
        invoice_date=day,
        due_date=day,
        discount_date=day,
        tax_code="",
        tax_value=Decimal(0),
        distribution=(LedgerLine(code="1", value=Decimal(1), tax_code="Z"),),
    )


def good(number: str, entry: int, supplier: str = "V1") -> str:
    return (
        f"<Item><Transaction><Key><TrnYear>2026</TrnYear><TrnMonth>11</TrnMonth><Journal>00431</Journal>"
        f"<EntryNumber>{entry:03d}</EntryNumber></Key><Supplier>{supplier}</Supplier><Invoice>{number}</Invoice>"
        f"</Transaction></Item>"
    )


def bad(field: str, value: str, extra: str = "") -> str:
    told = f"<Value>{value}</Value><ErrorNumber>9</ErrorNumber><ErrorDescription>no {value}</ErrorDescription>"
    error = f"<{field}>{told}</{field}>"
    inner = f"<LedgerDistribution>{error}</LedgerDistribution>" if field.lower() == "ledgercode" else error
    return f"<Item>{inner}{extra}</Item>"


def answer(
    *items: str, gl: str = "<GlJournal>00872</GlJournal>", invalid: str = "", root: str = "postapinvoice"
) -> xml.Element:
    status = (
        f"<StatusOfItems><GlJournal><GlYear>2026</GlYear><GlPeriod>11</GlPeriod>{gl}</GlJournal>"
        f"<ItemsProcessed>1</ItemsProcessed><ItemsInvalid>{invalid}</ItemsInvalid></StatusOfItems>"
    )
    return xml.parse(f"<{root} Language='05'>\n{''.join(items)}{status}</{root}>\n ".encode("cp1252"))


def outcomes(root: xml.Element, *items: ApInvoiceItem, linked: bool = True) -> list[tuple[Any, ...]]:
    return [(o.state, o.code, o.subject, o.parked) for o in apstin.read_outcomes(root, items, linked=linked)]


POSTED = (OutcomeState.POSTED, "", "", False)


@given(st.permutations(range(6)), st.booleans())
def test_answers_find_their_documents_in_any_order(order: list[int], positions: bool) -> None:
    sent = [item(f"N-{n}") for n in range(6)]
    parts = []
    for n in order:
        place = f"<ItemNumber>{n + 1:06d}</ItemNumber>" if positions else f"<invoice><Value>N-{n}</Value></invoice>"
        parts.append(good(f"N-{n}", n + 1) if n % 2 else bad("ledgercode", f"99-{n}", place))
    expected = [POSTED if n % 2 else (OutcomeState.REFUSED, "ledgercode", f"99-{n}", True) for n in range(6)]
    assert outcomes(answer(*parts, invalid="000003"), *sent) == expected


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_casing_means_nothing(case: Any) -> None:
    text = xml.write(answer(good("N-1", 1), bad("ledgercode", "99-1")))
    changed = "".join(
        case(part) if part.startswith("<") else part
        for part in text.replace("<", "\n<").replace(">", ">\n").split("\n")
    )
    changed = changed.replace(case('Language="05"'), "")
    assert outcomes(xml.parse(changed.encode()), item("N-1"), item("N-2")) == [
        POSTED,
        (OutcomeState.REFUSED, "ledgercode", "99-1", True),
    ]


def test_refusals_are_sorted_by_the_field_they_name() -> None:
    sent = [item("N-1"), item("N-2"), item("N-3"), item("N-4")]
    root = answer(
        bad("invoice", "N-1"),
        bad("supplier", "V1", "<ItemNumber>2</ItemNumber>"),
        bad("transactionvalue", "1.00", "<ItemNumber>3</ItemNumber>"),
        bad("LedgerCode", "99", "<ItemNumber>4</ItemNumber>"),
    )
    assert outcomes(root, *sent) == [
        (OutcomeState.DUPLICATE, "duplicate", "N-1", False),
        (OutcomeState.REFUSED, "supplier", "V1", True),
        (OutcomeState.REFUSED, "transactionvalue", "1.00", False),
        (OutcomeState.REFUSED, "ledgercode", "99", True),
    ]


def test_an_objection_to_a_credits_original_is_no_duplicate() -> None:
    credit = item("N-1").model_copy(update={"transaction_code": "C"})
    assert outcomes(answer(bad("invoice", "N-1")), credit) == [(OutcomeState.REFUSED, "original_missing", "N-1", True)]


def test_one_answer_without_any_key_belongs_to_the_one_document_left() -> None:
    sent = [item("N-1"), item("N-2")]
    assert outcomes(answer(good("N-2", 1), bad("branch", "77")), *sent)[0][1] == "branch"


@pytest.mark.parametrize(
    "root",
    [
        answer(good("N-1", 1)),
        answer(good("N-1", 1), good("N-9", 2), good("N-8", 3)),
        answer(good("N-1", 1), good("N-9", 2)),
        answer(good("N-1", 1), bad("ledgercode", "99", "<ItemNumber>2</ItemNumber><Invoice>N-9</Invoice>")),
        answer(good("N-1", 1), good("N-2", 2), good("N-2", 3)),
        answer(),
        answer(good("N-1", 1), good("N-2", 2), invalid="000001"),
        answer(good("N-1", 1), good("N-2", 2).replace("00431", "")),
        answer(good("N-1", 1), good("N-2", 2), root="html"),
        answer(good("N-1", 1), good("N-2", 2), "<Other><ErrorDescription>all wrong</ErrorDescription></Other>"),
    ],
    ids=[
        "one missing",
        "strangers",
        "stranger",
        "number against key",
        "answered twice",
        "none",
        "counter",
        "no journal",
        "root",
        "whole document",
    ],
)
def test_an_answer_that_leaves_doubt_is_ambiguous(root: xml.Element) -> None:
    with pytest.raises(AmbiguousOutcome):
        apstin.read_outcomes(root, [item("N-1"), item("N-2")], linked=True)


@pytest.mark.parametrize(
    ("gl", "linked", "status", "state"),
    [
        ("<GlJournal>00872</GlJournal><GlJournalError/>", True, "created", OutcomeState.POSTED),
        ("<GlJournal>00872</GlJournal><GlJournalError>5</GlJournalError>", True, "held", OutcomeState.ACCEPTED),
        ("<GlJournal/><GlJournalError>5</GlJournalError>", True, "not_created", OutcomeState.ACCEPTED),
        ("<GlJournal/>", True, "not_created", OutcomeState.ACCEPTED),
        ("<GlJournal/>", False, "not_linked", OutcomeState.POSTED),
    ],
)
def test_the_invoice_can_be_posted_while_its_journal_is_not(
    gl: str, linked: bool, status: str, state: OutcomeState
) -> None:
    (outcome,) = apstin.read_outcomes(answer(good("N-1", 1), gl=gl), [item("N-1")], linked=linked)
    assert (outcome.result["gl_status"], outcome.state) == (status, state)
    assert (outcome.result["journal"], outcome.result["entry"]) == ("00431", "001")


def test_warnings_are_kept() -> None:
    warned = good("N-1", 1).replace(
        "</Item>", "<WarningMessages><WarningDescription>held</WarningDescription></WarningMessages></Item>"
    )
    (outcome,) = apstin.read_outcomes(answer(warned), [item("N-1")], linked=True)
    assert outcome.result["warnings"] == ["held"]


JOURNAL = Journal(
    reference="ML-1",
    notation="AP",
    journal_date=date(2026, 11, 10),
    year=2026,
    period=11,
    authorize="D",
    lines=(JournalLine(code="10-1", amount=Decimal("5.00")), JournalLine(code="00-1", amount=Decimal("-5.00"))),
)
BOOKED = (
    b"<postgljournal><Item><Transaction><Key><GlYear>2026</GlYear><GlPeriod>11</GlPeriod><GlJournal>00873</GlJournal></Key>"
    b"<Jnlstatus>P</Jnlstatus></Transaction></Item><StatusOfItems><JournalsInvalid/></StatusOfItems></postgljournal>"
)


def test_a_journal_is_posted_accepted_refused_or_in_doubt() -> None:
    assert gentjl.read_outcome(xml.parse(BOOKED)).result["journal"] == "00873"
    held = gentjl.read_outcome(xml.parse(BOOKED.replace(b"<Jnlstatus>P", b"<Jnlstatus>U")))
    assert (held.state, held.result["gl_status"]) == (OutcomeState.ACCEPTED, "held")
    refused = gentjl.read_outcome(xml.parse(f"<postgljournal>{bad('postingperiod', '11')}</postgljournal>".encode()))
    assert (refused.code, refused.parked) == ("period", True)
    with pytest.raises(AmbiguousOutcome):
        gentjl.read_outcome(xml.parse(b"<postgljournal><Item/></postgljournal>"))


def test_a_journal_document_names_period_reference_and_signed_amounts() -> None:
    root = xml.parse(gentjl.post_call(JOURNAL).document.encode())
    assert xml.text(root, "Item/JournalReference") == "ML-1"
    assert (xml.text(root, "Item/PostingPeriod"), xml.text(root, "Item/PostingYear")) == ("11", "2026")
    entry = next(xml.children(xml.child(root, "Item"), "JournalDetails"))
    assert xml.text(entry, "EntryAmount") == "5.00"


# --- batches ---------------------------------------------------------------------------------------------------------


def batcher(**options: Any) -> Batcher:
    transport = Transport(BASE, system="SYSPRO", max_url=options.pop("max_url", 8000))
    client = SysproClient(transport, SysproCredentials("O", "p", "EDU1"))
    return Batcher(client, SysproOptions(company="EDU1", **options))


def url_of(cutter: Batcher, batch: list[StepDraft]) -> int:
    shape = shape_of(batch[0])
    post = apstin.post_call([item_of(step) for step in batch], shape.settings("C", override=False))
    client = cutter._client
    return client.transport.url_length(client.post_call(post)) + len(GUID)


def some_steps(seed: int, count: int) -> list[StepDraft]:
    dice = random.Random(seed)
    known = reference(suppliers={"V00001": [supplier_row()], "V2": [supplier_row("V2", Currency="EUR")]})
    options = SysproOptions(company="EDU1", ap_gl=dice.choice(["linked", "not_linked"]))
    steps: list[StepDraft] = []
    for n in range(count):
        credit = dice.random() < 0.2
        foreign = dice.random() < 0.2 and not credit
        drawn = coded(
            f"N/{n}-é&",
            kind=InvoiceKind.CREDIT_MEMO if credit else InvoiceKind.INVOICE,
            supplier="V2" if foreign else "V00001",
            currency=("EUR", "EUR") if foreign else ("USD", "$"),
            when=date(2026, dice.choice([10, 11]), 5),
            amounts=("1.00",) * dice.randint(1, 9),
        )
        steps += Planner(drawn, known, options, our_reference=f"ML-{n}").steps()
    return steps


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 25), st.sampled_from(["get", "postld"]), st.integers(1, 9))
def test_every_step_is_in_exactly_one_request_that_fits(seed: int, count: int, carrier: str, most: int) -> None:
    steps = some_steps(seed, count)
    cutter = batcher(transport=carrier, max_items=most)
    batches = list(cutter.cut(steps))
    assert sorted(id(step) for batch in batches for step in batch) == sorted(id(step) for step in steps)
    for batch in batches:
        assert 1 <= len(batch) <= most
        if batch[0].name == "gl_journal":
            assert len(batch) == 1
            continue
        assert len({shape_of(step) for step in batch}) == 1
        keys = [(normal(item_of(step).supplier), normal(item_of(step).invoice)) for step in batch]
        assert len(set(keys)) == len(keys)
        if carrier == "get":
            assert url_of(cutter, batch) <= 8000


def test_five_three_line_invoices_fit_a_url_of_8000_characters() -> None:
    steps = [
        Planner(
            coded(f"INV-2026-{n:04d}", tax="45.00", tax_code="A"), reference(), OPTIONS, our_reference=f"ML-{n:021d}"
        )
        for n in range(20)
    ]
    cutter = batcher()
    batches = list(cutter.cut([step for planner in steps for step in planner.steps()]))
    sizes = [len(batch) for batch in batches]
    print(f"three-line invoices per request by GET: {sizes[0]}, URL of {url_of(cutter, batches[0])} characters of 8000")
    assert min(sizes) >= 5
    large = [len(batch) for batch in batcher(transport="postld").cut([s for planner in steps for s in planner.steps()])]
    assert large == [20]


def test_an_invoice_held_by_its_supplier_travels_alone() -> None:
    known = reference(suppliers={"V00001": [supplier_row(OnHold="Y")]})
    options = SysproOptions(company="EDU1", supplier_on_hold="post")
    steps = [Planner(coded(f"N-{n}"), known, options, our_reference=f"ML-{n}").steps()[0] for n in range(3)]
    assert [len(batch) for batch in batcher().cut(steps)] == [1, 1, 1]


# --- COMFND ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def client() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(responses.GET, f"{BASE}/Logon", body=GUID)
        made = SysproClient(Transport(BASE, system="SYSPRO"), SysproCredentials("O", "p", "EDU1"))
        yield made, mock


def test_conditions_are_bracketed_so_that_precedence_cannot_matter() -> None:
    a, b, c = (Condition(column, "EQ", "1") for column in "abc")
    root = xml.parse(Query("T", ("a",), both(a, either(b, c)), "a", 5).document().encode())
    flat = [
        " ".join(xml.text(expression, tag) for tag in ("AndOr", "OpenBracket", "Column", "CloseBracket")).split()
        for expression in xml.children(xml.child(root, "Where"), "Expression")
    ]
    assert flat == [["a"], ["And", "(", "b"], ["Or", "c", ")"]]
    assert (xml.text(root, "TableName"), xml.text(root, "ReturnRows"), xml.text(root, "OrderBy/Column")) == (
        "T",
        "5",
        "a",
    )


def rows_answer(*codes: str, claimed: str = "") -> bytes:
    rows = "".join(f"<Row><GlCode>{code} </GlCode><Description/></Row>\n" for code in codes)
    count = f"<RowsReturned>{claimed or len(codes):>8}</RowsReturned>"
    return f"<GenMaster Language='05'>\n{rows}{count}</GenMaster>\n ".encode()


def test_rows_are_trimmed_and_keep_the_names_asked_for(client: Any) -> None:
    made, mock = client
    mock.add(responses.GET, f"{BASE}/Query/Query", body=rows_answer("10-1"))
    rows = comfnd.read(made, Query("GenMaster", ("GlCode", "Description", "Missing")))
    assert rows == [{"GlCode": "10-1", "Description": "", "Missing": ""}]


@pytest.mark.parametrize("body", [b"<ApInvoice/>", rows_answer("10-1", claimed="2"), b"ERROR: Column 'x' not found"])
def test_a_table_answer_that_is_not_whole_is_refused(client: Any, body: bytes) -> None:
    made, mock = client
    mock.add(responses.GET, f"{BASE}/Query/Query", body=body)
    with pytest.raises(ProtocolError):
        comfnd.read(made, Query("GenMaster", ("GlCode",)))


def test_pages_go_on_from_the_last_key_and_never_in_a_circle(client: Any) -> None:
    made, mock = client
    for codes in (("1", "2"), ("3", "4"), ("5",)):
        mock.add(responses.GET, f"{BASE}/Query/Query", body=rows_answer(*codes))
    chart = Query("GenMaster", ("GlCode",))
    read = [row["GlCode"] for page in comfnd.pages(made, chart, key="GlCode", size=2) for row in page]
    assert read == ["1", "2", "3", "4", "5"]
    assert "%3CValue%3E4%3C/Value%3E" in mock.calls[-1].request.url
    mock.replace(responses.GET, f"{BASE}/Query/Query", body=rows_answer("1", "2"))
    with pytest.raises(ProtocolError, match="do not advance"):
        list(comfnd.pages(made, chart, key="GlCode", size=2))


def test_alternatives_are_asked_for_in_as_few_requests_as_fit(client: Any) -> None:
    made, mock = client
    mock.add(responses.GET, f"{BASE}/Query/Query", body=rows_answer())
    wanted = [Condition("GlCode", "EQ", f"10-{n:04d}") for n in range(150)]
    company = Condition("Company", "EQ", "EDU1")
    assert len(list(comfnd.in_chunks(made, Query("GenMaster", ("GlCode",)), wanted, also=company))) < 6
    urls = [call.request.url for call in mock.calls if "Query/Query" in call.request.url]
    assert all(len(url) <= made.transport.max_url for url in urls)
    assert all("".join(urls).count(f"10-{n:04d}") == 1 for n in range(150))
    assert len(GUID) <= SESSION_ROOM
