"""Deploys infra/template.yaml to the emulator as `sam deploy` would, with any zip as a function."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import template as templates

ARTIFACTS = "bridge-artifacts"
TLS_ONLY = ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy")


@dataclass(frozen=True)
class Stack:
    """A deployed stack."""

    name: str
    outputs: dict[str, str]


def client(service: str, endpoint: str) -> Any:
    """A client of the emulator at `endpoint`."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def binary(function: dict[str, Any]) -> str:
    """Name of the binary that a function's resource is built from."""
    return function["Metadata"]["BuildProperties"]["Binary"]


def binaries() -> list[str]:
    """Names of the binaries that the template's functions are built from."""
    resources = templates.load(templates.MAIN)["Resources"].values()
    return [binary(resource) for resource in resources if resource["Type"] == "AWS::Serverless::Function"]


def deploy(endpoint: str, bootstraps: dict[str, Path], name: str = "bridge", **parameters: str) -> Stack:
    """Creates the stack, with the zip of `bootstraps` for each binary, and waits until it stands."""
    # The emulator runs functions as processes of this machine.
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    parameters = {"Architecture": machine, "DeletionProtection": "false", "EndpointUrl": endpoint} | parameters
    s3 = client("s3", endpoint)
    s3.create_bucket(Bucket=ARTIFACTS)
    for function, path in bootstraps.items():
        s3.put_object(Bucket=ARTIFACTS, Key=f"{function}.zip", Body=path.read_bytes())

    template = templates.load(templates.MAIN)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": ARTIFACTS, "Key": f"{binary(resource)}.zip"}
            # Parameters are texts, and of a standard queue the emulator wants a number.
            for event in resource["Properties"].get("Events", {}).values():
                if "ScalingConfig" in event["Properties"]:
                    event["Properties"]["ScalingConfig"] = {"MaximumConcurrency": 2}
    for nested, path in templates.NESTED.items():
        body = json.dumps(for_emulator(templates.load(path)))
        template["Resources"][nested]["Properties"]["TemplateURL"] = upload(s3, endpoint, f"{nested}.json", body)
    url = upload(s3, endpoint, "template.json", json.dumps(templates.translate(for_emulator(template))))

    cloudformation = client("cloudformation", endpoint)
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=url,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    described = finished(cloudformation, name)
    if described["StackStatus"] != "CREATE_COMPLETE":
        raise RuntimeError("the stack was not created:\n" + "\n".join(failures(cloudformation)))
    return Stack(name, {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]})


def finished(cloudformation: Any, name: str) -> dict[str, Any]:
    """The stack, when nothing is in progress any more."""
    deadline = time.monotonic() + 120
    while True:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            raise TimeoutError(f"stack {name} is still {stack['StackStatus']}")
        time.sleep(0.1)


def failures(cloudformation: Any) -> list[str]:
    """Which resources of which stacks could not be created, and why."""
    return [
        f"{stack['StackName']} {event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
        for stack in cloudformation.list_stacks()["StackSummaries"]
        for event in cloudformation.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
        if event["ResourceStatus"].endswith("_FAILED")
    ]


def for_emulator(template: dict[str, Any]) -> dict[str, Any]:
    """The template, fit for an emulator that speaks plain HTTP on loopback, knows neither kms:ViaService nor encryption
    contexts as condition keys, and wants batch actions of SQS by their own names (AWS covers them with the singular
    ones). infra/tests asserts on the template itself what is left out here."""
    resources = template["Resources"]
    for name in [name for name, resource in resources.items() if resource["Type"] in TLS_ONLY]:
        policy = resources[name]["Properties"]["PolicyDocument"]
        policy["Statement"] = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
        if not policy["Statement"]:
            del resources[name]
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                statement.pop("Condition", None)
                statement["Action"] = [
                    name
                    for action in listed(statement["Action"])
                    for name in ([action, f"{action}Batch"] if action.startswith("sqs:") else [action])
                ]
    return template


def listed(value: Any) -> list[Any]:
    """Policies may give one thing where a list could stand."""
    return value if isinstance(value, list) else [value]


def upload(s3: Any, endpoint: str, key: str, body: str) -> str:
    """Puts an artifact and gives its address."""
    s3.put_object(Bucket=ARTIFACTS, Key=key, Body=body.encode())
    return f"{endpoint}/{ARTIFACTS}/{key}"
