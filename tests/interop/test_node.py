"""Senders and a receiver of the Node world: node-hl7-client and simple-hl7, which many front ends are built on."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import free_ports
from mllp import Client
from test_out import CONNECTIONS, taken, until

SHARED = {"tenants": ["sunrise"]}


@pytest.fixture
def known(bridge):
    """How many messages there were before."""
    return bridge.messages()


def says(command: list[str]) -> list[str]:
    """What a program prints, once it is done."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def accepted(sender: str, count: int) -> list[str]:
    return [f"AA {sender}-{number}" for number in range(count)]


def at_once(commands: list[list[str]]) -> list[list[str]]:
    """What programs print that run at the same time."""
    with ThreadPoolExecutor(len(commands)) as processes:
        return list(processes.map(says, commands))


def test_node_hl7_clients_on_many_connections(bridge, gateway, node, known):
    (port,) = gateway(SHARED).ports
    senders = [f"nodewaits{number}" for number in range(6)]
    answers = at_once([node("client.mjs", port, sender, 20, "waits") for sender in senders])
    assert answers == [accepted(sender, 20) for sender in senders]
    bridge.comes_to(known + 6 * 20)


def test_node_hl7_client_pipelines(bridge, gateway, node, known):
    (port,) = gateway(SHARED).ports
    assert says(node("client.mjs", port, "nodepipe", 100, "pipelines")) == accepted("nodepipe", 100)
    bridge.comes_to(known + 100)


def test_simple_hl7_clients_on_many_connections(bridge, gateway, node, known):
    (port,) = gateway(SHARED).ports
    senders = [f"simple{number}" for number in range(6)]
    answers = at_once([node("simple-client.cjs", port, sender, 20) for sender in senders])
    assert answers == [accepted(sender, 20) for sender in senders]
    bridge.comes_to(known + 6 * 20)


def test_simple_hl7_client_in_wrong_frames(bridge, gateway, node, known):
    (port,) = gateway(SHARED).ports
    answers = says(node("simple-client.cjs", port, "careless", 5, "careless"))
    # It takes what comes together for one answer, and prints the first of it: that of the frame that broke off.
    torn = [f"AE careless-torn-{number}" for number in range(1, 5)]
    assert len(answers) == 5 and set(answers) <= {*torn, *accepted("careless", 5)}, answers
    bridge.comes_to(known + 5)


@pytest.fixture
def server(node, tmp_path):
    """simple-hl7's server: its port, and what it has received."""
    (port,) = free_ports(1)
    received = tmp_path / "received"
    with received.open("wb") as out:
        child = subprocess.Popen(node("simple-server.cjs", port), stdout=out)
    try:
        until(lambda: "listening" in received.read_text(), "simple-hl7's server")
        yield port, lambda: received.read_text().splitlines()[1:]
    finally:
        child.terminate()
        child.wait(timeout=30)


def test_simple_hl7s_server_takes_what_is_sent_on(bridge, server, tmp_path):
    port, received = server
    connections = CONNECTIONS.format(port=port).replace("OUTPAT", "NODEOUT").replace("CLINIC", "NODECLINIC")
    connections = connections.replace("sunrise.clinic", "sunrise.node-clinic")
    bridge.apply(connections.replace("sunrise.outpatients", "sunrise.node-outpatients"), tmp_path)
    ids = [f"nodeout-{number}" for number in range(5)]
    with Client(int(bridge.system["mllp"].rpartition(":")[2])) as client:
        # The gateway looks for connections every half minute.
        until(lambda: taken(client, ids[0], "NODEOUT"), "the new connection")
        assert all(taken(client, control_id, "NODEOUT") for control_id in ids[1:])
    until(lambda: len(received()) >= len(ids), "the messages")
    events = [line.split(" ") for line in received()]
    assert {(event, family) for event, _, family in events} == {("ADT^A28", "Testperson")}
    assert len({control_id for _, control_id, _ in events}) == len(ids)
