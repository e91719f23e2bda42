#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# send.py smtp|lmtp PORT FILE RECIPIENT...: sends the file with smtplib, as it is, and prints the
# refused recipients with their replies.
import smtplib
import sys

kind, port, path, *recipients = sys.argv[1:]
with open(path, "rb") as file:
    content = file.read()
client = {"smtp": smtplib.SMTP, "lmtp": smtplib.LMTP}[kind]
with client("127.0.0.1", int(port), timeout=60) as session:
    options = ["BODY=8BITMIME"]
    if any(not recipient.isascii() for recipient in recipients):
        options.append("SMTPUTF8")
    try:
        refused = session.sendmail("writer@example.org", recipients, content, mail_options=options)
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
for recipient, (code, text) in sorted(refused.items()):
    print(recipient, code, text.decode())
