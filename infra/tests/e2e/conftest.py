"""The stack with the real functions."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import deploy
import pytest


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
