"""Canon's CPCA over UDP 47545, as far as it is public: the frame, the echo, the execution of a method.

A frame is a header of 20 octets, big-endian and packed, then the payload:

    magic CDCA | version 10 | flags, in an answer the response code | operation (2) | sequence (2)
    | payload length (2) | user id (4) | password (4) | status (2)

Echo returns its payload as it came, without login, so it tells that a Canon is there and awake. The objects
and methods that hold the counters are not public: those are read by SNMP and from `dcounter.cgi`, under the
same numbers. Sources: Synacktiv's notes on the MF644 (frame, echo over TCP), a capture of a driver's status
poll (flags 04, method execution), a GPL patch of Canon's driver (order of object, method, data).
"""

import asyncio
import secrets
import struct
import time
from dataclasses import dataclass
from enum import IntEnum

PORT = 47545
MAGIC = 0xCDCA
VERSION = 0x10
HEADER = struct.Struct(">HBBHHHIIH")
METHOD = struct.Struct(">IH")
MOST_PAYLOAD = 0xFFFF - HEADER.size  # what the length field and a datagram can hold

# Drivers send 00 in print streams, a captured poll that was answered has 04. An echo over TCP was answered
# with 00; nobody has told which one UDP wants, so the tries alternate.
FLAGS = (0x00, 0x04, 0x00, 0x04)
PATIENCE = 1.0  # seconds for each of these


class Operation(IntEnum):
    """The operations that are known and that change nothing of a print job."""

    ECHO = 0x01
    EXECUTE_METHOD = 0x1D


class NoAnswer(Exception):
    """Silent, or never with a frame that answers what was asked."""


class BadFrame(Exception):
    """These octets are no frame of CPCA."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A request, or an answer: there `flags` is the response code."""

    operation: int
    payload: bytes = b""
    sequence: int = 0
    flags: int = 0
    user_id: int = 0
    password: int = 0
    status: int = 0


def pack(frame: Frame) -> bytes:
    """A frame as octets. Raises BadFrame if the payload is too long."""
    if len(frame.payload) > MOST_PAYLOAD:
        raise BadFrame("the payload is too long")
    header = HEADER.pack(
        MAGIC,
        VERSION,
        frame.flags,
        frame.operation,
        frame.sequence,
        len(frame.payload),
        frame.user_id,
        frame.password,
        frame.status,
    )
    return header + frame.payload


def unpack(data: bytes) -> Frame:
    """A frame out of octets, which it has to fill exactly. Raises BadFrame."""
    if len(data) < HEADER.size:
        raise BadFrame("shorter than a header")
    magic, version, flags, operation, sequence, length, user_id, password, status = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise BadFrame("another protocol")
    if version != VERSION:
        raise BadFrame(f"version {version:#04x}")
    if length != len(data) - HEADER.size:
        raise BadFrame("another length than announced")
    return Frame(operation, data[HEADER.size :], sequence, flags, user_id, password, status)


def execution(handle: int, method: int, data: bytes = b"") -> bytes:
    """The payload of EXECUTE_METHOD: an object's handle, one of its methods, that method's data."""
    return METHOD.pack(handle, method) + data


async def echo(host: str, *, port: int = PORT, patience: float = PATIENCE) -> float:
    """Seconds that the printer took to return what was sent. Raises NoAnswer."""
    token = secrets.token_bytes(8)
    started = time.monotonic()
    answer = await ask(host, Operation.ECHO, token, port=port, patience=patience)
    if answer.payload != token:
        raise NoAnswer("answers, but not with what was sent")
    return time.monotonic() - started


async def ask(
    host: str, operation: Operation, payload: bytes, *, port: int = PORT, patience: float = PATIENCE
) -> Frame:
    """The frame that answers one request, tried a few times. Raises NoAnswer."""
    loop = asyncio.get_running_loop()
    sequence = secrets.randbelow(0xFFFF) + 1
    ear = _Ear(operation, sequence)
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: ear, remote_addr=(host, port))
    except OSError as error:
        raise NoAnswer(f"out of reach: {error.strerror}") from error
    try:
        for flags in FLAGS:
            transport.sendto(pack(Frame(operation, payload, sequence, flags)))
            answer = await ear.wait(patience)
            if answer is not None:
                return answer
            if ear.closed:
                break
    finally:
        transport.close()
    raise NoAnswer(f"port {port} is closed" if ear.closed else "silent")


class _Ear(asyncio.DatagramProtocol):
    """Hears the one frame that answers; everything else is no answer."""

    def __init__(self, operation: int, sequence: int) -> None:
        self.closed = False
        self._wanted = (operation, sequence)
        self._heard: Frame | None = None
        self._something = asyncio.Event()

    async def wait(self, seconds: float) -> Frame | None:
        self._something.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._something.wait()
        except TimeoutError:
            return None
        return self._heard

    def datagram_received(self, data: bytes, _: tuple[str | int, ...]) -> None:
        try:
            frame = unpack(data)
        except BadFrame:
            return
        if (frame.operation, frame.sequence) == self._wanted:
            self._heard = frame
            self._something.set()

    def error_received(self, error: Exception) -> None:
        self.closed = isinstance(error, ConnectionRefusedError)  # ICMP port unreachable
        if self.closed:
            self._something.set()
