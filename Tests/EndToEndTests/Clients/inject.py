#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# inject.py CERTIFICATE USER PASSWORD SUBMISSION SUBMISSIONS POP3 POP3S: sends commands behind
# STARTTLS and STLS, in the same segment and before the handshake; under TLS nothing of them may be
# heard (CVE-2011-0411, CVE-2021-33515).
import socket
import ssl
import sys

certificate, user, password = sys.argv[1:4]
submission, _, pop3, _ = (int(port) for port in sys.argv[4:])
context = ssl.create_default_context(cafile=certificate)

hello = b"EHLO client.example.org\r\n"
cases = [
    # Port, what comes before, the command with what is slipped in, a command under TLS, its reply.
    (submission, [hello], b"STARTTLS\r\nNOOP\r\nHELP\r\n", b"503 5.5.1"),
    (submission, [hello], b"STARTTLS\r\nEHLO in.clear\r\nRSET\r\n", b"503 5.5.1"),
    (submission, [hello], b"STARTTLS\r\nNO", b"503 5.5.1"),
    (pop3, [], b"STLS\r\nCAPA\r\nUSER mallory\r\n", b"-ERR"),
    (pop3, [b"LANG de\r\n"], b"STLS\r\nUSER mallory\r\nPA", b"-ERR send USER first"),
]
for port, before, injected, expected in cases:
    connection = socket.create_connection(("localhost", port), timeout=60)
    file = connection.makefile("rb")

    def reply():
        line = file.readline()
        while line[3:4] == b"-" and line[:1].isdigit():
            line = file.readline()
        return line

    reply()
    for line in before:
        connection.sendall(line)
        reply()
    connection.sendall(injected)
    ready = reply()
    assert ready.startswith((b"220 2.0.0", b"+OK")), ready
    secured = context.wrap_socket(connection, server_hostname="localhost")
    file = secured.makefile("rb")
    # The only reply is the one to this: MAIL wants EHLO, PASS wants USER, both said again.
    secured.sendall(b"MAIL FROM:<a@example.org>\r\n" if port == submission else b"PASS x\r\n")
    answer = reply()
    assert answer.startswith(expected), (injected, answer)
    secured.sendall(b"QUIT\r\n")
    assert reply().startswith((b"221 ", b"+OK")), injected
    assert file.read() == b"", injected
