"""Shared by the tests of the templates: an emulator, and the stack deployed to it."""

import sys
import zipfile
from pathlib import Path

import deploy
import emulator
import pytest


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    """A fresh emulator that enforces IAM policies."""
    with emulator.running(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="session")
def stack(aws, tmp_path_factory):
    """The stack, with `probe.py` in place of every function."""
    bootstrap = tmp_path_factory.mktemp("probe") / "bootstrap.zip"
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(bootstrap, "w") as archive:
        archive.writestr(entry, f"#!/bin/sh\nexec '{sys.executable}' \"$LAMBDA_TASK_ROOT/probe.py\"\n")
        archive.write(Path(__file__).with_name("probe.py"), "probe.py")
    return deploy.deploy(aws.endpoint, dict.fromkeys(deploy.binaries(), bootstrap))
