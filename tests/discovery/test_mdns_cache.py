from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.discovery import mdns_cache
from appliance.discovery.mdns_cache import MdnsPrinterCache

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_services_at_one_address_are_one_printer() -> None:
    known = MdnsPrinterCache()
    known.add("ipp", "Brother HL", ["192.0.2.7"], {b"ty": b"Brother HL-L2350DW", b"note": b"Room 7"}, NOW)
    known.add("pdl-datastream", "Brother HL", ["192.0.2.7"], {}, NOW + timedelta(minutes=1))
    known.add("ipp", "Other", ["192.0.2.30", "2001:db8::1"], {b"usb_MFG": b"HP", b"usb_MDL": b"Jet"}, NOW)
    one, other = known.list_printers()
    assert (one.address, one.model, one.location) == ("192.0.2.7", "Brother HL-L2350DW", "Room 7")
    assert (one.services, one.heard_at) == (("ipp", "pdl-datastream"), NOW + timedelta(minutes=1))
    assert (other.address, other.model, other.location) == ("192.0.2.30", "HP Jet", None)
    known.remove("ipp", "Brother HL")
    known.remove("ipp", "never heard")
    assert [each.services for each in known.list_printers()] == [("pdl-datastream",), ("ipp",)]


def test_the_product_of_postscript_loses_its_brackets() -> None:
    known = MdnsPrinterCache()
    known.add("printer", "x", ["192.0.2.7"], {b"product": b"(Phaser 6180)"}, NOW)
    assert known.list_printers()[0].model == "Phaser 6180"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "224.0.0.251", "0.0.0.0", "255.255.255.255", "169.254.1.1", "fe80::1", "x"],
)
def test_addresses_that_lead_astray_are_not_proposed(address: str) -> None:
    known = MdnsPrinterCache()
    known.add("ipp", "x", [address], {}, NOW)
    assert known.list_printers() == []
    known.add("ipp", "x", [address, "192.0.2.7"], {}, NOW)
    assert [each.address for each in known.list_printers()] == ["192.0.2.7"]


def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    known = MdnsPrinterCache()
    for number in range(mdns_cache.MAX_ANNOUNCEMENTS + 50):
        known.add("ipp", f"printer {number}", [f"10.0.{number // 250}.{number % 250 + 1}"], {}, NOW)
    assert len(known.list_printers()) == mdns_cache.MAX_ANNOUNCEMENTS
    assert known.list_printers()[0].address == "10.0.0.51"


@given(
    st.dictionaries(st.sampled_from([b"ty", b"TY", b"note", b"usb_MDL", b"x"]), st.none() | st.binary()),
    st.text(),
)
def test_whatever_is_said_is_short_and_on_one_line(said: dict[bytes, bytes | None], name: str) -> None:
    known = MdnsPrinterCache()
    known.add("ipp", name, ["192.0.2.7"], said, NOW)
    (printer,) = known.list_printers()
    for line in (printer.name, printer.model or "-", printer.location or "-"):
        assert 0 < len(line) <= 2 * mdns_cache.MAX_TEXT_CHARS + 1
        assert line.isprintable()
        assert line == line.strip()


def test_another_network_starts_empty() -> None:
    known = MdnsPrinterCache()
    known.add("ipp", "x", ["192.0.2.7"], {}, NOW)
    known.clear()
    assert known.list_printers() == []
