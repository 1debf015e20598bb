from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.stores import ACTOR, AUDIT, KEY_1, ROUTE, added, ring

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Change

DOCUMENTS = 160
WORKER = """
import sys
from datetime import UTC, datetime, timedelta
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, Change

url, keys, audit, route, name = sys.argv[1:]
done, turns = 0, 0
while True:
    # a store per turn, as every task opens its own: the last one to close tidies the file up under the others
    store = Store.open(url, KeyRing.parse(keys, audit))
    now = datetime.now(UTC)
    with store.unit_of_work(Actor(task_id=name)) as uow:
        docs = uow.documents.claim(
            route, [State.VALIDATED], to=State.POSTING, owner=name, seconds=60, limit=3, now=now)
    store.tokens.put("conn", name, now + timedelta(hours=1))
    store.limiter(1_000_000).reserve("tenant")
    if not docs:
        break
    with store.unit_of_work(Actor(task_id=name)) as uow:
        done += len(uow.documents.apply([Change(doc, State.POSTED) for doc in docs]))
    store.head()
    store.close()
    turns += 1
print(done, turns)
"""


def test_four_processes_on_one_local_store_never_meet_a_locked_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = Store.open(url, ring())
    store.upgrade()
    docs = added(store, *range(DOCUMENTS))
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(doc, State.VALIDATED) for doc in docs])
    store.close()
    command = [sys.executable, "-c", WORKER, url, f"k1:{KEY_1}", AUDIT, ROUTE]
    workers = [
        subprocess.Popen([*command, f"w{number}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    answers = [worker.communicate(timeout=110) for worker in workers]
    assert [error for _, error in answers] == [""] * 4
    counts = [int(output.split()[0]) for output, _ in answers]
    assert sum(counts) == DOCUMENTS
    assert sum(count > 0 for count in counts) > 1, "they must have worked at the same time"
    store = Store.open(url, ring())
    report = store.verify_chain()
    assert (report.ok, report.events) == (True, 4 * DOCUMENTS)
    with store.unit_of_work(ACTOR) as uow:
        assert [(row.state, row.count) for row in uow.documents.count_states()] == [(State.POSTED, DOCUMENTS)]
    store.close()
