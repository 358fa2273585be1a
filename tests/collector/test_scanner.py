"""A scan over loopback addresses: everybody who answers, once, at the pace that was set."""

import asyncio
import gc
import socket
import time
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from appliance.collector import scanner
from appliance.collector.scanner import ProbeResult, ScanProgress
from appliance.domain.model import Target
from tests.fakes.agent import Agent, Device

FAST = 2_000  # packets per second
QUICK = 0.08  # seconds of time-out
PRINTER = {
    "1.3.6.1.2.1.1.1.0": (4, b"RICOH Aficio MP C4000"),
    "1.3.6.1.2.1.1.2.0": (6, "1.3.6.1.4.1.367.1.1"),
    "1.3.6.1.2.1.25.3.5.1.1.1": (2, 3),
    "1.3.6.1.2.1.43.5.1.1.17.1": (4, b"Q123"),
    "1.3.6.1.2.1.43.10.2.1.4.1.1": (65, 815),
    "1.3.6.1.2.1.43.11.1.1.2.1.1": (2, 1),
}
SWITCH = {
    "1.3.6.1.2.1.1.1.0": (4, b"Switch"),
    "1.3.6.1.2.1.1.2.0": (6, "1.3.6.1.4.1.9.1.1"),
    "1.3.6.1.2.1.31.1.1.1.1.1": (4, b"eth0"),
}


def closing_scan(*arguments: Any, **options: Any) -> aclosing[Any]:
    generator: Any = scanner.scan_targets(*arguments, **options)
    return aclosing(generator)


def targets(agent: Agent, *numbers: int, **options: Any) -> list[Target]:
    return [Target(f"127.0.5.{number}", port=agent.port, **options) for number in numbers]


def add(agent: Agent, number: int, mib=PRINTER, **options) -> Device:
    return agent.add(f"127.0.5.{number}", Device(mib, **options))


async def scanned(
    asked, pace: int = FAST, progress: ScanProgress | None = None, **options
) -> list[ProbeResult]:
    answers = scanner.scan_targets(asked, pace, progress, **{"timeout_s": QUICK, **options})
    return [answer async for answer in answers]


def hosts(answers: list[ProbeResult]) -> list[str]:
    return sorted(answer.target.host for answer in answers)


async def test_who_answers_is_told_apart_from_who_does_not(agent):
    add(agent, 1)
    add(agent, 2, SWITCH)
    add(agent, 3, asleep=True)
    progress = ScanProgress(total=4)
    answers = await scanned(targets(agent, 1, 2, 3, 4), progress=progress)
    assert {answer.target.host: answer.is_printer for answer in answers} == {
        "127.0.5.1": True,
        "127.0.5.2": False,
    }
    assert progress == ScanProgress(total=4, asked=4, answered=2, printers=1)
    (printer,) = [answer for answer in answers if answer.is_printer]
    assert printer.identity.serial_number == "Q123"
    assert printer.identity.object_id == "1.3.6.1.4.1.367.1.1"
    assert printer.description == "RICOH Aficio MP C4000"


async def test_one_packet_is_enough_for_a_printer_three_for_a_silent_address(agent):
    printer = add(agent, 1)
    silent = add(agent, 2, asleep=True)
    await scanned(targets(agent, 1, 2))
    assert printer.requests.total() == 1
    assert silent.requests.total() == 3


@pytest.mark.parametrize(
    ("set_to", "speaks", "settled"),
    [("auto", "12", "2"), ("auto", "1", "1"), ("auto", "2", "2"), ("1", "12", "1"), ("2", "2", "2")],
)
async def test_the_version_is_settled(agent, set_to, speaks, settled):
    add(agent, 1, versions=set(speaks))
    (answer,) = await scanned(targets(agent, 1, snmp_version=set_to))
    assert answer.target == Target("127.0.5.1", port=agent.port, snmp_version=settled)


async def test_a_version_that_is_not_spoken_is_not_answered(agent):
    device = add(agent, 1, versions={"1"})
    assert await scanned(targets(agent, 1, snmp_version="2")) == []
    assert device.requests.total() == 2


async def test_one_lost_packet_does_not_leave_a_printer_with_v1(agent):
    add(agent, 1, lose_first=1)
    (answer,) = await scanned(targets(agent, 1))
    assert answer.target.snmp_version == "2"


async def test_a_v1_agent_without_some_objects_is_found(agent):
    mib = {oid: cell for oid, cell in PRINTER.items() if "1.43.1" not in oid}
    add(agent, 1, mib, versions={"1"})
    add(agent, 2, SWITCH, versions={"1"})
    answers = await scanned(targets(agent, 1, 2))
    assert {answer.target.host: answer.is_printer for answer in answers} == {
        "127.0.5.1": True,
        "127.0.5.2": False,
    }
    assert all(answer.description for answer in answers)


@pytest.mark.parametrize(("set_to", "speaks"), [("auto", "12"), ("auto", "1"), ("1", "1"), ("2", "2")])
async def test_an_agent_that_drops_what_asks_for_more_than_one_object_is_found(agent, set_to, speaks):
    printer = add(agent, 1, max_varbinds=1, versions=set(speaks))
    switch = add(agent, 2, SWITCH, max_varbinds=1, versions=set(speaks))
    answers = await scanned(targets(agent, 1, 2, snmp_version=set_to))
    assert {answer.target.host: answer.is_printer for answer in answers} == {
        "127.0.5.1": True,
        "127.0.5.2": False,
    }
    (found,) = [answer for answer in answers if answer.is_printer]
    assert (found.identity.serial_number, found.description) == ("Q123", "RICOH Aficio MP C4000")
    assert found.target.snmp_version == max(speaks)
    assert max(printer.requests.total(), switch.requests.total()) <= 3 + 4 + 1


async def test_an_agent_of_tiny_responses_is_found(agent):
    device = add(agent, 1, max_response=90, delay=0.6 * QUICK)
    (answer,) = await scanned(targets(agent, 1))
    assert answer.is_printer
    assert answer.identity.serial_number == "Q123"
    assert device.requests.total() == 6


async def test_each_community_and_port_is_asked(agent):
    add(agent, 1, community="geheim")
    both = [*targets(agent, 1), *targets(agent, 1, community_read="geheim")]
    answers = await scanned(both)
    assert [answer.target.community_read for answer in answers] == ["geheim"]
    assert len(await scanned(targets(agent, 1, 1, community_read="geheim"))) == 2


async def test_answers_come_while_the_scan_goes_on(agent):
    add(agent, 1)
    add(agent, 2, asleep=True)
    progress = ScanProgress()
    async with closing_scan(targets(agent, 1, *[2] * 50), 100, progress) as answers:
        first = await anext(answers)
    assert first.target.host == "127.0.5.1"
    assert progress.asked < 25


async def test_a_late_answer_counts_once(agent):
    """The printer is given up after 0.4 s, answers after 0.6 s; others are asked until 0.8 s have passed."""
    device = add(agent, 1, delay=0.6)
    add(agent, 2, asleep=True)
    many = targets(agent, 1, *[2] * 40, snmp_version="2")
    assert hosts(await scanned(many, pace=100, timeout_s=0.04)) == ["127.0.5.1"]
    assert device.requests.total() == 2


async def test_an_answer_after_the_version_was_settled_is_no_second_one(agent):
    """It answers v1 at once, then v2c too late, while others are still asked: it is taken for a v1 agent."""
    device = add(agent, 1, lose_first=1)
    add(agent, 2, asleep=True)
    answers = []
    async with (
        closing_scan(targets(agent, 1, *[2] * 30), 100, timeout_s=QUICK) as scanning,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(slow_down(device, 0.45))
        answers = [answer async for answer in scanning]
    assert [(each.target.host, each.target.snmp_version) for each in answers] == [("127.0.5.1", "1")]
    assert device.responses == 2


async def slow_down(device: Device, delay: float) -> None:
    """From its first answer on."""
    while not device.responses:  # noqa: ASYNC110  # it has nobody to tell
        await asyncio.sleep(0)
    device.delay = delay


async def test_an_answer_is_passed_on_without_delay(agent):
    add(agent, 1, delay=0.02)
    began = time.monotonic()
    assert len(await scanned(targets(agent, 1), timeout_s=30.0)) == 1
    assert time.monotonic() - began < 5


async def test_a_duplicate_answer_counts_once(agent):
    device = add(agent, 1, delay=1.5 * QUICK)  # the retry is sent, then both are answered
    add(agent, 2, asleep=True)
    answers = await scanned(targets(agent, 1, *[2] * 5))
    assert hosts(answers) == ["127.0.5.1"]
    assert device.responses >= 2


async def test_wrong_answers_are_none(agent):
    add(agent, 1, request_id="wrong")
    add(agent, 2, truncate=True)
    add(agent, 3, empty=True)
    add(agent, 4, garbage=3, request_id="both")
    assert hosts(await scanned(targets(agent, 1, 2, 3, 4))) == ["127.0.5.4"]


async def test_an_answer_from_elsewhere_is_none(agent):
    device = Device(PRINTER)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        asked.bind(("127.0.5.1", 0))
        asked.setblocking(False)
        stranger.bind(("127.0.5.2", 0))
        target = Target("127.0.5.1", port=asked.getsockname()[1])
        scanning = asyncio.ensure_future(scanned([target]))
        loop = asyncio.get_running_loop()
        for _ in range(3):
            request, peer = await loop.sock_recvfrom(asked, 2_000)
            for reply in device.answers(request):
                stranger.sendto(reply, peer)
        assert await scanning == []


async def test_what_cannot_be_asked_does_not_end_the_scan(agent, caplog):
    add(agent, 1)
    odd = [Target("printer.example"), Target("127.255.255.255"), Target("240.0.0.1")]
    assert hosts(await scanned([*odd, *targets(agent, 1)])) == ["127.0.5.1"]
    assert "printer.example: no address, not scanned" in caplog.text


@pytest.mark.skipif("sys.platform != 'linux'", reason="ICMP errors are only known on Linux")
async def test_a_closed_port_is_asked_once(agent):
    began = time.monotonic()
    assert await scanned(targets(agent, *range(1, 101)), timeout_s=30.0) == []
    assert time.monotonic() - began < 5


# Pace


async def test_the_pace_is_kept_retries_included(agent):
    devices = [add(agent, number, asleep=True) for number in range(1, 31)]
    began = time.monotonic()
    await scanned(targets(agent, *range(1, 31)), pace=200)
    took = time.monotonic() - began
    sent = sum(device.requests.total() for device in devices)
    assert sent == 90
    assert took >= (sent - 2 * scanner.MAX_BURST_DATAGRAMS) / 200


async def test_a_silent_neighbourhood_takes_no_longer_than_its_packets(agent):
    """254 addresses, 20 of them printers that answer after 20 ms; the bar is six seconds at 200 packets/s."""
    for number in range(1, 255):
        add(agent, number, delay=0.02, asleep=number % 13 != 0 or number > 250)
    began = time.monotonic()
    answers = await scanned(
        targets(agent, *range(1, 255)), pace=1_000, timeout_s=0.2
    )  # all five times faster
    took = time.monotonic() - began
    assert len(answers) == 19
    assert took < 6 / 5


async def test_a_large_scan_holds_only_the_addresses_that_are_waited_for(agent):
    def alive() -> int:
        return sum(isinstance(each, Target) for each in gc.get_objects())

    add(agent, 1, asleep=True)
    gc.collect()
    before, most = alive(), 0  # other tests of this process leave some behind

    def many() -> Iterator[Target]:
        nonlocal most
        for number in range(2_000):
            if number % 250 == 0:
                most = max(most, alive() - before)
            yield from targets(agent, 1)

    progress = ScanProgress()
    assert await scanned(many(), pace=20_000, progress=progress, timeout_s=0.001) == []
    assert progress.asked == 2_000
    assert 0 < most < 1_000
