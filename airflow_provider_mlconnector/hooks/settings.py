"""The `[mlconnector]` section of Airflow's configuration, read once and typed."""

from __future__ import annotations

from dataclasses import dataclass

from airflow.providers.common.compat.sdk import conf

from airflow_provider_mlconnector.errors import ConfigurationError

SECTION = "mlconnector"
_SENSITIVE = {(SECTION, "encryption_keys"), (SECTION, "audit_key")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The section's values; the descriptions stand in `get_provider_info`. Secrets stay out of the repr."""

    store_conn_id: str = "mlconnector_store"
    local_store: bool = False
    encryption_keys: str = ""
    audit_key: str = ""
    anchor_file: str = ""
    lease_seconds: float = 120.0

    def __repr__(self) -> str:
        return f"Settings(store_conn_id={self.store_conn_id!r}, local_store={self.local_store!r})"

    @classmethod
    def load(cls) -> Settings:
        """Read the section.

        Raises:
            ConfigurationError: A value has the wrong type or `lease_seconds` is not positive; names the option.
        """
        # tasks of Airflow 3.1 do not read the providers' settings: they would not look for `_cmd` and `_secret`
        conf.sensitive_config_values.update(_SENSITIVE)
        lease_seconds = _read("lease_seconds", "120")
        try:
            seconds = float(lease_seconds)
        except ValueError:
            seconds = 0.0
        if not seconds > 0:
            raise _wrong(lease_seconds, option="lease_seconds", wanted="a positive number of seconds")
        return cls(
            store_conn_id=_read("store_conn_id", "mlconnector_store") or "mlconnector_store",
            local_store=_boolean("local_store"),
            encryption_keys=_read("encryption_keys"),
            audit_key=_read("audit_key"),
            anchor_file=_read("anchor_file"),
            lease_seconds=seconds,
        )


def _read(option: str, fallback: str = "") -> str:
    return str(conf.get(SECTION, option, fallback=fallback) or "").strip()


def _boolean(option: str) -> bool:
    text = _read(option, "False")
    if text.lower() in {"true", "t", "yes", "1", "on"}:
        return True
    if text.lower() in {"false", "f", "no", "0", "off", ""}:
        return False
    raise _wrong(text, option=option, wanted="True or False")


def _wrong(value: str, *, option: str, wanted: str) -> ConfigurationError:
    field = f"[{SECTION}] {option}"
    return ConfigurationError(f"setting {field} must be {wanted}, it is {value!r}", field=field)
