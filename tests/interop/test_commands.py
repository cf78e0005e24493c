"""The command's side of HL7 v2, against a running bridge and a gateway that asks for certificates."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from conftest import CONNECTION, ROOT
from mllp import message

CERTIFICATES = ROOT / "gateways" / "mllp" / "tests" / "certificates"


@pytest.fixture
def command(bridge):
    """Runs it: the exit code, and the documents that it prints."""

    def run(*arguments: object) -> tuple[int, list[dict]]:
        line = [bridge.binary, *map(str, arguments), "--json", "--state-dir", bridge.state]
        done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, [json.loads(document) for document in done.stdout.splitlines()]

    return run


def pem(*names: str) -> str:
    return "".join(Path(CERTIFICATES / name).read_text() for name in names)


def test_send_shows_a_client_certificate(bridge, gateway, command, tmp_path):
    known = bridge.messages()
    running = gateway(
        {"tls": "mutual", "certificates": [{"dns": "desk.example", "connection": CONNECTION}]},
        MLLP_CERTIFICATE=pem("server.pem"),
        MLLP_KEY=pem("server.key"),
        MLLP_CLIENT_CERTIFICATES=pem("authority.pem"),
    )
    (tmp_path / "one.hl7").write_bytes(message("identity-1", "C1"))
    (tmp_path / "desk.pem").write_text(pem("desk.pem", "desk.key"))
    (tmp_path / "stranger.pem").write_text(pem("stranger.pem", "stranger.key"))
    to = ("--mllp", f"mllps://localhost:{running.ports[0]}", "--ca", CERTIFICATES / "authority.pem")
    code, said = command("send", tmp_path / "one.hl7", *to, "--identity", tmp_path / "desk.pem")
    assert code == 0 and said[0]["answer"] == "AA"
    for stranger in ((), ("--identity", tmp_path / "stranger.pem")):
        code, _ = command("send", tmp_path / "one.hl7", *to, *stranger)
        assert code != 0
    bridge.comes_to(known + 1)


def test_ack_answers_by_a_connections_rules(bridge, command, tmp_path):
    known = bridge.messages()
    taken, refused = tmp_path / "taken.hl7", tmp_path / "refused.hl7"
    taken.write_bytes(message("ack-1", "C2"))
    refused.write_bytes(message("ack-2", "C2").replace(b"ADT^A08^ADT_A01", b"ORU^R01^ORU_R01"))
    assert command("ack", refused)[0] == 0, "a site without rules takes results"
    code, (answer,) = command("ack", taken, "--connection", CONNECTION)
    assert code == 0 and "MSA|AA|ack-1" in answer["answer"]
    code, documents = command("ack", refused, "--connection", CONNECTION)
    assert code == 5 and "MSA|AR|ack-2" in documents[0]["answer"]
    assert bridge.messages() == known, "nothing was sent anywhere"


def test_a_connection_that_takes_hl7_alone_is_tested_at_its_doors(bridge, command):
    known = bridge.messages()
    code, findings = command("connections", "test", CONNECTION)
    wells = {finding["what"]: finding["well"] for finding in findings if "what" in finding}
    assert code == 0 and wells == {"HL7 v2 over HTTP": True, "HL7 v2 over MLLP": True}, findings
    code, findings = command("connections", "test", CONNECTION, "--mllp", "127.0.0.1:1")
    assert code == 5 and findings[1]["well"] is False
    assert bridge.messages() == known
