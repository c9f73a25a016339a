"""HTTP/1.1 as a load generator needs it: requests that are made beforehand, connections that stay, little work per answer.

Nothing is asked to be compressed. A status other than 2xx, or an answer that ends early, is an error and never a time.
"""

import json
import selectors
import socket
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import BinaryIO

SECONDS = 900
PIECE = 1 << 20

Address = tuple[str, int]


class Refused(Exception):
    """A server did not answer as asked; the text is short enough for a table."""


def request(method: str, path: str, body: bytes = b"", kind: str = "application/json", accept: str = "*/*") -> bytes:
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
    if method == "POST":
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Reply:
    """An answer as its bytes arrive."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.status = 0
        self.start = 0
        self.end = 0
        self.is_chunked = False

    def take(self, piece: bytes) -> bool:
        """Adds bytes; says whether the answer is whole."""
        self.bytes += piece
        if not self.status and not self.read_head():
            return False
        if self.is_chunked:
            # Good enough for answers to JSON queries: the last chunk, with or without trailers, ends with an empty line.
            return self.bytes.endswith(b"\r\n\r\n") and b"\r\n0\r\n" in self.bytes[self.start - 2 :]
        return len(self.bytes) >= self.end

    def read_head(self) -> bool:
        """Reads status and framing once the head is there."""
        at = self.bytes.find(b"\r\n\r\n")
        if at < 0:
            return False
        head = bytes(self.bytes[:at]).lower()
        self.status, self.start = int(head[9:12]), at + 4
        self.is_chunked = b"\r\ntransfer-encoding: chunked" in head
        place = head.find(b"\r\ncontent-length:")
        length = int(head[place + 17 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        self.end = self.start + length
        return True

    def body(self) -> bytes:
        """The content; the status has to be 2xx."""
        content = bytes(self.bytes[self.start :])
        if self.is_chunked:
            content = dechunked(content)
        if self.status // 100 != 2:
            raise Refused(reason(self.status, content))
        return content


def dechunked(content: bytes) -> bytes:
    """The content of chunks."""
    parts, at = [], 0
    while True:
        line = content.index(b"\r\n", at)
        size = int(content[at:line].split(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(content[line + 2 : line + 2 + size])
        at = line + 2 + size + 2


def reason(status: int, content: bytes) -> str:
    """What an error says, in a few words."""
    try:
        told = json.loads(content)
        text = str(told.get("code") if isinstance(told.get("code"), str) else told.get("error") or told.get("message"))
    except (ValueError, AttributeError):
        text = content[:80].decode("utf-8", "replace")
    return f"{status} {text}"[:200]


class Connection:
    """One client with one connection that stays open."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, question: bytes) -> tuple[float, bytes]:
        """Sends a request; gives seconds and content."""
        reply = Reply()
        start = time.perf_counter()
        self.socket.sendall(question)
        while True:
            piece = self.socket.recv(PIECE)
            if not piece:
                raise Refused("the connection broke off")
            if reply.take(piece):
                return time.perf_counter() - start, reply.body()

    def close(self) -> None:
        """Ends the connection."""
        self.socket.close()


@dataclass
class Client:
    """One of several clients of a load."""

    socket: socket.socket
    reply: Reply


def load(address: Address, questions: list[bytes], clients: int) -> float:
    """Sends all questions over so many connections, each with one under way; gives answers per second."""
    waiting = iter(questions)
    selector = selectors.DefaultSelector()
    begun = [socket.create_connection(address, timeout=SECONDS) for _ in range(clients)]
    start = time.perf_counter()
    for connection in begun:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(next(waiting))
        selector.register(connection, selectors.EVENT_READ, Client(connection, Reply()))
    while selector.get_map():
        for key, _ in selector.select(SECONDS):
            client = key.data
            piece = client.socket.recv(PIECE)
            if not piece:
                raise Refused("the connection broke off")
            if not client.reply.take(piece):
                continue
            client.reply.body()
            following = next(waiting, None)
            if following is None:
                selector.unregister(client.socket)
                client.socket.close()
            else:
                client.reply = Reply()
                client.socket.sendall(following)
    return len(questions) / (time.perf_counter() - start)


def download(address: Address, method: str, path: str, body: bytes, headers: dict[str, str], target: BinaryIO) -> float:
    """Takes an answer of any size into a file; gives the seconds."""
    connection = HTTPConnection(*address, timeout=SECONDS)
    buffer = memoryview(bytearray(PIECE))
    start = time.perf_counter()
    connection.request(method, path, body=body or None, headers=headers)
    answer = connection.getresponse()
    if answer.status // 100 != 2:
        raise Refused(reason(answer.status, answer.read()))
    try:
        while count := answer.readinto(buffer):
            target.write(buffer[:count])
    except HTTPException as error:
        raise Refused("the answer broke off") from error
    target.flush()
    seconds = time.perf_counter() - start
    connection.close()
    return seconds
