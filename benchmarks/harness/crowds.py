# SPDX-License-Identifier: Apache-2.0
"""Many connections at once: what idle ones cost, and whether live ones all succeed."""

import json
import signal
import subprocess
import time

from . import processes
from .rounds import drive

HOLD_SECONDS = 120


def octets_per_idle_connection(driver, server, count, tls=False):
    """The growth of the server's own memory per greeted, silent connection."""
    command = [driver, "hold", "--connections", str(count), "--sources", "8"]
    if server.smtp_port:
        command += ["--smtp", str(server.smtp_port)]
    if server.pop3_port:
        command += ["--pop3", str(server.pop3_port)]
    command += ["--tls", "full"] if tls else []
    before = processes.anonymous_octets(server.pid)
    holder = subprocess.Popen(
        [*command, "--seconds", str(HOLD_SECONDS)], stdout=subprocess.PIPE, text=True
    )
    try:
        held = json.loads(holder.stdout.readline())
        time.sleep(0.5)
        after = processes.anonymous_octets(server.pid)
    finally:
        holder.send_signal(signal.SIGTERM)
        holder.wait()
    if held["broken"]:
        raise RuntimeError(f"{server.name} broke {held['broken']} of {count} idle connections")
    return (after - before) / count


def live_at_once(driver, server, count, users):
    """Half SMTP and half POP3, all greeted before any goes on."""
    return drive(
        driver,
        ["live", "--smtp", str(server.smtp_port), "--pop3", str(server.pop3_port),
         "--connections", str(count), "--users", str(users), "--sources", "8", "--together",
         "--seconds", "300"],
    )
