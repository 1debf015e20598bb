"""A process that is stopped in the middle of a request and goes on when everybody has given it up: it sends no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from support.raw_server import Server, http, serve

TIMEOUT = 1.0
BODY = b"the write itself"
CLIENT = f"""
import os, signal, sys
from airflow_provider_mlconnector.points import Point, arm
from airflow_provider_mlconnector.systems.call import Call, Effect
from airflow_provider_mlconnector.systems.transport import Transport
from airflow_provider_mlconnector.errors import MLConnectorError

place, met = int(sys.argv[2]), 0

def strike(point):
    global met
    met += point is Point.MID_REQUEST
    if point is Point.MID_REQUEST and met == place:
        os.kill(os.getpid(), signal.SIGSTOP)

transport = Transport(sys.argv[1], system="TEST", allow_http=True, timeout={TIMEOUT})
transport.send(Call("GET", "/first", Effect.READ, "first"))
arm(strike)
try:
    transport.send(Call("POST", "/write", Effect.WRITE, "write", body={BODY!r}, content_type="text/plain"))
    print("answered")
except MLConnectorError as error:
    print(type(error).__name__, error)
"""
AFTER_THE_HEAD, AFTER_THE_BODY = 1, 2


def _stopped_and_gone_on(server: Server, place: int) -> str:
    """Let a real process stop itself in the middle of a write until its deadline is past; return what it said."""
    command = [sys.executable, "-c", CLIENT, server.url, str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        _pid, status = os.waitpid(client.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        time.sleep(2 * TIMEOUT)
        os.kill(client.pid, signal.SIGCONT)
        return client.communicate(timeout=20)[0]


@pytest.mark.parametrize("_time", range(3))
def test_a_body_does_not_follow_its_head_after_the_deadline(_time: int) -> None:
    with serve(http(200)) as server:
        said = _stopped_and_gone_on(server, AFTER_THE_HEAD)
        assert b"POST /write" in server.received
        assert BODY not in server.received
    assert "Ambiguous" in said, said


def test_an_answer_to_a_write_that_had_left_is_read_late_or_taken_for_lost() -> None:
    with serve(http(200)) as server:
        said = _stopped_and_gone_on(server, AFTER_THE_BODY)
        assert server.received.count(BODY) == 1
    assert "Ambiguous" in said or said == "answered\n", said
