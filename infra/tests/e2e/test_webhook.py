"""One signed webhook through the deployed stack: API Gateway, the real binaries, the queues, the receiver."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request

from practice import STUDIO_KEY, WIDGET_SECRET

BOOKING = {"ref": "b-1", "customer": {"ref": "c-7", "family": "Quillfeather", "born": "1987-03-05"}}


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
