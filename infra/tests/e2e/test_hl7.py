"""HL7 v2 over HTTP through the deployed stack: the acknowledgment in the reply, the patient at the receiver."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request

from practice import HL7_PASSWORD


def message(control_id: str, event: str = "ADT^A04^ADT_A01") -> bytes:
    """Of a patient who was registered."""
    lines = (
        f"MSH|^~\\&|REG|EAST|BRIDGE|CLOUD|20261122101500||{event}|{control_id}|P|2.5.1",
        "EVN|A04|20261122101500",
        "PID|1||E-41^^^EAST^MR||Quillfeather^Ottoline||19610412|F",
    )
    return "\r".join(lines).encode() + b"\r"


def post(aws, stack, body: bytes, password: str = HL7_PASSWORD) -> tuple[int, str]:
    """Posts to the connection's public address by way of the emulator; the status, and what is answered."""
    url = urllib.parse.urlsplit(stack.outputs["WebhookUrl"].replace("/webhooks/", "/hl7/") + "e2e.registration")
    credentials = base64.b64encode(f"registration:{password}".encode()).decode()
    headers = {
        "Host": url.netloc,
        "Content-Type": "x-application/hl7-v2+er7",
        "Authorization": f"Basic {credentials}",
    }
    request = urllib.request.Request(aws.endpoint + url.path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_a_message_is_acknowledged_and_its_patient_delivered(aws, stack, configured, receiver):
    status, answer = post(aws, stack, message("E2E1"))
    assert status == 200 and "\rMSA|AA|E2E1\r" in answer, answer
    _, delivered = receiver[1].get(timeout=60)
    (entry,) = json.loads(delivered)["entry"]
    patient = entry["resource"]
    assert patient["name"] == [{"family": "Quillfeather", "given": ["Ottoline"]}]
    assert patient["identifier"][0]["system"] == "urn:example:e2e-chart"


def test_the_same_message_again_is_accepted_and_not_delivered_again(aws, stack, configured, receiver):
    assert post(aws, stack, message("E2E1"))[0] == 200
    assert post(aws, stack, message("E2E2"))[0] == 200
    # One lane, in order: had the repeat been delivered, it would come first.
    receiver[1].get(timeout=60)
    assert receiver[1].empty()


def test_what_is_not_taken_is_refused(aws, stack, configured, receiver):
    status, answer = post(aws, stack, message("E2E3", "MDM^T02"))
    assert status == 422 and "\rMSA|AR|E2E3" in answer, answer
    assert post(aws, stack, message("E2E4"), "wrong")[0] == 401
    assert receiver[1].empty()
