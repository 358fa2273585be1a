"""A whole printer in a few lines: system, interfaces, Host Resources, Printer-MIB (RFC 3418, 2790, 3805)."""

from collections.abc import Mapping, Sequence

from tests.fakes.ber import COUNTER32, GAUGE32, INTEGER, OCTETS, OID, TICKS, Raw
from tests.fakes.mib import Cell
from tests.fakes.models.life import Life, Who
from tests.fakes.models.parts import (
    MIB_2,
    NETWORK,
    OTHER,
    PRINTER,
    SHEETS,
    UNKNOWN,
    Alert,
    Bin,
    Content,
    Interface,
    Looks,
    Rows,
    Storage,
    Supply,
    Tray,
)

PRT = f"{MIB_2}.43"
NO_COUNT = COUNTER32, 0


def printer(
    who: Who,
    life: Life,
    looks: Looks,
    *,
    supplies: Sequence[Supply] = (),
    trays: Sequence[Tray] = (),
    bins: Sequence[Bin] = (),
    alerts: Sequence[Alert] = (),
    storages: Sequence[Storage] = (),
    interfaces: Sequence[Interface] | None = None,
    extra: Mapping[str, Cell] | None = None,
) -> Rows:
    """All objects of one printer; `extra` holds the maker's own."""
    rows = _Rows(looks.encoding)
    _system(rows, who, life, looks)
    _interfaces(rows, interfaces or (Interface("eth0", mac=who.mac), Interface("lo", 24)), life)
    _storages(rows, storages)
    _devices(rows, looks)
    _general(rows, who, looks)
    _inputs(rows, trays, looks.device)
    _outputs(rows, bins, looks.device)
    _marker(rows, life, looks, supplies)
    _supplies(rows, life, looks.device, supplies)
    _alerts(rows, life, looks, alerts)
    return {**rows.cells, **(extra or {})}


def table(entry: str, rows: Mapping[int, Sequence[Content]], first: int = 1) -> Rows:
    """A maker's table: the cells of each row in the order of their columns; None leaves a column out."""
    made = _Rows("utf-8")
    for index, row in rows.items():
        made.row(entry, index, first, *row)
    return made.cells


def scalars(prefix: str, values: Mapping[str, Content]) -> Rows:
    """A maker's objects below a common prefix."""
    made = _Rows("utf-8")
    for rest, value in values.items():
        made.put(f"{prefix}.{rest}", value)
    return made.cells


def level(supply: Supply, life: Life) -> int:
    """prtMarkerSuppliesLevel as the pages have left it."""
    if supply.level is not None:
        return supply.level
    used = life.used(supply.life, supply.color not in {None, "black"}, supply.offset)
    share = used if supply.filled else 1 - used
    most = supply.max if supply.max > 0 else 100
    return round(share * most / supply.steps) * supply.steps


class _Rows:
    """Cells by OID; a value's type tells its tag, a text takes the printer's charset."""

    def __init__(self, encoding: str) -> None:
        self.cells: Rows = {}
        self.encoding = encoding

    def put(self, oid: str, value: Content) -> None:
        """One cell; a pair is (tag, value), None is no cell."""
        if isinstance(value, tuple):
            self.cells[oid] = value
        elif isinstance(value, int):
            self.cells[oid] = INTEGER, value
        elif value is not None:
            raw: Raw = value.encode(self.encoding, "replace") if isinstance(value, str) else value
            self.cells[oid] = OCTETS, raw

    def row(self, entry: str, index: object, first: int, *values: Content) -> None:
        """A row of a table, from its column `first` on."""
        for column, value in enumerate(values, first):
            self.put(f"{entry}.{column}.{index}", value)


def _system(rows: _Rows, who: Who, life: Life, looks: Looks) -> None:
    names = (who.contact, who.name, who.location) if looks.names else ("", "", "")
    rows.row(f"{MIB_2}.1", 0, 1, looks.description, (OID, looks.object_id), (TICKS, life.ticks), *names, 72)


def _interfaces(rows: _Rows, interfaces: Sequence[Interface], life: Life) -> None:
    rows.put(f"{MIB_2}.2.1.0", len(interfaces))
    for index, one in enumerate(interfaces, 1):
        entry, speed = f"{MIB_2}.2.2.1", (GAUGE32, one.speed)
        rows.row(
            entry, index, 1, index, one.description, one.type, 1_500, speed, one.mac, 1, 1 if one.up else 2
        )
        rows.put(f"{entry}.9.{index}", (TICKS, 0))
        for column, factor in enumerate((9_000, 70, 3, 0, 0, 0, 800, 40, 1, 0, 0), 10):
            rows.put(f"{entry}.{column}.{index}", (COUNTER32, life.total * factor))
        rows.row(entry, index, 21, (GAUGE32, 0), (OID, "0.0"))


def _storages(rows: _Rows, storages: Sequence[Storage]) -> None:
    for index, one in enumerate(storages, 1):
        size = one.units, one.size, one.used
        rows.row(f"{MIB_2}.25.2.3.1", index, 1, index, (OID, one.type), one.description, *size, NO_COUNT)


def _devices(rows: _Rows, looks: Looks) -> None:
    entry, at = f"{MIB_2}.25.3.2.1", looks.device
    nothing = OID, "0.0"
    rows.row(entry, at, 1, at, (OID, PRINTER), looks.model, nothing, looks.device_status, NO_COUNT)
    rows.row(entry, at + 1, 1, at + 1, (OID, NETWORK), "Network", nothing, 2, NO_COUNT)
    rows.row(f"{MIB_2}.25.3.5.1", at, 1, looks.status, looks.errors)


def _general(rows: _Rows, who: Who, looks: Looks) -> None:
    at, entry = looks.device, f"{PRT}.5.1.1"
    rows.row(entry, at, 1, (COUNTER32, looks.changes), 1, 3, "", "", 1, 1, 1, 1)
    rows.row(entry, at, 10, 1, len(looks.console), 20, 4, 4, 4, looks.printer_name)
    rows.row(entry, at, 17, who.serial if looks.serial else None, NO_COUNT, NO_COUNT)
    for index, cover in enumerate(looks.covers, 1):
        rows.row(f"{PRT}.6.1.1", f"{at}.{index}", 2, cover, 4)
    rows.row(f"{PRT}.7.1.1", f"{at}.1", 2, looks.language, "", looks.charset)
    for index, line in enumerate(looks.console, 1):
        rows.row(f"{PRT}.16.5.1", f"{at}.{index}", 2, line)
    rows.row(f"{PRT}.17.6.1", f"{at}.1", 2, 1_000, 0, 4, "Power")


def _inputs(rows: _Rows, trays: Sequence[Tray], device: int) -> None:
    for number, tray in enumerate(trays, 1):
        entry, at = f"{PRT}.8.2.1", f"{device}.{tray.index or number}"
        description = tray.name if tray.description is None else tray.description
        rows.row(
            entry, at, 2, tray.type, 4, *tray.size, *tray.size, SHEETS, tray.max, tray.level, tray.status
        )
        rows.row(entry, at, 12, tray.media, tray.name, "", "", "", "", description, 5)
        rows.row(entry, at, 20, tray.weight, tray.kind, tray.color, OTHER, UNKNOWN, OTHER)


def _outputs(rows: _Rows, bins: Sequence[Bin], device: int) -> None:
    for number, one in enumerate(bins, 1):
        entry, at = f"{PRT}.9.2.1", f"{device}.{one.index or number}"
        description = one.name if one.description is None else one.description
        rows.row(entry, at, 2, one.type, SHEETS, one.max, one.remaining, one.status, one.name, "", "", "", "")
        rows.row(entry, at, 12, description, 5, 4, 457_200, 320_000, 148_000, 90_000, 3, 4, 5, 5, 5, 5)


def _marker(rows: _Rows, life: Life, looks: Looks, supplies: Sequence[Supply]) -> None:
    entry, at = f"{PRT}.10.2.1", f"{looks.device}.1"
    colors = len({one.color for one in supplies if one.color}) or 1
    rows.row(entry, at, 2, looks.technology, looks.unit, (COUNTER32, life.total), (COUNTER32, life.fresh))
    rows.row(entry, at, 6, colors, 0, 3, looks.addressability, looks.addressability)
    rows.row(entry, at, 11, 4_000, 4_000, 4_000, 4_000, 0)


def _supplies(rows: _Rows, life: Life, device: int, supplies: Sequence[Supply]) -> None:
    colors = list(dict.fromkeys(one.color for one in supplies if one.color))
    for index, color in enumerate(colors, 1):
        rows.row(f"{PRT}.12.1.1", f"{device}.{index}", 2, 1, 3, color, 256)
    for number, one in enumerate(supplies, 1):
        colorant = colors.index(one.color) + 1 if one.color else 0
        kind = 1, colorant, 4 if one.filled else 3, one.type
        at = f"{device}.{one.index or number}"
        rows.row(f"{PRT}.11.1.1", at, 2, *kind, one.description, one.unit, one.max, level(one, life))


def _alerts(rows: _Rows, life: Life, looks: Looks, alerts: Sequence[Alert]) -> None:
    for one in alerts:
        entry, at = f"{PRT}.18.1.1", f"{looks.device}.{one.index}"
        rows.row(entry, at, 2, one.severity, one.training, one.group, one.group_index, one.location, one.code)
        rows.row(entry, at, 8, one.description, (TICKS, max(0, life.ticks - one.ago * 100)))
