"""A Canon's CPCA port, strict: only frames that are right to the last octet are answered."""

import asyncio
from dataclasses import dataclass, field
from typing import Self

MAGIC, VERSION, ECHO = bytes.fromhex("cdca"), 0x10, 0x01


@dataclass
class Cpca:
    """`wants`: the flags that it answers to; `spoil` bends each answer."""

    address: str
    port: int = 0
    wants: tuple[int, ...] = (0x00, 0x04)
    spoil: str = ""
    lose: int = 0  # so many requests are never answered
    requests: list[bytes] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Port(self), local_addr=(self.address, self.port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def answers(self, data: bytes) -> list[bytes]:
        self.requests.append(data)
        if len(self.requests) <= self.lose:
            return []
        problem = self._problem(data)
        if problem:
            self.wrong.append(problem)
            return []
        payload = data[20:]
        return self._spoiled(data[:8] + len(payload).to_bytes(2) + bytes(10) + payload)

    def _problem(self, data: bytes) -> str:
        if len(data) < 20 or data[:2] != MAGIC or data[2] != VERSION:
            return "no header"
        if data[3] not in self.wants:
            return f"flags {data[3]:#x}"
        if int.from_bytes(data[8:10]) != len(data) - 20:
            return "length"
        if int.from_bytes(data[4:6]) != ECHO:
            return "operation"
        return "" if data[10:20] == bytes(10) else "login"

    def _spoiled(self, answer: bytes) -> list[bytes]:
        bent = {
            "": [answer],
            "magic": [b"\xca\xcd" + answer[2:]],
            "version": [answer[:2] + b"\x20" + answer[3:]],
            "operation": [answer[:4] + b"\x00\x02" + answer[6:]],
            "sequence": [answer[:6] + bytes([answer[6] ^ 1]) + answer[7:]],
            "length": [answer + b"x"],
            "short": [answer[:19]],
            "empty": [b""],
            "payload": [answer[:-1] + bytes([answer[-1] ^ 1])],
            "noise first": [b"", b"\xff" * 40, answer[:-1], answer],
            "twice": [answer, answer],
        }
        return bent[self.spoil]


class _Port(asyncio.DatagramProtocol):
    def __init__(self, printer: Cpca) -> None:
        self._printer = printer

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        for answer in self._printer.answers(data):
            self._transport.sendto(answer, peer)
