# SPDX-License-Identifier: Apache-2.0
"""Other servers, unpacked from Debian's packages into a directory and never installed."""

import shutil
import subprocess
from pathlib import Path

PACKAGES = ["postfix", "nginx", "libnginx-mod-mail"]


class Peers:
    """The directory that holds them."""

    def __init__(self, root):
        self.root = Path(root)

    def unpack(self):
        """Fetches what is missing; says why when that cannot be done."""
        if all(self.has(path) for path in ("sbin/nginx", "sbin/smtp-sink", "lib/postfix/sbin")):
            return None
        if not shutil.which("apt-get"):
            return "no apt-get here to fetch Postfix and nginx with"
        archives = self.root / "archives"
        archives.mkdir(parents=True, exist_ok=True)
        # What they need and this machine lacks comes with them.
        plan = subprocess.run(
            ["apt-get", "install", "--simulate", "--no-install-recommends", *PACKAGES],
            capture_output=True, text=True,
        )
        packages = [
            line.split()[1] for line in plan.stdout.splitlines() if line.startswith("Inst ")
        ]
        fetched = subprocess.run(
            ["apt-get", "download", "-q", *(packages or PACKAGES)],
            cwd=archives, capture_output=True, text=True,
        )
        if fetched.returncode != 0:
            return "apt-get download failed: " + fetched.stderr.strip().splitlines()[-1]
        for archive in archives.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", archive, self.root], check=True)
        return None

    def has(self, path):
        return (self.root / "usr" / path).exists()

    def path(self, path):
        return str(self.root / "usr" / path)

    @property
    def libraries(self):
        """For LD_LIBRARY_PATH: the shared libraries of all packages."""
        machine = [str(path) for path in (self.root / "usr/lib").glob("*-linux-gnu*")]
        return ":".join([self.path("lib/postfix"), *machine])
