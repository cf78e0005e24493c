"""How functions, queues and roles of template.yaml fit together."""

import re

import pytest
import template as templates

MAIN = templates.load(templates.MAIN)
QUEUES = templates.resources(MAIN, "AWS::SQS::Queue")
FUNCTIONS = templates.resources(MAIN, "AWS::Serverless::Function")
DEAD_LETTERS = {name for name in QUEUES if name.endswith("DeadLetters")}
WORK = set(QUEUES) - DEAD_LETTERS
# S3 can't tell FIFO queues of files.
STANDARD = {"Drops", "DropsDeadLetters"}

ENVIRONMENT = {
    "LEDGER_TABLE",
    "RESOURCES_TABLE",
    "CONFIG_TABLE",
    "INBOUND_QUEUE_URL",
    "OUTBOUND_QUEUE_URL",
    "COMMANDS_QUEUE_URL",
    "POLLS_QUEUE_URL",
    "EXPORTS_QUEUE_URL",
    "DROPS_QUEUE_URL",
    "PAYLOAD_BUCKET",
    "FILES_BUCKET",
    "KEY_ID",
    "STACK_NAME",
    "AWS_ENDPOINT_URL",
}


def sources(function: str) -> dict[str, dict]:
    """SQS event sources of a function, by queue."""
    events = FUNCTIONS[function].get("Events", {}).values()
    queues = [event["Properties"] for event in events if event["Type"] == "SQS"]
    return {properties["Queue"]["Fn::GetAtt"][0]: properties for properties in queues}


def own_policy(function: str) -> dict:
    return MAIN["Resources"][f"{function}Policy"]["Properties"]["PolicyDocument"]


def allowed(function: str, action: str) -> list:
    """Resources on which a function's own policy allows an action."""
    found = []
    for statement in own_policy(function)["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if statement["Effect"] == "Allow" and action in actions:
            resource = statement["Resource"]
            found += resource if isinstance(resource, list) else [resource]
    return found


def arn(queue: str) -> dict:
    return {"Fn::GetAtt": [queue, "Arn"]}


@pytest.mark.parametrize("name", QUEUES)
class TestQueue:
    def test_is_high_throughput_fifo(self, name):
        queue = QUEUES[name]
        if name in STANDARD:
            assert "FifoQueue" not in queue
            assert not queue["QueueName"]["Fn::Sub"].endswith(".fifo")
            return
        assert queue["FifoQueue"] is True
        assert queue["QueueName"]["Fn::Sub"].endswith(".fifo")
        assert queue["DeduplicationScope"] == "messageGroup"
        assert queue["FifoThroughputLimit"] == "perMessageGroupId"

    def test_takes_a_mebibyte_and_keeps_it_two_weeks(self, name):
        assert QUEUES[name]["MaximumMessageSize"] == 1024 * 1024
        assert QUEUES[name]["MessageRetentionPeriod"] == 14 * 86400

    def test_is_encrypted_with_our_key(self, name):
        assert QUEUES[name]["KmsMasterKeyId"] == {"Fn::GetAtt": ["Storage", "Outputs.KeyArn"]}

    def test_takes_tls_only(self, name):
        policy = MAIN["Resources"]["DropsPolicy" if name == "Drops" else "QueuesOverTlsOnly"]["Properties"]
        assert {"Ref": name} in policy["Queues"]
        statement = policy["PolicyDocument"]["Statement"][0]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    def test_has_one_consumer_and_hides_work_six_times_as_long_as_it_may_run(self, name):
        consumers = [function for function in FUNCTIONS if name in sources(function)]
        assert len(consumers) == 1
        timeout = FUNCTIONS[consumers[0]]["Timeout"]
        assert QUEUES[name]["VisibilityTimeout"] >= 6 * timeout


def test_no_other_policy_lets_anybody_do_anything_with_queues():
    (allowed,) = MAIN["Resources"]["DropsPolicy"]["Properties"]["PolicyDocument"]["Statement"][1:]
    assert (allowed["Effect"], allowed["Action"], allowed["Resource"]) == ("Allow", "sqs:SendMessage", arn("Drops"))
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    bucket = "${AWS::StackName}-files-${AWS::AccountId}-${AWS::Region}"
    source = {"aws:SourceArn": {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{bucket}"}}
    assert allowed["Condition"]["ArnEquals"] == source
    files = templates.load(templates.NESTED["Files"])["Resources"]["Files"]["Properties"]
    assert files["BucketName"]["Fn::Sub"] == bucket.replace("AWS::StackName", "Prefix")
    assert len(MAIN["Resources"]["QueuesOverTlsOnly"]["Properties"]["PolicyDocument"]["Statement"]) == 1


@pytest.mark.parametrize("name", sorted(WORK))
def test_work_that_crashes_again_and_again_goes_to_a_dead_letter_queue_of_its_kind(name):
    queue = QUEUES[name]["QueueName"]["Fn::Sub"]
    stem = queue.removesuffix(".fifo")
    # By this name retry knows what it has received.
    expected = f"{stem}-dead-letters" + ("" if name in STANDARD else ".fifo")
    assert QUEUES[f"{name}DeadLetters"]["QueueName"]["Fn::Sub"] == expected
    redrive = QUEUES[name]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == arn(f"{name}DeadLetters")
    assert redrive["maxReceiveCount"] >= 100


def test_retry_empties_every_dead_letter_queue():
    assert set(sources("Retry")) == DEAD_LETTERS | {"Commands"}


@pytest.mark.parametrize("name", FUNCTIONS)
class TestFunction:
    def test_names_its_binary_and_itself_alike(self, name):
        metadata = MAIN["Resources"][name]["Metadata"]
        assert metadata["BuildMethod"] == "rust-cargolambda"
        binary = metadata["BuildProperties"]["Binary"]
        assert FUNCTIONS[name]["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{binary}"}

    def test_answers_per_record(self, name):
        for source in sources(name).values():
            assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
            # A file has an invocation to itself.
            assert source["BatchSize"] == (1 if name in ("FileIngest", "Export") else 10)
            assert source["ScalingConfig"]["MaximumConcurrency"]

    def test_has_a_role_of_its_own_with_managed_policies_only(self, name):
        assert FUNCTIONS[name]["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
        role = MAIN["Resources"][f"{name}Role"]["Properties"]
        assert "Policies" not in role
        own, every, *more = role["ManagedPolicyArns"]
        assert own == {"Ref": f"{name}Policy"}
        assert every == {"Fn::GetAtt": ["Storage", "Outputs.EveryFunctionPolicy"]}
        signs = [{"Ref": "SigningPolicy"}] if name in ("Poll", "Deliver", "FhirApi") else []
        assert more[: len(signs)] == signs
        # In a VPC, where the stack is told of one, Lambda makes interfaces by the role.
        in_vpc = [policy["Fn::If"][0] for policy in more[len(signs) :]]
        assert in_vpc == (["InVpc"] if name == "FhirApi" else [])

    def test_has_its_own_log_group(self, name):
        assert FUNCTIONS[name]["LoggingConfig"]["LogGroup"] == {"Fn::GetAtt": ["Observability", f"Outputs.{name}Logs"]}

    def test_may_do_with_its_queues_what_a_poller_does(self, name):
        expected = [arn(queue) for queue in sources(name)]
        for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"):
            found = allowed(name, f"sqs:{action}")
            assert sorted(map(str, found)) == sorted(map(str, expected)), action

    def test_may_not_scan_or_change_tables(self, name):
        for statement in own_policy(name)["Statement"]:
            for action in statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]:
                assert "*" not in action
                assert action not in ("dynamodb:Scan", "dynamodb:DeleteTable", "sqs:PurgeQueue")


def test_sending_is_given_to_those_who_send():
    senders = {name: [str(resource) for resource in allowed(name, "sqs:SendMessage")] for name in FUNCTIONS}
    assert senders == {
        "WebhookIntake": [str(arn("Inbound"))],
        "Hl7Intake": [str(arn("Inbound"))],
        "Poll": [str(arn("Inbound")), str(arn("Polls"))],
        "FileIngest": [str(arn("Inbound"))],
        "Export": [str(arn("Exports"))],
        "Normalize": [str(arn("Outbound")), str(arn("Commands")), str(arn("Polls"))],
        "Deliver": [str(arn("Commands"))],
        "FhirApi": [str(arn("Outbound"))],
        "Retry": [str(arn("Inbound")), str(arn("Outbound")), str(arn("Commands"))],
    }


def test_resources_are_written_by_those_who_map():
    resources = str({"Fn::GetAtt": ["Storage", "Outputs.ResourcesArn"]})
    writers = [name for name in FUNCTIONS if resources in map(str, allowed(name, "dynamodb:PutItem"))]
    assert writers == ["Normalize", "Deliver", "FhirApi"]


def test_functions_are_told_where_things_are():
    assert set(MAIN["Globals"]["Function"]["Environment"]["Variables"]) == ENVIRONMENT


def test_a_key_signs_only_for_the_stack_whose_name_it_bears():
    (statement,) = MAIN["Resources"]["SigningPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "kms:Sign"
    assert statement["Condition"]["StringEquals"] == {
        "aws:ResourceTag/pms-bridge": {"Ref": "AWS::StackName"},
        "kms:SigningAlgorithm": ["RSASSA_PKCS1_V1_5_SHA_384", "ECDSA_SHA_384"],
    }


def test_the_emulator_is_an_option_that_aws_never_sees():
    parameter = MAIN["Parameters"]["EndpointUrl"]
    assert parameter["Default"] == ""
    assert re.fullmatch(parameter["AllowedPattern"], "http://127.0.0.1:4566")
    assert not re.fullmatch(parameter["AllowedPattern"], "http://example.org:80")
    variables = MAIN["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["AWS_ENDPOINT_URL"] == {"Fn::If": ["OnEmulator", {"Ref": "EndpointUrl"}, {"Ref": "AWS::NoValue"}]}


def test_routes_are_explicit_and_reach_their_intake():
    routes = templates.resources(MAIN, "AWS::ApiGatewayV2::Route")
    reached = {route["RouteKey"]: route["Target"]["Fn::Sub"] for route in routes.values()}
    assert reached == {
        "POST /webhooks/{connection}": "integrations/${WebhookIntegration}",
        "GET /webhooks/{connection}": "integrations/${WebhookIntegration}",
        "POST /hl7/{connection}": "integrations/${Hl7Integration}",
        "ANY /fhir/{connection}/{proxy+}": "integrations/${FhirIntegration}",
        "GET /.well-known/jwks.json": "integrations/${FhirIntegration}",
    }
    assert "Body" not in MAIN["Resources"]["Api"]["Properties"]


@pytest.mark.parametrize(
    ("integration", "function"),
    [("WebhookIntegration", "WebhookIntake"), ("Hl7Integration", "Hl7Intake"), ("FhirIntegration", "FhirApi")],
)
def test_the_api_waits_longer_than_its_function_works(integration, function):
    integration = MAIN["Resources"][integration]["Properties"]
    assert integration["IntegrationUri"] == arn(function)
    assert integration["PayloadFormatVersion"] == "2.0"
    assert integration["TimeoutInMillis"] > 1000 * FUNCTIONS[function]["Timeout"]


def test_the_api_is_throttled_and_logs_no_query_string_and_no_header():
    stage = MAIN["Resources"]["ApiStage"]["Properties"]
    assert set(stage["DefaultRouteSettings"]) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
    logged = re.findall(r"\$context\.([\w.]+)", stage["AccessLogSettings"]["Format"])
    assert set(logged) == {
        "requestId",
        "requestTime",
        "identity.sourceIp",
        "routeKey",
        "path",
        "status",
        "responseLength",
        "responseLatency",
        "integrationErrorMessage",
    }
