"""What senders do to an MLLP door: every message is answered, and none is lost."""

from __future__ import annotations

import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import CONNECTION, HERE, ROOT
from mllp import END, START, Client, acknowledgment, frame, message

CERTIFICATES = ROOT / "gateways" / "mllp" / "tests" / "certificates"
HAPI = HERE / "hapi"
SHARED = {"tenants": ["sunrise"]}


@pytest.fixture
def known(bridge):
    """How many messages there were before."""
    return bridge.messages()


def accepted(ids):
    return [("AA", control_id) for control_id in ids]


def test_python_hl7s_client(bridge, gateway, python_hl7, known):
    running = gateway(SHARED)
    ids = [f"python-{number}" for number in range(30)]
    with python_hl7.MLLPClient("127.0.0.1", running.ports[0]) as client:
        answers = [client.send_message(message(control_id, "P1")) for control_id in ids]
    assert [acknowledgment(answer.strip(START).removesuffix(END)) for answer in answers] == accepted(ids)
    bridge.comes_to(known + len(ids))


def test_pipelined_frames(bridge, gateway, known):
    running = gateway(SHARED)
    ids = [f"pipelined-{number}" for number in range(200)]
    with Client(running.ports[0]) as client:
        client.send(b"".join(frame(control_id, f"L{number % 7}") for number, control_id in enumerate(ids)))
        assert [client.answer() for _ in ids] == accepted(ids)
    bridge.comes_to(known + len(ids))


def test_many_connections_share_requests(bridge, gateway, known):
    running = gateway(SHARED)

    def send(connection: int) -> list:
        ids = [f"many-{connection}-{number}" for number in range(10)]
        with Client(running.ports[0]) as client:
            for control_id in ids:
                client.send(frame(control_id, f"M{connection}"))
                assert client.answer() == ("AA", control_id)
        return ids

    with ThreadPoolExecutor(40) as senders:
        sent = [control_id for ids in senders.map(send, range(40)) for control_id in ids]
    (metrics,) = (line for line in running.stop() if "_aws" in line)
    assert metrics["MessagesStored"] == metrics["QueueEntries"] == len(sent)
    assert metrics["QueueRequests"] < len(sent) / 2
    bridge.comes_to(known + len(sent))


def test_wrong_framing_as_nc_sends_it(bridge, gateway, known):
    running = gateway(SHARED)
    with Client(running.ports[0]) as client:
        client.send(b"hello\r\n" + frame("wrong-1", "W"))
        client.send(START + message("wrong-2", "W") + frame("wrong-3", "W"))
        client.send(START + message("wrong-4", "W") + END[:1] + frame("wrong-5", "W"))
        client.send(START + b"no message" + END + START + message("wrong-6", "W"))
        client.socket.shutdown(socket.SHUT_WR)
        answers = client.answers()
    expected = [("AA", 1), ("AE", 2), ("AA", 3), ("AA", 4), ("AA", 5), ("AR", None), ("AE", 6)]
    assert answers == [(code, f"wrong-{number}" if number else "") for code, number in expected]
    bridge.comes_to(known + 4)


def test_bridge_up_opens_mllp(bridge, known):
    port = int(bridge.system["mllp"].rpartition(":")[2])
    with Client(port) as client:
        client.send(frame("up-1", "U"))
        assert client.answer() == ("AA", "up-1")
        other = message("up-2", "U").replace(b"|SUNREG|", b"|SOMEBODY|")
        client.send(START + other + END)
        assert client.answer() == ("AR", "up-2")
    bridge.comes_to(known + 1)


def tls(client: str | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """A client's side of TLS."""
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "authority.pem"))
    context.minimum_version = context.maximum_version = version
    if client:
        context.load_cert_chain(CERTIFICATES / f"{client}.pem", CERTIFICATES / f"{client}.key")
    return context


def test_tls_and_client_certificates(bridge, gateway, known):
    def pem(name: str) -> str:
        return Path(CERTIFICATES / name).read_text()

    running = gateway(
        SHARED | {"tls": "server"},
        {"tls": "mutual", "certificates": [{"dns": "desk.example", "connection": CONNECTION}]},
        MLLP_CERTIFICATE=pem("server.pem"),
        MLLP_KEY=pem("server.key"),
        MLLP_CLIENT_CERTIFICATES=pem("authority.pem"),
    )
    for port, client in zip(running.ports, (None, "desk"), strict=True):
        with Client(port, tls(client)) as connection:
            connection.send(frame(f"tls-{client}", "T"))
            assert connection.answer() == ("AA", f"tls-{client}")
    with pytest.raises(ssl.SSLError):
        Client(running.ports[0], tls(None, ssl.TLSVersion.TLSv1_2))
    for stranger in ("stranger", "other", None):
        with pytest.raises((OSError, AssertionError)), Client(running.ports[1], tls(stranger)) as connection:
            connection.send(frame("tls-stranger", "T"))
            assert connection.answer(), "turned away"
    bridge.comes_to(known + 2)


def test_hapis_client(bridge, gateway, hapi, known, tmp_path):
    running = gateway(SHARED)
    senders = [f"hapi{number}" for number in range(3)]

    def send(sender: str) -> list[str]:
        command = [*hapi, HAPI / "Client.java", "127.0.0.1", str(running.ports[0]), sender, "20"]
        # HAPI counts its messages in a file where it runs.
        folder = tmp_path / sender
        folder.mkdir()
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.splitlines()

    with ThreadPoolExecutor(len(senders)) as processes:
        answers = list(processes.map(send, senders))
    assert answers == [[f"AA {sender}-{number}" for number in range(20)] for sender in senders]
    bridge.comes_to(known + 60)


def test_a_log_holds_nothing_of_a_patient(bridge, gateway, known):
    running = gateway(SHARED)
    planted = message("planted", "PLANTED1").replace(b"Testperson^Una", b"PLANTED2^PLANTED3")
    with Client(running.ports[0]) as client:
        client.send(START + planted + END)
        assert client.answer() == ("AA", "planted")
        for wrong in (b"PLANTED4", planted.replace(b"A08", b"A99"), planted.replace(b"|SUNREG|", b"|PLANTED5|")):
            client.send(START + wrong.replace(b"ADT^A99", b"MDM^A99") + END)
            assert client.answer()[0] == "AR"
        client.send(START + planted + b"\xff" + END)
        assert client.answer() == ("AR", "planted")
    assert len([line for line in running.stop() if line.get("step") == "receive"]) >= 4
    assert "PLANTED" not in running.log.read_text()
    bridge.comes_to(known + 1)


def test_memory_does_not_grow_with_connections_and_messages(bridge, gateway, known):
    running = gateway(SHARED)
    text = message("{id}", "G").decode() + "NTE|1||" + "synthetic " * 100_000
    with ThreadPoolExecutor(20) as senders:

        def send(sender: int) -> None:
            with Client(running.ports[0]) as client:
                for number in range(3):
                    control_id = f"large-{sender}-{number}"
                    client.send(START + text.format(id=control_id).encode() + b"\r" + END)
                    assert client.answer() == ("AA", control_id)

        list(senders.map(send, range(20)))
    status = Path(f"/proc/{running.child.pid}/status").read_text()
    (peak,) = (int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    print(f"60 messages of 1 MB over 20 connections: {peak} MiB at the most")
    # Twenty megabytes under way, sealed and written as base 64, and what the process needs at rest.
    assert peak < 200
    bridge.comes_to(known + 60)
