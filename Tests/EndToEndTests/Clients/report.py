#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a message from standard input and tells as JSON what Python's email package finds in it:
the fields, and of a multipart/report (RFC 6522) the type, the text, the fields of each block of the
delivery status (RFC 3464), and the type and the fields of what is returned."""

import email
import email.policy
import json
import sys


def fields(message):
    return {name.lower(): str(value) for name, value in message.items()}


def main():
    message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
    found = {"fields": fields(message), "type": message.get_content_type(),
             "report-type": message.get_param("report-type"),
             "defects": [repr(defect) for part in message.walk() for defect in part.defects]}
    if message.is_multipart():
        parts = list(message.iter_parts())
        found["parts"] = [part.get_content_type() for part in parts]
        found["text"] = parts[0].get_content()
        status = parts[1].get_payload() if len(parts) > 1 else []
        found["status"] = [fields(block) for block in status if isinstance(status, list)]
        if len(parts) > 2:
            returned = parts[2].get_payload()
            found["returned"] = fields(
                returned[0] if isinstance(returned, list)
                else email.message_from_string(parts[2].get_content(), policy=email.policy.default)
            )
            found["returned-text"] = parts[2].as_string()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
