#!/usr/bin/env python3
"""Trains the dictionary with which payloads are compressed before they are sealed.

    tools/dictionary/train.py shared/seal/src/dictionary-2.zdict

Needs `zstd` (Debian: apt-get install zstd). The samples are the adapters' fixtures (the messages that came in and the
resources that they became) and the events beside this file, which have all the fields that such events have in
earnest; each many times over with every value changed. So the dictionary learns the names and shapes that payloads
have in common, and no value could ever be in it that was not invented.

What was sealed with a dictionary opens with that one only. A new one gets a new number in `shared/seal`, beside the
old ones, which stay as long as any payload does.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VARIANTS = 60
# The events beside this file weigh more: they are what comes in all day.
WEIGHT = 8
SIZE = 16 * 1024

WORDS = (  # noqa: SIM905
    "annual cleaning review follow up visit patient reports no pain after treatment left right upper lower molar blood "
    "pressure checked please call before the appointment new insurance card requested form signed by parent guardian "
    "medication list updated allergy noted next week morning afternoon office north south main street road avenue"
).split()
DIGIT = re.compile(r"\d")
WORD = re.compile(r"[A-Za-z]+")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Addresses of systems stay as they are, and so do the words of short lists: payloads have them in common.
ADDRESS = re.compile(r"^(https?:|urn:|/)")
LISTED = re.compile(r"^([A-Z][A-Za-z]+/|[A-Z_]+$|[a-z-]+$|\d{4}-\d\d-\d\d)")
LISTS = {"gender", "status", "use", "type", "event", "AptStatus", "PatStatus", "Gender", "State", "state"}


def changed(value: str, chance: random.Random) -> str:
    """A value of the same form that says something else."""
    if ADDRESS.search(value):
        return value
    value = UUID.sub(lambda _: str(uuid.UUID(int=chance.getrandbits(128), version=5)), value)
    value = DIGIT.sub(lambda _: str(chance.randrange(10)), value)
    if LISTED.search(value):
        return value

    def word(found: re.Match[str]) -> str:
        new = chance.choice(WORDS) if chance.random() < 0.6 else "".join(chance.choices("aeioulnrstdmkbh", k=6))
        return new.capitalize() if found[0][:1].isupper() else new

    return WORD.sub(word, value)


def variant(value: object, chance: random.Random, name: str = "") -> object:
    """The same document with other values, and now and then without one."""
    if isinstance(value, dict):
        items = [(key, each) for key, each in value.items() if key == "resourceType" or chance.random() > 0.03]
        return {key: variant(each, chance, key) for key, each in items}
    if isinstance(value, list):
        return [variant(each, chance, name) for each in value]
    if isinstance(value, str) and name != "resourceType" and name not in LISTS:
        return changed(value, chance)
    if isinstance(value, int) and not isinstance(value, bool) and value > 9:
        return int("".join(str(chance.randrange(1, 10)) for _ in str(value)))
    return value


def documents() -> list[object]:
    """What the fixtures hold: messages as they come in, resources as they are stored."""
    found: list[object] = []
    paths = [*ROOT.glob("adapters/*/fixtures/*/*.json"), *ROOT.glob("tools/dictionary/*.json")]
    for path in sorted(paths):
        document = json.loads(path.read_text())
        each = document if isinstance(document, list) else [document]
        found += each * (WEIGHT if path.parent == HERE else 1)
    return [document for document in found if isinstance(document, dict)]


def main() -> None:
    chance = random.Random(20_261_122)
    with tempfile.TemporaryDirectory() as folder:
        samples = []
        for number, document in enumerate(documents()):
            for turn in range(VARIANTS):
                sample = Path(folder, f"{number:04}-{turn:03}.json")
                text = json.dumps(variant(document, chance), separators=(",", ":"), ensure_ascii=False)
                sample.write_text(text)
                samples.append(str(sample))
        command = ["zstd", "--quiet", "--train", f"--maxdict={SIZE}", "--dictID=2", "-19", "-r", folder]
        subprocess.run([*command, "-f", "-o", sys.argv[1]], check=True)
    print(f"{sys.argv[1]}: {Path(sys.argv[1]).stat().st_size} bytes from {len(samples)} samples")


if __name__ == "__main__":
    main()
