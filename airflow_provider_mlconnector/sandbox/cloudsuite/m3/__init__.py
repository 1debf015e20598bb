"""M3 behind the gateway: its MI programs over REST (``reference/cloudsuite.md §4b``)."""
