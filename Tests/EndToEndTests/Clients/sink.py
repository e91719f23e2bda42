#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sink.py DIRECTORY PORT ADDRESS...: next hops whose every answer a test can choose.

Each address has a file DIRECTORY/ADDRESS.json, read anew for each connection: a stage (greeting,
EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, dot, RSET, QUIT; "RCPT mailbox" for one recipient;
with LMTP also "dot mailbox") and what is said there, as a text or as a list of which each call
takes the next and the last one stays. A text is a reply, or begins with "!":
  !close       closes           !reset    breaks the connection       !silence  says nothing more
  !garbage     octets           !line     a line without end          !lines    a reply without end
  !slow TEXT   TEXT, an octet at a time
  !break       (at STARTTLS) agrees, and closes in the midst of the handshake
  !half        (at DATA) closes in the midst of the content that comes
  !keep and close, !keep and wait   (at dot) keeps the message, and closes or says nothing more
Further keys: "lmtp" true; "keywords", a list; "certificate" and "key", files for STARTTLS.

What happens is told in DIRECTORY/events, a line of JSON each; what was taken in full and answered
with 250 is in DIRECTORY/messages, one line of JSON for each copy.
"""

import json
import socket
import ssl
import struct
import sys
import threading
import time

LINE_MAX = 1 << 20


class Ended(Exception):
    pass


class Sink:
    """One address."""

    def __init__(self, directory, address, port):
        self.directory = directory
        self.address = address
        self.calls = {}
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(256)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        self.tell("connected")
        try:
            Conversation(self, connection).run()
        except (Ended, OSError, ValueError):
            pass
        finally:
            connection.close()
            self.tell("ended")

    def script(self):
        try:
            with open(f"{self.directory}/{self.address}.json", encoding="utf-8") as file:
                return json.load(file)
        except OSError:
            return {}

    def tell(self, event, **more):
        append(self.directory, "events", {"at": time.time(), "address": self.address,
                                          "event": event, **more})


LOCK = threading.Lock()


def append(directory, name, value):
    with LOCK, open(f"{directory}/{name}", "a", encoding="utf-8") as file:
        file.write(json.dumps(value) + "\n")


class Conversation:
    """One connection."""

    def __init__(self, sink, connection):
        self.sink = sink
        self.connection = connection
        self.connection.settimeout(60)
        self.script = sink.script()
        self.is_lmtp = self.script.get("lmtp", False)
        self.unread = b""
        self.tls = None
        self.envelope()

    def envelope(self):
        self.sender, self.recipients, self.parameters = None, [], []

    # What is said.

    def answer(self, stage, preset):
        """Says what the script has for a stage; answers its code."""
        said = self.script.get(stage, preset)
        if isinstance(said, list):
            key = (stage, json.dumps(said))
            number = self.sink.calls.get(key, 0)
            self.sink.calls[key] = number + 1
            said = said[min(number, len(said) - 1)]
        if said.startswith("!"):
            return self.misbehave(said[1:])
        self.send(said.replace("\n", "\r\n").encode() + b"\r\n")
        return said[:3]

    def misbehave(self, how):
        if how == "close":
            raise Ended
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            raise Ended
        if how == "silence":
            time.sleep(600)
        if how == "garbage":
            self.send(bytes(range(256)) * 4 + b"\r\n")
            self.send(b"\x00\xff not a code\r\n25 0\r\n999 9.9.9 out of range\r\n")
            return "999"
        if how == "line":
            while True:
                self.send(b"250 " + b"x" * 65536)
        if how == "lines":
            while True:
                self.send(b"250-and so on\r\n" * 4096)
        if how.startswith("slow "):
            for octet in how[5:].encode() + b"\r\n":
                self.send(bytes([octet]))
                time.sleep(0.02)
            return how[5:8]
        if how == "half":
            self.send(b"354 Go ahead\r\n")
            self.receive()
            raise Ended
        if how == "break":
            self.send(b"220 2.0.0 Go ahead\r\n")
            self.receive()
            raise Ended
        return "220"

    def send(self, octets):
        self.connection.sendall(octets)

    # What is heard.

    def line(self):
        while b"\n" not in self.unread:
            self.receive()
            if len(self.unread) > LINE_MAX:
                raise Ended
        line, _, self.unread = self.unread.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def receive(self):
        octets = self.connection.recv(65536)
        if not octets:
            raise Ended
        self.unread += octets

    def content(self):
        """The content, transparency taken off."""
        content = self.unread
        while not (content == b".\r\n" or content.startswith(b".\r\n") or b"\r\n.\r\n" in content):
            self.unread = b""
            self.receive()
            content += self.unread
        if content.startswith(b".\r\n"):
            text, self.unread = b"", content[3:]
        else:
            text, _, self.unread = content.partition(b"\r\n.\r\n")
            text += b"\r\n"
        lines = text.split(b"\r\n")
        return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)

    def chunk(self, count):
        while len(self.unread) < count:
            self.receive()
        octets, self.unread = self.unread[:count], self.unread[count:]
        return octets

    # The conversation.

    def run(self):
        self.answer("greeting", "220 sink.example.test ESMTP")
        chunks = b""
        while True:
            line = self.line()
            self.sink.tell("heard", line=line, tls=self.tls)
            verb = line[:4].upper()
            if verb in ("EHLO", "LHLO", "HELO"):
                self.greet(verb)
            elif line.upper() == "STARTTLS":
                self.secure()
            elif verb == "MAIL":
                self.envelope()
                path, _, rest = line[5:].partition(" ")
                if self.answer("MAIL", "250 2.1.0 OK").startswith("2"):
                    self.sender, self.parameters = path[path.index(":") + 1:], rest.split()
            elif verb == "RCPT":
                self.receive_recipient(line)
            elif verb == "DATA":
                preset = "354 Go ahead" if self.recipients else "503 5.5.1 No recipients"
                if self.answer("DATA", preset).startswith("3"):
                    self.finish(self.content())
            elif verb == "BDAT":
                chunks += self.chunk(int(line.split()[1]))
                if line.upper().endswith("LAST"):
                    self.finish(chunks)
                    chunks = b""
                else:
                    self.send(b"250 2.0.0 OK\r\n")
            elif verb == "AUTH":
                self.answer("AUTH", "235 2.7.0 Welcome")
            elif verb == "RSET":
                self.envelope()
                self.answer("RSET", "250 2.0.0 OK")
            elif verb == "QUIT":
                self.answer("QUIT", "221 2.0.0 Bye")
                return
            elif verb == "NOOP":
                self.send(b"250 2.0.0 OK\r\n")
            else:
                self.send(b"500 5.5.1 What?\r\n")

    def greet(self, verb):
        keywords = self.script.get(
            "keywords", ["PIPELINING", "SIZE 50000000", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"]
        )
        if "certificate" in self.script and not self.tls:
            keywords = keywords + ["STARTTLS"]
        words = ["sink.example.test"] + ([] if verb == "HELO" else keywords)
        preset = "\n".join(
            f"250{'-' if place < len(words) - 1 else ' '}{word}"
            for place, word in enumerate(words)
        )
        self.answer("HELO" if verb == "HELO" else "EHLO", preset)

    def secure(self):
        code = self.answer("STARTTLS", "220 2.0.0 Go ahead")
        if not code.startswith("220"):
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.script["certificate"], self.script["key"])
        try:
            self.connection = context.wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError) as problem:
            self.sink.tell("no TLS", why=str(problem))
            raise Ended from problem
        self.tls = self.connection.version()
        self.unread = b""
        self.sink.tell("secured", tls=self.tls)

    def receive_recipient(self, line):
        path, _, rest = line[5:].partition(" ")
        mailbox = path[path.index(":") + 1:].strip("<>")
        stage = f"RCPT {mailbox}" if f"RCPT {mailbox}" in self.script else "RCPT"
        if self.answer(stage, "250 2.1.5 OK").startswith("2"):
            self.recipients.append((mailbox, rest.split()))

    def finish(self, content):
        if not self.is_lmtp:
            self.end("dot", self.recipients, content)
        for recipient in self.recipients if self.is_lmtp else []:
            stage = f"dot {recipient[0]}"
            self.end(stage if stage in self.script else "dot", [recipient], content)
        self.envelope()

    def end(self, stage, recipients, content):
        if str(self.script.get(stage)).startswith("!keep and "):
            self.keep(recipients, content)
            self.misbehave("silence" if self.script[stage].endswith("wait") else "close")
        # What is told as taken is on its way to the disk, as with any host.
        if self.answer(stage, "250 2.0.0 Taken").startswith("2"):
            self.keep(recipients, content)

    def keep(self, recipients, content):
        append(self.sink.directory, "messages", {
            "address": self.sink.address, "from": self.sender, "parameters": self.parameters,
            "to": [mailbox for mailbox, _ in recipients],
            "to-parameters": [parameters for _, parameters in recipients],
            "tls": self.tls, "content": content.decode("latin-1"),
        })


def main():
    directory, port, *addresses = sys.argv[1:]
    sinks = [Sink(directory, address, int(port)) for address in addresses]
    print("ready", flush=True)
    # Ends when whoever started it lets go of its input.
    if sinks:
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
