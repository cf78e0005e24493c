"""What each function's role allows, tried under that role: the emulator enforces the policies of the template."""

import json

import deploy
import pytest

EVERY = {"webhook-intake", "hl7-intake", "file-ingest", "export", "poll", "normalize", "deliver", "fhir-api", "retry"}
ITEM = {"pk": {"S": "probe"}, "sk": {"S": "probe"}}
ENTRY = {"MessageBody": "probe", "MessageGroupId": "probe", "MessageDeduplicationId": "probe"}
RECEIPT = {"ReceiptHandle": "probe"}
QUERY = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "probe"}}}


def put(table: str) -> tuple:
    return "dynamodb", "put_item", {"TableName": table, "Item": ITEM}


def get(table: str) -> tuple:
    return "dynamodb", "get_item", {"TableName": table, "Key": ITEM}


def delete(table: str) -> tuple:
    return "dynamodb", "delete_item", {"TableName": table, "Key": ITEM}


def query(table: str) -> tuple:
    return "dynamodb", "query", {"TableName": table, **QUERY}


def scan(table: str) -> tuple:
    return "dynamodb", "scan", {"TableName": table}


def transact(table: str) -> tuple:
    return "dynamodb", "transact_write_items", {"TransactItems": [{"Put": {"TableName": table, "Item": ITEM}}]}


def send(output: str) -> tuple:
    return "sqs", "send_message", {"QueueUrl": f"{{{output}}}", **ENTRY}


def hide(queue: str) -> tuple:
    url = f"{{endpoint}}/000000000000/bridge-{queue}" + ("" if queue.startswith("drops") else ".fifo")
    return "sqs", "change_message_visibility", {"QueueUrl": url, "VisibilityTimeout": 1, **RECEIPT}


def purge(output: str) -> tuple:
    return "sqs", "purge_queue", {"QueueUrl": f"{{{output}}}"}


def put_object(prefix: str) -> tuple:
    return "s3", "put_object", {"Bucket": "{PayloadBucket}", "Key": f"{prefix}/probe", "Body": "probe"}


def get_object(prefix: str) -> tuple:
    return "s3", "get_object", {"Bucket": "{PayloadBucket}", "Key": f"{prefix}/probe"}


def put_file(prefix: str) -> tuple:
    return "s3", "put_object", {"Bucket": "{FilesBucket}", "Key": f"{prefix}/probe", "Body": "probe"}


def get_file(prefix: str) -> tuple:
    return "s3", "get_object", {"Bucket": "{FilesBucket}", "Key": f"{prefix}/probe"}


DELETE_FILE = ("s3", "delete_object", {"Bucket": "{FilesBucket}", "Key": "drops/probe"})
DELETE_OBJECT = ("s3", "delete_object", {"Bucket": "{PayloadBucket}", "Key": "payloads/probe"})
DATA_KEY = (
    "kms",
    "generate_data_key",
    {"KeyId": "{KeyId}", "KeySpec": "AES_256", "EncryptionContext": {"tenant": "probe"}},
)
DISABLE_KEY = ("kms", "disable_key", {"KeyId": "{KeyId}"})
NOBODY: set[str] = set()

# Who may do what. The order keeps a denied call from being answered for another reason.
MATRIX = [
    (get("{ConfigTable}"), EVERY),
    (query("{ConfigTable}"), EVERY),
    (put("{ConfigTable}"), NOBODY),
    (get("{LedgerTable}"), EVERY),
    (put("{LedgerTable}"), EVERY),
    (transact("{LedgerTable}"), EVERY),
    (query("{LedgerTable}"), {"file-ingest", "export", "poll", "retry"}),
    (delete("{LedgerTable}"), {"file-ingest", "export", "poll", "normalize", "deliver"}),
    (scan("{LedgerTable}"), NOBODY),
    (get("{ResourcesTable}"), {"export", "normalize", "deliver", "fhir-api"}),
    (put("{ResourcesTable}"), {"normalize", "deliver", "fhir-api"}),
    (delete("{ResourcesTable}"), NOBODY),
    (send("InboundQueueUrl"), {"webhook-intake", "hl7-intake", "file-ingest", "poll", "retry"}),
    (send("OutboundQueueUrl"), {"normalize", "fhir-api", "retry"}),
    (send("CommandsQueueUrl"), {"normalize", "deliver", "retry"}),
    (send("PollsQueueUrl"), {"poll", "normalize"}),
    (send("ExportsQueueUrl"), {"export"}),
    (hide("inbound"), {"normalize"}),
    (hide("outbound"), {"deliver"}),
    (hide("commands"), {"retry"}),
    (hide("polls"), {"poll"}),
    (hide("exports"), {"export"}),
    (hide("drops"), {"file-ingest"}),
    (hide("drops-dead-letters"), {"retry"}),
    (hide("inbound-dead-letters"), {"retry"}),
    (hide("outbound-dead-letters"), {"retry"}),
    (hide("commands-dead-letters"), {"retry"}),
    (hide("polls-dead-letters"), {"retry"}),
    (hide("exports-dead-letters"), {"retry"}),
    (purge("InboundQueueUrl"), NOBODY),
    (put_object("payloads"), {"webhook-intake", "hl7-intake", "file-ingest", "poll", "normalize", "fhir-api", "retry"}),
    (put_object("letters"), {"file-ingest", "normalize", "retry"}),
    (put_object("parked"), {"poll", "normalize", "deliver", "retry"}),
    (put_object("resources"), {"normalize", "deliver", "fhir-api", "retry"}),
    (get_object("resources"), {"export", "normalize", "deliver", "fhir-api", "retry"}),
    (get_object("payloads"), {"poll", "normalize", "deliver", "retry"}),
    (DELETE_OBJECT, NOBODY),
    (get_file("drops"), {"file-ingest"}),
    (put_file("drops"), NOBODY),
    (get_file("work"), {"file-ingest", "export"}),
    (put_file("work"), {"file-ingest", "export"}),
    (get_file("snapshots"), {"file-ingest"}),
    (put_file("snapshots"), {"file-ingest"}),
    (put_file("outbox"), {"file-ingest", "export"}),
    (put_file("outbox/clinic.studio/undelivered"), {"file-ingest", "export", "deliver"}),
    (get_file("outbox"), {"export"}),
    (DELETE_FILE, NOBODY),
    (DATA_KEY, EVERY),
    (DISABLE_KEY, NOBODY),
]


def fill(value, names: dict[str, str]):
    """Puts the stack's names into a call."""
    if isinstance(value, dict):
        return {key: fill(inner, names) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill(inner, names) for inner in value]
    if isinstance(value, str) and value.startswith("{"):
        return value.format(**names)
    return value


@pytest.mark.parametrize("function", sorted(EVERY))
def test_a_role_allows_what_the_function_needs_and_no_more(aws, stack, function):
    names = stack.outputs | {"endpoint": aws.endpoint}
    invoked = deploy.client("lambda", aws.endpoint).invoke(
        FunctionName=f"{stack.name}-{function}",
        Payload=json.dumps({"calls": [fill(call, names) for call, _ in MATRIX]}),
    )
    answers = json.load(invoked["Payload"])
    assert len(answers) == len(MATRIX), answers
    found = {f"{call[1]} {call[2]}": answer for (call, _), answer in zip(MATRIX, answers, strict=True)}
    expected = {f"{call[1]} {call[2]}": "allowed" if function in allowed else "denied" for call, allowed in MATRIX}
    assert found == expected


@pytest.fixture(scope="module")
def signing_key(aws, stack) -> str:
    """A key as the operator makes one. The emulator does not read the condition that keeps others out."""
    tags = [{"TagKey": "pms-bridge", "TagValue": stack.name}]
    kms = deploy.client("kms", aws.endpoint)
    return kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY", Tags=tags)["KeyMetadata"]["Arn"]


@pytest.mark.parametrize("function", sorted(EVERY))
def test_only_who_calls_products_signs(aws, stack, signing_key, function):
    calls = [
        ("kms", "sign", {"KeyId": signing_key, "Message": "probe", "SigningAlgorithm": "ECDSA_SHA_384"}),
        ("kms", "get_public_key", {"KeyId": signing_key}),
        ("kms", "create_key", {"KeySpec": "ECC_NIST_P384", "KeyUsage": "SIGN_VERIFY"}),
        ("kms", "schedule_key_deletion", {"KeyId": signing_key}),
    ]
    invoked = deploy.client("lambda", aws.endpoint).invoke(
        FunctionName=f"{stack.name}-{function}", Payload=json.dumps({"calls": calls})
    )
    signs = "allowed" if function in {"poll", "deliver", "fhir-api"} else "denied"
    assert json.load(invoked["Payload"]) == [signs, "denied", "denied", "denied"]
