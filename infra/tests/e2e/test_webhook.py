"""One signed webhook through the deployed stack: API Gateway, the real binaries, the queues, the receiver."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import loopback
import pytest

WIDGET_SECRET = "invented-for-the-end-to-end-test"
STUDIO_KEY = b"invented 32 bytes for the studio"
BOOKING = {"ref": "b-1", "customer": {"ref": "c-7", "family": "Quillfeather", "born": "1987-03-05"}}


@pytest.fixture(scope="module")
def receiver():
    """Practice Studio on loopback; gives its address and what it receives."""
    with loopback.receiver() as (address, received):
        yield f"{address}fhir", received


@pytest.fixture(scope="module")
def bridge(aws, stack, binaries):
    """The command, working on the deployed stack."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "LEDGER_TABLE": stack.outputs["LedgerTable"],
        "RESOURCES_TABLE": stack.outputs["ResourcesTable"],
        "CONFIG_TABLE": stack.outputs["ConfigTable"],
        "INBOUND_QUEUE_URL": stack.outputs["InboundQueueUrl"],
        "OUTBOUND_QUEUE_URL": stack.outputs["OutboundQueueUrl"],
        "COMMANDS_QUEUE_URL": stack.outputs["CommandsQueueUrl"],
        "DROPS_QUEUE_URL": stack.outputs["DropsQueueUrl"],
        "PAYLOAD_BUCKET": stack.outputs["PayloadBucket"],
        "FILES_BUCKET": stack.outputs["FilesBucket"],
        "KEY_ID": stack.outputs["KeyId"],
        "E2E_WIDGET_SECRET": WIDGET_SECRET,
        "E2E_STUDIO_SECRET": "whsec_" + base64.b64encode(STUDIO_KEY).decode(),
    }

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [binaries / "bridge", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="module")
def configured(bridge, receiver, tmp_path_factory):
    """The tenant and its two connections, applied."""
    directory = tmp_path_factory.mktemp("config")
    for source in Path(__file__).with_name("config").iterdir():
        (directory / source.name).write_text(source.read_text().replace("RECEIVER", receiver[0]))
    bridge("connections", "apply", directory)


def post(aws, stack, body: bytes, signature: str) -> int:
    """Posts to the webhook's public address by way of the emulator; gives the status."""
    url = urllib.parse.urlsplit(stack.outputs["WebhookUrl"] + "e2e.widget")
    headers = {"Host": url.netloc, "Content-Type": "application/json", "X-Signature": signature}
    request = urllib.request.Request(aws.endpoint + url.path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def sign(body: bytes) -> str:
    return hmac.new(WIDGET_SECRET.encode(), body, hashlib.sha256).hexdigest()


def test_a_webhook_becomes_a_signed_fhir_delivery(aws, stack, configured, receiver, bridge):
    body = json.dumps(BOOKING).encode()
    assert 200 <= post(aws, stack, body, sign(body)) < 300
    headers, delivered = receiver[1].get(timeout=60)

    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + delivered
    expected = base64.b64encode(hmac.new(STUDIO_KEY, signed, hashlib.sha256).digest()).decode()
    assert f"v1,{expected}" in headers["webhook-signature"].split(" ")

    bundle = json.loads(delivered)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    (entry,) = bundle["entry"]
    patient = entry["resource"]
    assert patient["resourceType"] == "Patient"
    assert patient["name"] == [{"family": "Quillfeather"}]
    assert patient["birthDate"] == "1987-03-05"
    assert patient["identifier"][0]["value"] == "c-7"


def test_the_same_webhook_again_is_not_delivered_again(aws, stack, configured, receiver):
    body = json.dumps(BOOKING).encode()
    assert 200 <= post(aws, stack, body, sign(body)) < 300
    other = json.dumps(BOOKING | {"ref": "b-2"}).encode()
    assert 200 <= post(aws, stack, other, sign(other)) < 300
    # One lane, in order: had the repeat been delivered, it would come first.
    headers, _ = receiver[1].get(timeout=60)
    assert receiver[1].empty()
    assert headers["webhook-id"]


def test_a_forged_webhook_is_refused(aws, stack, configured, receiver):
    body = json.dumps(BOOKING | {"ref": "b-3"}).encode()
    assert post(aws, stack, body, sign(b"something else")) == 401
    assert receiver[1].empty()
