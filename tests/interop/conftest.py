"""A whole bridge on this machine, and gateways in front of its emulator: the binaries as they are deployed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import pytest
from tap import Tap

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONNECTION = "sunrise.registration"
TO_START = 300.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--binaries", type=Path, required=True, help="folder with `bridge` and `mllp-gateway`")


@pytest.fixture(scope="session")
def binaries(request: pytest.FixtureRequest) -> Path:
    """Where cargo put them."""
    return request.config.getoption("--binaries").resolve()


@pytest.fixture(scope="session")
def tools() -> Path:
    """Where what this suite fetches outlives a checkout."""
    return Path(os.environ.get("BRIDGE_TOOLS") or ROOT / "target" / "tools")


@dataclass
class Bridge:
    """A running `bridge up`."""

    binary: Path
    state: Path
    system: dict

    def apply(self, connections: str, folder: Path) -> None:
        """Applies connections, as YAML documents."""
        for number, document in enumerate(connections.split("---\n")):
            file = folder / f"{number}.yaml"
            file.write_text(document)
            command = [self.binary, "connections", "apply", file, "--state-dir", self.state]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr

    def messages(self) -> int:
        """How many messages of the example's registration it knows."""
        command = [self.binary, "messages", "list", "--connection", CONNECTION, "--limit", "100000", "--json"]
        done = subprocess.run([*command, "--state-dir", self.state], capture_output=True, text=True, check=True)
        return len(done.stdout.splitlines())

    def comes_to(self, count: int) -> None:
        """Waits until it knows so many messages, and no more."""
        deadline = time.monotonic() + 120
        while (known := self.messages()) < count:
            assert time.monotonic() < deadline, f"{known} of {count} messages"
            time.sleep(1)
        assert known == count


@pytest.fixture(scope="session")
def bridge(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """The bridge."""
    state = tmp_path_factory.mktemp("state")
    arguments = ["up", "--json", "--port", "0", "--mllp-port", "0", "--state-dir", str(state)]
    hidden = ("AWS_ENDPOINT_URL", "LEDGER_TABLE", "BRIDGE_STATE")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    said = state / "said"
    with said.open("wb") as out:
        child = subprocess.Popen(
            [binaries / "bridge", *arguments], stdout=out, stderr=subprocess.STDOUT, env=environment
        )
    try:
        running = Bridge(binaries / "bridge", state, ready(child, said))
        # The example's own sample comes first, or a test would count it.
        running.comes_to(1)
        yield running
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=60)


def ready(child: subprocess.Popen[bytes], said: Path) -> dict:
    """What it says when it is ready."""
    deadline = time.monotonic() + TO_START
    while True:
        for line in said.read_text().splitlines():
            if line.startswith('{"event":"ready"'):
                with contextlib.suppress(json.JSONDecodeError):
                    return json.loads(line)["system"]
        assert child.poll() is None and time.monotonic() < deadline, said.read_text()
        time.sleep(0.2)


@dataclass
class Gateway:
    """A running `mllp-gateway`."""

    child: subprocess.Popen[bytes]
    ports: list[int]
    log: Path
    tap: Tap

    def stop(self) -> list[dict]:
        """Stops it as Fargate does; the lines of its log."""
        self.child.send_signal(signal.SIGTERM)
        assert self.child.wait(timeout=60) == 0
        self.tap.close()
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def gateway(bridge: Bridge, binaries: Path, tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts gateways with these doors, whose ports it chooses."""
    started: list[Gateway] = []

    def start(*doors: dict, **environment: str) -> Gateway:
        ports = free_ports(len(doors) + 1)
        tap = Tap(urlparse(bridge.system["environment"]["AWS_ENDPOINT_URL"]).port)
        own = {
            **bridge.system["environment"],
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{tap.port}",
            "AWS_REGION": bridge.system["region"],
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "MLLP_DOORS": json.dumps([door | {"port": port} for door, port in zip(doors, ports, strict=False)]),
            "MLLP_HEALTH_PORT": str(ports[-1]),
            **environment,
        }
        log = tmp_path / f"gateway-{len(started)}.log"
        with log.open("wb") as out:
            child = subprocess.Popen([binaries / "mllp-gateway"], env=own, stdout=out, stderr=subprocess.STDOUT)
        running = Gateway(child, ports[:-1], log, tap)
        started.append(running)
        healthy(running, ports[-1])
        return running

    yield start
    for running in started:
        if running.child.poll() is None:
            running.child.kill()
            running.child.wait()
        running.tap.close()


def healthy(running: Gateway, port: int) -> None:
    """Waits as the load balancer does."""
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert json.load(answer)["state"] == "ready"
            return
        assert running.child.poll() is None and time.monotonic() < deadline, running.log.read_text()
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses."""
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


@pytest.fixture(scope="session")
def python_hl7(tools: Path):
    """The package hl7, installed once for each list of requirements."""
    requirements = HERE / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = tools / f"interop-{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    if not (folder / "complete").exists():
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        arguments = ["--only-binary", ":all:", "--upgrade", "--target", folder, "-r", requirements]
        done = subprocess.run([sys.executable, *install, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"python-hl7 can't be installed here: {done.stderr.strip()[-300:]}")
        (folder / "complete").touch()
    sys.path.insert(0, str(folder))
    import hl7.client

    return hl7.client


@pytest.fixture(scope="session")
def hapi(tools: Path) -> list[str]:
    """The command that HAPI's programs are run by; the program's file follows."""
    if not shutil.which("java") or not shutil.which("mvn"):
        pytest.skip("HAPI needs java and mvn")
    pom = HERE / "hapi" / "pom.xml"
    folder = tools / f"hapi-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
        command = ["mvn", "--quiet", "--batch-mode", "-f", pom, goal, f"-DoutputDirectory={folder}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"HAPI's jars can't be fetched here: {done.stdout.strip()[-300:]}")
        (folder / "complete").touch()
    return ["java", "-cp", f"{folder}/*"]


@pytest.fixture(scope="session")
def node(tools: Path) -> Callable[..., list[str]]:
    """The command that runs a program of `node/`, beside the packages that its lock names."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node-hl7-client and simple-hl7 need node and npm")
    names = ("package.json", "package-lock.json")
    digest = hashlib.sha256(b"".join((HERE / "node" / name).read_bytes() for name in names)).hexdigest()[:12]
    folder = tools / f"node-{digest}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(HERE / "node" / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--engine-strict", "--no-audit", "--no-fund"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            pytest.skip(f"node's packages can't be installed here: {done.stderr.strip()[-300:]}")
        (folder / "complete").touch()

    def program(name: str, *arguments: object) -> list[str]:
        # Node looks for packages beside the program.
        shutil.copy(HERE / "node" / name, folder)
        return ["node", str(folder / name), *map(str, arguments)]

    return program
