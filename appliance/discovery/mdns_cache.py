"""Printers that announced themselves: few words of each, and only so many."""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

MOST = 1_000  # announcements; a printer has four or five
MOST_TEXT = 100  # characters of anything that a stranger says of itself
MOST_BYTES = 400  # of which a text is made
MAKER, MODEL, DEVICE, PRODUCT, PLACE = (
    b"usb_mfg",
    b"usb_mdl",
    b"ty",
    b"product",
    b"note",
)  # Bonjour Printing 1.2.1


@dataclass(frozen=True, slots=True)
class HeardPrinter:
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


class Heard:
    """What is on the air just now."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], _Announcement] = OrderedDict()

    def note(
        self,
        service: str,
        name: str,
        addresses: Iterable[str],
        said: Mapping[bytes, bytes | None],
        now: datetime,
    ) -> None:
        """Remember an announcement with its TXT record; without an address that can be asked it is no use."""
        address = next(iter(sorted(filter(None, map(_usable, addresses)), key=_v4_first)), None)
        if address is None:
            return
        told = {key.lower(): value for key, value in said.items()}
        self._known[service, name] = _Announcement(
            service,
            text(name.encode("utf-8", "replace")) or address,
            address,
            _model(told),
            text(told.get(PLACE)),
            now,
        )
        self._known.move_to_end((service, name))
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    def gone(self, service: str, name: str) -> None:
        """It said goodbye, or its time ran out."""
        self._known.pop((service, name), None)

    def clear(self) -> None:
        """This is another network."""
        self._known.clear()

    def printers(self) -> list[HeardPrinter]:
        """By address: all that is announced at one is one printer."""
        found: dict[str, list[_Announcement]] = {}
        for each in self._known.values():
            found.setdefault(each.address, []).append(each)
        listed = [_merged(address, rows) for address, rows in found.items()]
        return sorted(listed, key=lambda printer: _order(printer.address))


def text(value: bytes | None) -> str | None:
    """What a stranger says, short and on one line."""
    if not value:
        return None
    decoded = value[:MOST_BYTES].decode("utf-8", "replace")
    line = " ".join("".join(each if each.isprintable() else " " for each in decoded).split())
    return line[:MOST_TEXT].strip() or None


def _model(told: Mapping[bytes, bytes | None]) -> str | None:
    if found := text(told.get(DEVICE)):
        return found
    parts = (text(told.get(MAKER)), text(told.get(MODEL)) or _product(text(told.get(PRODUCT))))
    return " ".join(part for part in parts if part) or None


def _product(said: str | None) -> str | None:
    """PostScript's product string has brackets around it."""
    return said.strip("() ") if said else None


def _usable(said: str) -> str | None:
    """An address of one device in a network; others would lead the Plug to itself, to all, or astray."""
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        return None
    astray = address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local
    return None if astray or str(address) == "255.255.255.255" else str(address)


def _v4_first(address: str) -> bool:
    return ":" in address


def _order(address: str) -> tuple[int, int]:
    number = ipaddress.ip_address(address)
    return number.version, int(number)


def _merged(address: str, rows: list[_Announcement]) -> HeardPrinter:
    return HeardPrinter(
        address,
        rows[0].name,
        next((row.model for row in rows if row.model), None),
        next((row.location for row in rows if row.location), None),
        tuple(sorted({row.service for row in rows})),
        max(row.heard_at for row in rows),
    )
