"""Other people's clients of the real gateway, unchanged, against the address in the `.ionapi` file named as argument.

Run in an environment of their own (``requirements/clients.txt``): they are tools of a test and no dependency, and one
writes tokens into its log. Prints what they got as one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

IDLE = ("pandas", "numpy", "pyodbc", "progressbar", "xlsxwriter", "openpyxl", "openpyxl.chart", "pkg_resources")
"""What inforion imports for spreadsheets and databases: none of it takes part in a call."""
M3 = "/M3/m3api-rest/v2/execute"
LOAD = "/CSI/IDORequestService/ido/load/SLVendors"


def inforion(file: str) -> dict[str, Any]:
    """Log in, read, write, be refused and refresh as inforion does; it forces a Host header of Infor's."""
    sys.modules.update({name: MagicMock() for name in (*IDLE, "validators", "click", "yaml", "xlrd")})
    from inforion.ionapi import model
    from inforion.ionapi.model import inforlogin

    inforlogin.load_config(file)
    token = inforlogin.login()
    url = inforlogin.base_url() + M3

    def call(transaction: str, **record: str) -> Any:
        return model.fetchApiData(url, inforlogin.header(), "CRS620MI", transaction, 100, record)

    told = {
        "listed": call("LstSuppliers", FRSU="V00001"),
        "changed": call("UpdSupplier", SUNO="V00001", PHNO="555 0100"),
        "refused": call("GetBasicData", SUNO="NOBODY"),
    }
    inforlogin.reconnect()
    renewed = inforlogin.header()["Authorization"].removeprefix("Bearer ")
    told["after refresh"] = call("GetBasicData", SUNO="V00001")
    return told | {"another token": renewed != token["access_token"]}


def oauthlib(file: str) -> dict[str, Any]:
    """Get tokens by each grant as the common library does, client authentication by Basic, and load from an IDO."""
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the simulated tenant speaks plain HTTP
    from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient
    from requests.auth import HTTPBasicAuth
    from requests_oauthlib import OAuth2Session

    ion = json.loads(Path(file).read_text())
    url, auth = ion["pu"] + ion["ot"], HTTPBasicAuth(ion["ci"], ion["cs"])
    headers = {"X-Infor-MongooseConfig": "ACME_TST_MAIN"}
    told: dict[str, Any] = {}
    for client in (LegacyApplicationClient, BackendApplicationClient):
        session = OAuth2Session(client=client(client_id=ion["ci"]))
        user = {"username": ion["saak"], "password": ion["sask"]} if client is LegacyApplicationClient else {}
        token = session.fetch_token(url, auth=auth, **user)
        if user:
            renewed = session.refresh_token(url, refresh_token=token["refresh_token"], auth=auth)
            told["renewed"] = renewed["access_token"] != token["access_token"]
        asked = {"properties": "VendNum,Name", "recordCap": "2"}
        told[client.__name__] = session.get(f"{ion['iu']}/{ion['ti']}{LOAD}", params=asked, headers=headers).json()
    return told


if __name__ == "__main__":
    print(json.dumps({"inforion": inforion(sys.argv[1]), "oauthlib": oauthlib(sys.argv[1])}))
