"""The other direction: what came in goes out again by MLLP, to a server that is not ours."""

from __future__ import annotations

import socketserver
import subprocess
import threading
import time
from queue import Queue

import pytest
from conftest import HERE, free_ports
from mllp import END, START, Client, acknowledgment, message

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


ENHANCED = """\
connection: sunrise.answers
adapter: hl7v2
zone: America/Chicago
settings:
  send-to: mllp://127.0.0.1:{port}
hl7v2:
  # It takes nobody's messages.
  sender:
    application: ANSWERS
---
connection: sunrise.enhanced
adapter: hl7v2
zone: America/Chicago
hl7v2:
  sender:
    application: ENHANCED
  acknowledge-to: sunrise.answers
"""


@pytest.fixture
def listener():
    """A listener for answers, which commits to each: its port, and what came."""
    received: Queue = Queue()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while framed := self.read():
                received.put(framed)
                control_id = framed.split(b"|")[9]
                ack = b"MSH|^~\\&|ENHANCED||BRIDGE||2026||ACK|1|P|2.5.1\rMSA|CA|" + control_id + b"\r"
                self.wfile.write(START + ack + END)

        def read(self) -> bytes:
            framed = b""
            while not framed.endswith(END):
                byte = self.rfile.read(1)
                if not byte:
                    return b""
                framed += byte
            return framed.removeprefix(START).removesuffix(END)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], received
        server.shutdown()


def test_what_msh_16_asks_for_comes_to_the_senders_listener(bridge, listener, tmp_path):
    port, received = listener
    bridge.apply(ENHANCED.format(port=port), tmp_path)

    def committed(client: Client, control_id: str) -> bool:
        text = message(control_id, "E1").replace(b"|SUNREG|", b"|ENHANCED|")
        client.send(START + text.replace(b"|P|2.5.1\r", b"|P|2.5.1|||AL|AL\r") + END)
        return client.answer() == ("CA", control_id)

    with Client(int(bridge.system["mllp"].rpartition(":")[2])) as client:
        # The gateway looks for connections every half minute.
        until(lambda: committed(client, "enhanced-1"), "the new connection")
        assert committed(client, "enhanced-2")
    answers = [received.get(timeout=60) for _ in range(2)]
    assert {acknowledgment(answer) for answer in answers} == {("AA", "enhanced-1"), ("AA", "enhanced-2")}
