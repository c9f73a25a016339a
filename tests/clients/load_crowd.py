"""Many clients that ask the same again and again, from one thread: they take little of the machine, so that most of it is the server's.

Each question has a connection of its own and other literals. An answer is looked at when it has come as a whole.
"""

import errno
import heapq
import json
import random
import selectors
import socket
import time
import urllib.parse

PATIENCE_S = 60
PIECE = 1 << 16


class Client:
    """One of them, with what it waits for."""

    def __init__(self, number):
        self.number, self.sock, self.begun, self.answer = number, None, 0.0, bytearray()


class Crowd:
    """Clients of `POST /api/v1/sql`; `{n}` of the statement is another number each time."""

    def __init__(self, http, sql):
        parts = urllib.parse.urlsplit(http)
        self.address, self.sql, self.dice = (parts.hostname, parts.port), sql, random.Random(1)

    def run(self, clients, of_each, length):
        """Lets so many clients ask for a while, each after its answer, or so long after the beginning of its last question.

        Gives the word and the seconds of each answer: `ok`, `overloaded` with a time to come again, or what was wrong.
        """
        self.selector, self.said = selectors.DefaultSelector(), []
        begun = time.monotonic()
        due = [(begun + of_each * number / clients, number) for number in range(clients)]
        crowd = [Client(number) for number in range(clients)]
        until, looked = begun + length, begun
        with self.selector:
            while True:
                now = time.monotonic()
                while due and due[0][0] <= now < until:
                    self.ask(crowd[heapq.heappop(due)[1]])
                waiting = len(self.selector.get_map())
                if now >= until and not waiting:
                    return self.said
                wait = min(due[0][0] - now, 0.5) if due and now < until else 0.5
                for key, _ in self.selector.select(max(wait, 0)):
                    if self.go_on(key.data):
                        again = max(key.data.begun + of_each, time.monotonic())
                        heapq.heappush(due, (again, key.data.number))
                if now - looked > 1:
                    looked = now
                    for key in list(self.selector.get_map().values()):
                        if now - key.data.begun > PATIENCE_S:
                            self.end(key.data, f"no answer in {PATIENCE_S} s")

    def ask(self, client):
        """Begins a connection."""
        client.sock, client.begun, client.answer = socket.socket(), time.monotonic(), bytearray()
        client.sock.setblocking(False)
        state = client.sock.connect_ex(self.address)
        # Where it does not come to be, sending says so.
        assert state in (0, errno.EINPROGRESS, errno.ECONNREFUSED), state
        self.selector.register(client.sock, selectors.EVENT_WRITE, client)

    def go_on(self, client):
        """Sends the question, or takes what has come of the answer; says whether that was all."""
        try:
            if self.selector.get_key(client.sock).events == selectors.EVENT_WRITE:
                body = json.dumps({"sql": self.sql.format(n=self.dice.randrange(10**9))})
                head = f"POST /api/v1/sql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
                client.sock.send(f"{head}\r\n\r\n{body}".encode())
                self.selector.modify(client.sock, selectors.EVENT_READ, client)
                return False
            piece = client.sock.recv(PIECE)
        except BlockingIOError:
            return False
        except OSError as error:
            return self.end(client, f"{type(error).__name__}: {error}")
        client.answer += piece
        return self.end(client, word_of(bytes(client.answer))) if not piece else False

    def end(self, client, word):
        self.selector.unregister(client.sock)
        client.sock.close()
        self.said.append((word, time.monotonic() - client.begun))
        return True


def word_of(answer):
    """The word for a whole answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    status = head[9:12]
    if int(fields.get(b"content-length", -1)) == len(body):
        if status == b"200" and body.startswith(b'{"columns":['):
            return "ok"
        if status == b"503" and b'"code":"overloaded"' in body and b"retry-after" in fields:
            return "overloaded"
    return f"{answer[:300]!r}"
