"""The emulator goes away while messages come in: no positive acknowledgment without a durable write, and in the end
every message is there once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from mllp import Client, frame

SENDERS, EACH = 8, 40


def test_no_positive_answer_while_nothing_can_be_kept(bridge, gateway):
    known = bridge.messages()
    running = gateway({"tenants": ["sunrise"]})
    with Client(running.ports[0]) as client:
        client.send(frame("before", "N"))
        assert client.answer() == ("AA", "before")
        running.tap.close()
        for number in range(3):
            client.send(frame(f"during-{number}", "N"))
            assert client.answer() == ("AE", f"during-{number}")
        running.tap.open()
        client.send(frame("after", "N"))
        assert client.answer() == ("AA", "after")
    bridge.comes_to(known + 2)


def test_senders_that_send_again_lose_nothing(bridge, gateway):
    known = bridge.messages()
    running = gateway({"tenants": ["sunrise"]})
    progress = threading.Semaphore(0)
    refused = []

    def send(sender: int) -> None:
        with Client(running.ports[0]) as client:
            for number in range(EACH):
                control_id = f"outage-{sender}-{number}"
                for attempt in range(200):
                    client.send(frame(control_id, f"O{sender}"))
                    code, answered = client.answer()
                    assert answered == control_id
                    if code == "AA":
                        break
                    assert code == "AE" and attempt < 199
                    refused.append(control_id)
                    time.sleep(0.1)
                progress.release()

    with ThreadPoolExecutor(SENDERS) as senders:
        sent = [senders.submit(send, sender) for sender in range(SENDERS)]
        for _ in range(SENDERS * EACH // 4):
            assert progress.acquire(timeout=60)
        running.tap.close()
        time.sleep(1.5)
        running.tap.open()
        for one in sent:
            one.result(timeout=120)
    assert refused, "the outage went unnoticed"
    bridge.comes_to(known + SENDERS * EACH)
