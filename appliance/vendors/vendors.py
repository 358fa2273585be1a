"""Find the vendor of a printer and the private objects to request from it."""

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from appliance.mib.oids import Oid
from appliance.mib.printer_mib import MibTable
from appliance.vendors.counter_sources import enterprise_oid
from appliance.vendors.loader import SupplyLevelColumns, Vendor, load_vendors

VENDOR_TEXT_BYTES = 16  # of a version or a serial number
PORT_IEEE1284_DEVICE_ID = "2699.1.2.1.2.1.1.3.1"  # PWG 5107.1, ppmPortIEEE1284DeviceId: any vendor
GENERIC_OBJECTS_VENDOR = "HP"  # other vendors' printers answer its objects, and use its network cards


@cache
def all_vendors() -> tuple[Vendor, ...]:
    """Return all vendors, in the order of their files."""
    return load_vendors()


@cache
def device_id_oids() -> tuple[Oid, ...]:
    """Return the objects that may hold an IEEE 1284 device id, the standard one first."""
    own = {enterprise_oid(vendor.device_id) for vendor in all_vendors() if vendor.device_id}
    return (enterprise_oid(PORT_IEEE1284_DEVICE_ID), *sorted(own))


@cache
def _vendor_by_enterprise() -> Mapping[Oid, Vendor]:
    return {enterprise_oid(number): vendor for vendor in all_vendors() for number in vendor.enterprises}


@cache
def _printer_prefixes() -> tuple[Oid, ...]:
    return tuple(enterprise_oid(number) for vendor in all_vendors() for number in vendor.printer_prefixes)


@cache
def _vendor_by_brand() -> Mapping[str, tuple[Vendor, str]]:
    return {word: (vendor, name) for vendor in all_vendors() for word, name in vendor.brands.items()}


@cache
def _brand_pattern() -> re.Pattern[str]:
    words = sorted(map(re.escape, _vendor_by_brand()), key=len, reverse=True)
    return re.compile(rf"(?<![a-z0-9])({'|'.join(words)})(?![a-z0-9])")


def find_vendor(object_id: Oid | None, description: str | None = None) -> Vendor | None:
    """Return the vendor of a device by its sysObjectID, else by the first brand in its description."""
    for length in (8, 7):
        vendor = _vendor_by_enterprise().get((object_id or ())[:length])
        if vendor is not None:
            return vendor
    match = _find_brand(description)
    return match[0] if match else None


def resolve_manufacturer(object_id: Oid | None, description: str | None = None) -> str | None:
    """Return the brand on the printer's case, which may be another than the vendor that built it."""
    vendor, match = find_vendor(object_id, description), _find_brand(description)
    if vendor is None:
        return None
    if match is not None:
        owner, manufacturer = match
        brands = {*vendor.brands.values(), *vendor.shared_brands.values()}
        if owner is vendor or manufacturer in brands or vendor.name == GENERIC_OBJECTS_VENDOR:
            return manufacturer
    return vendor.name


def find_vendor_by_objects(objects: Iterable[Oid]) -> Vendor | None:
    """Return the vendor of the first private object, except of HP's, which other vendors' printers have."""
    for oid in objects:
        vendor = _vendor_by_enterprise().get(oid[:7])
        if vendor is not None and vendor.name != GENERIC_OBJECTS_VENDOR:
            return vendor
    return None


def is_printer_object_id(object_id: Oid) -> bool:
    """Return True if only printers have this sysObjectID."""
    return any(object_id[: len(prefix)] == prefix for prefix in _printer_prefixes())


@lru_cache(maxsize=1024)
def _find_brand(description: str | None) -> tuple[Vendor, str] | None:
    match = _brand_pattern().search(description.lower()) if description else None
    return _vendor_by_brand()[match[1]] if match else None


def optional_oid(dotted: str | None) -> Oid | None:
    """Return the OID of an object of a vendor, if the vendor has it."""
    return enterprise_oid(dotted) if dotted else None


@cache
def vendor_scalars(vendor: Vendor) -> Mapping[Oid, int]:
    """Return a vendor's single objects with the expected size of their values in bytes."""
    texts = (vendor.model, *vendor.serial_numbers, vendor.firmware, vendor.host_name)
    return {enterprise_oid(dotted): VENDOR_TEXT_BYTES for dotted in texts if dotted} | dict(
        volatile_scalars(vendor)
    )


@cache
def volatile_scalars(vendor: Vendor) -> Mapping[Oid, int]:
    """Return those of a vendor's single objects that are counters."""
    return {
        oid: size
        for counters in vendor.counters
        for source in counters.sources
        for oid, size in source.scalars()
    }


@cache
def vendor_tables(vendor: Vendor | None, *, has_vague_levels: bool = False) -> tuple[MibTable, ...]:
    """Return a vendor's tables; that of supply levels only if Printer-MIB's levels are vague."""
    if vendor is None:
        return ()
    tables = [
        table for counters in vendor.counters for source in counters.sources for table in source.tables()
    ]
    if vendor.supply_levels and has_vague_levels:
        tables.append(_supply_level_table(vendor.supply_levels))
    return tuple(tables)


def _supply_level_table(levels: SupplyLevelColumns) -> MibTable:
    return MibTable(
        "levels",
        "supplies",
        enterprise_oid(levels.entry),
        {levels.color_column: 1, levels.percent_column: 1},
        volatile=(levels.percent_column,),
        discovery_column=levels.color_column,
        is_indexed_by_device=False,
        select_columns=lambda _cells, _row: (levels.color_column, levels.percent_column),
    )
