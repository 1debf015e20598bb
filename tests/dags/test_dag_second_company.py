"""An example DAG file copied for a second company: one constant sets everything it names apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Asset
from support.airflow_home import DAGS

pytestmark = pytest.mark.airflow
SITE = "plant2_"
FILES = ("syspro_jaggaer.py", "cloudsuite_jaggaer.py")


class Names:
    """What a DAG file names that all of Airflow, or the store, knows by that name."""

    def __init__(self, folder: Path, file: str) -> None:
        bag = DagBag(folder / file)
        assert bag.import_errors == {}
        self.dags = set(bag.dags)
        self.routes: set[str] = set()
        self.referred: set[str] = set()
        self.assets: set[str] = set()
        self.schedules = {
            name.removeprefix(SITE): dag.schedule
            for name, dag in bag.dags.items()
            if not isinstance(dag.schedule, list)
        }
        for dag in bag.dags.values():
            if isinstance(dag.schedule, list):
                self.assets |= {asset.name for asset in dag.schedule}
            for task in dag.tasks:
                self.assets |= {outlet.name for outlet in task.outlets if isinstance(outlet, Asset)}
                known = task.partial_kwargs if task.is_mapped else vars(task)
                for route in [known["route"]] if "route" in known else known.get("routes", []):
                    self.routes.add(route["name"])
                    options = route.get("options", {})
                    self.referred |= {route.get("opposite", ""), options.get("invoices_route", "")}
                self.referred.add(known.get("invoices_route", ""))
        self.referred.discard("")


@pytest.mark.parametrize("file", FILES)
def test_a_copy_for_a_second_company_shares_no_dag_route_or_asset_with_the_original(file: str, tmp_path: Path) -> None:
    text = (DAGS / file).read_text(encoding="utf-8")
    assert text.count('SITE = ""') == 1
    (tmp_path / file).write_text(text.replace('SITE = ""', f'SITE = "{SITE}"'), encoding="utf-8")
    first, second = Names(DAGS, file), Names(tmp_path, file)
    for kind in ("dags", "routes", "assets", "referred"):
        names: set[str] = getattr(first, kind)
        assert names, kind
        assert getattr(second, kind) == {SITE + name for name in names}, kind
    assert second.referred <= second.routes, "a route that names another one names that of its own company"
    assert second.schedules == first.schedules
