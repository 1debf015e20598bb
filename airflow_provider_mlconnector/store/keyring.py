"""Keys of the store: AES-256-GCM for what is stored, HMAC-SHA256 for what is proven (DESIGN §5)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from airflow_provider_mlconnector.errors import ConfigurationError

ENCRYPTION_SETTING = "[mlconnector] encryption_keys"
AUDIT_SETTING = "[mlconnector] audit_key"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyRing:
    """Encryption keys by id, the active one first, and one audit key.

    Args:
        keys: 32-byte AES keys by id; the first encrypts, all decrypt.
        audit_key: 32 bytes; the keys of digests and of the event chain derive from it.
    """

    def __init__(self, keys: Mapping[str, bytes], audit_key: bytes) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._check_keys = {key_id: _derive(key, "key check") for key_id, key in keys.items()}
        self.active = next(iter(keys))
        # keyed once: a copy costs less than a new HMAC
        self._digest = hmac.new(_derive(audit_key, "digest"), digestmod="sha256")
        self._mac = hmac.new(_derive(audit_key, "event chain"), digestmod="sha256")
        self._keys_of = hmac.new(_derive(audit_key, "keys of single things"), digestmod="sha256")

    @classmethod
    def parse(cls, encryption_keys: str, audit_key: str) -> KeyRing:
        """Read the ring from configuration.

        Args:
            encryption_keys: ``id1:base64url32,id0:base64url32``, the active key first.
            audit_key: 32 bytes in base64url.

        Raises:
            ConfigurationError: A key is missing, repeated or not 32 bytes; names the setting, never the value.
        """
        keys: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in encryption_keys.split(","))):
            key_id, colon, encoded = entry.partition(":")
            if not colon or not key_id.strip():
                msg = f"{ENCRYPTION_SETTING}: every key is written as id:key (32 bytes in base64url)"
                raise ConfigurationError(msg, field=ENCRYPTION_SETTING)
            if key_id.strip() in keys:
                msg = f"{ENCRYPTION_SETTING}: key id {key_id.strip()!r} appears twice"
                raise ConfigurationError(msg, field=ENCRYPTION_SETTING)
            keys[key_id.strip()] = _decode(encoded, f"{ENCRYPTION_SETTING}, key {key_id.strip()!r}", ENCRYPTION_SETTING)
        if not keys:
            msg = f"{ENCRYPTION_SETTING} is empty: the store needs at least one key, written as id:key"
            raise ConfigurationError(msg, field=ENCRYPTION_SETTING)
        audit = _decode(audit_key, AUDIT_SETTING, AUDIT_SETTING)
        if any(hmac.compare_digest(audit, key) for key in keys.values()):
            msg = f"{AUDIT_SETTING} must not be one of the encryption keys"
            raise ConfigurationError(msg, field=AUDIT_SETTING)
        return cls(keys, audit)

    @classmethod
    def derive(cls, secret: str) -> KeyRing:
        """Derive the ring from Airflow's Fernet key, for the local store only.

        Args:
            secret: The Fernet key, or several separated by commas as Airflow allows while rotating (newest first).
                The audit key comes from the last one.
        """
        parts = [part.strip().encode() for part in secret.split(",") if part.strip()]
        if not parts:
            msg = "[core] fernet_key is empty: the local store derives its keys from it"
            raise ConfigurationError(msg, field="[core] fernet_key")
        keys = {f"fernet-{hashlib.sha256(part).hexdigest()[:8]}": _derive(part, "encryption") for part in parts}
        return cls(keys, _derive(parts[-1], "audit"))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Ids of all keys, the active one first."""
        return tuple(self._ciphers)

    def encrypt(self, data: bytes, *, aad: str) -> tuple[bytes, str]:
        """Encrypt with the active key.

        Args:
            data: Plaintext.
            aad: What the ciphertext belongs to; the same text is needed to decrypt, so a swapped row is found.

        Returns:
            ``(nonce + ciphertext, key id)``.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[self.active].encrypt(nonce, data, aad.encode()), self.active

    def decrypt(self, blob: bytes, key_id: str, *, aad: str) -> bytes:
        """Decrypt what :meth:`encrypt` returned.

        Raises:
            ConfigurationError: The key id is not in the ring, or the data does not belong to ``aad`` under that key.
        """
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            msg = f"{ENCRYPTION_SETTING} lacks key {key_id!r}, which stored data still needs: put it back"
            raise ConfigurationError(msg, field=ENCRYPTION_SETTING)
        try:
            return cipher.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], aad.encode())
        except (InvalidTag, ValueError) as error:
            msg = f"stored data of {aad} does not decrypt with key {key_id!r}: it was changed or moved in the database"
            raise ConfigurationError(msg, field=ENCRYPTION_SETTING) from error

    def digest(self, data: bytes) -> str:
        """Return the keyed digest of content (hex); says nothing about the content without the audit key."""
        digest = self._digest.copy()
        digest.update(data)
        return digest.hexdigest()

    def mac(self, data: bytes) -> str:
        """Return the authentication code of a chain link (hex)."""
        mac = self._mac.copy()
        mac.update(data)
        return mac.hexdigest()

    def key_for(self, purpose: str, subject: str) -> bytes:
        """Return a key for one thing alone. It may be handed out: no other key follows from it."""
        key = self._keys_of.copy()
        key.update(f"{purpose}\n{subject}".encode())
        return key.digest()

    def check_value(self, key_id: str, store_id: str) -> str:
        """Return what proves that a key is the one a store was written with, without revealing it."""
        return hmac.digest(self._check_keys[key_id], store_id.encode(), "sha256").hex()

    def audit_check_value(self, store_id: str) -> str:
        """Return the same proof for the audit key."""
        return self.mac(f"key check {store_id}".encode())


def _derive(secret: bytes, purpose: str) -> bytes:
    info = f"mlconnector {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(secret)


def _decode(encoded: str, what: str, setting: str) -> bytes:
    text = encoded.strip().rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        msg = f"{what} is not 32 bytes in base64url"
        raise ConfigurationError(msg, field=setting)
    return key
