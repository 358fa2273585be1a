"""Load the vendor files: all vendors' names and objects at once, their counters when first needed.

There is one TOML file per vendor. Its first part identifies the vendor's printers; the part from
`[[sources]]` or `[counters]` on, which takes longer to parse, is loaded only for vendors of printers in use.
README.md, "Vendor files", describes the keys.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from appliance.vendors.counter_parser import parse_counters
from appliance.vendors.counter_rules import VendorCounters
from appliance.vendors.errors import VendorFileError
from appliance.vendors.toml_section import TomlSection

FOLDER = Path(__file__).resolve().parent
COUNTERS_PATTERN = re.compile(r"^\[+(?:sources|proofs|evidence|counters)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SupplyLevelColumns:
    """A vendor's table of supply levels in percent, by colour."""

    entry: str
    color_column: int
    percent_column: int
    colors: Mapping[int, str]  # code → prtMarkerColorantValue


@dataclass(frozen=True, slots=True, eq=False)  # there is one object per vendor
class Vendor:
    """A maker of printers: its enterprise numbers, brands and private objects, below 1.3.6.1.4.1."""

    file: Path
    name: str
    enterprises: tuple[str, ...]
    brands: Mapping[str, str]  # word in lower case → manufacturer
    shared_brands: Mapping[str, str]  # the same, of words that alone mean another vendor
    printer_prefixes: tuple[str, ...]  # of sysObjectIDs that only printers have
    device_id: str | None  # IEEE 1284: MFG:..;MDL:..;SN:..;
    model: str | None
    serial_numbers: tuple[str, ...]
    firmware: str | None
    host_name: str | None
    supply_levels: SupplyLevelColumns | None
    counters_like: tuple[str, ...]  # files of vendors that build printers for this one

    @property
    def counters(self) -> tuple[VendorCounters, ...]:
        """The vendor's own counters, then those of the vendors that build for it. Raises VendorFileError."""
        paths = (self.file, *(self.file.with_name(f"{name}.toml") for name in self.counters_like))
        return tuple(counters for path in paths if (counters := _load_counters(path)) is not None)


def load_vendors(folder: Path = FOLDER) -> tuple[Vendor, ...]:
    """Load the first part of every vendor file. Raises VendorFileError."""
    vendors = tuple(_parse_vendor(path, split_file(path)[0]) for path in sorted(folder.glob("*.toml")))
    _check_unique_enterprises(vendors)
    _check_brands(vendors)
    _check_references(vendors)
    return vendors


def split_file(path: Path) -> tuple[str, str]:
    """Return the two parts of a vendor file: identity and counters, the latter on its own line numbers."""
    text = path.read_text(encoding="utf-8")
    start = COUNTERS_PATTERN.search(text)
    if start is None:
        return text, ""
    identity, counters = text[: start.start()], text[start.start() :]
    return identity, "\n" * identity.count("\n") + counters


def _parse_toml(path: Path, text: str) -> TomlSection:
    try:
        return TomlSection(tomllib.loads(text), path.name)
    except tomllib.TOMLDecodeError as error:
        raise VendorFileError(f"{path.name}: {error}") from error


@cache
def _load_counters(path: Path) -> VendorCounters | None:
    section = _parse_toml(path, split_file(path)[1])
    counters = parse_counters(section)
    section.reject_unknown_keys()
    return counters


def _parse_vendor(path: Path, text: str) -> Vendor:
    section = _parse_toml(path, text)
    enterprises = section.oids("enterprises")
    vendor = Vendor(
        path,
        section.text("name"),
        enterprises,
        _parse_brands(section.section("brands")),
        _parse_brands(section.section("shared_brands")),
        section.oids("printer_prefixes") or enterprises,
        _optional_oid(section, "device_id"),
        _optional_oid(section, "model"),
        section.oids("serial_numbers"),
        _optional_oid(section, "firmware"),
        _optional_oid(section, "host_name"),
        _parse_supply_levels(section.section("supply_levels")) if "supply_levels" in section else None,
        section.texts("counters_like"),
    )
    section.reject_unknown_keys()
    if not enterprises:
        raise VendorFileError(f"{path.name}: enterprises is missing")
    return vendor


def _optional_oid(section: TomlSection, key: str) -> str | None:
    return section.oid(key) if key in section else None


def _parse_brands(section: TomlSection) -> Mapping[str, str]:
    for word in section.values:
        if word != word.lower():
            raise VendorFileError(f"{section.place}: {word} has to be in lower case")
    return {word: section.text(word) for word in section.values}


def _parse_supply_levels(section: TomlSection) -> SupplyLevelColumns:
    colors = section.section("colors")
    levels = SupplyLevelColumns(
        section.oid("entry"),
        section.number("color_column"),
        section.number("percent_column"),
        {code: colors.text(key) for code, key in colors.number_keys()},
    )
    section.reject_unknown_keys()
    return levels


def _check_unique_enterprises(vendors: tuple[Vendor, ...]) -> None:
    owners: dict[str, Vendor] = {}
    for vendor in vendors:
        for number in vendor.enterprises:
            if number in owners:
                raise VendorFileError(
                    f"{vendor.file.name}: enterprises: {number} is in {owners[number].file.name} too"
                )
            owners[number] = vendor


def _check_brands(vendors: tuple[Vendor, ...]) -> None:
    """Require that each word is a brand of one vendor, and a shared brand only besides."""
    owners: dict[str, Vendor] = {}
    for vendor in vendors:
        for word in vendor.brands:
            if word in owners:
                raise VendorFileError(
                    f"{vendor.file.name}: brands: {word} is in {owners[word].file.name} too; "
                    "one of them has to be in shared_brands"
                )
            owners[word] = vendor
    for vendor in vendors:
        for word in vendor.shared_brands:
            if owners.get(word, vendor) is vendor:
                raise VendorFileError(f"{vendor.file.name}: shared_brands: {word} is no other vendor's brand")


def _check_references(vendors: tuple[Vendor, ...]) -> None:
    files = {vendor.file.stem for vendor in vendors}
    for vendor in vendors:
        for name in vendor.counters_like:
            if name not in files or name == vendor.file.stem:
                raise VendorFileError(f"{vendor.file.name}: counters_like: no other file {name}.toml")
