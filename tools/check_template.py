"""Checks the templates under infra/: cfn-lint on the sources and on what the SAM translator makes of them, and
`sam validate --lint`. Needs no network."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import template as templates

BIN = Path(sys.executable).parent


def _run(command: list[str | Path]) -> list[str]:
    environment = os.environ | {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    return [f"{Path(command[0]).name} {command[-1]}:\n{done.stdout}{done.stderr}"]


def translated() -> dict:
    """The main template as plain CloudFormation, with addresses that stand for uploaded code."""
    template = copy.deepcopy(templates.load(templates.MAIN))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "artifacts", "Key": "bootstrap.zip"}
    for nested in templates.NESTED:
        template["Resources"][nested]["Properties"]["TemplateURL"] = "https://artifacts.s3.amazonaws.com/nested"
    return templates.translate(template)


def problems() -> list[str]:
    """What the linters say; empty when they are content."""
    beside = [templates.GATEWAY, templates.SFTP, templates.SFTP_USER]
    found = _run([BIN / "cfn-lint", templates.MAIN, *templates.NESTED.values(), *beside])
    found += _run([BIN / "sam", "validate", "--lint", "--template", templates.MAIN])
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "translated.json"
        out.write_text(json.dumps(translated(), indent=1), encoding="utf-8")
        found += _run([BIN / "cfn-lint", out])
    return found


if __name__ == "__main__":
    complaints = problems()
    print("\n".join(complaints) if complaints else "the templates are clean")
    sys.exit(bool(complaints))
