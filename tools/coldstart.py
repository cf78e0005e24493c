#!/usr/bin/env python3
"""Measures cold starts: from exec to the first GET of the runtime API's `/next`, for each function, beside a hello
world of lambda_runtime that is built like them.

    tools/coldstart.py target/release [rounds] [function ...]

Runs are interleaved, so that whatever else the machine does meets all of them, and medians are compared: the ratio says
more about Lambda than this machine's milliseconds do. AWS is a stub on loopback that refuses every call at once. So
this is the cost of the binary and its wiring; a handshake with AWS comes on top, for whoever makes one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

HELLO = "examples/hello"
FUNCTIONS = ["webhook-intake", "hl7-intake", "poll", "normalize", "deliver", "fhir-api", "retry"]
NAMES = ("LEDGER_TABLE", "RESOURCES_TABLE", "CONFIG_TABLE", "PAYLOAD_BUCKET", "FILES_BUCKET", "KEY_ID")
TABLES = dict.fromkeys(NAMES, "x")
FHIR = {"FHIR_ISSUER": "", "FHIR_AUDIENCE": "", "FHIR_TENANT_CLAIM": "tenant", "CACHE_URL": ""}
PATIENCE = 15.0


REFUSAL = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}"


def refuse(connection: socket.socket) -> None:
    """AWS, to whom everything is a bad request. Bare, because its time is part of what is measured."""
    with connection, contextlib.suppress(OSError):
        while connection.recv(65536):
            connection.sendall(REFUSAL)


def stand_in(aws: socket.socket) -> None:
    while True:
        threading.Thread(target=refuse, args=(aws.accept()[0],), daemon=True).start()


def environment(aws: int, runtime: int) -> dict[str, str]:
    """What Lambda and infra/template.yaml set."""
    endpoint = f"http://127.0.0.1:{aws}"
    queues = {
        f"{name}_QUEUE_URL": f"{endpoint}/000000000000/bridge-{name.lower()}.fifo"
        for name in ("INBOUND", "OUTBOUND", "COMMANDS", "POLLS", "EXPORTS", "DROPS")
    }
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "synthetic",
        "AWS_SECRET_ACCESS_KEY": "synthetic",
        "AWS_ENDPOINT_URL": endpoint,
        "STACK_NAME": "stack",
        **FHIR,
        **TABLES,
        **queues,
    }


def start(binary: Path, aws: int) -> float:
    """One start, in milliseconds."""
    with socket.create_server(("127.0.0.1", 0)) as runtime:
        runtime.settimeout(PATIENCE)
        begun = time.perf_counter()
        process = subprocess.Popen(
            [binary],
            env=environment(aws, runtime.getsockname()[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            connection, _ = runtime.accept()
            with connection:
                request = connection.recv(4096)
                took = (time.perf_counter() - begun) * 1000
        finally:
            process.kill()
            process.wait()
    if not request.startswith(b"GET /2018-06-01/runtime/invocation/next "):
        sys.exit(f"{binary.name} began with another request than for its first event")
    return took


def main() -> None:
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40
    aws = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=stand_in, args=(aws,), daemon=True).start()
    names = [HELLO, *(sys.argv[3:] or FUNCTIONS)]
    took: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 2):
        for name in names:
            millis = start(folder / name, aws.getsockname()[1])
            # The first two bring the files into memory.
            if turn >= 2:
                took[name].append(millis)
    yardstick = statistics.median(took[HELLO])
    print(f"{'':16} {'MiB':>6} {'least ms':>9} {'median ms':>10} {'of hello':>9}")
    for name in names:
        median, size = statistics.median(took[name]), (folder / name).stat().st_size / 2**20
        print(f"{Path(name).name:16} {size:6.1f} {min(took[name]):9.1f} {median:10.1f} {median / yardstick:9.2f}")


if __name__ == "__main__":
    main()
