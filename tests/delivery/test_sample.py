"""The path without the line: the recorded sample printer is read, kept and exported as the sample says."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from appliance.collector import poll
from appliance.delivery import xml_export
from appliance.domain.model import Target
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import printers
from tests.delivery.sample import RECORDING, SAMPLE, printer_of
from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device

ZURICH = ZoneInfo("Europe/Zurich")
NOW = datetime(2017, 1, 16, 10, 33, 29, 181_000, tzinfo=UTC)
HOST = "127.0.8.200"
LEFT_OUT = "3"  # the tray that the sample leaves out
GIVEN_BY_THE_STORE = {
    "PrinterID",
    "AlertID",
    "SupplyID",
    "InputID",
    "OutputID",
    "StorageID",
    "CreatedAt",
    "ChangedAt",
}
GIVEN_BY_THE_PLACE = {"IpAddress", "SmpPort"}


@pytest.fixture
def sample() -> etree._Element:
    """The sample without its damage; test_export.py proves that this is what the damage comes to."""
    if not (SAMPLE.exists() and RECORDING.exists()):
        pytest.skip(f"no reference sample at {Path(SAMPLE).parent}")
    mended = printer_of(etree.parse(SAMPLE).getroot())
    return etree.fromstring(xml_export.render([mended], ZURICH))


def flat(root: etree._Element) -> list[tuple[str, str | None]]:
    """Every element in its order: path and text, where neither store nor place decide."""
    lines = []
    for section in root[0]:
        if section.tag == "PrinterInputs" and section.findtext("Index") == LEFT_OUT:
            continue
        for element in [section, *section] if len(section) else [section]:
            if element.tag not in GIVEN_BY_THE_STORE | GIVEN_BY_THE_PLACE:
                path = element.tag if element is section else f"{section.tag}/{element.tag}"
                lines.append((path, None if len(element) else element.text or ""))
    return lines


@pytest.mark.parametrize("version", ["1", "2", "auto"])
async def test_the_recording_gives_back_the_sample(
    agent: Agent, db: sqlite3.Connection, sample: etree._Element, version: str
) -> None:
    agent.add(HOST, Device(snmprec.read(RECORDING)))
    target = Target(HOST, port=agent.port, snmp_version=version)  # type: ignore[arg-type]
    async with SnmpEndpoint() as endpoint:
        reading = await poll.poll_printer(endpoint, target, "", NOW)
        printers.store_reading(db, reading, NOW)
        again = await poll.poll_printer(endpoint, target, reading.plan, NOW)
        printers.store_reading(db, again, NOW)
    exported = etree.fromstring(xml_export.render(printers.iter_printers(db), ZURICH))
    wanted = [
        (path, {"1": "1"}.get(version, "2") if path == "SmpVersion" else text) for path, text in flat(sample)
    ]
    assert flat(exported) == wanted
    assert exported.findtext("Printers/CreatedAt") == "2017-01-16T11:33:29.181+01:00"
    assert exported.findtext("Printers/IpAddress") == HOST
    ids = [element.text for element in exported[0].iter("PrinterID")]
    assert len(set(ids)) == 1
