"""gateway.yaml: what it may do, that it fits the gateway and the stack beside it, and its alarms."""

import re
from pathlib import Path

import pytest
import template as templates
import yaml

GATEWAY = templates.load(templates.GATEWAY)
MAIN = templates.load(templates.MAIN)
ROOT = Path(__file__).resolve().parents[2]
ALARMS = templates.resources(GATEWAY, "AWS::CloudWatch::Alarm")
(TASK,) = templates.resources(GATEWAY, "AWS::ECS::TaskDefinition").values()
(CONTAINER,) = TASK["ContainerDefinitions"]
TARGETS = templates.resources(GATEWAY, "AWS::ElasticLoadBalancingV2::TargetGroup")


def statements(policy: str) -> dict[str, dict]:
    """Statements of a policy by their names."""
    document = GATEWAY["Resources"][policy]["Properties"]["PolicyDocument"]
    return {statement["Sid"]: statement for statement in document["Statement"]}


def actions(policy: str) -> set[str]:
    """All actions that a policy allows."""
    found = set()
    for statement in statements(policy).values():
        assert statement["Effect"] == "Allow"
        action = statement["Action"]
        found |= set(action if isinstance(action, list) else [action])
    return found


def environment() -> dict:
    """The container's variables."""
    return {variable["Name"]: variable["Value"] for variable in CONTAINER["Environment"]}


def test_a_task_may_do_what_webhook_intake_may_and_nothing_else():
    door = MAIN["Resources"]["WebhookIntakePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    every = templates.load(templates.NESTED["Storage"])["Resources"]["EveryFunctionPolicy"]
    allowed = set()
    for statement in door + every["Properties"]["PolicyDocument"]["Statement"]:
        action = statement["Action"]
        allowed |= set(action if isinstance(action, list) else [action])
    # It never looks for a payload, and its log is written by Fargate.
    allowed -= {"s3:ListBucket", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert actions("TaskPolicy") == allowed


def test_a_task_uses_the_key_as_functions_do():
    every = templates.load(templates.NESTED["Storage"])["Resources"]["EveryFunctionPolicy"]
    theirs = {one["Sid"]: one for one in every["Properties"]["PolicyDocument"]["Statement"]}
    for sid in ("UseTheKeyThroughServices", "SealForTenants"):
        ours = statements("TaskPolicy")[sid]
        assert (ours["Action"], ours["Condition"]) == (theirs[sid]["Action"], theirs[sid]["Condition"])


def test_the_only_wildcard_is_the_one_that_the_registry_wants():
    text = templates.GATEWAY.read_text(encoding="utf-8")
    assert len(re.findall(r'Resource: "\*" # reason: \S+', text)) == 1
    for policy in ("TaskPolicy", "ExecutionPolicy"):
        for sid, statement in statements(policy).items():
            assert statement["Resource"] != "*" or sid == "LogInToTheRegistry"
            assert not any("*" in action for action in actions(policy))
    assert statements("ExecutionPolicy")["LogInToTheRegistry"]["Action"] == "ecr:GetAuthorizationToken"


def test_roles_are_for_this_accounts_tasks_and_have_no_inline_policy():
    for role in templates.resources(GATEWAY, "AWS::IAM::Role").values():
        assert "Policies" not in role
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_a_task_is_told_all_that_a_function_is_and_nothing_secret():
    # It reads no files, and makes no keys.
    others = {"AWS_ENDPOINT_URL", "DROPS_QUEUE_URL", "EXPORTS_QUEUE_URL", "FILES_BUCKET", "STACK_NAME"}
    functions = set(MAIN["Globals"]["Function"]["Environment"]["Variables"]) - others
    assert functions <= set(environment())
    secrets = {secret["Name"] for secret in CONTAINER["Secrets"]}
    assert secrets == {"MLLP_CERTIFICATE", "MLLP_KEY", "MLLP_CLIENT_CERTIFICATES"}
    assert not secrets & set(environment())


def test_the_gateway_reads_the_variables_that_it_is_told():
    source = (ROOT / "gateways" / "mllp" / "src" / "settings.rs").read_text(encoding="utf-8")
    told = {name for name in environment() if name.startswith("MLLP_")}
    for name in told | {secret["Name"] for secret in CONTAINER["Secrets"]}:
        assert f'"{name}"' in source, name


@pytest.mark.parametrize("clients", ["", "[{dns: pms.example, connection: a.b}]"])
def test_doors_are_yaml_with_the_ports_of_the_load_balancer(clients):
    by_certificate, shared = environment()["MLLP_DOORS"]["Fn::If"][1:]
    text = (by_certificate if clients else shared)["Fn::Sub"][0]
    doors = yaml.safe_load(text.replace("${Listed}", "sunrise, other").replace("${Clients}", clients))
    assert doors[0] == {"port": 2575, "tls": "server", "tenants": ["sunrise", "other"]}
    if clients:
        assert doors[1:] == [{"port": 2576, "tls": "mutual", "certificates": yaml.safe_load(clients)}]
    assert {target["Port"] for target in TARGETS.values()} == {2575, 2576}


def test_nothing_is_spoken_without_tls():
    text = templates.GATEWAY.read_text(encoding="utf-8")
    assert "tls: off" not in text
    assert all("tls:" in door for door in re.findall(r"\{port: [^}]*", text))


def test_a_container_is_not_root_and_can_not_change_itself():
    assert CONTAINER["User"] == "65532:65532"
    assert CONTAINER["ReadonlyRootFilesystem"] is True
    assert CONTAINER["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    containerfile = (ROOT / "gateways" / "mllp" / "Containerfile").read_text(encoding="utf-8")
    assert "USER 65532:65532" in containerfile


def test_a_task_has_more_time_to_stop_than_it_takes():
    assert CONTAINER["StopTimeout"] > int(environment()["MLLP_DRAIN_SECONDS"])


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_checked_and_see_who_calls(name):
    target = TARGETS[name]
    assert (target["HealthCheckPort"], target["HealthCheckPath"]) == ("8080", "/healthz")
    assert {"Key": "preserve_client_ip.enabled", "Value": "true"} in target["TargetGroupAttributes"]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_when_it_starts_and_when_it_clears_and_has_an_instruction(name):
    alarm = ALARMS[name]
    topic = alarm["AlarmActions"][0]["Fn::Sub"]
    assert topic.endswith(":${Bridge}-alarms")
    assert alarm["AlarmActions"] == alarm["OKActions"]
    title = alarm["AlarmName"]["Fn::Sub"].removeprefix("${Bridge}-")
    assert f"`{title}`" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_metrics_that_alarms_watch_are_written():
    source = (ROOT / "gateways" / "mllp" / "src" / "metrics.rs").read_text(encoding="utf-8")
    for alarm in ALARMS.values():
        if alarm["Namespace"] == "PmsBridge":
            assert f'"{alarm["MetricName"]}"' in source
            assert alarm["Dimensions"] == [{"Name": "service", "Value": environment()["MLLP_SERVICE"]}]


def test_the_log_has_a_name_that_the_key_lets_be_encrypted():
    (group,) = templates.resources(GATEWAY, "AWS::Logs::LogGroup").values()
    assert group["LogGroupName"]["Fn::Sub"].startswith("/aws/vendedlogs/${Bridge}-")
    assert group["KmsKeyId"] == {"Ref": "KeyArn"}
