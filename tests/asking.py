"""Requests to simulated printers by aiosnmp's messages: an independent judge of how they answer."""

import asyncio
import socket

from aiosnmp.message import (
    GetBulkRequest,
    GetNextRequest,
    GetRequest,
    SnmpMessage,
    SnmpResponse,
    SnmpVarbind,
    SnmpVersion,
)

from tests.fakes import ber
from tests.fakes.agent import Agent

HOST = "127.0.0.10"
NAME, UPTIME, COUNT = "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.43.10.2.1.4.1.1"
SMALL: dict[str, tuple[int, ber.Raw]] = {
    "1.3.6.1.2.1.1.1.0": (4, "A printer"),
    UPTIME: (67, 4_000_000_000),
    NAME: (4, b""),
    "1.3.6.1.2.1.4.20.1.1.127.0.0.1": (64, "127.0.0.1"),
    "1.3.6.1.2.1.31.1.1.1.6.1": (70, 2**63 + 1),
    "1.3.6.1.2.1.43.8.2.1.10.1.1": (2, -3),
    "1.3.6.1.2.1.43.8.2.1.10.1.2": (2, 250),
    "1.3.6.1.2.1.43.8.2.1.13.1.1": (4, "Fach 1"),
    "1.3.6.1.2.1.43.8.2.1.13.1.2": (4, "Fach 2"),
    COUNT: (65, 123_456),
}


def get(*oids: str) -> GetRequest:
    return GetRequest([SnmpVarbind(oid) for oid in oids])


def get_next(*oids: str) -> GetNextRequest:
    return GetNextRequest([SnmpVarbind(oid) for oid in oids])


def get_bulk(*oids: str, repetitions: int = 10, non_repeaters: int = 0) -> GetBulkRequest:
    return GetBulkRequest([SnmpVarbind(oid) for oid in oids], non_repeaters, repetitions)


async def datagrams(
    agent: Agent,
    *pdus: GetRequest | GetNextRequest | GetBulkRequest,
    v1: bool = False,
    community: str = "public",
    many: int = 1,
) -> list[bytes]:
    """Sends the requests at once; waits for so many datagrams, or as long as an agent in a hurry takes."""
    loop = asyncio.get_running_loop()
    version = SnmpVersion.v1 if v1 else SnmpVersion.v2c
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        for pdu in pdus:
            await loop.sock_sendto(client, SnmpMessage(version, community, pdu).encode(), (HOST, agent.port))
        received: list[bytes] = []
        try:
            async with asyncio.timeout(0.2):
                while len(received) < many:
                    received.append(await loop.sock_recv(client, 65_535))
        except TimeoutError:
            pass
        return received


async def ask(
    agent: Agent,
    pdu: GetRequest | GetNextRequest | GetBulkRequest,
    *,
    v1: bool = False,
    community: str = "public",
) -> SnmpResponse | None:
    replies = await datagrams(agent, pdu, v1=v1, community=community)
    return SnmpResponse.decode(replies[0]) if replies else None


def values(response: SnmpResponse | None) -> list[tuple[str, object]]:
    assert response is not None
    assert response.data.error_status == 0
    return [(varbind.oid.lstrip("."), varbind.value) for varbind in response.data.varbinds]


def error(response: SnmpResponse | None) -> tuple[int, int]:
    assert response is not None
    return response.data.error_status, response.data.error_index
