"""Deploys infra/template.yaml with built functions to an AWS endpoint, as `sam deploy` would, but without a network
and with any zip as a function."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import template as templates

ARTIFACTS = "bridge-artifacts"


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


def deploy(endpoint: str, bootstraps: dict[str, Path], name: str = "bridge", **parameters: str) -> Stack:
    """Creates the stack, with the zip of `bootstraps` for each binary, and waits until it stands."""
    s3 = client("s3", endpoint)
    s3.create_bucket(Bucket=ARTIFACTS)
    for function, path in bootstraps.items():
        s3.put_object(Bucket=ARTIFACTS, Key=f"{function}.zip", Body=path.read_bytes())

    template = copy.deepcopy(templates.load(templates.MAIN))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": ARTIFACTS, "Key": f"{binary(resource)}.zip"}
    for nested, path in templates.NESTED.items():
        body = json.dumps(templates.load(path))
        template["Resources"][nested]["Properties"]["TemplateURL"] = upload(s3, endpoint, f"{nested}.json", body)
    url = upload(s3, endpoint, "template.json", json.dumps(templates.translate(template)))

    cloudformation = client("cloudformation", endpoint)
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=url,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return Stack(name, {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]})


def upload(s3: Any, endpoint: str, key: str, body: str) -> str:
    """Puts an artifact and gives its address."""
    s3.put_object(Bucket=ARTIFACTS, Key=key, Body=body.encode())
    return f"{endpoint}/{ARTIFACTS}/{key}"
