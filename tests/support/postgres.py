"""A real PostgreSQL for tests: a throw-away cluster of the installed server, fresh databases in milliseconds."""

from __future__ import annotations

import glob
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

MISSING = "no PostgreSQL server found (initdb, pg_ctl on PATH or under /usr/lib/postgresql): run `make postgres`"
_SUPERUSER = "mlconnector"
_SETTINGS = {
    # durability is not what these tests are about
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "32MB",
}


class PostgresServer:
    """A running cluster. Give it back with :meth:`stop`, or use :func:`running_postgres`.

    Attributes:
        port: Port on 127.0.0.1.
    """

    def __init__(self) -> None:
        self._bin = _find_binaries()
        self._home = Path(tempfile.mkdtemp(prefix="mlc-pg-"))
        self._user = _server_user()
        self._names = (f"test_{number}" for number in itertools.count())
        self.port = _free_port()
        if self._user:
            shutil.chown(self._home, self._user)
        try:
            self._run("initdb", "--pgdata", self._data, "--username", _SUPERUSER, "--auth", "trust",
                      "--encoding", "UTF8", "--locale", "C", "--no-sync")  # fmt: skip
            self._start()
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise

    @property
    def _data(self) -> str:
        return str(self._home / "data")

    def create_database(self, *, template: str = "template1") -> str:
        """Create a database, as a copy of ``template``, and return its name."""
        name = next(self._names)
        self._admin(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, ending its sessions."""
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{_SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def fresh_url(self, *, template: str = "template1") -> str:
        """Create a database and return its URL."""
        return self.url(self.create_database(template=template))

    def interrupt(self) -> None:
        """Stop the server at once, as a crash would, keeping its data."""
        self._run("pg_ctl", "stop", "--pgdata", self._data, "--mode", "immediate", "-w")

    def resume(self) -> None:
        """Start the server again after :meth:`interrupt`."""
        self._start()

    def stop(self) -> None:
        """Stop the server and delete its data."""
        try:
            self._run("pg_ctl", "stop", "--pgdata", self._data, "--mode", "immediate", "-w")
        finally:
            shutil.rmtree(self._home, ignore_errors=True)

    def _start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        options += f" -p {self.port} -k {self._home}"
        log = str(self._home / "log")
        self._run("pg_ctl", "start", "--pgdata", self._data, "--log", log, "--options", options, "-w", "-t", "60")

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=_SUPERUSER, dbname="postgres", autocommit=True
        ) as c:
            c.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        if self._user:
            command = ["runuser", "-u", self._user, "--", *command]
        # the server inherits what pg_ctl has open: a pipe would never end
        with (self._home / f"{program}.out").open("ab") as output:
            code = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False).returncode
        if code:
            logs = "\n".join(path.read_text() for path in self._home.glob("*.out"))
            logs += (self._home / "log").read_text() if (self._home / "log").exists() else ""
            message = f"{program} ended with {code}:\n{logs}"
            raise RuntimeError(message)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a cluster for the duration of a test session.

    Raises:
        RuntimeError: No PostgreSQL is installed; the message names the command that installs it.
    """
    server = PostgresServer()
    try:
        yield server
    finally:
        server.stop()


def _find_binaries() -> Path:
    on_path = shutil.which("pg_ctl")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += [Path(path) for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]  # noqa: PTH207 - a root with a wildcard inside
    candidates += [Path(path) for path in ("/opt/homebrew/bin", "/usr/local/bin") if (Path(path) / "initdb").exists()]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise RuntimeError(MISSING)


def _server_user() -> str:
    """Return whom to run the server as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return ""
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    message = "PostgreSQL does not run as root and there is neither a user postgres nor nobody"
    raise RuntimeError(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
