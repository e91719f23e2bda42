# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured, each a process with ports of its own on loopback."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

START_SECONDS = 30
END_SECONDS = 15


class CannotStart(Exception):
    """A server that does not come up, and why."""


def free_port():
    """A port below the ephemeral ones, so that no connection of the driver takes it."""
    for _ in range(1000):
        port = random.randrange(10_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise CannotStart("no free port")


class Server:
    """A process; subclasses say how it is started."""

    smtp_port = None
    pop3_port = None
    # What runs the server's command, such as valgrind.
    wrapper = ()

    def __init__(self, name, directory):
        self.name = name
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def spawn(self, command, environment=None):
        log = open(self.directory / "log", "ab")
        # A session of its own: Postfix ends its whole process group.
        self.process = subprocess.Popen(
            [str(part) for part in (*self.wrapper, *command)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
        log.close()
        for port in (self.smtp_port, self.pop3_port):
            if port:
                self.await_greeting(port)
        return self

    def await_greeting(self, port):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as probe:
                    if probe.recv(1) and probe.send(b"QUIT\r\n"):
                        return
            except OSError:
                time.sleep(0.05)
        self.stop()
        text = (self.directory / "log").read_text(errors="replace").strip()
        raise CannotStart(f"{self.name}: {text.splitlines()[-1] if text else 'no greeting'}")

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Floor(Server):
    """The floor of benchmarks/floor; durable, or throwing mail away."""

    def __init__(self, name, directory, program, on_epoll=False, is_durable=True):
        super().__init__(name, directory)
        self.program = program
        self.on_epoll = on_epoll
        self.is_durable = is_durable

    @property
    def message_count(self):
        """How many messages it has answered."""
        return int.from_bytes((self.directory / "count").read_bytes(), sys.byteorder)

    def start(self):
        self.smtp_port, self.pop3_port = free_port(), free_port()
        return self.start_again()

    def start_again(self):
        """Starts on the ports it had; its count begins anew."""
        command = [self.program, "--smtp", self.smtp_port, "--pop3", self.pop3_port,
                   "--count", self.directory / "count"]
        command += ["--epoll"] if self.on_epoll else []
        command += ["--log", self.directory / "messages"] if self.is_durable else []
        return self.spawn(command)


def make_certificate(certificate, key):
    """A self-signed one for this machine, ECDSA P-256."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "30", "-subj", "/CN=mail.example.test",
         "-addext", "subjectAltName=DNS:mail.example.test,DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, stderr=subprocess.DEVNULL,
    )


class Martlet(Server):
    """Martlet with the shipped configuration; only its ports and its data are elsewhere."""

    def __init__(self, name, directory, program, shipped):
        super().__init__(name, directory)
        self.program = program
        self.configuration = self.directory / "martlet.toml"
        text = Path(shipped).read_text()
        for listener in tomllib.loads(text)["listener"]:
            port = free_port()
            text = text.replace(f'"{listener["address"]}"', f'"127.0.0.1:{port}"')
            in_tls = listener.get("tls") == "implicit"
            if listener["service"] == "smtp" and not in_tls:
                self.smtp_port = port
            elif listener["service"] == "pop3" and in_tls:
                self.pop3s_port = port
            elif listener["service"] == "pop3":
                self.pop3_port = port
        self.certificate = self.directory / "server.pem"
        self.key = self.directory / "server.key"
        make_certificate(self.certificate, self.key)
        text = re.sub(r'"[^"]*/tls/server.pem"', f'"{self.certificate}"', text)
        text = re.sub(r'"[^"]*/tls/server.key"', f'"{self.key}"', text)
        self.data = self.directory / "data"
        text = re.sub(
            r"^data-directory\s*=.*$", f'data-directory = "{self.data}"', text, flags=re.M
        )
        self.configuration.write_text(text)

    def import_accounts(self, count, password):
        """Makes u0 to u`count - 1`; the server is not running."""
        accounts = self.directory / "accounts"
        accounts.write_text("".join(f"u{n}@example.test\t{password}\n" for n in range(count)))
        subprocess.run(
            [self.program, "user", "import", accounts, "--config", self.configuration],
            check=True, stdout=subprocess.DEVNULL,
        )
        accounts.unlink()

    def start(self):
        return self.spawn([self.program, "serve", "--config", self.configuration])


class SMTPSink(Server):
    """Postfix's null server."""

    def __init__(self, name, directory, peers):
        super().__init__(name, directory)
        self.peers = peers

    def start(self):
        if not self.peers.has("sbin/smtp-sink"):
            raise CannotStart("smtp-sink: Postfix is not unpacked")
        self.smtp_port = free_port()
        command = [self.peers.path("sbin/smtp-sink"), "-m", "5000"]
        command += ["-u", "nobody"] if os.geteuid() == 0 else []
        return self.spawn(
            [*command, f"127.0.0.1:{self.smtp_port}", "4096"],
            {"LD_LIBRARY_PATH": self.peers.libraries},
        )


class NginxProxy(Server):
    """nginx's POP3 proxy before a floor; its HTTP side tells it where each user's mail is.

    As Debian ships it, there is a worker for each processor.
    """

    def __init__(self, name, directory, peers, backend):
        super().__init__(name, directory)
        self.peers = peers
        self.backend = backend

    def start(self):
        if not self.peers.has("lib/nginx/modules/ngx_mail_module.so"):
            raise CannotStart("nginx: not unpacked")
        self.pop3_port = free_port()
        authority_port = free_port()
        configuration = self.directory / "nginx.conf"
        temporary = "".join(
            f"    {kind}_temp_path {self.directory}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration.write_text(
            f"""load_module {self.peers.path("lib/nginx/modules/ngx_mail_module.so")};
daemon off;
worker_processes auto;
pid {self.directory}/pid;
error_log {self.directory}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
{temporary}    server {{
        listen 127.0.0.1:{authority_port};
        location / {{
            add_header Auth-Status OK;
            add_header Auth-Server 127.0.0.1;
            add_header Auth-Port {self.backend.pop3_port};
            return 204;
        }}
    }}
}}
mail {{
    auth_http 127.0.0.1:{authority_port}/;
    server {{ listen 127.0.0.1:{self.pop3_port}; protocol pop3; proxy on; }}
}}
"""
        )
        return self.spawn(
            [self.peers.path("sbin/nginx"), "-e", "stderr", "-p", self.directory,
             "-c", configuration],
            {"LD_LIBRARY_PATH": self.peers.libraries},
        )
