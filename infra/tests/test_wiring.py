"""A request reaches every function on its way: API route, queues, event sources, receiver."""

import json
import urllib.error
import urllib.parse
import urllib.request

import deploy
import loopback
import pytest


@pytest.fixture
def receiver():
    """A server on loopback; gives its address and what it receives."""
    with loopback.receiver() as running:
        yield running


def call(aws, stack, method: str, body: bytes | None = None) -> int:
    """Calls the webhook's public address by way of the emulator."""
    url = urllib.parse.urlsplit(stack.outputs["WebhookUrl"] + "clinic.pms")
    headers = {"Host": url.netloc, "Content-Type": "application/json"}
    request = urllib.request.Request(aws.endpoint + url.path, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


def test_a_webhook_travels_through_the_stack(aws, stack, receiver):
    address, received = receiver
    assert call(aws, stack, "POST", json.dumps({"to": address}).encode()) == 202
    expected = {"route": "POST /webhooks/{connection}", "connection": "clinic.pms", "to": address}
    assert json.loads(received.get(timeout=30)[1]) == expected


def test_a_dropped_file_travels_through_the_stack(aws, stack, receiver):
    address, received = receiver
    s3 = deploy.client("s3", aws.endpoint)
    for key in ("outbox/clinic.pms/a.json", "drops/clinic.pms/a.json"):
        s3.put_object(Bucket=stack.outputs["FilesBucket"], Key=key, Body=json.dumps({"to": address}).encode())
    seen = json.loads(received.get(timeout=30)[1])
    assert seen["key"] == "drops/clinic.pms/a.json"
    assert seen["sequencer"]


def test_retry_gets_dead_letters_of_a_standard_queue(aws, stack, receiver):
    address, received = receiver
    deploy.client("sqs", aws.endpoint).send_message(
        QueueUrl=f"{aws.endpoint}/000000000000/{stack.name}-drops-dead-letters",
        MessageBody=json.dumps({"to": address, "queue": "drops-dead-letters"}),
    )
    assert json.loads(received.get(timeout=30)[1])["queue"] == "drops-dead-letters"


@pytest.mark.parametrize(
    "queue",
    [
        "commands",
        "inbound-dead-letters",
        "outbound-dead-letters",
        "commands-dead-letters",
        "polls-dead-letters",
        "exports-dead-letters",
    ],
)
def test_retry_gets_commands_and_dead_letters(aws, stack, receiver, queue):
    address, received = receiver
    deploy.client("sqs", aws.endpoint).send_message(
        QueueUrl=f"{aws.endpoint}/000000000000/{stack.name}-{queue}.fifo",
        MessageBody=json.dumps({"to": address, "queue": queue}),
        MessageGroupId="lane",
        MessageDeduplicationId="once",
    )
    assert json.loads(received.get(timeout=30)[1])["queue"] == queue


def test_other_routes_lead_nowhere(aws, stack):
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(aws, stack, "DELETE")
    assert refused.value.code == 404
