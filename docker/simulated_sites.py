"""Prints the connections to both sandboxes, and names CloudSuite's own JAGGAER tenant in its DAG file, as in the demo.

``python docker/simulated_sites.py DAGS_FOLDER``, with the sandboxes' addresses in the environment.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from airflow_provider_mlconnector.demo.cloud import DAG_FILE
from airflow_provider_mlconnector.demo.cloud_site import CloudSite
from airflow_provider_mlconnector.demo.simulated import Site
from airflow_provider_mlconnector.demo.stage import edit

if __name__ == "__main__":
    edit(Path(sys.argv[1]), DAG_FILE)
    sites = Site(os.environ["SANDBOX_URL"]), CloudSite(os.environ["CLOUDSUITE_SANDBOX_URL"])
    print(json.dumps({name: connection for site in sites for name, connection in site.connections().items()}))
