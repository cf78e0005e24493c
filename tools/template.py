"""Reads the templates under infra/ and translates them to plain CloudFormation, without a network."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).resolve().parent.parent / "infra"
MAIN = INFRA / "template.yaml"
# Stacks of their own, beside the others.
GATEWAY = INFRA / "gateway.yaml"
SFTP = INFRA / "sftp.yaml"
SFTP_USER = INFRA / "sftp-user.yaml"
NESTED = {name: INFRA / f"{name.lower()}.yaml" for name in ("Storage", "Files", "Observability")}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, read into their long forms."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def load(path: Path) -> dict[str, Any]:
    """A template with intrinsic functions in their long forms."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def translate(template: dict[str, Any]) -> dict[str, Any]:
    """What CloudFormation makes of a SAM template. Every CodeUri must be an S3 address by now."""
    from samtranslator.translator.transform import transform

    class NoManagedPolicies:
        """No role is generated, so no policy is looked up by name."""

        def load(self) -> dict[str, str]:
            return {}

    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    return transform(copy.deepcopy(template), {}, NoManagedPolicies())


def resources(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Properties of all resources of one type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }
