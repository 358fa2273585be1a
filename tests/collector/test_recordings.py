"""Every recording of a real printer, replayed: what is read, what it costs, that faults change nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.collector.poll import poll_printer
from appliance.domain.model import CounterName, Reading, Target, VagueAmount
from appliance.snmp.transport import SnmpEndpoint
from tests.conftest import NO_RECORDINGS, RECORDINGS, Recordings
from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "127.0.7.1"
AFICIO = RECORDINGS.parent / "reference" / "aficio_mp_c4000.snmprec"
FULL_WALKS = ("pm_brother", "pm_epson_cw", "pm_kyocera_p2040")
HEADERS = 42  # bytes of Ethernet, IPv4, UDP per packet

there = sorted(path.stem for path in RECORDINGS.glob("*.snmprec")) or [
    pytest.param("none", marks=pytest.mark.skip(reason=NO_RECORDINGS))
]
needs_aficio = pytest.mark.skipif(not AFICIO.exists(), reason="no reference recording beside the checkout")


def said(reading: Reading) -> Reading:
    """What the printer said, without what it cost."""
    cost = replace(reading.cost, packets=0, bytes=0, seconds=0)
    return replace(reading, target=Target(""), plan="", cost=cost, notes=())


async def read(
    agent: Agent, endpoint: SnmpEndpoint, path: Path, version: str = "2", **faults: object
) -> tuple[Reading, Reading, Device, int]:
    """A first reading, the next one, the printer, the requests of the first."""
    device = Device(snmprec.read(path), **faults)  # type: ignore[arg-type]
    agent.add(ADDRESS, device)
    target = Target(ADDRESS, port=agent.port, snmp_version=version)  # type: ignore[arg-type]
    first = await poll_printer(endpoint, target, "", NOW)
    requests = device.requests.total()
    device.requests.clear()
    again = await poll_printer(endpoint, target, first.plan, NOW + timedelta(hours=1))
    agent.remove(ADDRESS)
    return first, again, device, requests


@pytest.mark.parametrize("name", there)
async def test_every_recording_reads_the_same_in_every_way(
    agent: Agent, endpoint: SnmpEndpoint, recordings: Recordings, name: str
) -> None:
    path = recordings[name]
    first, again, device, _ = await read(agent, endpoint, path)
    assert said(again) == said(first)
    assert first.failures == ()
    assert device.requests.total() <= 4

    for version, faults in (
        ("1", {"versions": {"1"}}),
        ("2", {"max_response": 484}),
        ("1", {"max_response": 484, "versions": {"1"}}),
        ("2", {"bulk": "broken"}),
        ("2", {"bulk": "one"}),
        ("2", {"increasing": False}),
        ("2", {"no_get": ["1.3.6.1"]}),
    ):
        bent, bent_again, _, requests = await read(agent, endpoint, path, version, **faults)
        assert said(bent) == said(first), faults
        assert said(bent_again) == said(first), faults
        assert requests <= (60 if "max_response" in faults else 40), faults


@pytest.mark.parametrize("name", FULL_WALKS)
async def test_full_walks_stay_below_the_bars(
    agent: Agent, endpoint: SnmpEndpoint, recordings: Recordings, name: str
) -> None:
    for version, most in (("2", 16), ("1", 40)):
        _, _, device, requests = await read(agent, endpoint, recordings[name], version)
        assert requests <= most
        assert device.requests.total() <= 4
        assert device.largest_response <= 1_472


@needs_aficio
async def test_the_reference_printer_gives_its_values(agent: Agent, endpoint: SnmpEndpoint) -> None:
    first, again, _, _ = await read(agent, endpoint, AFICIO)

    for reading in (first, again):
        identity, details = reading.identity, reading.details
        assert (identity.manufacturer, identity.model) == ("Ricoh", "RICOH Aficio MP C4000")
        assert (identity.serial_number, identity.mac_address) == ("V1.399605417", "000074ED6438")
        assert (details.name, details.location, details.contact) == ("Printer01", "IT Office", "")
        assert (details.firmware, details.status) == ("1.15", 4)
        assert details.display_text == "Kein Papier. Magazin 3"
        assert {counter.name: counter.value for counter in reading.counters} == {
            CounterName.TOTAL: 3068,  # the machine's own, not prtMarkerLifeCount
            CounterName.LARGE: 553,
            CounterName.DUPLEX: 5277,
            CounterName.PRINT_BLACK: 1907,
            CounterName.PRINT_SINGLE_COLOR: 230,
            CounterName.PRINT_FULL_COLOR: 2765,
            CounterName.COPY_BLACK: 863,
            CounterName.COPY_SINGLE_COLOR: 0,
            CounterName.COPY_FULL_COLOR: 17,
            CounterName.FAX: 0,
            CounterName.PRINT_TOTAL: 4902,
            CounterName.COPY_TOTAL: 880,
        }
        assert [(supply.color, supply.level) for supply in reading.supplies] == [
            ("black", 80),
            ("other", VagueAmount.SOME_LEFT),
            ("cyan", 30),
            ("magenta", 20),
            ("yellow", 20),
        ]
        assert [alert.index for alert in reading.alerts] == [61, 62, 276]
        assert [tray.name for tray in reading.inputs] == [None, "Tray 2", "Tray 3", "Tray 4", "Bypass Tray"]
        assert reading.outputs[0].max_dim_feed_dir == 1_260_000
        assert reading.storages[0].type == "1.3.6.1.2.1.25.2.1.2"


@needs_aficio
async def test_the_reference_printer_costs_little(agent: Agent, endpoint: SnmpEndpoint) -> None:
    """The reference's manual: 1,834 packets, 170,260 bytes."""
    for version in ("2", "1"):
        first, again, device, _ = await read(agent, endpoint, AFICIO, version)
        assert first.cost.packets <= 24
        assert first.cost.bytes + HEADERS * first.cost.packets <= 15_000
        assert again.cost.packets <= 4
        assert device.largest_response <= 1_472


@needs_aficio
async def test_counters_follow_their_type_to_other_rows(agent: Agent, endpoint: SnmpEndpoint) -> None:
    rows = snmprec.read(AFICIO)
    table = "1.3.6.1.4.1.367.3.2.1.2.19.5.1."
    moved = {}
    for oid, cell in rows.items():
        column, _, row = oid.removeprefix(table).partition(".")
        moved[f"{table}{column}.{(int(row) * 7) % 13 + 130}" if oid.startswith(table) else oid] = cell
    agent.add(ADDRESS, Device(rows))
    agent.add("127.0.7.2", Device(moved))

    straight = await poll_printer(endpoint, Target(ADDRESS, port=agent.port, snmp_version="2"), "", NOW)
    bent = await poll_printer(endpoint, Target("127.0.7.2", port=agent.port, snmp_version="2"), "", NOW)

    assert bent.counters == straight.counters
