#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# pop3.py PORT USER PASSWORD FILE: with poplib, logs in both ways, checks that all listings agree,
# writes the first message to FILE, and deletes it after a RSET had undone the first attempt.
import poplib
import sys

port, user, password, path = sys.argv[1:]


def log_in(apop=False):
    session = poplib.POP3("127.0.0.1", int(port), timeout=60)
    if apop:
        session.apop(user, password)
    else:
        session.user(user)
        session.pass_(password)
    return session


session = log_in(apop=True)
session.quit()

session = poplib.POP3("127.0.0.1", int(port), timeout=60)
session.utf8()
session.user(user)
session.pass_(password)
session.quit()

session = log_in()
capabilities = session.capa()
for name in ("TOP", "UIDL", "USER", "RESP-CODES", "PIPELINING", "UTF8"):
    assert name in capabilities, (name, capabilities)
count, octets = session.stat()
sizes = [int(line.split()[1]) for line in session.list()[1]]
assert (count, octets) == (len(sizes), sum(sizes)), (count, octets, sizes)
assert len(session.uidl()[1]) == count
lines = session.retr(1)[1]
content = b"".join(line + b"\r\n" for line in lines)
assert len(content) == sizes[0], (len(content), sizes)
top = session.top(1, 0)[1]
assert top == lines[: lines.index(b"") + 1], top
with open(path, "wb") as file:
    file.write(content)
session.dele(1)
assert session.stat()[0] == count - 1
session.rset()
assert session.stat() == (count, octets)
session.dele(1)
session.close()

session = log_in()
assert session.stat() == (count, octets), "a session without QUIT deletes nothing"
session.dele(1)
session.quit()

session = log_in()
assert session.stat()[0] == count - 1
session.quit()
