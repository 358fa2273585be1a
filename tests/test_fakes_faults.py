"""The simulated printers misbehave as they are told."""

import socket

import pytest
from aiosnmp.message import SnmpMessage, SnmpResponse, SnmpVersion

from tests.asking import (
    COUNT,
    HOST,
    NAME,
    SMALL,
    UPTIME,
    ask,
    datagrams,
    error,
    get,
    get_bulk,
    get_next,
    values,
)
from tests.fakes.agent import Agent, Device


@pytest.mark.parametrize(
    "device",
    [
        Device(SMALL, asleep=True),
        Device(SMALL, versions={"1"}),
        Device(SMALL, community="secret"),
        Device(SMALL, max_request=30),
        Device(SMALL, max_varbinds=1),
        Device(SMALL, lose_first=1),
        Device(SMALL, max_response=40, oversize="silent"),
    ],
    ids=["asleep", "v1 only", "community", "bytes", "varbinds", "waking", "large answer"],
)
async def test_silence(agent: Agent, device: Device) -> None:
    agent.add(HOST, device)
    assert await ask(agent, get(NAME, COUNT)) is None
    assert (device.requests.total(), device.refused, device.responses) == (1, 1, 0)


async def test_silence_ends(agent: Agent) -> None:
    device = agent.add(HOST, Device(SMALL, versions={"1"}, community="secret", lose_first=1, max_varbinds=1))
    pdu = get(NAME)
    assert len(await datagrams(agent, pdu, pdu, v1=True, community="secret", many=2)) == 1
    assert device.requests.total() == 2


async def test_losses_are_spread_evenly(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL, loss=0.25))
    replies = await datagrams(agent, *[get(NAME) for _ in range(12)], many=12)
    assert len(replies) == 9


@pytest.mark.parametrize(("bulk", "status"), [("broken", 5), ("ignored", None), ("one", 0)])
async def test_get_bulk_broken(agent: Agent, bulk: str, status: int | None) -> None:
    agent.add(HOST, Device(SMALL, bulk=bulk))  # type: ignore[arg-type]
    response = await ask(agent, get_bulk("1.3", NAME))
    assert (response.data.error_status if response else None) == status
    assert values(await ask(agent, get_next(UPTIME))) == [(NAME, b"")]
    if response and status == 0:
        assert len(response.data.varbinds) == 2


async def test_one_at_a_time_drops_the_second(agent: Agent) -> None:
    device = agent.add(HOST, Device(SMALL, one_at_a_time=True, delay=0.01))
    assert len(await datagrams(agent, get(NAME), get(COUNT), many=2)) == 1
    assert device.refused == 1
    assert values(await ask(agent, get(COUNT))) == [(COUNT, 123_456)]


async def test_requests_at_once_are_counted(agent: Agent) -> None:
    device = agent.add(HOST, Device(SMALL, delay=0.01))
    assert len(await datagrams(agent, get(NAME), get(COUNT), get(UPTIME), many=3)) == 3
    assert device.most_at_once == 3


async def test_endless_column(agent: Agent) -> None:
    column = "1.3.6.1.2.1.43.8.2.1.13"
    agent.add(HOST, Device(SMALL, endless="1.3.6.1.2.1.43.8"))
    got = values(await ask(agent, get_bulk(column, repetitions=60)))
    assert [oid for oid, _ in got] == [f"{column}.1.{row}" for row in range(1, 61)]


async def test_column_that_begins_again(agent: Agent) -> None:
    column = "1.3.6.1.2.1.43.8.2.1.13.1"
    agent.add(HOST, Device(SMALL, increasing=False))
    got = values(await ask(agent, get_bulk(column, repetitions=5)))
    assert [oid for oid, _ in got] == [f"{column}.{row}" for row in (1, 2, 1, 2, 1)]


async def test_gen_err_in_the_middle_of_a_table(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL, gen_err=("1.3.6.1.2.1.43.8.2.1.13.1.2",)))
    assert error(await ask(agent, get_next(NAME, "1.3.6.1.2.1.43.8.2.1.13.1.1"))) == (5, 2)
    assert error(await ask(agent, get_bulk("1.3.6.1.2.1.43"))) == (5, 1)


async def test_get_next_where_get_does_not(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL, no_get=(NAME,)))
    assert values(await ask(agent, get(NAME, UPTIME)))[0] == (NAME, None)
    assert values(await ask(agent, get_next(UPTIME))) == [(NAME, b"")]


async def test_garbage_comes_before_the_answer(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL, garbage=3, request_id="both"))
    pdu = get(NAME)
    replies = await datagrams(agent, pdu, many=5)
    assert len(replies) == 5
    ids = [SnmpResponse.decode(reply).data.request_id for reply in replies[3:]]
    assert ids[0] != pdu.request_id
    assert ids[1] == pdu.request_id


async def test_spoiled_answers(agent: Agent) -> None:
    device = agent.add(HOST, Device(SMALL, truncate=True))
    whole = len(SnmpMessage(SnmpVersion.v2c, "public", get(NAME)).encode())
    assert len((await datagrams(agent, get(NAME)))[0]) <= whole // 2
    device.truncate, device.empty = False, True
    assert await datagrams(agent, get(NAME)) == [b""]
    device.empty, device.request_id = False, "wrong"
    pdu = get(NAME)
    response = await ask(agent, pdu)
    assert response is not None
    assert response.data.request_id != pdu.request_id


async def test_undecodable_requests_are_counted_and_survived(agent: Agent) -> None:
    device = agent.add(HOST, Device(SMALL))
    good = SnmpMessage(SnmpVersion.v2c, "public", get(NAME)).encode()
    bad = [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", good[:-1], good + b"\x00", bytes(300)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for data in bad:
            client.sendto(data, (HOST, agent.port))
    assert values(await ask(agent, get(NAME))) == [(NAME, b"")]
    assert device.undecodable == len(bad)
