# SPDX-License-Identifier: Apache-2.0
"""Postfix from an unpacked package: it receives mail and puts it into its hold queue."""

import grp
import os
import pwd
import shutil

from .servers import CannotStart, Server, free_port

# Accounts that every Debian has stand in for Postfix's own.
OWNER, GROUP = "daemon", "mail"
DIRECTORIES = (
    "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved "
    "trace"
).split()


class Postfix(Server):
    """A whole Postfix with a configuration, a queue and ports of its own."""

    def __init__(self, name, directory, peers):
        super().__init__(name, directory)
        self.peers = peers

    def start(self):
        if not self.peers.has("lib/postfix/sbin/master"):
            raise CannotStart("postfix: not unpacked")
        if os.geteuid() != 0:
            raise CannotStart("postfix: its master needs root")
        self.smtp_port = free_port()
        self.make_queue()
        self.configure()
        return self.spawn(
            [self.peers.path("lib/postfix/sbin/master"), "-c", self.directory / "conf", "-d"],
            {"LD_LIBRARY_PATH": self.peers.libraries},
        )

    def make_queue(self):
        owner, group = pwd.getpwnam(OWNER).pw_uid, grp.getgrnam(GROUP).gr_gid
        for name in ("queue", "data", "conf"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
            (self.directory / name).mkdir()
        os.chown(self.directory / "data", owner, -1)
        for name in DIRECTORIES:
            path = self.directory / "queue" / name
            path.mkdir(mode=0o700)
            if name != "pid":
                os.chown(path, owner, group if name in ("public", "maildrop") else -1)
        (self.directory / "queue/pid").chmod(0o755)
        (self.directory / "queue/public").chmod(0o710)
        (self.directory / "queue/maildrop").chmod(0o730)

    # What differs between those that keep mail and those that pass it on.
    own_settings = """smtpd_recipient_restrictions = check_client_access static:HOLD, permit_mynetworks, reject
"""
    own_services = ""

    def configure(self):
        # Only what an unpacked copy, its ports and an unlimited client need differs from the
        # defaults: checks, logging and fsync are as Postfix has them.
        (self.directory / "conf/main.cf").write_text(
            f"""compatibility_level = 3.6
queue_directory = {self.directory}/queue
data_directory = {self.directory}/data
command_directory = {self.peers.path("sbin")}
daemon_directory = {self.peers.path("lib/postfix/sbin")}
shlib_directory = {self.peers.path("lib/postfix")}
meta_directory = {self.directory}/conf
import_environment = MAIL_CONFIG MAIL_LOGTAG TZ LD_LIBRARY_PATH={self.peers.libraries}
mail_owner = {OWNER}
setgid_group = {GROUP}
default_privs = nobody
myhostname = postfix.example.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
alias_database =
relay_domains = example.test
default_process_limit = 300
smtpd_client_connection_count_limit = 0
{self.own_settings}maillog_file = {self.directory}/maillog
maillog_file_prefixes = /
"""
        )
        (self.directory / "conf/master.cf").write_text(
            f"""127.0.0.1:{self.smtp_port} inet n - n - - smtpd
cleanup  unix      n - n -   0 cleanup
qmgr     unix      n - n 300 1 qmgr
rewrite  unix      - - n -   - trivial-rewrite
bounce   unix      - - n -   0 bounce
defer    unix      - - n -   0 bounce
anvil    unix      - - n -   1 anvil
proxymap unix      - - n -   - proxymap
postlog  unix-dgram n - n -  1 postlogd
{self.own_services}"""
        )
