"""Run by `test_processes_of_writing.py`: command lines in processes of their own, two on one folder, or killed.

A process that imports everything once and forks a fresh child for each attempt, since importing takes longer than most
of the commands do here. Prints one JSON object: what happened, "contended" and "killed", by command.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import random
import select
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import torch
from writing_commands import Writing, lasting, writing_commands

import gansynth.cli
from gansynth.classifiers import cell_encoder
from gansynth.files import hold, lock
from gansynth.gans.engine import showing
from gansynth.gans.independent_classifier import train_independent_classifier

PATIENCE = 120


def start(typed: list[str], log: Path, prepare: Callable[[], None] = lambda: None) -> int:
    """Type a command line in a child; return its process number."""
    log.parent.mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
        os.dup2(1, 2)
        prepare()
        status = gansynth.cli.run(typed)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def end(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contend(one: Writing, place: Path) -> dict[str, Any]:
    """Begin a command, and the same again while the first holds the folder."""
    held, go = os.pipe(), os.pipe()

    def wait_when_held() -> None:
        sign = lock._sign

        def signed(file: int) -> None:
            sign(file)
            os.write(held[1], b"x")
            os.read(go[0], 1)

        lock._sign = signed

    out = place / "out"
    one.lay(out)
    first = start(one.line(out), place / "first.log", wait_when_held)
    if not select.select([held[0]], [], [], PATIENCE)[0]:
        os.kill(first, signal.SIGKILL)
        end(first)
        return {"error": f"held nothing: {(place / 'first.log').read_text()}"}
    second = end(start(one.line(out, resume=True), place / "second.log"))
    if one.long:
        os.kill(first, signal.SIGKILL)
    else:
        os.write(go[1], b"xxx")
    for pipe in (*held, *go):
        os.close(pipe)
    status = end(first)
    with hold(out / one.file):  # whoever was killed does not stand in the way
        pass
    return {
        "pid": first,
        "first": 0 if one.long and status == -signal.SIGKILL else status,
        "second": second,
        "said": (place / "second.log").read_text(),
        "first_said": (place / "first.log").read_text(),
    }


def killed(one: Writing, place: Path, times: int, chance: random.Random) -> dict[str, Any]:
    """Type a command in peace, and again with kill -9 at random moments; go on to the end after each."""
    one.lay(place / "peace" / "out")
    began = time.monotonic()
    if end(start(one.line(place / "peace" / "out"), place / "peace.log")):
        return {"error": (place / "peace.log").read_text()}
    seconds = time.monotonic() - began
    whole = lasting(place / "peace" / "out")
    kills, refused, wrong = 0, [], []
    for k in range(times):
        out, log = place / str(k) / "out", place / f"{k}.log"
        one.lay(out)
        for _ in range(chance.randrange(1, 4)):
            child = start(one.line(out, resume=_begun(out)), log)
            time.sleep(chance.uniform(0.02, 0.95) * seconds)
            os.kill(child, signal.SIGKILL)
            kills += end(child) == -signal.SIGKILL
        last = place / f"{k}.last.log"
        status = end(start(one.line(out, resume=_begun(out)), last))
        said = last.read_text()
        if status == 2 and not one.resumable and "Traceback" not in said:
            refused.append(said)
        elif status:
            wrong.append(f"status {status}: {said}")
        elif (now := lasting(out)) != whole:
            other = sorted(name for name in {*now, *whole} if now.get(name) != whole.get(name))
            wrong.append(f"other files: {other}")
    return {"kills": kills, "refused": refused, "wrong": wrong, "seconds": seconds}


def _begun(out: Path) -> bool:
    """Whether there is something to go on with: in the folder, or beside it, where `balance` works until it is done."""
    return any(out.glob("*")) or any(path.is_dir() for path in out.parent.glob(f".{out.name}.*"))


def main(place: Path, given: dict[str, str], names: list[str], times: int, seed: int) -> None:
    torch.set_num_threads(1)
    os.fsync = lambda file: None  # the system outlives a killed process and keeps what that has written
    showing.train_independent_classifier = partial(train_independent_classifier, width=8)  # a quarter of its channels
    cell_encoder.FEWEST_SEEN = 640  # an encoder that `quality` and `benchmark` train sees a tenth, and is written alike
    for module in pkgutil.walk_packages(gansynth.__path__, "gansynth."):
        if "__main__" not in module.name and ".zoo" not in module.name:
            importlib.import_module(module.name)
    commands = writing_commands(**{name: Path(path) for name, path in given.items()})
    found: dict[str, dict[str, Any]] = {"contended": {}, "killed": {}}
    for name in names or list(commands):
        folder = name.replace(" ", "-")
        found["contended"][name] = contend(commands[name], place / "contended" / folder)
        if names or not commands[name].long:
            chance = random.Random(f"{name} {seed}")
            found["killed"][name] = killed(commands[name], place / "killed" / folder, times, chance)
    print(json.dumps(found))


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    main(Path(asked["place"]), asked["given"], asked["names"], asked["times"], asked["seed"])
