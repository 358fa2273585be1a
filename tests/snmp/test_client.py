"""One printer is asked: who answers wrongly, late or never costs no more than the tries and the budget."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from appliance.mib import oids
from appliance.snmp.ber import Varbind
from appliance.snmp.client import SnmpBudget, SnmpSession
from appliance.snmp.errors import (
    SnmpBudgetExceededError,
    SnmpInvalidResponseError,
    SnmpNoResponseError,
    SnmpStatusError,
)
from appliance.snmp.transport import SnmpEndpoint
from tests.fakes import ber
from tests.fakes.agent import Agent, Device

DESCR = (*oids.SYS_DESCR, 0)
UPTIME = (*oids.SYS_UP_TIME, 0)
MISSING = (*oids.SYS_NAME, 0)
MIB = {"1.3.6.1.2.1.1.1.0": (4, b"Aficio"), "1.3.6.1.2.1.1.3.0": (67, 4242)}
AFICIO = Varbind(DESCR, b"Aficio", 4)
HOST = "127.0.1.10"
SHORT = (0.05, 0.05, 0.05)


@pytest.fixture
async def endpoint() -> AsyncIterator[SnmpEndpoint]:
    async with SnmpEndpoint() as opened:
        yield opened


def session(endpoint: SnmpEndpoint, agent: Agent, host: str = HOST, **options) -> SnmpSession:
    return SnmpSession(endpoint, host, port=agent.port, **{"tries": SHORT, **options})


# What is asked is answered


async def test_get_reads_values_and_says_what_is_missing(agent, endpoint):
    agent.add(HOST, Device(MIB))
    asked = session(endpoint, agent)
    assert await asked.get([DESCR, UPTIME, MISSING]) == [
        AFICIO,
        Varbind(UPTIME, 4242, 67),
        Varbind(MISSING, None, 128),
    ]


async def test_get_next_and_get_bulk_read_on(agent, endpoint):
    agent.add(HOST, Device(MIB))
    asked = session(endpoint, agent)
    assert await asked.get_next([oids.SYS_DESCR]) == [AFICIO]
    rows = await asked.get_bulk([oids.SYSTEM], max_repetitions=3)
    assert [varbind.oid for varbind in rows] == [DESCR, UPTIME, UPTIME]
    assert rows[2].tag == 130


async def test_v1_speaks_v1(agent, endpoint):
    agent.add(HOST, Device(MIB, versions={"1"}))
    assert await session(endpoint, agent, version="1").get([DESCR]) == [AFICIO]
    with pytest.raises(SnmpNoResponseError):
        await session(endpoint, agent, version="2").get([DESCR])
    with pytest.raises(ValueError, match="no GETBULK"):
        await session(endpoint, agent, version="1").get_bulk([DESCR], max_repetitions=3)


async def test_another_community_is_not_answered(agent, endpoint):
    agent.add(HOST, Device(MIB, community="secret"))
    with pytest.raises(SnmpNoResponseError, match="silent"):
        await session(endpoint, agent).get([DESCR])
    assert await session(endpoint, agent, community="secret").get([DESCR]) == [AFICIO]


async def test_an_error_names_its_status_and_place(agent, endpoint):
    agent.add(HOST, Device(MIB))
    with pytest.raises(SnmpStatusError, match="noSuchName at object 2") as raised:
        await session(endpoint, agent, version="1").get([DESCR, MISSING])
    assert (raised.value.status, raised.value.index) == (2, 2)
    agent.devices[HOST].max_response = 60
    with pytest.raises(SnmpStatusError, match="tooBig"):
        await session(endpoint, agent).get([DESCR, UPTIME, MISSING])


async def test_the_cost_is_what_went_over_the_wire(agent, endpoint):
    device = agent.add(HOST, Device(MIB))
    asked = session(endpoint, agent)
    await asked.get([DESCR])
    await asked.get_next([oids.SYS_DESCR, oids.SYS_UP_TIME])
    assert asked.cost.packets == 4
    assert asked.cost.bytes == device.bytes_in + device.bytes_out
    assert 0 < asked.cost.seconds < 5


# Retries


async def test_a_lost_request_is_sent_again_unchanged(agent, endpoint):
    device = agent.add(HOST, Device(MIB, lose_first=2))
    asked = session(endpoint, agent)
    assert await asked.get([DESCR]) == [AFICIO]
    assert device.requests.total() == 3
    assert asked.cost.packets == 4


async def test_an_answer_to_an_earlier_try_counts(agent, endpoint):
    agent.add(HOST, Device(MIB, delay=0.08))
    assert await session(endpoint, agent).get([DESCR]) == [AFICIO]


async def test_silence_ends_after_all_tries(agent, endpoint):
    device = agent.add(HOST, Device(MIB, asleep=True))
    began = time.monotonic()
    with pytest.raises(SnmpNoResponseError, match="silent"):
        await session(endpoint, agent).get([DESCR])
    assert 0.14 < time.monotonic() - began < 1
    assert device.requests.total() == 3


async def test_a_printer_known_to_be_quick_is_waited_for_less(agent, endpoint):
    device = agent.add(HOST, Device(MIB))
    asked = session(endpoint, agent, tries=(60.0, 60.0))
    await asked.get([DESCR])
    device.lose_first = 2
    began = time.monotonic()
    assert await asked.get([DESCR]) == [AFICIO]
    assert time.monotonic() - began < 5


@pytest.mark.skipif("sys.platform != 'linux'", reason="ICMP errors are only known on Linux")
async def test_a_slow_printer_is_asked_everything_but_the_first_thing_once(agent, endpoint):
    slow = agent.add(HOST, Device(MIB, delay=0.3))
    asked = session(endpoint, agent, tries=(0.2, 0.4, 0.8))
    for _ in range(4):
        assert await asked.get([DESCR]) == [AFICIO]
    assert slow.requests.total() == 5


async def test_a_closed_port_is_known_at_once(agent, endpoint):
    asked = session(endpoint, agent, host="127.0.1.99", tries=(30.0, 30.0, 30.0))
    with pytest.raises(SnmpNoResponseError, match=f"port {agent.port} is closed"):
        await asked.get([DESCR])
    assert asked.cost.seconds < 5


async def test_an_address_out_of_reach_is_named(endpoint):
    asked = SnmpSession(
        endpoint, "127.255.255.255", tries=(30.0,)
    )  # broadcast, which our socket may not send to
    with pytest.raises(SnmpNoResponseError, match="out of reach: Permission denied"):
        await asked.get([DESCR])
    assert asked.cost.packets == 0


def test_a_name_is_no_address():
    with pytest.raises(ValueError, match=r"printer\.example"):
        SnmpSession(SnmpEndpoint(), "printer.example")


# Answers that are none


async def test_a_wrong_request_id_is_no_answer(agent, endpoint):
    agent.add(HOST, Device(MIB, request_id="wrong"))
    asked = session(endpoint, agent)
    with pytest.raises(SnmpInvalidResponseError):
        await asked.get([DESCR])
    assert asked.unmatched_datagrams == 3


async def test_rubbish_does_not_hide_the_answer(agent, endpoint):
    agent.add(HOST, Device(MIB, request_id="both", garbage=5))
    asked = session(endpoint, agent)
    assert await asked.get([DESCR]) == [AFICIO]
    assert asked.unmatched_datagrams == 6


async def test_a_cut_off_answer_ends_the_wait_sooner(agent, endpoint):
    agent.add(HOST, Device(MIB, truncate=True))
    asked = session(endpoint, agent, tries=(30.0, 30.0, 30.0))
    with pytest.raises(SnmpInvalidResponseError):
        await asked.get([DESCR] * 10)
    assert asked.cost.packets == 4


async def test_empty_datagrams_are_counted(agent, endpoint):
    agent.add(HOST, Device(MIB, empty=True))
    asked = session(endpoint, agent)
    with pytest.raises(SnmpInvalidResponseError):
        await asked.get([DESCR])
    assert asked.cost.packets == 6


async def test_nobody_else_may_answer(agent, endpoint):
    """The request id is right, but the answer comes from another port of the same address."""
    device = Device(MIB)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as printer,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        printer.bind((HOST, 0))
        stranger.bind((HOST, 0))
        asked = SnmpSession(endpoint, HOST, port=printer.getsockname()[1], tries=SHORT)
        getting = asyncio.ensure_future(asked.get([DESCR]))
        printer.setblocking(False)
        request, peer = await asyncio.get_running_loop().sock_recvfrom(printer, 2_000)
        for reply in device.answers(request):
            stranger.sendto(reply, peer)
        with pytest.raises(SnmpNoResponseError):
            await getting
        assert asked.cost.packets == 3


async def test_objects_that_were_not_asked_for_are_not_taken(endpoint):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as printer:
        printer.bind((HOST, 0))
        printer.setblocking(False)
        asked = SnmpSession(endpoint, HOST, port=printer.getsockname()[1], tries=SHORT)
        getting = asyncio.ensure_future(asked.get([DESCR]))
        data, peer = await asyncio.get_running_loop().sock_recvfrom(printer, 2_000)
        request = ber.decode(data)
        made_up = ber.varbind(MISSING, ber.encode_value(4, b"made up"))
        printer.sendto(ber.response(request, request.request_id, 0, 0, [made_up]), peer)
        assert await getting == []


# Bounds


@pytest.mark.parametrize(("pause", "end"), [(0.01, SnmpInvalidResponseError), (0.0, SnmpBudgetExceededError)])
async def test_a_flood_of_wrong_answers_extends_no_deadline(endpoint, pause, end):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as printer:
        printer.bind((HOST, 0))
        printer.setblocking(False)
        asked = SnmpSession(endpoint, HOST, port=printer.getsockname()[1], tries=(0.2, 0.2))
        getting = asyncio.ensure_future(asked.get([DESCR]))
        _, peer = await asyncio.get_running_loop().sock_recvfrom(printer, 2_000)
        began = time.monotonic()
        while not getting.done():
            printer.sendto(b"\x30\x82", peer)
            await asyncio.sleep(pause)
        assert time.monotonic() - began < 2
        with pytest.raises(end):
            getting.result()


async def test_the_budget_of_seconds_ends_a_session(agent, endpoint):
    agent.add(HOST, Device(MIB, asleep=True))
    asked = session(endpoint, agent, tries=(30.0,), budget=SnmpBudget(seconds=0.1))
    with pytest.raises(SnmpBudgetExceededError, match=r"took longer than 0\.1 s"):
        await asked.get([DESCR])
    with pytest.raises(SnmpBudgetExceededError):
        await asked.get([DESCR])
    assert asked.cost.packets == 1


async def test_the_budget_of_packets_ends_a_session(agent, endpoint):
    device = agent.add(HOST, Device(MIB))
    asked = session(endpoint, agent, budget=SnmpBudget(packets=6))
    for _ in range(3):
        await asked.get([DESCR])
    with pytest.raises(SnmpBudgetExceededError, match="more than 6 packets"):
        await asked.get([DESCR])
    assert device.requests.total() == 3


async def test_the_clock_starts_with_the_first_request(agent, endpoint):
    agent.add(HOST, Device(MIB))
    asked = session(endpoint, agent, budget=SnmpBudget(seconds=0.05))
    began = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.06, began.set_result, None)
    await began
    assert asked.cost.seconds == 0
    assert await asked.get([DESCR]) == [AFICIO]


# Many at once


async def test_one_request_at_a_time(agent, endpoint):
    device = agent.add(HOST, Device(MIB, delay=0.01))
    asked = session(endpoint, agent, tries=(5.0,))
    await asyncio.gather(*(asked.get([DESCR]) for _ in range(5)))
    assert device.most_at_once == 1


async def test_two_sessions_with_one_printer_do_not_disturb_each_other(agent, endpoint):
    agent.add(HOST, Device(MIB, delay=0.01))
    both = [session(endpoint, agent, tries=(5.0,)) for _ in range(2)]
    assert await asyncio.gather(both[0].get([DESCR]), both[1].get([UPTIME])) == [
        [AFICIO],
        [Varbind(UPTIME, 4242, 67)],
    ]


async def test_a_hundred_at_once_lose_nothing(agent, endpoint):
    mib = {f"1.3.6.1.2.1.1.9.{row}": (4, b"x" * 40) for row in range(20)}
    names = [(1, 3, 6, 1, 2, 1, 1, 9, row) for row in range(20)]
    hosts = [f"127.0.2.{number}" for number in range(1, 101)]
    for host in hosts:
        agent.add(host, Device(mib))
    sessions = [session(endpoint, agent, host, tries=(5.0, 5.0)) for host in hosts]
    results = await asyncio.gather(*(each.get(names) for each in sessions))
    assert all(len(result) == 20 for result in results)
    assert sum(each.cost.packets for each in sessions) == 2 * len(hosts)


async def test_a_cancelled_request_leaves_nothing_behind(agent, endpoint):
    agent.add(HOST, Device(MIB, asleep=True))
    asked = session(endpoint, agent, tries=(30.0,))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asked.get([DESCR]), 0.05)
    agent.devices[HOST].asleep = False
    assert await asked.get([DESCR]) == [AFICIO]
    assert not endpoint._listeners


async def test_ipv6(endpoint):
    device = Device(MIB)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as printer:
        try:
            printer.bind(("::1", 0))
        except OSError as error:
            pytest.skip(f"no IPv6 here: {error}")
        printer.setblocking(False)
        asked = SnmpSession(endpoint, "::1", port=printer.getsockname()[1], tries=(5.0,))
        getting = asyncio.ensure_future(asked.get([DESCR]))
        request, peer = await asyncio.get_running_loop().sock_recvfrom(printer, 2_000)
        for reply in device.answers(request):
            printer.sendto(reply, peer)
        assert await getting == [AFICIO]
