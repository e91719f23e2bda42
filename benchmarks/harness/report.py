# SPDX-License-Identifier: Apache-2.0
"""The report of a run: for the eye as Markdown, for programs as JSON."""

import json
import os
import platform
import subprocess
import time
from pathlib import Path

from .rounds import Summary

# The floor is believed only if it is well below servers that do the same work.
BELIEVED = [
    ("discard", "floor", "smtp-sink", 0.65),
    ("stat", "floor", "nginx", 0.35),
    ("smtp", "floor", "postfix", 0.15),
]
# What Martlet's processor time is to be, as a multiple of the floor's.
TARGETS = {"smtp": 1.4, "stat": 1.4, "retr": 1.6}


class Report:
    """Collects lines while a run goes on, and writes them down at its end."""

    def __init__(self, repository):
        self.repository = repository
        self.lines = []
        self.document = {"about": self.circumstances()}

    def add(self, line=""):
        self.lines.append(line)
        print(line, flush=True)

    def circumstances(self):
        def output(*command):
            result = subprocess.run(
                command, cwd=self.repository, capture_output=True, text=True
            )
            return result.stdout.strip()

        model = [
            line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ]
        commit = output("git", "rev-parse", "--short=12", "HEAD")
        changed = output("git", "status", "--porcelain", "--untracked-files=no")
        return {
            "date": time.strftime("%Y-%m-%d"),
            "commit": commit + (" with local changes" if changed else ""),
            "kernel": platform.release(),
            "processor": f"{os.cpu_count()} × {model[0] if model else platform.machine()}",
            "libc": " ".join(platform.libc_ver()),
        }

    def head(self, command):
        self.document["command"] = command
        about = self.document["about"]
        self.add("# Benchmark results")
        self.add()
        self.add(f"Commit {about['commit']}, {about['date']}. Linux {about['kernel']}, "
                 f"{about['libc']}, {about['processor']}.")
        self.add(f"`{command}`; what it does and how to read it: [README](../README.md).")
        self.add()

    def scenario(self, scenario, runs, connections):
        self.add(f"## {scenario.title}, {connections} connections")
        self.add()
        self.add("| server | sessions/s | CPU µs/session | user + system | p50/p99 ms "
                 "| CPU ÷ floor (lowest–highest) |")
        self.add("|---|---:|---:|---:|---:|---:|")
        for server in scenario.servers:
            found = Summary(runs, scenario, server, connections)
            failures = f" ({found.failures} failed)" if found.failures else ""
            self.add(
                f"| {server.name}{failures} | {found.rate:.0f} | {found.cpu_us:.1f} "
                f"| {found.user_us:.0f} + {found.system_us:.0f} "
                f"| {found.p50_ms:.1f}/{found.p99_ms:.1f} "
                f"| {found.ratio:.2f} ({found.ratios[0]:.2f}–{found.ratios[-1]:.2f}) |"
            )
        self.add()

    def verdicts(self, scenarios, runs, connection_counts):
        self.add("## Checks")
        self.add()
        by_name = {scenario.name: scenario for scenario in scenarios}
        for connections in connection_counts:
            for name, low, high, most in BELIEVED:
                self._belief(by_name.get(name), runs, connections, low, high, most)
            for name, most in TARGETS.items():
                self._target(by_name.get(name), runs, connections, most)
        self.add()

    def _belief(self, scenario, runs, connections, low, high, most):
        servers = {server.name: server for server in scenario.servers} if scenario else {}
        if low not in servers or high not in servers:
            return
        ratio = (
            Summary(runs, scenario, servers[low], connections).cpu_us
            / Summary(runs, scenario, servers[high], connections).cpu_us
        )
        verdict = "believed" if ratio <= most else "NOT BELIEVED"
        self.add(f"- {scenario.name}, {connections} connections: {low} ÷ {high} = {ratio:.2f}, "
                 f"at most {most}: {verdict}")

    def _target(self, scenario, runs, connections, most):
        for server in scenario.servers if scenario else []:
            if server.name == "martlet":
                ratio = Summary(runs, scenario, server, connections).ratio
                verdict = "reached" if ratio <= most else "NOT REACHED"
                self.add(f"- {scenario.name}, {connections} connections: martlet ÷ floor = "
                         f"{ratio:.2f}, at most {most}: {verdict}")

    def write(self, directory, runs):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "latest.md").write_text("\n".join(self.lines).rstrip() + "\n")
        # A line for each run, so that two results can be compared line by line.
        head = ",\n".join(f'"{key}": {json.dumps(self.document[key])}' for key in self.document)
        lines = ",\n".join(json.dumps(run) for run in runs)
        (directory / "latest.json").write_text(f'{{{head},\n"runs": [\n{lines}\n]}}\n')
