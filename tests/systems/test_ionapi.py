from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi

LABEL = "connection 'cloudsuite_default', field .ionapi file"
SECRETS = ("ACME_TST~client", "client-secret-1", "ACME_TST#access", "secret-key-1")
FILE: dict[str, Any] = {
    "ti": "ACME_TST",
    "cn": "jaggaer_airflow",
    "dt": "12",
    "ci": SECRETS[0],
    "cs": SECRETS[1],
    "iu": "https://mingle-ionapi.eu1.inforcloudsuite.com",
    "pu": "https://mingle-sso.eu1.inforcloudsuite.com:443/ACME_TST/as/",
    "oa": "authorization.oauth2",
    "ot": "token.oauth2",
    "or": "revoke_token.oauth2",
    "ev": "U1478650001",
    "v": "1.0",
    "saak": SECRETS[2],
    "sask": SECRETS[3],
}


def parse(given_: object = FILE, *, allow_http: bool = False, **changes: object) -> IonApi:
    if isinstance(given_, dict):
        given_ = {key: value for key, value in {**given_, **changes}.items() if value is not ...}
    return IonApi.parse(given_, label=LABEL, allow_http=allow_http)  # type: ignore[arg-type]


def refused(given_: object = FILE, **changes: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse(given_, **changes)
    assert caught.value.field == LABEL
    text = str(caught.value)
    assert text.startswith(LABEL)
    assert not any(secret in text for secret in SECRETS)
    return text


def test_the_pasted_text_its_path_and_the_object_mean_the_same(tmp_path: Path) -> None:
    path = tmp_path / "acme.ionapi"
    path.write_text("\ufeff" + json.dumps(FILE, indent=2), encoding="utf-8")
    expected = parse()
    assert parse(json.dumps(FILE)) == parse(f"\n {json.dumps(FILE, indent=1)} ") == parse(str(path)) == expected
    assert expected.tenant == "ACME_TST"
    assert expected.gateway == "https://mingle-ionapi.eu1.inforcloudsuite.com"
    assert expected.login_server == "https://mingle-sso.eu1.inforcloudsuite.com:443/ACME_TST/as/"
    assert (expected.token_path, expected.revoke_path) == ("token.oauth2", "revoke_token.oauth2")
    assert expected.has_service_account


def test_slashes_key_case_and_unknown_keys_are_forgiven() -> None:
    forgiven = parse(
        {key.upper(): value for key, value in FILE.items()} | {"X": 1, "new": {}},
        IU=FILE["iu"] + "/",
        PU=FILE["pu"].rstrip("/"),
        OT="/token.oauth2",
    )
    assert forgiven == parse()


def test_a_newer_path_of_tokens_is_taken_as_it_is() -> None:
    assert parse(ot="connect/token").token_path == "connect/token"


@pytest.mark.parametrize(
    ("stated", "sent"), [("a,b", "a b"), (["a", "b"], "a b"), (" a  b ", "a b"), ("", ""), (..., "")]
)
def test_scopes_come_as_a_list_or_with_commas_and_go_out_with_blanks(stated: object, sent: str) -> None:
    assert parse(sc=stated).scope == sent
    assert parse(scopes=stated).scope == sent


def test_without_a_service_account_the_file_is_good_for_client_credentials() -> None:
    assert not parse(saak=..., sask=...).has_service_account


@pytest.mark.parametrize("key", ["ti", "ci", "cs", "iu", "pu", "ot"])
def test_each_missing_key_is_named_with_its_meaning(key: str) -> None:
    assert f"key `{key}` is missing: the" in refused(**{key: ...})
    assert f"key `{key}` is empty: the" in refused(**{key: " "})


def test_half_a_service_account_is_named() -> None:
    assert "key `sask` is missing beside `saak`" in refused(sask=...)
    assert "key `saak` is empty beside `sask`" in refused(saak="")


def test_all_problems_are_told_at_once() -> None:
    text = refused(ci=..., pu="", ti=5)
    assert "key `ci` is missing" in text
    assert "key `pu` is empty" in text
    assert "key `ti` must be a text in quotes" in text


@pytest.mark.parametrize("key", ["iu", "pu"])
@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("mingle-ionapi.eu1.inforcloudsuite.com", "whole address that begins with https://"),
        ("ftp://h.example/x", "whole address"),
        ("https://", "whole address"),
        ("https://user:pw@h.example", "no user, no query"),
        ("https://h.example/?a=1", "no user, no query"),
        ("https://h.example/#f", "no user, no query"),
        ("https://h.example:port/", "no address"),
        ("http://h.example", "begins with http://"),
    ],
)
def test_an_address_is_whole_and_plain_https(key: str, address: str, named: str) -> None:
    text = refused(**{key: address})
    assert f"key `{key}`" in text
    assert named in text


def test_plain_http_is_for_those_who_allow_it() -> None:
    local = {"iu": "http://127.0.0.1:8099", "pu": "http://127.0.0.1:8099/ACME_TST/as/"}
    assert parse(allow_http=True, **local).gateway == "http://127.0.0.1:8099"


@pytest.mark.parametrize("key", ["ot", "or"])
def test_a_path_is_no_address(key: str) -> None:
    assert f"key `{key}` must be a path" in refused(**{key: "https://elsewhere.example/token"})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "is empty; paste the whole"),
        ("{", "is not valid JSON"),
        ('{"ti": "ACME_TST"', "is not valid JSON"),
        ("[]", "must be one JSON object"),
        ('"secret-key-1"', "must be one JSON object"),
        ("secret-key-1", "neither JSON nor an absolute path"),
        ("relative.ionapi", "neither JSON nor an absolute path"),
        ("/nowhere/acme.ionapi", "cannot be read here (FileNotFoundError)"),
        ("/", "cannot be read here (IsADirectoryError)"),
    ],
)
def test_what_is_no_file_says_what_to_paste(text: str, named: str) -> None:
    assert named in refused(text)


def test_a_file_that_is_no_text_is_told_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "x.ionapi"
    path.write_bytes(b"\xff\xfe{\x00")
    assert "cannot be read here (UnicodeDecodeError)" in refused(str(path))


def test_the_same_key_in_capital_and_small_letters_is_refused() -> None:
    assert "key `ti` is there twice" in refused({**FILE, "TI": "OTHER_TST"})


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("https://mingle-ionapi.eu1.inforcloudsuite.com", "eu1"),
        ("https://mingle-ionapi.EU1.inforcloudsuite.com:443", "eu1"),
        ("https://gateway.acme.example", ""),
        ("https://192.0.2.10", ""),
        ("https://[2001:db8::1]:8443", ""),
    ],
)
def test_the_region_is_read_from_the_gateways_host_and_never_required(address: str, region: str) -> None:
    assert parse(iu=address).region == region


def test_pace_and_quota_are_the_tenants_whatever_the_client() -> None:
    one, other = parse(), parse(ci="ACME_TST~other", cs="x", saak=..., sask=...)
    assert one.limit_key == other.limit_key == "ION mingle-ionapi.eu1.inforcloudsuite.com ACME_TST"
    assert parse(ti="ACME_PRD").limit_key != one.limit_key


def test_no_secret_is_in_a_repr_and_all_are_told_for_masking() -> None:
    ionapi = parse()
    assert set(ionapi.secrets) == set(SECRETS)
    assert not any(secret in repr(ionapi) for secret in SECRETS)
    assert parse(saak=..., sask=...).secrets == SECRETS[:2]


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1)


@given(client=_TEXTS, secret=_TEXTS, access=_TEXTS, key=_TEXTS)
def test_any_credentials_are_read_as_they_are(client: str, secret: str, access: str, key: str) -> None:
    text = json.dumps({**FILE, "ci": client, "cs": secret, "saak": access, "sask": key})
    read = IonApi.parse(text, label=LABEL)
    assert (read.client_id, read.client_secret, read.access_key, read.secret_key) == (client, secret, access, key)


@given(st.text())
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="ionapi file"):
        IonApi.parse(text, label=LABEL)
