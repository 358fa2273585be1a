"""Recordings of printers: `OID|tag|value` lines, the tag followed by x where the value is hexadecimal."""

from contextlib import suppress
from pathlib import Path

from tests.fakes import ber
from tests.fakes.ber import Raw


def read(path: Path) -> dict[str, tuple[int, Raw]]:
    """All objects of a recording; the first line of a repeated OID stands, a damaged number is left out."""
    rows: dict[str, tuple[int, Raw]] = {}
    for line in path.read_bytes().decode("utf-8", "surrogateescape").split("\n"):
        oid, found, rest = line.strip("\r\n").partition("|")
        kind, more, text = rest.partition("|")
        if not found or not more or oid.startswith("#"):
            continue
        with suppress(ValueError):
            rows.setdefault(oid.strip().strip("."), _value(kind.strip(), text))
    return rows


def _value(kind: str, text: str) -> tuple[int, Raw]:
    tag = int(kind.rstrip("x"))
    if kind.endswith("x"):
        return tag, bytes.fromhex(text)
    if tag in {ber.INTEGER, ber.COUNTER32, ber.GAUGE32, ber.TICKS, ber.COUNTER64}:
        return tag, int(text)
    if tag == ber.NULL:
        return tag, None
    if tag in {ber.OID, ber.ADDRESS}:
        return tag, text.strip()
    return tag, text.encode("utf-8", "surrogateescape")


def write(rows: dict[str, tuple[int, Raw]]) -> str:
    """The text of a recording, OIDs in the order of a walk."""
    lines = []
    for oid in sorted(rows, key=ber.parse_oid):
        tag, value = rows[oid]
        if tag in {ber.OCTETS, ber.OPAQUE} and isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            lines.append(f"{oid}|{tag}x|{value.hex()}")
        elif isinstance(value, tuple):
            lines.append(f"{oid}|{tag}|{ber.dotted(value)}")
        else:
            lines.append(f"{oid}|{tag}|{'' if value is None else value}")
    return "\n".join(lines) + "\n"
