"""Every queue and function has its logs and alarms, under the names that template.yaml gives them."""

from pathlib import Path

import pytest
import template as templates

MAIN = templates.load(templates.MAIN)
OBSERVABILITY = templates.load(templates.NESTED["Observability"])
ALARMS = templates.resources(OBSERVABILITY, "AWS::CloudWatch::Alarm")
OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def names(kind: str, attribute: str) -> set[str]:
    """Names that the parent gives, seen from the nested stack."""
    found = templates.resources(MAIN, kind).values()
    return {resource[attribute]["Fn::Sub"].replace("AWS::StackName", "Prefix") for resource in found}


QUEUES = names("AWS::SQS::Queue", "QueueName")
FUNCTIONS = names("AWS::Serverless::Function", "FunctionName")
DEAD_LETTERS = {name for name in QUEUES if name.removesuffix(".fifo").endswith("-dead-letters")}


def watched(metric: str) -> set[str]:
    """What has an alarm on a metric."""
    return {
        dimension["Value"]["Fn::Sub"]
        for alarm in ALARMS.values()
        if alarm["MetricName"] == metric
        for dimension in alarm["Dimensions"]
    }


def test_age_of_every_working_queue_is_watched():
    assert watched("ApproximateAgeOfOldestMessage") == QUEUES - DEAD_LETTERS


def test_every_dead_letter_queue_is_watched_for_arrivals_and_for_what_stays():
    assert watched("NumberOfMessagesReceived") == DEAD_LETTERS
    assert watched("ApproximateNumberOfMessagesVisible") == DEAD_LETTERS


def test_errors_and_throttles_of_every_function_are_watched():
    assert watched("Errors") == FUNCTIONS
    assert watched("Throttles") == FUNCTIONS


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_when_it_starts_and_when_it_clears(name):
    assert ALARMS[name]["AlarmActions"] == ALARMS[name]["OKActions"] == [{"Ref": "Alarms"}]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_has_a_description_and_an_instruction(name):
    assert ALARMS[name]["AlarmDescription"]
    alarm = ALARMS[name]["AlarmName"]["Fn::Sub"].removeprefix("${Prefix}-")
    assert f"`{alarm}`" in OPERATIONS.read_text(encoding="utf-8")


def test_every_function_has_an_encrypted_log_group_that_forgets():
    groups = templates.resources(OBSERVABILITY, "AWS::Logs::LogGroup")
    for group in groups.values():
        assert group["KmsKeyId"] == {"Ref": "KeyArn"}
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    logged = {group["LogGroupName"]["Fn::Sub"].removeprefix("/aws/lambda/") for group in groups.values()}
    assert logged == FUNCTIONS | {"/aws/vendedlogs/${Prefix}-api"}


def test_alarms_travel_encrypted():
    assert OBSERVABILITY["Resources"]["Alarms"]["Properties"]["KmsMasterKeyId"] == {"Ref": "KeyArn"}
