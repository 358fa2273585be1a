"""Printers that announced themselves: few words of each, and only so many."""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance.net.text_sanitizer import one_line

MAX_ANNOUNCEMENTS = 1_000  # announcements; a printer has four or five
MAX_TEXT_CHARS = 100  # characters of anything that a stranger says of itself
MAX_TEXT_BYTES = 400  # of which a text is made
TXT_VENDOR, TXT_MODEL, TXT_DEVICE, TXT_PRODUCT, TXT_LOCATION = (
    b"usb_mfg",
    b"usb_mdl",
    b"ty",
    b"product",
    b"note",
)  # Bonjour Printing 1.2.1


@dataclass(frozen=True, slots=True)
class AnnouncedPrinter:
    """One address, with what was announced there."""

    address: str
    name: str
    model: str | None
    location: str | None
    services: tuple[str, ...]  # such as "ipp", sorted
    heard_at: datetime  # for the last time


@dataclass(frozen=True, slots=True)
class _Announcement:
    service: str
    name: str
    address: str
    model: str | None
    location: str | None
    heard_at: datetime


class MdnsPrinterCache:
    """What is on the air just now."""

    def __init__(self) -> None:
        self._announcements: OrderedDict[tuple[str, str], _Announcement] = OrderedDict()

    def add(
        self,
        service: str,
        name: str,
        addresses: Iterable[str],
        properties: Mapping[bytes, bytes | None],
        now: datetime,
    ) -> None:
        """Remember an announcement with its TXT record; without an address that can be asked it is no use."""
        address = next(iter(sorted(filter(None, map(_usable_address, addresses)), key=_is_ipv6)), None)
        if address is None:
            return
        told = {key.lower(): value for key, value in properties.items()}
        self._announcements[service, name] = _Announcement(
            service,
            sanitize_text(name.encode("utf-8", "replace")) or address,
            address,
            _model_name(told),
            sanitize_text(told.get(TXT_LOCATION)),
            now,
        )
        self._announcements.move_to_end((service, name))
        while len(self._announcements) > MAX_ANNOUNCEMENTS:
            self._announcements.popitem(last=False)

    def remove(self, service: str, name: str) -> None:
        """It said goodbye, or its time ran out."""
        self._announcements.pop((service, name), None)

    def clear(self) -> None:
        """This is another network."""
        self._announcements.clear()

    def list_printers(self) -> list[AnnouncedPrinter]:
        """By address: all that is announced at one is one printer."""
        found: dict[str, list[_Announcement]] = {}
        for each in self._announcements.values():
            found.setdefault(each.address, []).append(each)
        listed = [_merge_announcements(address, rows) for address, rows in found.items()]
        return sorted(listed, key=lambda printer: _address_sort_key(printer.address))


def sanitize_text(value: bytes | None) -> str | None:
    """What a stranger says, short and on one line."""
    if not value:
        return None
    decoded = value[:MAX_TEXT_BYTES].decode("utf-8", "replace")
    return one_line(decoded, MAX_TEXT_CHARS).strip() or None


def _model_name(properties: Mapping[bytes, bytes | None]) -> str | None:
    if found := sanitize_text(properties.get(TXT_DEVICE)):
        return found
    parts = (
        sanitize_text(properties.get(TXT_VENDOR)),
        sanitize_text(properties.get(TXT_MODEL))
        or _strip_product_brackets(sanitize_text(properties.get(TXT_PRODUCT))),
    )
    return " ".join(part for part in parts if part) or None


def _strip_product_brackets(product: str | None) -> str | None:
    """PostScript's product string has brackets around it."""
    return product.strip("() ") if product else None


def _usable_address(announced: str) -> str | None:
    """An address of one device in a network; others would lead the Plug to itself, to all, or astray."""
    try:
        address = ipaddress.ip_address(announced)
    except ValueError:
        return None
    astray = address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local
    return None if astray or str(address) == "255.255.255.255" else str(address)


def _is_ipv6(address: str) -> bool:
    return ":" in address


def _address_sort_key(address: str) -> tuple[int, int]:
    number = ipaddress.ip_address(address)
    return number.version, int(number)


def _merge_announcements(address: str, rows: list[_Announcement]) -> AnnouncedPrinter:
    return AnnouncedPrinter(
        address,
        rows[0].name,
        next((row.model for row in rows if row.model), None),
        next((row.location for row in rows if row.location), None),
        tuple(sorted({row.service for row in rows})),
        max(row.heard_at for row in rows),
    )
