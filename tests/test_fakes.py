"""The simulated printers answer as RFC 1157 and RFC 3416 say."""

from pathlib import Path

import pytest

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
from tests.fakes import ber, snmprec
from tests.fakes.agent import Agent, Device


async def test_get_gives_every_type(agent: Agent) -> None:
    device = agent.add(HOST, Device(SMALL))
    oids = list(SMALL)
    got = dict(values(await ask(agent, get(*oids))))
    assert got[UPTIME] == 4_000_000_000
    assert got[NAME] == b""
    assert str(got["1.3.6.1.2.1.4.20.1.1.127.0.0.1"]) == "127.0.0.1"
    assert got["1.3.6.1.2.1.31.1.1.1.6.1"] == 2**63 + 1
    assert got["1.3.6.1.2.1.43.8.2.1.10.1.1"] == -3
    assert got[COUNT] == 123_456
    assert device.requests == {"get": 1}


async def test_missing_objects_have_their_v2c_exceptions(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL))
    no_instance, no_object, end = "1.3.6.1.2.1.1.5.9", "1.3.6.1.9.9.9", "1.3.6.1.9"
    replies = await datagrams(agent, get(NAME, no_instance, no_object))
    assert bytes((ber.NO_SUCH_INSTANCE, 0)) in replies[0]
    assert bytes((ber.NO_SUCH_OBJECT, 0)) in replies[0]
    replies = await datagrams(agent, get_next(end))
    assert replies[0].endswith(bytes((ber.END_OF_MIB_VIEW, 0)))


async def test_v1_names_the_object_that_is_missing(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL))
    assert error(await ask(agent, get(NAME, "1.3.6.1.9.9"), v1=True)) == (2, 2)
    assert error(await ask(agent, get_next("1.3.6.1.9"), v1=True)) == (2, 1)


async def test_v1_cannot_say_counter64(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL))
    assert error(await ask(agent, get("1.3.6.1.2.1.31.1.1.1.6.1"), v1=True)) == (2, 1)
    following = values(await ask(agent, get_next("1.3.6.1.2.1.31"), v1=True))
    assert following == [("1.3.6.1.2.1.43.8.2.1.10.1.1", -3)]


async def test_get_next_walks_everything_in_order(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL))
    walked, oid = [], "1.3"
    for _ in SMALL:
        [(oid, _value)] = values(await ask(agent, get_next(oid)))
        walked.append(oid)
    assert walked == sorted(SMALL, key=ber.parse_oid)


async def test_get_bulk_repeats_columns_side_by_side(agent: Agent) -> None:
    agent.add(HOST, Device(SMALL))
    columns = "1.3.6.1.2.1.43.8.2.1.10", "1.3.6.1.2.1.43.8.2.1.13"
    pdu = get_bulk("1.3.6.1.2.1.1.4", *columns, repetitions=2, non_repeaters=1)
    got = values(await ask(agent, pdu))
    assert got == [
        (NAME, b""),
        (f"{columns[0]}.1.1", -3),
        (f"{columns[1]}.1.1", b"Fach 1"),
        (f"{columns[0]}.1.2", 250),
        (f"{columns[1]}.1.2", b"Fach 2"),
    ]


async def test_get_bulk_is_cut_at_the_largest_response(agent: Agent) -> None:
    device = agent.add(HOST, Device(SMALL, max_response=200))
    cut = values(await ask(agent, get_bulk("1.3", repetitions=50)))
    assert 1 < len(cut) < len(SMALL)
    assert device.largest_response <= 200
    assert [oid for oid, _ in cut] == list(device.mib)[: len(cut)]


@pytest.mark.parametrize(("v1", "echoed"), [(True, 10), (False, 0)])
async def test_too_big(agent: Agent, v1: bool, echoed: int) -> None:
    agent.add(HOST, Device({f"1.3.6.1.2.1.1.{n}.0": (4, "x" * 90) for n in range(10)}, max_response=484))
    response = await ask(agent, get(*(f"1.3.6.1.2.1.1.{n}.0" for n in range(10))), v1=v1)
    assert error(response) == (1, 0)
    assert response is not None
    assert len(response.data.varbinds) == echoed


async def test_objects_change_between_queries(agent: Agent) -> None:
    device = agent.add(HOST, Device(SMALL))
    device.mib[COUNT] = (65, 7)
    device.mib["1.3.6.1.2.1.1.6.0"] = (4, "Lager")
    del device.mib[NAME]
    assert values(await ask(agent, get(COUNT))) == [(COUNT, 7)]
    assert values(await ask(agent, get_next(UPTIME))) == [("1.3.6.1.2.1.1.6.0", b"Lager")]
    device.mib = dict(SMALL)
    assert values(await ask(agent, get(NAME))) == [(NAME, b"")]


async def test_a_printer_moves(agent: Agent) -> None:
    device = agent.add("127.0.0.11", Device(SMALL))
    agent.move("127.0.0.11", HOST)
    assert values(await ask(agent, get(NAME))) == [(NAME, b"")]
    assert device.responses == 1


async def test_only_loopback_addresses(agent: Agent) -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        agent.add("192.168.1.1", Device(SMALL))


async def test_every_recording_can_be_walked(agent: Agent, recording: Path) -> None:
    device = agent.add(HOST, Device(snmprec.read(recording)))
    walked = ["1.3"]
    while len(walked) <= len(device.mib):
        fresh = [oid for oid, _ in values(await ask(agent, get_bulk(walked[-1], repetitions=500)))]
        assert fresh[0] != walked[-1], "the walk ends too early"
        walked += fresh
    assert walked[1 : len(device.mib) + 1] == list(device.mib)
