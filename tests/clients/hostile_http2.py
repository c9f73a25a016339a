"""Floods of HTTP/2 frames at the doors of HTTP and Arrow Flight SQL (H08, H34), with frames written by hand.

Each flood may be answered, refused or cut off; what counts is that memory stays flat, health answers and honest clients are
served afterwards, which the caller looks at.
"""

import os
import socket
import struct
import time

from hostile_doors import Flight

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags, stream, body=b""):
    return struct.pack("!I", len(body))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + body


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def request(is_grpc):
    """A header block: GET /healthz, or a call of Flight."""
    if is_grpc:
        path = b"/arrow.flight.protocol.FlightService/DoGet"
        return b"\x83\x86" + literal(b":path", path) + literal(b":authority", b"x") + literal(b"content-type", b"application/grpc") + literal(b"te", b"trailers")
    return b"\x82\x86" + literal(b":path", b"/healthz") + literal(b":authority", b"x")


def floods(is_grpc, count):
    block = request(is_grpc)
    streams = range(1, 2 * count, 2)
    end = 0 if is_grpc else END_STREAM
    opened = [frame(HEADERS, END_HEADERS | end, stream, block) for stream in streams]
    grpc_message = lambda head, body: frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, 0, 1, head + body)
    yield "rapid reset", b"".join(head + frame(RST, 0, stream, struct.pack("!I", 8)) for head, stream in zip(opened, streams))
    yield "streams without end", b"".join(opened)
    yield "CONTINUATION without end", frame(HEADERS, end, 1, block) + frame(CONTINUATION, 0, 1, literal(b"x", b"y" * 100) * 100) * (count // 20)
    yield "empty CONTINUATION", frame(HEADERS, end, 1, block) + frame(CONTINUATION, 0, 1) * count
    yield "SETTINGS", frame(SETTINGS, 0, 0, struct.pack("!HI", 4, 65_535)) * count
    yield "PING", frame(PING, 0, 0, b"12345678") * count
    yield "PRIORITY", b"".join(frame(PRIORITY, 0, stream, struct.pack("!IB", 0, 16)) for stream in streams)
    yield "WINDOW_UPDATE beyond the most", frame(WINDOW, 0, 0, struct.pack("!I", 0x7FFFFFFF)) * 10
    yield "HPACK bomb", frame(HEADERS, END_HEADERS | end, 1, block + b"\x40\x01x" + b"\x7f\x81\x1e" + b"y" * 4_000 + b"\xbe" * 12_000)
    yield "HPACK size out of range", frame(HEADERS, END_HEADERS, 1, b"\x3f\xff\xff\xff\xff\x0f")
    yield "HPACK index out of range", frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\x0f")
    yield "frame of 16 MiB announced", b"\xff\xff\xff" + bytes([DATA, 0]) + struct.pack("!I", 1)
    yield "data on no stream", frame(DATA, 0, 0, b"x" * 1000)
    yield "zero window", frame(SETTINGS, 0, 0, struct.pack("!HI", 4, 0)) + b"".join(opened[:200])
    yield "GOAWAY", frame(GOAWAY, 0, 0, struct.pack("!II", 0, 0)) * 1000
    yield "random frames", b"".join(frame(n % 12, n * 37 % 256, n % 64, bytes([n % 256]) * (n % 97)) for n in range(2_000))
    yield "random bytes", os.urandom(100_000)
    if is_grpc:
        yield "1 GiB announced", grpc_message(b"\0" + struct.pack("!I", 1 << 30), b"x" * 1000)
        yield "4 GiB announced", grpc_message(b"\0\xff\xff\xff\xff", b"x" * 1000)
        yield "compressed bomb", grpc_message(b"\1" + struct.pack("!I", 1000), b"\x1f\x8b\x08" + b"\0" * 997)
        yield "message that never ends", grpc_message(b"\0" + struct.pack("!I", 100_000), b"x")


def pour(address, data, seconds=5):
    """Sends a flood and reads what comes; whether the server closed, and what it said last."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as sock:
        try:
            sock.sendall(PREFACE + frame(SETTINGS, 0, 0))
            for at in range(0, len(data), 65_536):
                sock.sendall(data[at : at + 65_536])
            sock.settimeout(0.3)
            while sock.recv(65_536):
                pass
            return "closed"
        except TimeoutError:
            return "open"
        except OSError:
            return "closed"


def floods_of_frames_are_borne(attack):
    problems, figures = [], {}
    count = 20_000 if attack.is_deep else 2_000
    for name, address, is_grpc in [("http", attack.http.removeprefix("http://"), False), ("flight", attack.flight, True)]:
        for flood, data in floods(is_grpc, count):
            begun = time.monotonic()
            try:
                found = pour(address, data)
            except OSError as error:
                found = type(error).__name__
                problems.append(f"{name}: {flood}: no connection: {error}")
            figures[f"{name} {flood}"] = f"{found} {time.monotonic() - begun:.1f} s"
        if not attack.warm(15):
            problems.append(f"{name}: no answer after the floods")
    door = Flight(attack.flight, "ticket")
    if "ok" not in door.ask("SELECT 1").codes:
        problems.append("flight: an honest client is not served after the floods")
    door.close()
    return problems, {"floods": figures}


CHECKS = [floods_of_frames_are_borne]
