"""A recording holds what the agent holds, replays the same, and comes to an end."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.collector.errors import RecordingError
from appliance.collector.poll import poll_printer
from appliance.collector.snmp_recorder import MAX_SKIPS, record_printer
from appliance.domain.model import Target
from appliance.snmp.client import SnmpBudget
from appliance.snmp.transport import SnmpEndpoint
from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device
from tests.fakes.ber import Raw
from tests.fakes.mib import Mib
from tests.fakes.models import MODELS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "127.0.8.1"
BROTHER = "brother_mfc_l3780"
QUICK = SnmpBudget(seconds=20, packets=20_000)


def target(agent: Agent, version: str = "2") -> Target:
    return Target(ADDRESS, port=agent.port, snmp_version=version)  # type: ignore[arg-type]


Plain = dict[str, tuple[int, bytes | int | str | None]]


def plain(rows: Mapping[str, tuple[int, Raw]]) -> Plain:
    """The same value in one form: octets, numbers, dotted."""
    return {oid: (tag, shown(tag, value)) for oid, (tag, value) in rows.items()}


def shown(tag: int, value: Raw) -> bytes | int | str | None:
    if isinstance(value, tuple) or (tag == 64 and isinstance(value, bytes)):
        return ".".join(map(str, value))
    if isinstance(value, str):
        return value.encode() if tag == 4 else value.strip(".")
    return value


@pytest.mark.parametrize("version", ["1", "2", "auto"])
async def test_what_the_agent_holds(
    agent: Agent, endpoint: SnmpEndpoint, tmp_path: Path, version: str
) -> None:
    rows = MODELS[BROTHER].rows()
    agent.add(ADDRESS, Device(rows))
    recording = await record_printer(endpoint, target(agent, version), budget=QUICK)

    path = tmp_path / "printer.snmprec"
    path.write_text(recording.text)
    assert recording.stop_reason == ""
    assert plain(snmprec.read(path)) == plain(dict(Mib(rows)))


async def test_a_replayed_recording_reads_the_same(
    agent: Agent, endpoint: SnmpEndpoint, tmp_path: Path
) -> None:
    agent.add(ADDRESS, Device(MODELS[BROTHER].rows()))
    path = tmp_path / "printer.snmprec"
    path.write_text((await record_printer(endpoint, target(agent), budget=QUICK)).text)
    first = await poll_printer(endpoint, target(agent), "", NOW)
    agent.remove(ADDRESS)
    agent.add(ADDRESS, Device(snmprec.read(path)))
    again = await poll_printer(endpoint, target(agent), "", NOW)

    assert replace(again, cost=first.cost) == first


EVERY_VALUE: dict[str, tuple[int, Raw]] = {
    "1.3.6.1.4.1.9.1": (2, -5),
    "1.3.6.1.4.1.9.2": (4, b""),
    "1.3.6.1.4.1.9.3": (4, b" a|b "),
    "1.3.6.1.4.1.9.4": (4, b"caf\xc3\xa9"),
    "1.3.6.1.4.1.9.5": (4, b"two\nlines"),
    "1.3.6.1.4.1.9.6": (4, b"\x00\xff"),
    "1.3.6.1.4.1.9.7": (6, "1.3.6.1.4.1.9"),
    "1.3.6.1.4.1.9.8": (64, "192.168.1.20"),
    "1.3.6.1.4.1.9.9": (65, 4_000_000_000),
    "1.3.6.1.4.1.9.10": (67, 7),
    "1.3.6.1.4.1.9.11": (70, 2**63 + 1),
    "1.3.6.1.4.1.9.12": (68, b"\x01\x02"),
    "1.3.6.1.4.1.9.13": (5, None),
}


async def test_every_kind_of_value(agent: Agent, endpoint: SnmpEndpoint, tmp_path: Path) -> None:
    agent.add(ADDRESS, Device(EVERY_VALUE))
    recording = await record_printer(endpoint, target(agent), budget=QUICK)

    path = tmp_path / "printer.snmprec"
    path.write_text(recording.text)
    assert plain(snmprec.read(path)) == plain(EVERY_VALUE)
    assert recording.text.splitlines()[3] == "1.3.6.1.4.1.9.4|4x|636166c3a9"
    assert recording.text.isascii()


# Agents as they are


@pytest.mark.parametrize(
    "faults",
    [
        {"bulk": "broken"},
        {"bulk": "ignored"},
        {"bulk": "one"},
        {"max_response": 484},
        {"loss": 0.1},
    ],
    ids=str,
)
async def test_faults_cost_no_rows(agent: Agent, endpoint: SnmpEndpoint, faults: dict[str, object]) -> None:
    rows = {oid: cell for oid, cell in MODELS[BROTHER].rows().items() if oid.startswith("1.3.6.1.2.1.43.11")}
    agent.add(ADDRESS, Device(rows, **faults))  # type: ignore[arg-type]
    recording = await record_printer(endpoint, target(agent), budget=QUICK, tries=(0.1, 0.1, 0.2))

    assert len(recording.varbinds) == len(rows)
    assert recording.stop_reason == ""


async def test_an_agent_that_goes_round_in_circles(agent: Agent, endpoint: SnmpEndpoint) -> None:
    agent.add(ADDRESS, Device(MODELS[BROTHER].rows(), increasing=False))
    recording = await record_printer(endpoint, target(agent), budget=QUICK)

    assert recording.stop_reason.startswith("the agent goes back from ")
    assert recording.varbinds


async def test_an_agent_that_never_ends(agent: Agent, endpoint: SnmpEndpoint) -> None:
    agent.add(ADDRESS, Device(MODELS[BROTHER].rows(), endless="1.3.6.1.2.1.43.11"))
    recording = await record_printer(endpoint, target(agent), budget=QUICK, max_rows=3_000)

    assert recording.stop_reason == "more than 3,000 rows"
    assert len(recording.varbinds) == 3_000


async def test_what_cannot_be_answered_is_stepped_over(agent: Agent, endpoint: SnmpEndpoint) -> None:
    rows = MODELS[BROTHER].rows()
    agent.add(ADDRESS, Device(rows, gen_err=["1.3.6.1.2.1.43.11.1.1.6"]))
    recording = await record_printer(endpoint, target(agent), budget=QUICK)

    found = {".".join(map(str, varbind.oid)) for varbind in recording.varbinds}
    assert recording.stop_reason == ""
    assert not {oid for oid in found if oid.startswith("1.3.6.1.2.1.43.11.1.1.6.")}
    assert {oid for oid in rows if oid.startswith("1.3.6.1.2.1.43.11.1.1.9.")} <= found


async def test_an_agent_that_answers_nothing_of_a_kind(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = agent.add(ADDRESS, Device(MODELS[BROTHER].rows(), gen_err=["1.3.6.1.2.1.43", "1.3.6.1.4"]))
    recording = await record_printer(endpoint, target(agent), budget=QUICK)

    assert "genErr" in recording.stop_reason
    assert device.requests.total() < len(recording.varbinds) + MAX_SKIPS


async def test_too_long(agent: Agent, endpoint: SnmpEndpoint) -> None:
    agent.add(ADDRESS, Device(MODELS[BROTHER].rows()))
    recording = await record_printer(endpoint, target(agent), budget=SnmpBudget(packets=9))

    assert recording.stop_reason == "took more than 9 packets"
    assert recording.varbinds


@pytest.mark.parametrize("faults", [{"asleep": True}, {"community": "secret"}, {"truncate": True}])
async def test_nothing_to_record(agent: Agent, endpoint: SnmpEndpoint, faults: dict[str, object]) -> None:
    agent.add(ADDRESS, Device(MODELS[BROTHER].rows(), **faults))  # type: ignore[arg-type]
    with pytest.raises(RecordingError):
        await record_printer(endpoint, target(agent), budget=SnmpBudget(seconds=0.5))


async def test_progress(agent: Agent, endpoint: SnmpEndpoint) -> None:
    agent.add(ADDRESS, Device(MODELS[BROTHER].rows()))
    heard: list[int] = []
    recording = await record_printer(endpoint, target(agent), on_progress=heard.append, budget=QUICK)

    assert heard == sorted(heard)
    assert heard[-1] == len(recording.varbinds)
