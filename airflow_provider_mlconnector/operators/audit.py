"""The operator that verifies the audit trail and keeps its end outside the database, on a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator, Context

from airflow_provider_mlconnector.operators.base import is_true, log
from airflow_provider_mlconnector.operators.outcome import retry_policy, translated

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.runtime import Runtime


class AnchorAuditTrailOperator(BaseOperator):
    """Verify the audit trail from its first event, compare it with its anchors, then anchor its end.

    Fails at once, and anchors nothing, when the trail or an anchor does not hold: the error names the first bad event.
    Reads only, but for the anchor.

    Args:
        anchor_file: Where anchors are kept: a path, or an object such as ``s3://connection@bucket/mlconnector/anchor``;
            templated. Empty: the setting ``[mlconnector] anchor_file``.
        verify: False only compares with the anchors, which takes no longer for a longer trail; templated.
        kwargs: Airflow's own arguments.

    Returns by XCom: ``{"store", "seq", "mac", "events", "anchors"}``: the anchor just written, how many events were
    verified (None when not), and how many anchors the store continues.
    """

    template_fields: Sequence[str] = ("anchor_file", "verify")
    ui_color = "#e3f1ec"

    def __init__(self, *, anchor_file: str = "", verify: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.anchor_file = anchor_file
        self.verify = verify
        if getattr(self, "retry_policy", None) is None:
            self.retry_policy = retry_policy()

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Verify, compare, anchor.

        Raises:
            AirflowFailException: The trail was altered, cut off or set back; or no anchor file is named.
        """
        with translated():
            from airflow_provider_mlconnector.hooks.runtime import open_runtime

            with open_runtime() as runtime:
                return self._anchor(runtime)

    def _anchor(self, runtime: Runtime) -> dict[str, Any]:
        from airflow_provider_mlconnector.errors import TrailAltered
        from airflow_provider_mlconnector.hooks.anchor import read_anchors, write_anchor

        where, store = self.anchor_file or runtime.settings.anchor_file, runtime.store
        anchors = read_anchors(where)
        report = store.verify_chain() if is_true(self.verify) else None
        problems = [report.reason] if report and not report.ok else []
        behind = store.behind(*anchors)
        if behind:
            problems.append(behind)
        if problems:
            message = f"The audit trail of store {store.id} does not hold: {'; '.join(problems)}. No anchor was written"
            raise TrailAltered(message, seq=report.bad_seq if report else None)
        head = write_anchor(store, where)
        verified = f"all {report.events} events hold" if report else "not walked"
        log.info("Audit trail of store %s: %s; event %d anchored in %s", store.id, verified, head.seq, where)
        events = report.events if report else None
        return {"store": store.id, "seq": head.seq, "mac": head.mac, "events": events, "anchors": len(anchors)}
