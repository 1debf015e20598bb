"""The unit of work: one transaction over everything the store keeps."""

from __future__ import annotations

from airflow_provider_mlconnector.store.carriers import Carriers
from airflow_provider_mlconnector.store.changes import Documents
from airflow_provider_mlconnector.store.chunks import Chunks
from airflow_provider_mlconnector.store.crosswalk import Crosswalk
from airflow_provider_mlconnector.store.events import Events
from airflow_provider_mlconnector.store.issues import Issues
from airflow_provider_mlconnector.store.leases import Leases
from airflow_provider_mlconnector.store.mappings import Mappings
from airflow_provider_mlconnector.store.positions import Cursors, Watermarks
from airflow_provider_mlconnector.store.snapshots import Previews, Snapshots
from airflow_provider_mlconnector.store.steps import Steps
from airflow_provider_mlconnector.store.work import Work


class UnitOfWork:
    """Everything done through one of these commits together or not at all.

    Keep it short and make no remote call inside: on SQLite it holds the only write lock.
    """

    def __init__(self, work: Work) -> None:
        self.actor = work.actor
        self.batch_id = work.batch_id
        self.documents = Documents(work)
        self.steps = Steps(work)
        self.events = Events(work)
        self.watermarks = Watermarks(work)
        self.cursors = Cursors(work)
        self.crosswalk = Crosswalk(work)
        self.carriers = Carriers(work)
        self.mappings = Mappings(work)
        self.snapshots = Snapshots(work)
        self.previews = Previews(work)
        self.leases = Leases(work)
        self.chunks = Chunks(work)
        self.issues = Issues(work)
