"""The gateway's image where none can be built: the steps of its Containerfile, as far as they can be done by hand."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT, Gateway, free_ports, healthy
from tap import Tap

CONTAINERFILE = ROOT / "gateways" / "mllp" / "Containerfile"
# What "distroless cc" and Debian's slim images bring.
GLIBC = re.compile(r"linux-vdso|libc\.so|libm\.so|libgcc_s\.so|ld-linux")


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """Instruction and arguments of each step."""
    lines = CONTAINERFILE.read_text().replace("\\\n", "").splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line and not line.startswith("#")]


def of(steps: list[tuple[str, str]], instruction: str) -> list[str]:
    return [arguments for name, arguments in steps if name == instruction]


def test_what_is_built_is_what_is_copied_and_run(steps):
    (build,) = (run for run in of(steps, "RUN") if "cargo build" in run)
    package = build.split("--package ")[1]
    copied = dict(copy.removeprefix("--from=build ").split(" ") for copy in of(steps, "COPY") if "--from" in copy)
    binary = copied[f"/bridge/target/release/{package}"]
    assert of(steps, "ENTRYPOINT") == [json.dumps([binary])]
    assert of(steps, "STOPSIGNAL") == ["SIGTERM"]
    (user,) = of(steps, "USER")
    assert int(user.split(":")[0]) > 0
    compiler = re.search(r'rust-version = "([\d.]+)"', (ROOT / "Cargo.toml").read_text())[1]
    assert of(steps, "FROM")[0].startswith(f"rust:{compiler}-")
    ports = re.findall(r"ContainerPort: (\d+)", (ROOT / "infra" / "gateway.yaml").read_text())
    assert ports and set(ports) <= set(of(steps, "EXPOSE")[0].split())


def test_the_context_holds_all_that_the_build_reads(steps, tmp_path):
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    ignored = (ROOT / ".containerignore").read_text().split()
    assert {".git", "target"} <= set(ignored), "the context would be gigabytes"
    for name in filter(None, tracked.stdout.decode().split("\0")):
        assert not any(name == one or name.startswith(f"{one}/") for one in ignored), name
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    (build,) = (run for run in of(steps, "RUN") if "cargo build" in run)
    # The command itself takes a quarter of an hour; this reads the same manifests and the same lock.
    arguments = build.split("cargo build ")[1].replace("--release ", "").split()
    command = ["cargo", "tree", "--quiet", "--edges", "normal", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("mllp-gateway"), done.stderr


def test_the_binary_runs_as_the_image_runs_it(bridge, binaries, steps):
    linked = subprocess.run(["ldd", binaries / "mllp-gateway"], capture_output=True, text=True, check=True).stdout
    assert [line for line in linked.splitlines() if not GLIBC.search(line)] == []
    (user,) = of(steps, "USER")
    user_id = int(user.split(":")[0]) if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        binary = shutil.copy(binaries / "mllp-gateway", folder)
        door, health = free_ports(2)
        environment = {
            **bridge.system["environment"],
            "AWS_REGION": bridge.system["region"],
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "MLLP_DOORS": json.dumps([{"port": door, "tenants": ["sunrise"]}]),
            "MLLP_HEALTH_PORT": str(health),
        }
        log = Path(folder) / "log"
        with log.open("wb") as out:
            child = subprocess.Popen([binary], env=environment, cwd="/", stdout=out, stderr=out, user=user_id)
        try:
            healthy(Gateway(child, [door], log, Tap(health)), health)
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=60) == 0, log.read_text()
        finally:
            child.kill()
