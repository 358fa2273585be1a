"""Measure whether and how fast a Canon answers the echo of CPCA (UDP 47545).

A frame is a header of 20 octets, big-endian and packed, then the payload:

    magic CDCA | version 10 | flags, in an answer the response code | operation (2) | sequence (2)
    | payload length (2) | user id (4) | password (4) | status (2)

Echo returns its payload unchanged and needs no login, so it shows that a Canon is there and awake. The
objects and methods that hold the counters are not public: counters are read by SNMP and from `dcounter.cgi`,
under the same numbers. Sources: Synacktiv's notes on the MF644 (frame, echo over TCP), a capture of a
driver's status poll (flags 04).

CpcaError
├── CpcaFrameError
└── CpcaNoResponseError
"""

import asyncio
import secrets
import struct
import time
from dataclasses import dataclass

from appliance.domain.messages import Message

PORT = 47545
MAGIC = 0xCDCA
VERSION = 0x10
HEADER = struct.Struct(">HBBHHHIIH")
MAX_PAYLOAD_BYTES = 0xFFFF - HEADER.size  # what the length field and a datagram can hold
ECHO = 0x01  # operation

# Drivers send 00 in print streams, a captured poll that was answered has 04, an echo over TCP was answered
# with 00. Which one UDP needs is not documented, so the tries alternate.
FLAGS_PER_TRY = (0x00, 0x04, 0x00, 0x04)
TRY_TIMEOUT_S = 1.0


class CpcaError(Exception):
    """CPCA failed."""


class CpcaNoResponseError(CpcaError):
    """The printer sent no frame that answers the request."""


class CpcaFrameError(CpcaError):
    """The octets are not a CPCA frame."""


@dataclass(frozen=True, slots=True)
class CpcaFrame:
    """A request or an answer; in an answer, `flags` is the response code."""

    operation: int
    payload: bytes = b""
    sequence: int = 0
    flags: int = 0
    user_id: int = 0
    password: int = 0
    status: int = 0


def encode_frame(frame: CpcaFrame) -> bytes:
    """Encode a frame. Raises CpcaFrameError if the payload is too long."""
    if len(frame.payload) > MAX_PAYLOAD_BYTES:
        raise CpcaFrameError("the payload is too long")
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


def decode_frame(data: bytes) -> CpcaFrame:
    """Decode a frame, which has to fill the octets exactly. Raises CpcaFrameError."""
    if len(data) < HEADER.size:
        raise CpcaFrameError("shorter than a header")
    magic, version, flags, operation, sequence, length, user_id, password, status = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise CpcaFrameError("another protocol")
    if version != VERSION:
        raise CpcaFrameError(f"version {version:#04x}")
    if length != len(data) - HEADER.size:
        raise CpcaFrameError("another length than announced")
    return CpcaFrame(operation, data[HEADER.size :], sequence, flags, user_id, password, status)


async def measure_echo(host: str, *, port: int = PORT, timeout_s: float = TRY_TIMEOUT_S) -> float:
    """Return the seconds until the printer returned the payload. Raises CpcaNoResponseError."""
    token = secrets.token_bytes(8)
    started = time.monotonic()
    answer = await _send_echo(host, token, port, timeout_s)
    if answer.payload != token:
        raise CpcaNoResponseError("answers, but not with what was sent")
    return time.monotonic() - started


async def _send_echo(host: str, payload: bytes, port: int, timeout_s: float) -> CpcaFrame:
    """Send the echo until it is answered, once for each of FLAGS_PER_TRY. Raises CpcaNoResponseError."""
    loop = asyncio.get_running_loop()
    sequence = secrets.randbelow(0xFFFF) + 1
    protocol = _ResponseProtocol(ECHO, sequence)
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: protocol, remote_addr=(host, port))
    except OSError as error:
        raise CpcaNoResponseError(f"out of reach: {error.strerror}") from error
    try:
        for flags in FLAGS_PER_TRY:
            transport.sendto(encode_frame(CpcaFrame(ECHO, payload, sequence, flags)))
            answer = await protocol.wait(timeout_s)
            if answer is not None:
                return answer
            if protocol.port_closed:
                break
    finally:
        transport.close()
    raise CpcaNoResponseError(
        Message("snmp.port_closed", port=port) if protocol.port_closed else Message("snmp.silent")
    )


class _ResponseProtocol(asyncio.DatagramProtocol):
    """Wait for the one frame that answers the request; ignore everything else."""

    def __init__(self, operation: int, sequence: int) -> None:
        self.port_closed = False
        self._expected = (operation, sequence)
        self._response: CpcaFrame | None = None
        self._changed = asyncio.Event()

    async def wait(self, timeout_s: float) -> CpcaFrame | None:
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return None
        return self._response

    def datagram_received(self, data: bytes, _: tuple[str | int, ...]) -> None:
        try:
            frame = decode_frame(data)
        except CpcaFrameError:
            return
        if (frame.operation, frame.sequence) == self._expected:
            self._response = frame
            self._changed.set()

    def error_received(self, error: Exception) -> None:
        self.port_closed = isinstance(error, ConnectionRefusedError)  # ICMP port unreachable
        if self.port_closed:
            self._changed.set()
