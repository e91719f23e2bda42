# SPDX-License-Identifier: Apache-2.0
"""What a server's processes have used, as /proc tells it."""

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Usage:
    """Processor time of a process with all its threads and children, dead ones included."""

    def __init__(self, microseconds, user_ticks, system_ticks):
        self.microseconds = microseconds
        self.user_ticks = user_ticks
        self.system_ticks = system_ticks

    def __sub__(self, earlier):
        return Usage(
            self.microseconds - earlier.microseconds,
            self.user_ticks - earlier.user_ticks,
            self.system_ticks - earlier.system_ticks,
        )

    @property
    def user_share(self):
        """The user part; counted in ticks, so it is coarser than the total."""
        ticks = self.user_ticks + self.system_ticks
        return self.user_ticks / ticks if ticks else 0.0


def tree(pid):
    """The process and its descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(entry)
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, pending = [], [pid]
    while pending:
        process = pending.pop()
        found.append(process)
        pending += parents.get(process, [])
    return found


def usage(pid):
    """What the tree of processes under `pid` has used so far."""
    microseconds = user = system = 0
    for process in tree(pid):
        directory = Path(f"/proc/{process}")
        fields = _stat(directory)
        if not fields:
            continue
        own_user, own_system, children_user, children_system = map(int, fields[11:15])
        user += own_user + children_user
        system += own_system + children_system
        # schedstat counts nanoseconds, but has forgotten threads and children that have ended.
        ended_ticks = own_user + own_system + children_user + children_system
        for task in (directory / "task").iterdir():
            task_fields = _stat(task)
            if not task_fields:
                continue
            ended_ticks -= int(task_fields[11]) + int(task_fields[12])
            try:
                microseconds += int((task / "schedstat").read_text().split()[0]) / 1000
            except OSError:
                continue
        microseconds += max(ended_ticks, 0) * 1_000_000 / TICKS_PER_SECOND
    return Usage(microseconds, user, system)


def anonymous_octets(pid):
    """User-space memory of the tree that no file backs: heap, stacks and the like."""
    octets = 0
    for process in tree(pid):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Anonymous:"):
                octets += int(line.split()[1]) * 1024
    return octets


def _stat(directory):
    """The fields of `stat` after the name, or None when it is gone."""
    try:
        return (directory / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
