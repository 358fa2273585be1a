"""What each maker's printers are called, and which private objects hold their counters: one table.

A maker is a row. `enterprises` are its numbers below iso.org.dod.internet.private.enterprises, `brands` the
words by which its own devices, then those that it builds for others, name themselves. Objects are given by
their instances below the same arc. A table of counters is read by what its rows say they are (`Meters`),
never by their numbers, which differ from model to model. Further counters are further entries; a function is
needed only where a value is more than a number.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial

from appliance.model import Counter, CounterName
from appliance.reading import text
from appliance.reading.snmp.oids import Oid, parsed
from appliance.reading.tables import Cells, Table

ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)


def _oid(dotted: str) -> Oid:
    """An instance below the enterprises' arc."""
    return (*ENTERPRISES, *parsed(dotted))


@dataclass(frozen=True, slots=True)
class Meters:
    """A table of counters whose rows say what they count, by a type code or else by an English name."""

    entry: Oid
    source: str  # the object that gives the value
    type: int  # columns
    name: int
    value: int
    by_type: Mapping[int, CounterName]
    by_name: Mapping[str, CounterName]  # in lower case, without blanks
    other_types: frozenset[int] = frozenset()  # types that are known to be no counter of ours


@dataclass(frozen=True, slots=True)
class Maker:
    """One maker: its numbers, its names, its private objects."""

    name: str
    enterprises: tuple[str, ...]
    brands: Mapping[str, str] = field(default_factory=dict)  # word in lower case → manufacturer
    printers: tuple[str, ...] = ()  # where only some of its numbers are printers': these
    device_id: str | None = None  # IEEE 1284: MFG:..;MDL:..;SN:..;
    model: str | None = None
    serial_number: str | None = None
    firmware: str | None = None
    host_name: str | None = None
    counters: Mapping[str, CounterName] = field(default_factory=dict)
    meters: Meters | None = None


RICOH_METERS = Meters(
    entry=_oid("367.3.2.1.2.19.5.1"),
    source="ricohEngCounterValue",
    type=2,
    name=5,
    value=9,
    by_type={
        10: CounterName.TOTAL,
        200: CounterName.COPY_TOTAL,
        201: CounterName.COPY_BLACK,
        202: CounterName.COPY_SINGLE_COLOR,
        203: CounterName.COPY_FULL_COLOR,
        300: CounterName.FAX,
        400: CounterName.PRINT_TOTAL,
        401: CounterName.PRINT_BLACK,
        402: CounterName.PRINT_SINGLE_COLOR,
        403: CounterName.PRINT_FULL_COLOR,
    },
    by_name={
        "counter:a3/dlt": CounterName.LARGE,
        "counter:duplex": CounterName.DUPLEX,
    },
    # fax by colour, a second machine total, transmissions by colour, scans by colour
    other_types=frozenset({301, 302, 303, 800, 870, 871, 872, 873, 874}),
)

MAKERS = (
    Maker(
        "Ricoh",
        ("367",),
        {
            "ricoh": "Ricoh",
            "aficio": "Ricoh",
            "gestetner": "Gestetner",
            "lanier": "Lanier",
            "nrg": "NRG",
            "savin": "Savin",
            "infotec": "infotec",
            "rex rotary": "Rex Rotary",
            "nashuatec": "Nashuatec",
        },
        model="367.3.2.1.1.1.1.0",
        serial_number="367.3.2.1.2.1.4.0",
        firmware="367.3.2.1.1.1.2.0",
        meters=RICOH_METERS,
    ),
    Maker(
        "HP",
        ("11",),
        {"hp": "HP", "hewlett-packard": "HP", "hewlett packard": "HP", "laserjet": "HP", "officejet": "HP"},
        printers=("11.2.3.9",),
        device_id="11.2.3.9.1.1.7.0",
        model="11.2.3.9.4.2.1.1.3.2.0",
        serial_number="11.2.3.9.4.2.1.1.3.3.0",
        firmware="11.2.3.9.4.2.1.1.3.5.0",  # its date, as the configuration page shows it
    ),
    Maker(
        "Konica Minolta",
        ("18334", "2590"),  # Konica Minolta, Minolta
        {
            "konica minolta": "Konica Minolta",
            "konica": "Konica Minolta",
            "minolta": "Konica Minolta",
            "bizhub": "Konica Minolta",
            "develop": "Develop",
            "ineo": "Develop",
            "olivetti": "Olivetti",
        },
        model="18334.1.1.1.1.6.2.1.0",
    ),
    Maker(
        "Canon",
        ("1602",),
        {"canon": "Canon", "imagerunner": "Canon", "imageclass": "Canon", "i-sensys": "Canon"},
        model="1602.1.1.1.1.0",
        serial_number="1602.1.2.1.4.0",
        firmware="1602.1.1.1.4.0",
    ),
    Maker("Océ", ("1552",), {"océ": "Océ", "oce": "Océ", "colorwave": "Océ"}),
    Maker(
        "Kyocera",
        ("1347",),
        {
            "kyocera": "Kyocera",
            "ecosys": "Kyocera",
            "taskalfa": "Kyocera",
            "ta_utax": "UTAX",
            "utax": "UTAX",
            "triumph-adler": "Triumph-Adler",
            "triumph adler": "Triumph-Adler",
            "olivetti": "Olivetti",
            "copystar": "Copystar",
        },
        model="1347.43.5.1.1.1.1",
        serial_number="1347.43.5.1.1.28.1",
        firmware="1347.43.5.4.1.5.1.1",
        host_name="1347.40.10.1.1.5.1",
    ),
    Maker(
        "Xerox",
        ("253", "128"),  # Xerox, Tektronix
        {
            "xerox": "Xerox",
            "phaser": "Xerox",
            "workcentre": "Xerox",
            "altalink": "Xerox",
            "versalink": "Xerox",
        },
        device_id="253.8.51.1.2.1.20.1",
        serial_number="253.8.53.3.2.1.3.1",
    ),
    Maker(
        "FUJIFILM",
        ("297",),
        {"fuji xerox": "Fuji Xerox", "fujixerox": "Fuji Xerox", "fujifilm": "FUJIFILM", "apeos": "FUJIFILM"},
    ),
    Maker(
        "Lexmark",
        ("641",),
        {"lexmark": "Lexmark", "dell": "Dell", "ibm": "IBM", "infoprint": "IBM", "toshiba": "Toshiba"},
        model="641.2.1.2.1.2.1",
        serial_number="641.2.1.2.1.6.1",
    ),
    Maker("Dell", ("674",), {"dell": "Dell"}, printers=("674.10898",), firmware="674.10898.100.1.1.1.0"),
    Maker("IBM", ("2",), {"infoprint": "IBM", "ibm": "IBM"}, printers=("2.6.2.6",)),
    Maker(
        "Brother",
        ("2435",),
        {"brother": "Brother"},
        device_id="2435.2.3.9.1.1.7.0",
        serial_number="2435.2.3.9.4.2.1.5.5.1.0",
        firmware="2435.2.3.9.4.2.1.5.5.17.0",
    ),
    Maker(
        "Epson",
        ("1248",),
        {"epson": "Epson"},
        printers=("1248.1",),  # its projectors are elsewhere
        device_id="1248.1.2.2.1.1.1.1.1",
        model="1248.1.2.2.1.1.1.2.1",
        serial_number="1248.1.2.2.1.1.1.5.1",
        firmware="1248.1.2.2.2.1.1.2.1.1",
    ),
    Maker(
        "OKI",
        ("2001",),
        {"oki": "OKI", "okidata": "OKI", "okilan": "OKI"},
        device_id="11.2.3.9.1.1.7.0",
        model="2001.1.1.1.1.11.1.10.25.0",
        serial_number="2001.1.1.1.1.11.1.10.45.0",
    ),
    Maker("Sharp", ("2385",), {"sharp": "Sharp"}, printers=("2385.3",)),
    Maker(
        "Toshiba TEC",
        ("1129",),
        {"toshiba": "Toshiba TEC", "e-studio": "Toshiba TEC"},
        printers=("1129.1.2", "1129.2.3"),
    ),
    Maker(
        "Samsung",
        ("236",),
        {"samsung": "Samsung"},
        printers=("236.11.5",),
        model="236.11.5.1.1.1.1.0",
        serial_number="236.11.5.1.1.1.4.0",
        firmware="236.11.5.1.1.1.2.0",
    ),
    Maker("Pantum", ("40093",), {"pantum": "Pantum"}),
    Maker(
        "Zebra",
        ("10642", "683"),  # Zebra, Extended Systems whose print servers Zebra builds in
        {"zebra": "Zebra", "zebranet": "Zebra", "ztc": "Zebra"},
        device_id="11.2.3.9.1.1.7.0",
        model="10642.1.1.0",
        serial_number="10642.1.9.0",
        firmware="10642.1.2.0",
    ),
)

DEVICE_IDS = tuple(
    dict.fromkeys(
        _oid(dotted)
        for dotted in ("2699.1.2.1.2.1.1.3.1", *(maker.device_id for maker in MAKERS if maker.device_id))
    )
)  # the first one is PWG 5107.1, ppmPortIEEE1284DeviceId: any maker

_BY_ENTERPRISE = {_oid(number): maker for maker in MAKERS for number in maker.enterprises}
_PRINTERS = tuple(_oid(number) for maker in MAKERS for number in (maker.printers or maker.enterprises))
_BRANDS = {word: (maker, name) for maker in reversed(MAKERS) for word, name in maker.brands.items()}
_ANY_BRAND = re.compile(
    r"(?<![a-z0-9])(" + "|".join(sorted(map(re.escape, _BRANDS), key=len, reverse=True)) + r")(?![a-z0-9])"
)


def maker(object_id: Oid | None, description: str | None = None) -> Maker | None:
    """Whose device answers: by sysObjectID, else by the first brand that the description names."""
    for length in (8, 7):
        found = _BY_ENTERPRISE.get((object_id or ())[:length])
        if found is not None:
            return found
    named = _named(description)
    return named[0] if named else None


def manufacturer(object_id: Oid | None, description: str | None = None) -> str | None:
    """The brand on the printer's case: builders give their number to the devices that others sell."""
    builder, named = maker(object_id, description), _named(description)
    if builder is None:
        return None
    if named is not None and (
        named[0] is builder or named[1] in builder.brands.values() or builder.name == "HP"
    ):
        return named[1]
    return builder.name


def is_printer(object_id: Oid) -> bool:
    """Whether this sysObjectID is given to printers only."""
    return any(object_id[: len(prefix)] == prefix for prefix in _PRINTERS)


@lru_cache(maxsize=1024)
def _named(description: str | None) -> tuple[Maker, str] | None:
    found = _ANY_BRAND.search(description.lower()) if description else None
    return _BRANDS[found[1]] if found else None


@lru_cache(maxsize=1024)
def object_of(dotted: str | None) -> Oid | None:
    """The instance that a maker's row names."""
    return _oid(dotted) if dotted else None


def scalars(maker: Maker) -> list[Oid]:
    """A maker's single objects that each reading asks or asks again when something was rebuilt."""
    named = (maker.model, maker.serial_number, maker.firmware, maker.host_name, *maker.counters)
    return [_oid(dotted) for dotted in named if dotted]


def moving_scalars(maker: Maker) -> list[Oid]:
    return [_oid(dotted) for dotted in maker.counters]


def tables(maker: Maker | None) -> tuple[Table, ...]:
    """A maker's tables, to be read like any other."""
    return _TABLES.get(maker.name, ()) if maker else ()


def _meters_table(meters: Meters) -> Table:
    return Table(
        "meters",
        "counters",
        meters.entry,
        {meters.type: 2, meters.name: 28, meters.value: 3},
        moving=(meters.value,),
        start=meters.type,
        by_device=False,
        wanted=partial(_wanted, meters),
    )


def _wanted(meters: Meters, cells: Cells, row: Oid) -> Collection[int]:
    """Values only of rows that count what we want; names only where the type does not tell."""
    kind = cells.get((*meters.entry, meters.type, *row))
    if kind in meters.by_type:
        return (meters.value,)
    if kind in meters.other_types:
        return ()
    name = cells.get((*meters.entry, meters.name, *row))
    if isinstance(name, bytes) and _key(name) not in meters.by_name:
        return ()
    return (meters.name, meters.value)


def _key(name: bytes) -> str:
    return "".join(text.decode(name).lower().split())


def counters(maker: Maker | None, cells: Cells) -> tuple[Counter, ...]:
    """A maker's counters, each with the object that gave it; the first row that counts something stands."""
    if maker is None:
        return ()
    found: dict[CounterName, Counter] = {}
    for counter in (*_from_scalars(maker, cells), *_from_meters(maker.meters, cells)):
        found.setdefault(counter.name, counter)
    return tuple(found[name] for name in CounterName if name in found)


def _from_scalars(maker: Maker, cells: Cells) -> Iterator[Counter]:
    for dotted, name in maker.counters.items():
        value = cells.get(_oid(dotted))
        if isinstance(value, int) and value >= 0:
            yield Counter(name, value, dotted)


def _from_meters(meters: Meters | None, cells: Cells) -> Iterator[Counter]:
    if meters is None:
        return
    column = (*meters.entry, meters.type)
    for oid in sorted(oid for oid in cells if oid[: len(column)] == column):
        row = oid[len(column) :]
        kind, value = cells[oid], cells.get((*meters.entry, meters.value, *row))
        if not isinstance(value, int) or value < 0:
            continue
        if isinstance(kind, int) and kind in meters.by_type:
            yield Counter(meters.by_type[kind], value, f"{meters.source} type {kind}")
            continue
        name = cells.get((*meters.entry, meters.name, *row))
        if isinstance(name, bytes) and _key(name) in meters.by_name:
            yield Counter(meters.by_name[_key(name)], value, f'{meters.source} "{text.decode(name)}"')


_TABLES = {maker.name: (_meters_table(maker.meters),) for maker in MAKERS if maker.meters}
