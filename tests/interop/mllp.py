"""MLLP over plain sockets, as `nc` and a hundred home-made senders speak it; and messages to send."""

from __future__ import annotations

import socket
import ssl

START, END = b"\x0b", b"\x1c\r"
PATIENCE = 30.0


def message(control_id: str, patient: str) -> bytes:
    """An ADT^A08 of the example's registration."""
    lines = (
        f"MSH|^~\\&|SUNREG|SUNRISE|BRIDGE|CLOUD|20261122101500||ADT^A08^ADT_A01|{control_id}|P|2.5.1",
        "EVN|A08|20261122101500",
        f"PID|1||{patient}^^^SUNRISE^MR||Testperson^Una||19700101|F",
    )
    return "\r".join(lines).encode() + b"\r"


def frame(control_id: str, patient: str) -> bytes:
    """The same, framed."""
    return START + message(control_id, patient) + END


class Client:
    """A connection."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.unread = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self.socket.sendall(data)

    def answer(self) -> tuple[str, str] | None:
        """MSA-1 and MSA-2 of the next answer; nothing when the connection is closed."""
        while END not in self.unread:
            data = self.socket.recv(65536)
            if not data:
                assert not self.unread, "half an answer"
                return None
            self.unread += data
        framed, self.unread = self.unread.split(END, 1)
        assert framed.startswith(START)
        return acknowledgment(framed[1:])

    def answers(self) -> list[tuple[str, str]]:
        """All answers until the connection is closed."""
        return list(iter(self.answer, None))


def acknowledgment(text: bytes) -> tuple[str, str]:
    """MSA-1 and MSA-2."""
    (msa,) = (line for line in text.decode().split("\r") if line.startswith("MSA|"))
    fields = msa.split("|")
    return fields[1], fields[2]
