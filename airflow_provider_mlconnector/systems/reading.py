"""What most sources have in common: they are read without a session of their own, and say what changed."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext


class OpenSource:
    """Defaults of :class:`~airflow_provider_mlconnector.systems.ports.DocumentSource` for stateless interfaces."""

    @property
    def operator_lease(self) -> str:
        """Reading disturbs nobody."""
        return ""

    @property
    def complete_list(self) -> bool:
        """A pass lists what changed in the window, not everything there is."""
        return False

    @property
    def ordered_by_change(self) -> bool:
        """Pages are told by their place in the list: a row that leaves an earlier page moves one out of sight."""
        return False

    @property
    def lists_messages(self) -> bool:
        """A row is the record as it stands."""
        return False

    def session(self) -> AbstractContextManager[None]:
        """Nothing has to be opened."""
        return nullcontext()

    def withdrawn(self, payload: bytes) -> bytes:
        """Never asked: only a complete list shows what is missing."""
        return payload
