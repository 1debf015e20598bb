"""The child's side of a real kill: one try of one task, by its operator, in a process that may strike itself dead.

Everything heavy is imported by the fork server once (:mod:`.kill_world` preloads this module), so that a worker is a
fork away: a process of its own with its own pid, memory, sockets and database connections.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any, Literal

from airflow.exceptions import AirflowRescheduleException
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG
from support.kill_house import SECOND_LOOK

from airflow_provider_mlconnector.hooks import runtime
from airflow_provider_mlconnector.operators.documents import (
    ExtractDocumentsOperator,
    PlanChunksOperator,
    PostDocumentsOperator,
    ReportOperator,
    ValidateDocumentsOperator,
)
from airflow_provider_mlconnector.operators.match import CombineJournalsOperator
from airflow_provider_mlconnector.operators.replay import ReplayDocumentsOperator
from airflow_provider_mlconnector.operators.settle import SettleDocumentsSensor
from airflow_provider_mlconnector.points import Point, armed
from airflow_provider_mlconnector.sync import orders, settling

_SECOND_LOOKS = (
    "cloudsuite.csi.vouchers",
    "syspro.target",
    "syspro.orders",
    "syspro.journals",
    "jaggaer.order_target",
)

for _name in (
    *(place for place, _hook in runtime.HOOKS.values()),
    "airflow_provider_mlconnector.sync.extract",
    "airflow_provider_mlconnector.sync.combine",
    "airflow_provider_mlconnector.sync.settle",
    "airflow_provider_mlconnector.sync.validate",
    "airflow_provider_mlconnector.sync.plan",
    "airflow_provider_mlconnector.sync.report",
    "airflow_provider_mlconnector.sync.replay",
    "airflow_provider_mlconnector.systems.cloudsuite.csi.dialect",
    "airflow_provider_mlconnector.systems.cloudsuite.csi.vouchers",
    "airflow_provider_mlconnector.systems.jaggaer.invoice_target",
    "airflow_provider_mlconnector.systems.jaggaer.source",
    "airflow_provider_mlconnector.systems.syspro.target",
    *(f"airflow_provider_mlconnector.systems.{name}" for name in _SECOND_LOOKS),
    "airflow_provider_mlconnector.hooks.session",
    "airflow_provider_mlconnector.operators.retry",
    "airflow_provider_mlconnector.systems.jaggaer.orders",
    "airflow.sdk.execution_time.supervisor",
    "psycopg",
    "_strptime",
):
    import_module(_name)  # operators import late; a fork has it all
DAG("warm")

OPERATORS: Mapping[str, Any] = {
    "extract": ExtractDocumentsOperator,
    "combine": CombineJournalsOperator,
    "plan": PlanChunksOperator,
    "validate": ValidateDocumentsOperator,
    "post": PostDocumentsOperator,
    "settle": SettleDocumentsSensor,
    "report": ReportOperator,
    "replay": ReplayDocumentsOperator,
}
AT, ENDED, LATER, REFUSED, BROKE = "at", "ended", "later", "refused", "broke"
"""What a worker tells: it strikes now; its result; seconds until it wants to be run again; errors of both kinds."""
_OURS = ("airflow", "airflow.task", "airflow.task.mlconnector", "airflow_provider_mlconnector")


@dataclass(frozen=True)
class Strike:
    """What a worker does to itself: the signal, at the ``nth`` time it reaches a point."""

    kind: Literal["kill", "stop"]
    point: Point
    nth: int = 1


@dataclass(frozen=True)
class Order:
    """One try of one task: which operator with what, who it is in the audit trail, and how it ends before its time."""

    task: str
    run_id: str
    try_number: int
    arguments: Mapping[str, Any]
    environment: Mapping[str, str]
    log: str
    map_index: int = -1
    strike: Strike | None = None
    without: str = ""
    """A guard that is taken out of this process (:mod:`.chaos_sabotage`)."""


@dataclass
class TaskInstance:
    """What operators ask of Airflow's."""

    run_id: str
    task_id: str
    try_number: int
    map_index: int = -1
    dag_id: str = "kill"
    pushed: dict[str, Any] = field(default_factory=dict)

    def get_task_states(self, **_asked: Any) -> dict[str, dict[str, str]]:
        """No task is known to have failed: the supervisor goes on only behind a success."""
        return {self.run_id: {}}

    def get_first_reschedule_date(self, _context: Any) -> datetime | None:
        """Every look of the sensor is its first."""
        return None

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep it for whoever looks into the process."""
        self.pushed[key] = value


def work(order: Order, tell: Connection) -> None:
    """Run the try; what becomes of it is told once, unless the process does not live to tell it."""
    os.environ.update(order.environment)
    _speak_into(order.log)
    _hasten()
    try:
        with _struck(order.strike, tell), _without(order.without):
            tell.send((ENDED, _execute(order)))
    except AirflowRescheduleException as later:
        tell.send((LATER, (later.reschedule_date - datetime.now(UTC)).total_seconds()))
    except AirflowFailException as refused:
        logging.getLogger("airflow.task").exception("the task failed for good")
        tell.send((REFUSED, str(refused)))
    except Exception as error:  # noqa: BLE001 - as Airflow: any error fails the try, and is in its log
        traceback.print_exc()
        tell.send((BROKE, f"{type(error).__name__}: {error}"))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _execute(order: Order) -> Any:
    ti = TaskInstance(order.run_id, order.task, order.try_number, order.map_index)
    with DAG("kill"):
        operator = OPERATORS[order.task](task_id=order.task, **order.arguments)
    return operator.execute({"ti": ti, "dag_run": SimpleNamespace(triggering_user_name="ann")})


@contextmanager
def _struck(strike: Strike | None, tell: Connection) -> Iterator[None]:
    seen = Counter[Point]()

    def reached(point: Point) -> None:
        seen[point] += 1
        if strike is not None and (point, seen[point]) == (strike.point, strike.nth):
            tell.send((AT, point))
            os.kill(os.getpid(), signal.SIGKILL if strike.kind == "kill" else signal.SIGSTOP)

    with armed(reached):
        yield


def _hasten() -> None:
    """Let the second look come soon: the one wait of the product that no setting shortens."""
    settling.SECOND_LOOK = orders.SECOND_LOOK = timedelta(seconds=SECOND_LOOK)
    for name in _SECOND_LOOKS:
        module: Any = import_module(f"airflow_provider_mlconnector.systems.{name}")
        module._SECOND_LOOK_MINUTES = SECOND_LOOK / 60


def _without(guard: str) -> Any:
    if not guard:
        return nullcontext()
    from support.chaos_sabotage import SABOTAGES

    return SABOTAGES[guard]()


def _speak_into(path: str) -> None:
    """Let everything the process says end in its log, unmasked."""
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.INFO)
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.DEBUG)
