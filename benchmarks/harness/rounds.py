# SPDX-License-Identifier: Apache-2.0
"""Runs the scenarios over all their servers in alternation, and keeps what was measured."""

import json
import statistics
import subprocess

from . import processes

DRIVER_SECONDS = 600


class Scenario:
    """One kind of session, the driver's arguments for it, and the servers that take it."""

    def __init__(self, name, title, command, arguments, servers, yardstick):
        self.name = name
        self.title = title
        self.command = command
        self.arguments = arguments
        self.servers = servers
        self.yardstick = yardstick

    def driver_arguments(self, server, sessions, connections, seed):
        port = server.smtp_port if self.command == "smtp" else server.pop3_port
        return [
            self.command, "--smtp" if self.command == "smtp" else "--pop3", str(port),
            "--sessions", str(sessions), "--connections", str(connections), "--seed", str(seed),
            *self.arguments,
        ]


def drive(driver, arguments):
    """One run of the driver: its report, and the texts of failures."""
    result = subprocess.run(
        [driver, *arguments], capture_output=True, text=True, timeout=DRIVER_SECONDS
    )
    if not result.stdout.strip():
        raise RuntimeError(f"the driver says: {result.stderr.strip()}")
    return json.loads(result.stdout), result.stderr.strip().splitlines()


def measure(driver, scenario, server, sessions, connections, seed):
    """One run against one server, with what the server's processes used for it."""
    before = processes.usage(server.pid)
    report, failures = drive(
        driver, scenario.driver_arguments(server, sessions, connections, seed)
    )
    used = processes.usage(server.pid) - before
    done = max(report["sessions"], 1)
    report.update(
        scenario=scenario.name, server=server.name, connections=connections,
        cpu_us=used.microseconds / done,
        user_us=used.microseconds * used.user_share / done,
        system_us=used.microseconds * (1 - used.user_share) / done,
        failure_texts=failures[:3],
    )
    return report


def run_rounds(driver, scenarios, rounds, sessions, connection_counts, say):
    """All runs of all rounds; every other round goes backwards, so that drift cancels out."""
    for scenario in scenarios:
        for server in scenario.servers:
            drive(driver, scenario.driver_arguments(server, 1000, connection_counts[0], 0))
    runs = []
    for number in range(rounds):
        for connections in connection_counts:
            for scenario in scenarios:
                servers = scenario.servers[::-1] if number % 2 else scenario.servers
                for server in servers:
                    run = measure(
                        driver, scenario, server, sessions, connections, seed=number + 1
                    )
                    run["round"] = number
                    runs.append(run)
        say(f"round {number + 1} of {rounds}")
    return runs


class Summary:
    """Medians of one server in one scenario, and its ratio to the yardstick."""

    FIGURES = ("rate", "cpu_us", "user_us", "system_us", "p50_ms", "p99_ms")

    def __init__(self, runs, scenario, server, connections):
        self.runs = self.select(runs, scenario, server, connections)
        for figure in self.FIGURES:
            setattr(self, figure, statistics.median(run[figure] for run in self.runs))
        self.failures = sum(run["failures"] for run in self.runs)
        yardstick = self.select(runs, scenario, scenario.yardstick, connections)
        # Each round is compared with itself: what disturbs the machine disturbs both.
        self.ratios = sorted(
            run["cpu_us"] / other["cpu_us"] for run, other in zip(self.runs, yardstick)
        )

    @staticmethod
    def select(runs, scenario, server, connections):
        return [
            run for run in runs
            if (run["scenario"], run["server"], run["connections"])
            == (scenario.name, server.name, connections)
        ]

    @property
    def ratio(self):
        return statistics.median(self.ratios) if self.ratios else float("nan")
