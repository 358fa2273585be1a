"""A masked recording names nobody, and still is the same printer."""

import re
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest

from appliance.collector.poll import poll_printer
from appliance.collector.recording_anonymizer import anonymize_varbinds
from appliance.collector.snmp_recorder import format_lines, record_printer
from appliance.domain.model import Target
from appliance.mib.oids import parse_oid
from appliance.snmp.ber import Varbind
from appliance.snmp.transport import SnmpEndpoint
from tests.conftest import NO_RECORDINGS, RECORDINGS
from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device
from tests.fakes.models import MODELS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "127.0.8.2"
MAC = bytes.fromhex("30055C1A2B3C")
SERIAL, NAME, PERSON, PLACE = (
    "U64180F8N123456",
    "BRN30055C1A2B3C",
    "petra.muster@kunde.example",
    "Büro Zürich 3",
)
HOST, GATEWAY, SIX = "192.168.17.20", "192.168.17.1", "fe80::3205:5cff:fe1a:2b3c"


def texts() -> dict[str, bytes]:
    """Octet strings that hold the secrets in every form."""
    return {
        "1.3.6.1.2.1.1.1.0": b"Brother NC-8900w, Firmware Ver.1.09 ,MID 8CE-D09,FID 2",
        "1.3.6.1.2.1.1.4.0": PERSON.encode(),
        "1.3.6.1.2.1.1.5.0": NAME.encode(),
        "1.3.6.1.2.1.1.6.0": PLACE.encode(),
        "1.3.6.1.2.1.2.2.1.6.1": MAC,
        "1.3.6.1.2.1.25.3.2.1.3.1": b"Brother MFC-L3780CDW series",
        "1.3.6.1.2.1.43.5.1.1.17.1": SERIAL.encode(),
        "1.3.6.1.4.1.11.2.3.9.1.1.7.0": f"MFG:Brother;MDL:MFC-L3780CDW;SN:{SERIAL};CID:x".encode(),
        "1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.3.0": b"\x01\x15" + SERIAL.encode(),
        "1.3.6.1.4.1.2435.1.1.0": f"http://{HOST}/ via {GATEWAY}, not 1{HOST}".encode(),
        "1.3.6.1.4.1.2435.1.2.0": b"30:05:5c:1a:2b:3c or 30-05-5C-1A-2B-3C or 30055c1a2b3c or 3005.5c1a.2b3c",
        "1.3.6.1.4.1.2435.1.3.0": b"\x00\x01" + MAC + b"\xff",
        "1.3.6.1.4.1.2435.1.4.0": SERIAL.encode("utf-16-be"),
        "1.3.6.1.4.1.2435.1.5.0": SERIAL.lower().encode() + NAME.lower().encode(),
        "1.3.6.1.4.1.2435.1.6.0": f"v6 {SIX} end".encode(),
        "1.3.6.1.4.1.2435.1.7.0": b"Ver.10.2.1 1.2.3.4 Black Toner 30055",
    }


def recording() -> list[Varbind]:
    found = [Varbind(parse_oid(oid), value, 4) for oid, value in texts().items()]
    address = tuple(ip_address(HOST).packed)
    return [
        *found,
        Varbind((*parse_oid("1.3.6.1.2.1.4.20.1.1"), *address), bytes(address), 64),
        Varbind((*parse_oid("1.3.6.1.2.1.4.20.1.3"), *address), b"\xff\xff\xff\x00", 64),
        Varbind(parse_oid("1.3.6.1.2.1.4.21.1.7.0.0.0.0"), ip_address(GATEWAY).packed, 64),
        Varbind((*parse_oid("1.3.6.1.2.1.4.34.1.3.2.16"), *ip_address(SIX).packed), 1, 2),
        Varbind((*parse_oid("1.3.6.1.4.1.2435.9.1.1.1.6"), *NAME.encode()), 5, 2),
        Varbind(parse_oid("1.3.6.1.2.1.43.10.2.1.4.1.1"), 4711, 65),
        Varbind(parse_oid("1.3.6.1.2.1.1.2.0"), parse_oid("1.3.6.1.4.1.2435.2.3.9.1"), 6),
    ]


def secrets() -> list[bytes]:
    """Every form in which a secret might have stayed."""
    words = [SERIAL, NAME, PERSON, PLACE, HOST + "/", HOST + ",", GATEWAY, SIX]
    ends = ["1A2B3C", "1A:2B:3C", "1A-2B-3C", "5c1a.2b3c"]
    found = [form.encode() for word in [*words, *ends] for form in (word, word.lower(), word.upper())]
    return [*found, MAC, MAC[3:], SERIAL.encode("utf-16-be"), b"petra", b"muster", "Zürich".encode()]


def everything(varbinds: tuple[Varbind, ...]) -> bytes:
    octets = b"\n".join(value for _, value, _ in varbinds if isinstance(value, bytes))
    return octets + "\n".join(format_lines(varbinds)).encode()


def arcs(octets: bytes) -> str:
    return "." + ".".join(map(str, octets))


def test_nothing_that_names_anybody_stays() -> None:
    whole = everything(anonymize_varbinds(recording(), Target(HOST)))

    assert all(
        secret in everything(tuple(recording())) for secret in (MAC, SERIAL.encode(), GATEWAY.encode())
    )
    assert [secret for secret in secrets() if secret in whole] == []
    for octets in (ip_address(HOST).packed, ip_address(SIX).packed, NAME.encode()):
        assert arcs(octets).encode() not in whole


def test_what_tells_the_model_stays() -> None:
    before = {varbind.oid: varbind for varbind in recording()}
    after = {varbind.oid: varbind for varbind in anonymize_varbinds(recording())}

    for dotted in (
        "1.3.6.1.2.1.1.1.0",
        "1.3.6.1.2.1.1.2.0",
        "1.3.6.1.2.1.25.3.2.1.3.1",
        "1.3.6.1.2.1.43.10.2.1.4.1.1",
        "1.3.6.1.4.1.2435.1.7.0",
    ):
        assert after[parse_oid(dotted)] == before[parse_oid(dotted)]
    assert len(after) == len(before)
    assert {varbind.value for varbind in after.values() if varbind.tag == 64} >= {b"\xff\xff\xff\x00"}


def test_the_same_secret_is_the_same_mask_of_the_same_form() -> None:
    after = {".".join(map(str, oid)): value for oid, value, _ in anonymize_varbinds(recording())}

    def text(oid: str) -> str:
        value = after[oid]
        assert isinstance(value, bytes)
        return value.decode("latin-1")

    serial, name, mac = (
        text("1.3.6.1.2.1.43.5.1.1.17.1"),
        text("1.3.6.1.2.1.1.5.0"),
        after["1.3.6.1.2.1.2.2.1.6.1"],
    )
    assert isinstance(mac, bytes)
    assert re.fullmatch(r"[A-Z]\d{5}[A-Z]\d[A-Z]\d{6}", serial)
    assert f"SN:{serial};" in text("1.3.6.1.4.1.11.2.3.9.1.1.7.0")
    assert text("1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.3.0") == "\x01\x15" + serial
    assert after["1.3.6.1.4.1.2435.1.4.0"] == serial.encode("utf-16-be")
    assert text("1.3.6.1.4.1.2435.1.5.0") == (serial + name).lower()
    assert mac[:3] == MAC[:3]
    assert name.endswith(mac.hex().upper())
    plain = mac.hex()
    assert text("1.3.6.1.4.1.2435.1.2.0") == " or ".join(
        (mac.hex(":"), mac.hex("-").upper(), plain, f"{plain[:4]}.{plain[4:8]}.{plain[8:]}")
    )
    assert mac in bytes(text("1.3.6.1.4.1.2435.1.3.0"), "latin-1")
    assert re.fullmatch(r"\w{5}\.\w{6}@\w{5}\.\w{7}", text("1.3.6.1.2.1.1.4.0"))


def test_addresses_are_examples_and_agree() -> None:
    varbinds = anonymize_varbinds(recording())
    whole = everything(varbinds).decode("latin-1")

    (host,) = {oid[-4:] for oid, _, _ in varbinds if oid[:10] == parse_oid("1.3.6.1.2.1.4.20.1.1")}
    made_up = ".".join(map(str, host))
    assert made_up.startswith("192.0.2.")
    assert f"http://{made_up}/" in whole
    assert f"not 1{HOST}" in whole  # another number
    assert "2001:db8::" in whole


def test_two_maskings_have_nothing_in_common() -> None:
    def serial() -> object:
        return next(
            value
            for oid, value, _ in anonymize_varbinds(recording())
            if oid == parse_oid("1.3.6.1.2.1.43.5.1.1.17.1")
        )

    assert len({serial() for _ in range(5)}) == 5


def test_the_order_of_a_walk_is_kept() -> None:
    found = [varbind.oid for varbind in anonymize_varbinds(recording())]
    assert found == sorted(found)


@pytest.mark.parametrize("key", MODELS)
async def test_a_masked_printer_is_read_as_before(
    agent: Agent, endpoint: SnmpEndpoint, tmp_path: Path, key: str
) -> None:
    agent.add(ADDRESS, Device(MODELS[key].rows()))
    target = Target(ADDRESS, port=agent.port, snmp_version="2")
    path = tmp_path / "masked.snmprec"
    path.write_text((await record_printer(endpoint, target, anonymize=True)).text)
    agent.add("127.0.8.3", Device(snmprec.read(path)))
    known = await poll_printer(endpoint, target, "", NOW)
    other = await poll_printer(endpoint, Target("127.0.8.3", port=agent.port, snmp_version="2"), "", NOW)

    who = MODELS[key].who()
    text = path.read_text()
    assert who.serial not in text
    assert who.mac.hex() not in text.lower()
    assert (other.identity.manufacturer, other.identity.model) == (
        known.identity.manufacturer,
        known.identity.model,
    )
    assert other.identity.mac_address != known.identity.mac_address
    if known.identity.serial_number:
        assert other.identity.serial_number not in (None, known.identity.serial_number)
    assert other.counters == known.counters
    assert [supply.level for supply in other.supplies] == [supply.level for supply in known.supplies]


@pytest.mark.skipif(not RECORDINGS.exists(), reason=NO_RECORDINGS)
@pytest.mark.parametrize("name", ["pm_brother", "pm_kyocera_p2040", "pm_epson_cw"])
async def test_a_real_printer_is_read_as_before(
    agent: Agent, endpoint: SnmpEndpoint, tmp_path: Path, name: str
) -> None:
    agent.add(ADDRESS, Device(snmprec.read(RECORDINGS / f"{name}.snmprec")))
    target = Target(ADDRESS, port=agent.port, snmp_version="2")
    path = tmp_path / "masked.snmprec"
    path.write_text((await record_printer(endpoint, target, anonymize=True)).text)
    agent.add("127.0.8.3", Device(snmprec.read(path)))
    known = await poll_printer(endpoint, target, "", NOW)
    other = await poll_printer(endpoint, Target("127.0.8.3", port=agent.port, snmp_version="2"), "", NOW)

    text = path.read_text()
    assert known.identity.serial_number
    assert known.identity.serial_number not in text
    assert known.identity.serial_number.encode().hex() not in text
    assert (known.identity.mac_address or "x").lower() not in text.lower()
    assert other.identity.model == known.identity.model
    assert other.counters == known.counters
