"""Lists that go round in a circle (engineering.md §2.4, 8): whoever reads them must come to an end."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from support.csi_lists import Scripted, options, replied

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.call import Reply
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient, Query
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.ports import Window
from airflow_provider_mlconnector.systems.transport import Call

pytestmark = pytest.mark.timeout(20)


class Circling:
    """A JAGGAER tenant that ignores the offset and shows ``around`` pages again and again, without a total."""

    def __init__(self, around: int) -> None:
        self.around = around
        self.requests = 0

    def send(self, call: Call, *, fence: object = None) -> Reply:
        if call.path.startswith("/auth/"):
            return Reply(200, {}, b'{"access_token": "t"}', 0.0, "r")
        number = self.requests % self.around
        self.requests += 1
        rows = [
            {"header": {"invoiceId": f"{number}-{place}", "lastUpdate": "2026-01-10T00:00:00Z"}} for place in (1, 2)
        ]
        body = {"returnCode": 0, "returnMessage": "", "jiinvoiceList": {"jiinvoice": rows}}
        return Reply(200, {}, json.dumps(body).encode(), 0.0, "r")


@pytest.mark.parametrize("around", [1, 2, 3, 7])
def test_a_jaggaer_list_that_goes_in_a_circle_ends_loudly(around: int) -> None:
    tenant = Circling(around)
    client = JaggaerClient(
        tenant,  # type: ignore[arg-type]
        Credentials("jaggaer_default", "https://tenant.example", "client-1", "s3cret"),
        contract=JaggaerContract(),
    )
    with pytest.raises(ProtocolError, match="same page again"):
        list(JaggaerInvoiceSource(client).pages(Window()))
    assert tenant.requests <= 2 * around + 2


def circle(around: int, *, fresh: bool) -> list[Reply]:
    """Pages of a load that repeat; with a bookmark of their own each time, or with the same ones."""
    pages = []
    for number in range(40):
        place = number % around
        body: dict[str, Any] = {
            "Items": [{"TermsCode": f"N{place}", "Description": None}],
            "Bookmark": f"<B>{number if fresh else place}</B>",
            "MoreRowsExist": True,
            "Success": True,
        }
        pages.append(replied(body))
    return pages


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("around", [1, 2, 3, 7])
def test_an_ido_list_that_goes_in_a_circle_ends_loudly(around: int, *, fresh: bool) -> None:
    known = {"Success": True, "Keys": ["TermsCode"], "Properties": [{"Name": "TermsCode"}, {"Name": "Description"}]}
    gateway = Scripted(*circle(around, fresh=fresh), known=known)
    with pytest.raises(ProtocolError, match="do not advance"):
        list(IdoClient(gateway, options()).rows(Query("SLTerms", ("TermsCode",), ("Description",))))


def test_pages_of_few_properties_may_be_equal_by_chance() -> None:
    shown = ["A", "B", "A", "C", "A"]
    numbers = count()
    pages = [
        replied(
            {
                "Items": [{"TermsCode": code}],
                "Bookmark": f"<B>{next(numbers)}</B>",
                "MoreRowsExist": place < len(shown) - 1,
                "Success": True,
            }
        )
        for place, code in enumerate(shown)
    ]
    known = {"Success": True, "Keys": ["TermsCode"], "Properties": [{"Name": "TermsCode"}]}
    ido = IdoClient(Scripted(*pages, known=known), options())
    assert [row["TermsCode"] for row in ido.rows(Query("SLTerms", ("TermsCode",)))] == shown
