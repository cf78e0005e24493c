"""A stand-in for any function, run by the emulator as a custom runtime: it makes the calls that a test asks for,
with the function's own role, and passes work along as the real functions do."""

import json
import os
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
ONCE = Config(retries={"total_max_attempts": 1})
DENIED = {"AccessDenied", "AccessDeniedException"}


def attempt(service: str, operation: str, arguments: dict) -> str:
    """`allowed` or `denied`; any other error means that the call got past the policies."""
    try:
        getattr(boto3.client(service, config=ONCE), operation)(**arguments)
    except ClientError as error:
        return "denied" if error.response["Error"]["Code"] in DENIED else "allowed"
    return "allowed"


def send(queue: str, body: str, group: str, dedup: str) -> None:
    boto3.client("sqs").send_message(
        QueueUrl=os.environ[queue], MessageBody=body, MessageGroupId=group, MessageDeduplicationId=dedup
    )


def drop(told: dict) -> None:
    """Passes on what S3 tells of a file, and what the file says of where to."""
    for record in told.get("Records", []):
        told_of = record["s3"]["object"]
        version = {"VersionId": told_of["versionId"]} if "versionId" in told_of else {}
        bucket = os.environ["FILES_BUCKET"]
        file = boto3.client("s3").get_object(Bucket=bucket, Key=told_of["key"], **version)["Body"].read()
        body = json.dumps(json.loads(file) | {"key": told_of["key"], "sequencer": told_of["sequencer"]})
        send("INBOUND_QUEUE_URL", body, "lane", told_of["sequencer"])


def handle(event: dict) -> object:
    if "calls" in event:
        return [attempt(*call) for call in event["calls"]]
    if "routeKey" in event:
        seen = {"route": event["routeKey"], "connection": event["pathParameters"]["connection"]}
        task = json.dumps(seen | json.loads(event["body"]))
        send("INBOUND_QUEUE_URL", task, "lane", event["requestContext"]["requestId"])
        return {"statusCode": 202, "headers": {}, "body": "accepted", "isBase64Encoded": False}
    for record in event["Records"]:
        if record["body"] == "probe":  # sent by test_permissions.py
            continue
        if record["eventSourceARN"].endswith("-drops"):
            drop(json.loads(record["body"]))
            continue
        if record["eventSourceARN"].endswith("-inbound.fifo"):
            send("OUTBOUND_QUEUE_URL", record["body"], "lane", record["messageId"])
        else:
            body = record["body"].encode()
            urllib.request.urlopen(urllib.request.Request(json.loads(body)["to"], data=body), timeout=5)
    return {"batchItemFailures": []}


while True:
    with urllib.request.urlopen(f"{RUNTIME}/next") as invocation:
        request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
        answer = json.dumps(handle(json.load(invocation))).encode()
    urllib.request.urlopen(urllib.request.Request(f"{RUNTIME}/{request_id}/response", data=answer))
