from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.stores import AUDIT, KEY_1, KEY_2, ring

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.store import KeyRing


@given(data=st.binary(max_size=5000), aad=st.text(max_size=50))
def test_what_is_encrypted_decrypts_to_the_same(data: bytes, aad: str) -> None:
    keys = ring()
    blob, key_id = keys.encrypt(data, aad=aad)
    assert key_id == "k1"
    assert keys.decrypt(blob, key_id, aad=aad) == data


@given(data=st.binary(min_size=1, max_size=200), position=st.integers(min_value=0), flip=st.integers(1, 255))
def test_a_changed_byte_is_found(data: bytes, position: int, flip: int) -> None:
    keys = ring()
    blob, key_id = keys.encrypt(data, aad="document-1")
    index = position % len(blob)
    changed = blob[:index] + bytes([blob[index] ^ flip]) + blob[index + 1 :]
    with pytest.raises(ConfigurationError, match="document-1"):
        keys.decrypt(changed, key_id, aad="document-1")


def test_content_moved_to_another_record_does_not_decrypt() -> None:
    blob, key_id = ring().encrypt(b"secret", aad="document-1")
    with pytest.raises(ConfigurationError, match="document-2"):
        ring().decrypt(blob, key_id, aad="document-2")


def test_the_first_key_encrypts_and_the_others_still_decrypt() -> None:
    old = KeyRing.parse(f"k1:{KEY_1}", AUDIT)
    rotated = KeyRing.parse(f"k2:{KEY_2},k1:{KEY_1}", AUDIT)
    assert rotated.decrypt(*old.encrypt(b"before", aad="a"), aad="a") == b"before"
    assert rotated.encrypt(b"after", aad="a")[1] == "k2"


def test_a_key_removed_too_early_is_named() -> None:
    blob, key_id = ring().encrypt(b"secret", aad="a")
    with pytest.raises(ConfigurationError, match="lacks key 'k1'") as caught:
        KeyRing.parse(f"k2:{KEY_2}", AUDIT).decrypt(blob, key_id, aad="a")
    assert caught.value.field == "[mlconnector] encryption_keys"


@pytest.mark.parametrize(
    ("keys", "audit", "setting"),
    [
        ("", AUDIT, "encryption_keys"),
        (" , ", AUDIT, "encryption_keys"),
        (KEY_1, AUDIT, "encryption_keys"),
        (f":{KEY_1}", AUDIT, "encryption_keys"),
        ("k1:", AUDIT, "encryption_keys"),
        ("k1:c2hvcnQ=", AUDIT, "encryption_keys"),
        ("k1:not base64!", AUDIT, "encryption_keys"),
        (f"k1:{KEY_1},k1:{KEY_2}", AUDIT, "encryption_keys"),
        (f"k1:{KEY_1}", "", "audit_key"),
        (f"k1:{KEY_1}", "c2hvcnQ=", "audit_key"),
        (f"k1:{KEY_1}", KEY_1, "audit_key"),
    ],
)
def test_an_unusable_setting_is_named_without_its_value(keys: str, audit: str, setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        KeyRing.parse(keys, audit)
    assert caught.value.field == f"[mlconnector] {setting}"
    assert f"[mlconnector] {setting}" in str(caught.value)
    assert KEY_1 not in str(caught.value)


def test_padding_of_keys_may_be_left_out() -> None:
    trimmed = KeyRing.parse(f"k1:{KEY_1.rstrip('=')}", AUDIT.rstrip("="))
    assert trimmed.decrypt(*ring().encrypt(b"x", aad="a"), aad="a") == b"x"


def test_digest_and_chain_code_of_the_same_bytes_differ_and_depend_on_the_audit_key() -> None:
    keys = ring()
    other = KeyRing.parse(f"k1:{KEY_1}", KEY_2)
    assert keys.digest(b"x") != keys.mac(b"x")
    assert keys.digest(b"x") != other.digest(b"x")
    assert keys.digest(b"x") == ring().digest(b"x")


def test_the_ring_derived_from_a_fernet_key_is_stable_and_follows_airflows_rotation() -> None:
    first = KeyRing.derive("fernet-old")
    rotated = KeyRing.derive("fernet-new, fernet-old")
    assert rotated.decrypt(*first.encrypt(b"x", aad="a"), aad="a") == b"x"
    assert rotated.active != first.active
    assert rotated.mac(b"x") == first.mac(b"x")
    assert KeyRing.derive("another").mac(b"x") != first.mac(b"x")


def test_an_empty_fernet_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="fernet_key"):
        KeyRing.derive(" ")
