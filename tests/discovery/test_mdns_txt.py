from typing import Any

import pytest

from appliance.discovery import mdns_txt
from appliance.discovery.mdns_txt import PlugAnnouncement


def test_what_is_said_is_understood() -> None:
    said: Any = mdns_txt.build_txt_record(PlugAnnouncement("id-1", "pm-1", "Head office", "1.2", 8080))
    found = mdns_txt.parse_plug("pm-1", "pm-1.local.", ["192.0.2.7", "2001:db8::1"], 8080, said)
    assert (found.id, found.name, found.site, found.version) == ("id-1", "pm-1", "Head office", "1.2")
    assert (found.host, found.url) == ("pm-1.local", "http://192.0.2.7:8080/")


@pytest.mark.parametrize(
    ("addresses", "port", "url"),
    [
        (["2001:db8::1"], 80, "http://[2001:db8::1]/"),
        ([], 80, "http://pm.local/"),
        (["192.0.2.7"], None, "http://192.0.2.7/"),
    ],
)
def test_the_page_is_named_by_address(addresses: list[str], port: int | None, url: str) -> None:
    assert mdns_txt.parse_plug("pm", "pm.local.", addresses, port, {}).url == url


def test_a_long_site_is_cut_between_characters() -> None:
    said: Any = mdns_txt.build_txt_record(PlugAnnouncement("id", "pm", "ü" * 200, "1", 80))
    site = said[b"site"]
    assert isinstance(site, bytes)
    assert len(site) == 250
    assert set(site.decode()) == {"ü"}


def test_a_stranger_who_calls_itself_a_plug_is_harmless() -> None:
    said = {b"name": b"\x1b[2J", b"site": b"\xff" * 300, b"path": b"//evil.example/", b"version": None}
    found = mdns_txt.parse_plug("x\n\x1b", "h\r\n.local.", ["192.0.2.7"] * 50, 70000, said)
    assert all(text.isprintable() for text in (found.name, found.site or "", found.host, found.path))
    assert (found.version, len(found.addresses)) == (None, mdns_txt.MAX_ADDRESSES)
    assert found.url.startswith("http://192.0.2.7:70000/")


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("pm", 1, "pm"),
        ("pm", 2, "pm-2"),
        ("x" * 63, 1, "x" * 63),
        ("x" * 63, 12, "x" * 60 + "-12"),
        ("a" * 60 + "-b", 2, "a" * 60 + "-2"),
    ],
)
def test_names_are_numbered_within_their_bounds(name: str, number: int, said: str) -> None:
    assert mdns_txt.append_number(name, number) == said
