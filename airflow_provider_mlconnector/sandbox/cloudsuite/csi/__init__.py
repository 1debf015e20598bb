"""The CSI (SyteLine) books behind the IDO service, from ``reference/cloudsuite.md §4a, §5.1``.

``books.CsiBooks(site, options)`` holds everything: ``tables`` by IDO name, ``methods`` by (IDO, method), ``persons()``,
``ledger()``, ``truth()``; ``catch_up()`` belongs before every request and person action, as background posting runs by
the clock. What the reference does not settle is marked SIM and mostly switchable by ``options.CsiOptions``.
"""

from __future__ import annotations
