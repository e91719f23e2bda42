#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# scram_plus.py CERTIFICATE USER PASSWORD SUBMISSION SUBMISSIONS POP3 POP3S: SCRAM-SHA-256-PLUS with
# tls-server-end-point (RFC 5802, RFC 5929, RFC 7677) on each port, once right and once with the
# hash of another certificate, as one in the middle would bring about.
import base64
import hashlib
import hmac
import secrets
import socket
import ssl
import sys

certificate, user, password = sys.argv[1:4]
submission, submissions, pop3, pop3s = (int(port) for port in sys.argv[4:])
context = ssl.create_default_context(cafile=certificate)


class Session:
    """Lines of SMTP or POP3, and TLS when it is time for it."""

    def __init__(self, port, kind, implicit):
        self.smtp = kind == "smtp"
        self.socket = socket.create_connection(("localhost", port), timeout=60)
        if implicit:
            self.secure()
        else:
            self.file = self.socket.makefile("rb")
        self.reply()
        if self.smtp:
            self.ask("EHLO client.example.org")
        if not implicit:
            assert self.ask("STARTTLS" if self.smtp else "STLS")[0:1] in (b"2", b"+")
            self.secure()
            if self.smtp:
                self.ask("EHLO client.example.org")

    def secure(self):
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.file = self.socket.makefile("rb")

    def reply(self):
        line = self.file.readline()
        while self.smtp and line[3:4] == b"-":
            line = self.file.readline()
        return line.rstrip(b"\r\n")

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.reply()

    def challenge(self, line):
        """Sends a line, which must be answered by a challenge; answers that."""
        reply = self.ask(line)
        prefix = b"334 " if self.smtp else b"+ "
        assert reply.startswith(prefix), reply
        return base64.b64decode(reply[len(prefix) :]).decode()


def encode(octets):
    return base64.b64encode(octets).decode()


def log_in(session, end_point):
    header = b"p=tls-server-end-point,,"
    nonce = secrets.token_urlsafe(24)
    first = f"n={user},r={nonce}"
    initial = encode(header + first.encode())
    server_first = session.challenge(f"AUTH SCRAM-SHA-256-PLUS {initial}")
    fields = dict(field.split("=", 1) for field in server_first.split(","))
    assert fields["r"].startswith(nonce) and len(fields["r"]) >= len(nonce) + 18, fields
    salt, iterations = base64.b64decode(fields["s"]), int(fields["i"])
    final = f"c={encode(header + end_point)},r={fields['r']}"
    message = ",".join([first, server_first, final]).encode()
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    last = encode(f"{final},p={encode(proof)}".encode())
    if end_point != right:
        return session.ask(last)
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    expected = encode(hmac.digest(server_key, message, "sha256"))
    assert session.challenge(last) == f"v={expected}"
    return session.ask("")


with open(certificate) as file:
    right = hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).digest()
wrong = hashlib.sha256(b"another certificate").digest()

for port, kind, implicit in [
    (submission, "smtp", False),
    (submissions, "smtp", True),
    (pop3, "pop3", False),
    (pop3s, "pop3", True),
]:
    session = Session(port, kind, implicit)
    refusal = log_in(session, wrong)
    assert refusal.startswith((b"535 5.7.8", b"-ERR [AUTH]")), refusal
    success = log_in(session, right)
    assert success.startswith((b"235 2.7.0", b"+OK")), success
    session.ask("QUIT")
    print("bound")
