# SPDX-License-Identifier: Apache-2.0
"""Servers that pass mail on: each holds a queue until it is told to send it to a sink."""

import json
import subprocess
import time
from pathlib import Path

from . import processes
from .postfix import Postfix
from .servers import CannotStart, Martlet, free_port

FILL_SECONDS = 600
DRAIN_SECONDS = 600
CONCURRENCY = 20


def send(peers, port, count, octets, recipient):
    """Sends messages over lasting connections with Postfix's smtp-source."""
    subprocess.run(
        [peers.path("sbin/smtp-source"), "-d", "-s", str(CONCURRENCY), "-m", str(count),
         "-l", str(octets), "-f", "writer@example.org", "-t", recipient,
         "-M", "client.example", f"127.0.0.1:{port}"],
        env={"LD_LIBRARY_PATH": peers.libraries}, check=True, timeout=FILL_SECONDS,
    )


class Drained:
    """What one emptying of a queue took."""

    def __init__(self, count, seconds, used):
        self.rate = count / seconds
        self.cpu_us = used.microseconds / count
        self.user_share = used.user_share


def drain(server, sink, count):
    """Lets a server send what it holds; ends with the last 250 of the sink and an empty queue."""
    before, goal = processes.usage(server.pid), sink.message_count + count
    begun = time.monotonic()
    server.release()
    while sink.message_count < goal or server.queue_count():
        if time.monotonic() - begun > DRAIN_SECONDS:
            raise RuntimeError(f"{server.name}: {goal - sink.message_count} of {count} are missing")
        time.sleep(0.002 if sink.message_count < goal else 0)
    seconds = time.monotonic() - begun
    used = processes.usage(server.pid) - before
    # Nothing may come twice.
    time.sleep(0.5)
    if sink.message_count != goal:
        raise RuntimeError(f"{server.name}: {sink.message_count - goal} too many")
    return Drained(count, seconds, used)


class RelayingPostfix(Postfix):
    """Postfix's queue manager and SMTP client, with as many connections as the others from the
    first message on, and with connections reused."""

    def __init__(self, name, directory, peers, sink):
        super().__init__(name, directory, peers)
        # What comes in is held, and what fails would stay for longer than anything is measured.
        self.own_settings = f"""smtpd_recipient_restrictions = check_client_access static:HOLD, permit_mynetworks, reject
relayhost = [127.0.0.1]:{sink.smtp_port}
default_destination_concurrency_limit = {CONCURRENCY}
initial_destination_concurrency = {CONCURRENCY}
smtp_connection_cache_destinations = [127.0.0.1]:{sink.smtp_port}
smtp_connection_reuse_time_limit = 3600s
queue_run_delay = 86400s
minimal_backoff_time = 86400s
maximal_backoff_time = 172800s
transport_maps =
smtp_dns_support_level = disabled
"""
        self.own_services = f"""pickup   unix n - n - 1 pickup
smtp     unix - - n - {CONCURRENCY} smtp
relay    unix - - n - {CONCURRENCY} smtp
scache   unix - - n - 1 scache
retry    unix - - n - - error
error    unix - - n - - error
"""

    def command(self, name, *arguments):
        """One of Postfix's commands."""
        subprocess.run(
            [self.peers.path(f"sbin/{name}"), "-c", self.directory / "conf", *arguments],
            env={"LD_LIBRARY_PATH": self.peers.libraries, "PATH": "/usr/bin:/bin"},
            check=True, capture_output=True, timeout=FILL_SECONDS,
        )

    def fill(self, count, octets, peers):
        send(peers, self.smtp_port, count, octets, "reader@example.test")
        self.command("postsuper", "-H", "ALL")
        if self.queue_count("deferred") != count:
            raise RuntimeError(f"postfix: {self.queue_count('deferred')} of {count} are queued")

    def release(self):
        self.command("postqueue", "-f")

    def queue_count(self, *names):
        """The messages in its queue, or (quicker) whether there are any."""
        return sum(
            1 for name in names or ("active", "incoming", "deferred")
            for path in (self.directory / "queue" / name).rglob("*") if path.is_file()
        )


class RelayingMartlet(Martlet):
    """Martlet with the shipped configuration and one route for all."""

    def __init__(self, name, directory, program, shipped, sink_port):
        super().__init__(name, directory, program, shipped)
        self.sink_port = sink_port
        text = self.configuration.read_text()
        text = f'relay-networks = ["127.0.0.0/8"]\n{text}\n'
        text += f"""
[delivery]
connections-per-destination = {CONCURRENCY}
retry-seconds-min = 3600

[[route]]
domain = "*"
to = "smtp:127.0.0.1:{sink_port}"
"""
        self.configuration.write_text(text)

    def command(self, *arguments):
        return subprocess.run(
            [self.program, *arguments, "--config", self.configuration],
            check=True, capture_output=True, text=True, timeout=FILL_SECONDS,
        ).stdout

    def fill(self, count, octets, peers):
        """Takes messages while the sink is down: the destination rests after its first failure."""
        send(peers, self.smtp_port, count, octets, "reader@example.net")
        if self.queue_count() != count:
            raise RuntimeError(f"martlet: {self.queue_count()} of {count} are queued")

    def release(self):
        self.command("queue", "retry")

    def queue_count(self):
        return len(json.loads(self.command("queue", "list", "--json")))
