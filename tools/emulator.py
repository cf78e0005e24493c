"""Runs MiniStack, the AWS emulator, on loopback: its own virtual environment, a free port, a fresh state."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "infra" / "emulator-requirements.txt"


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    endpoint: str
    log: Path


def python() -> Path:
    """The interpreter that has MiniStack; installed on first use, again when the requirements change."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("BRIDGE_TOOLS") or ROOT / "target" / "tools")
    venv = cache / f"emulator-{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    interpreter = venv / "bin" / "python"
    if not (venv / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        install = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        subprocess.run([interpreter, *install, "-r", REQUIREMENTS], check=True)
        (venv / "complete").touch()
    return interpreter


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _ready(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/ready", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Emulator]:
    """An emulator that enforces IAM policies. Its log is in `directory`; its state dies with it."""
    port = _free_port()
    endpoint = f"http://127.0.0.1:{port}"
    # Functions inherit what the emulator has: nothing of the caller's environment, least of all its credentials.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "AUTH": "true",
        # Otherwise a broker for AWS IoT listens on every interface.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "INFO",
        "TMPDIR": str(directory),
    }
    log = directory / "emulator.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [python(), "-m", "ministack"], env=environment, cwd=directory, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 60
        while not _ready(endpoint):
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the emulator did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield Emulator(endpoint, log)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            child.kill()
