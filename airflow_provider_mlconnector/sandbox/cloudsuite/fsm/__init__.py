"""FSM (Landmark) behind the gateway: generic lists of business classes (``reference/cloudsuite.md §4d``)."""
