"""The stack with the real functions."""

import base64
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import deploy
import loopback
import pytest
from practice import HL7_PASSWORD, STUDIO_KEY, WIDGET_SECRET


def pytest_addoption(parser):
    parser.addoption("--binaries", type=Path, required=True, help="folder with `bridge` and the functions' binaries")


@pytest.fixture(scope="session")
def binaries(request) -> Path:
    """Where cargo put them."""
    return request.config.getoption("--binaries").resolve()


def bootstrap(binary: Path, directory: Path) -> Path:
    """A Lambda package of a binary. A debug build shrinks a lot without its symbols."""
    stripped = directory / binary.name
    if shutil.which("strip"):
        subprocess.run(["strip", "-o", stripped, binary], check=True)
    else:
        shutil.copy(binary, stripped)
    package = directory / f"{binary.name}.zip"
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, stripped.read_bytes())
    return package


@pytest.fixture(scope="session")
def stack(aws, binaries, tmp_path_factory):
    """The deployed stack."""
    directory = tmp_path_factory.mktemp("packages")
    packages = {name: bootstrap(binaries / name, directory) for name in deploy.binaries()}
    return deploy.deploy(aws.endpoint, packages)


@pytest.fixture(scope="session")
def receiver():
    """Practice Studio on loopback; gives its address and what it receives."""
    with loopback.receiver() as (address, received):
        yield f"{address}fhir", received


@pytest.fixture(scope="session")
def bridge(aws, stack, binaries):
    """The command, working on the deployed stack."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "LEDGER_TABLE": stack.outputs["LedgerTable"],
        "RESOURCES_TABLE": stack.outputs["ResourcesTable"],
        "CONFIG_TABLE": stack.outputs["ConfigTable"],
        "INBOUND_QUEUE_URL": stack.outputs["InboundQueueUrl"],
        "OUTBOUND_QUEUE_URL": stack.outputs["OutboundQueueUrl"],
        "COMMANDS_QUEUE_URL": stack.outputs["CommandsQueueUrl"],
        "POLLS_QUEUE_URL": stack.outputs["PollsQueueUrl"],
        "PAYLOAD_BUCKET": stack.outputs["PayloadBucket"],
        "KEY_ID": stack.outputs["KeyId"],
        "E2E_WIDGET_SECRET": WIDGET_SECRET,
        "E2E_HL7_PASSWORD": HL7_PASSWORD,
        "E2E_STUDIO_SECRET": "whsec_" + base64.b64encode(STUDIO_KEY).decode(),
    }

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [binaries / "bridge", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def configured(bridge, receiver, tmp_path_factory):
    """The tenant and its connections, applied."""
    directory = tmp_path_factory.mktemp("config")
    for source in Path(__file__).with_name("config").iterdir():
        (directory / source.name).write_text(source.read_text().replace("RECEIVER", receiver[0]))
    bridge("connections", "apply", directory)
