"""`mlconnector demo`: the main job on real Airflow against the sandbox, and proofs that what it says is true."""
