"""Where the emulator's processor time goes under a flood: milliseconds a task, by the work that a thread was doing.

    python -m benchmarks.emulator_profile [--seconds S] [--json PATH]

A module that only this benchmark puts in the emulator's way measures the processor time of each thread around the main
pieces of work; what one piece calls of another counts for the other. Unlike samples of a program with a global lock,
which are taken where the lock changes hands, this is true time. What is in no piece (the collector of garbage, threads
that start, metrics) is the rest up to the processor time of the whole process.
"""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.pipeline import systems
from benchmarks.pipeline.systems import RUN_ID, STATE
from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.scenario import from_dict
from dlqlab.emulator.patches import ALL
from dlqlab.load.ledger import read_ledger
from dlqlab.load.starter import start_load
from dlqlab.waiting import wait_for

METER = r"""
import functools, json, os, sys, threading, time

lock, local, used_s, calls = threading.Lock(), threading.local(), {}, {}
path = os.environ.get("DLQLAB_BENCH_PROFILE", "")

def measured(label, function):
    @functools.wraps(function)
    def wrapper(*args, **options):
        name = label(*args) if callable(label) else label
        outer, local.inner_s = getattr(local, "inner_s", 0.0), 0.0
        began = time.thread_time()
        try:
            return function(*args, **options)
        finally:
            whole_s = time.thread_time() - began
            with lock:
                used_s[name] = used_s.get(name, 0.0) + whole_s - local.inner_s
                calls[name] = calls.get(name, 0) + 1
            local.inner_s = outer + whole_s
    return wrapper

def named(target):
    return target.partition("_")[0].partition(".")[0].replace("AmazonSQS", "SQS") + " " + target.rpartition(".")[2]

def call(method, path, headers, body):
    return named(headers[b"x-amz-target"].decode()) if b"x-amz-target" in headers else "HTTP: reading and sending"

def request(application, environ, *_):
    if "HTTP_X_AMZ_TARGET" in environ:
        return named(environ["HTTP_X_AMZ_TARGET"])
    return "API Gateway" if "execute-api" in environ["RAW_URI"] else "other requests"

def install():
    from dlqlab.emulator.gateway import shortcut, server
    from dlqlab.emulator.mappings import concurrent_pollers, invoke_in_process, sqs_records
    from dlqlab.emulator.logs import store_function_logs
    from dlqlab.emulator.runtime.environment import Environment
    shortcut.reply = measured(call, shortcut.reply)
    server._respond = measured(request, server._respond)
    server._serve_one = measured("HTTP: reading and sending", server._serve_one)
    concurrent_pollers.receive = measured("poller: receive", concurrent_pollers.receive)
    concurrent_pollers.PollerGroup._work = measured("poller: batch", concurrent_pollers.PollerGroup._work)
    sqs_records.delete = measured("poller: delete", sqs_records.delete)
    invoke_in_process.invoke = measured("Lambda service: invoke", invoke_in_process.invoke)
    Environment.invoke = measured("Lambda runtime: conversation and output", Environment.invoke)

def look():
    while not os.path.exists(path + ".on"):
        time.sleep(0.02)
    install()
    began_s = time.process_time()
    while os.path.exists(path + ".on"):
        time.sleep(0.02)
    whole_s = time.process_time() - began_s
    with lock, open(path + ".part", "w") as file:
        json.dump({"process_s": whole_s, "used_s": used_s, "calls": calls}, file)
    os.replace(path + ".part", path)

if path and "dlqlab.emulator.boot" in sys.orig_argv:
    threading.Thread(target=look, daemon=True).start()
"""


def measure(seconds: float) -> dict[str, Any]:
    """``tasks`` accepted, ``process_s``, and by piece of work ``used_s`` and ``calls``."""
    STATE.mkdir(parents=True, exist_ok=True)
    scenario = from_dict(
        {
            "name": "profile",
            "load": {"users": 8, "rate_per_s": 0, "duration_s": seconds, "tasks": 100_000},
            "faults": {"mode": "none"},
        },
        source="benchmarks",
    )
    with TemporaryDirectory(dir=STATE) as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(METER)
        found, switch = folder / "profile.json", folder / "profile.json.on"
        extra = {"PYTHONPATH": name, "DLQLAB_BENCH_PROFILE": str(found)}
        with systems.localstack("ours", scenario, patches=ALL, extra=extra) as running:
            switch.touch()
            start_load(scenario, url=running.url, run=RunDir(folder / "load"), run_id=RUN_ID)
            switch.unlink()
            wait_for("the profile", lambda: (found.exists(), None), deadline_s=10)
        rows = read_ledger(folder / "load" / "ledger").rows
        profile: dict[str, Any] = json.loads(found.read_text())
    return profile | {"tasks": int((rows["outcome"] == "acknowledged").sum())}


def table(profile: Mapping[str, Any]) -> list[str]:
    """A line for each piece of work, most first: ms a task, share, calls a task."""
    tasks, whole_s = profile["tasks"], profile["process_s"]
    used_s = dict(profile["used_s"])
    used_s["the rest"] = max(0.0, whole_s - sum(used_s.values()))
    lines = [f"{tasks:,} tasks, {1000 * whole_s / tasks:.2f} ms of the emulator's processor time each", ""]
    for name, used in sorted(used_s.items(), key=lambda pair: -pair[1]):
        calls = profile["calls"].get(name, 0) / tasks
        lines.append(f"{name:<42}{1000 * used / tasks:7.2f} ms{100 * used / whole_s:6.1f} %{calls:8.2f} calls")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0, help="of load")
    parser.add_argument("--json", type=Path, default=STATE / "emulator_profile.json", help="where the numbers go")
    options = parser.parse_args()
    profile = measure(options.seconds)
    print(time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    print("\n".join(table(profile)))
    write_json(options.json, profile)
    print(f"JSON: {options.json}")


if __name__ == "__main__":
    main()
