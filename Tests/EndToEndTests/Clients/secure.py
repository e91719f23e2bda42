#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# secure.py CERTIFICATE USER PASSWORD SUBMISSION SUBMISSIONS POP3 POP3S: submits a message in each
# way to TLS, then fetches both in each way. smtplib chooses the mechanism.
import poplib
import smtplib
import ssl
import sys

certificate, user, password = sys.argv[1:4]
submission, submissions, pop3, pop3s = (int(port) for port in sys.argv[4:])
context = ssl.create_default_context(cafile=certificate)


def submit(session):
    # After a wrong password smtplib tries every mechanism that it knows, on the same connection.
    try:
        session.login(user, "wrong")
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535, error
    else:
        raise AssertionError("a wrong password is taken")
    session.login(user, password)
    message = f"From: <{user}>\r\nTo: <{user}>\r\nSubject: hello\r\n\r\nHello.\r\n"
    assert session.sendmail(user, [user], message) == {}
    session.quit()


session = smtplib.SMTP("localhost", submission, timeout=60)
session.ehlo()
assert session.has_extn("starttls")
assert "PLAIN" not in session.esmtp_features.get("auth", ""), session.esmtp_features
session.starttls(context=context)
session.ehlo()
assert not session.has_extn("starttls")
assert "PLAIN" in session.esmtp_features["auth"], session.esmtp_features
submit(session)
submit(smtplib.SMTP_SSL("localhost", submissions, timeout=60, context=context))


def fetch(session):
    capabilities = session.capa()
    assert "STLS" not in capabilities and "USER" in capabilities, capabilities
    assert "PLAIN" in capabilities["SASL"], capabilities
    session.user(user)
    session.pass_(password)
    assert session.stat()[0] == 2
    assert b"Hello." in session.retr(2)[1]
    session.quit()


session = poplib.POP3("localhost", pop3, timeout=60)
capabilities = session.capa()
assert "STLS" in capabilities and "USER" not in capabilities, capabilities
try:
    session.user(user)
except poplib.error_proto as error:
    assert error.args[0].startswith(b"-ERR [AUTH]"), error
else:
    raise AssertionError("a name is taken without TLS")
session.stls(context=context)
fetch(session)
fetch(poplib.POP3_SSL("localhost", pop3s, timeout=60, context=context))

session = poplib.POP3("localhost", pop3, timeout=60)
session.apop(user, password)
session.quit()
