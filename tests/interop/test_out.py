"""The other direction: what came in goes out again by MLLP, to a server that is not ours."""

from __future__ import annotations

import subprocess
import time

import pytest
from conftest import HERE, free_ports
from mllp import END, START, Client, message

CONNECTIONS = """\
connection: sunrise.clinic
adapter: hl7v2
zone: America/Chicago
settings:
  send-to: mllp://127.0.0.1:{port}
hl7v2:
  # It takes nobody else's messages on the port that all share.
  sender:
    application: CLINIC
  authorities:
    SUNRISE: urn:sunrise:chart
---
connection: sunrise.outpatients
adapter: hl7v2
zone: America/Chicago
hl7v2:
  sender:
    application: OUTPAT
  authorities:
    SUNRISE: urn:sunrise:chart
routes:
  - to: sunrise.clinic
    resources: [Patient]
"""


@pytest.fixture
def server(hapi, tmp_path):
    """HAPI's server: its port, and what it has received."""
    (port,) = free_ports(1)
    received = tmp_path / "received"
    with received.open("wb") as out:
        child = subprocess.Popen([*hapi, HERE / "hapi" / "Server.java", str(port)], stdout=out, cwd=received.parent)
    try:
        until(lambda: "listening" in received.read_text(), "HAPI's server")
        yield port, lambda: received.read_text().splitlines()[1:]
    finally:
        child.terminate()
        child.wait(timeout=30)


def until(is_so, what: str) -> None:
    """Looks again and again."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def test_hapis_server_takes_what_is_sent_on(bridge, server, tmp_path):
    port, received = server
    bridge.apply(CONNECTIONS.format(port=port), tmp_path)
    ids = [f"out-{number}" for number in range(5)]
    with Client(int(bridge.system["mllp"].rpartition(":")[2])) as client:
        # The gateway looks for connections every half minute.
        until(lambda: taken(client, ids[0]), "the new connection")
        assert all(taken(client, control_id) for control_id in ids[1:])
    until(lambda: len(received()) >= len(ids), "the messages")
    events = [line.split(" ") for line in received()]
    # One patient each: each is new.
    assert {(event, family) for event, _, family in events} == {("ADT^A28", "Testperson")}
    assert len({control_id for _, control_id, _ in events}) == len(ids)


def taken(client: Client, control_id: str, application: str = "OUTPAT") -> bool:
    """Whether a message of the second connection is accepted."""
    text = message(control_id, f"X{control_id}").replace(b"|SUNREG|", f"|{application}|".encode())
    client.send(START + text + END)
    return client.answer() == ("AA", control_id)
