"""The reference's sample XML, beside the checkout, as the records that must give it back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from lxml import etree

from appliance.domain.model import (
    Alert,
    Amount,
    Counter,
    CounterName,
    Details,
    Identity,
    InputTray,
    Kept,
    OutputTray,
    Printer,
    Storage,
    Supply,
    Target,
    Vague,
)

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
SAMPLE = REFERENCE / "sample_data.xml"
RECORDING = REFERENCE / "aficio_mp_c4000.snmprec"

COUNTERS = {
    CounterName.TOTAL: "CounterTotalDevices",
    CounterName.LARGE: "CounterTotalLarge",
    CounterName.DUPLEX: "CounterTotalDuplex",
    CounterName.PRINT_BLACK: "CounterPrintTotalBlack",
    CounterName.PRINT_SINGLE_COLOR: "CounterPrintTotalSingleColor",
    CounterName.PRINT_FULL_COLOR: "CounterPrintTotalFullColor",
    CounterName.COPY_BLACK: "CounterCopyTotalBlack",
    CounterName.COPY_SINGLE_COLOR: "CounterCopyTotalSingleColor",
    CounterName.COPY_FULL_COLOR: "CounterCopyTotalFullColor",
    CounterName.FAX: "CounterFaxTotal",
}

T = TypeVar("T")


def printer_of(root: etree._Element) -> Printer:
    """The sample's printer, its lost minus signs restored."""
    top = root[0]
    return Printer(
        id=number(top, "PrinterID"),
        target=Target(text(top, "IpAddress"), snmp_version="1"),
        identity=Identity(
            text(top, "Manufacturer"), text(top, "Models"), text(top, "Serialnumber"), text(top, "MacAddress")
        ),
        details=Details(
            name=text(top, "Devicename"),
            location=text(top, "Location"),
            contact=text(top, "Contact"),
            description=text(top, "Description"),
            firmware=text(top, "Firmware"),
            display_text=text(top, "DisplayText"),
            status=number(top, "StatusPrinter"),
        ),
        counters=tuple(Counter(name, number(top, tag), "sample") for name, tag in COUNTERS.items()),
        supplies=tuple(kept(row, "SupplyID", supply(row)) for row in top.findall("PrinterSupplies")),
        alerts=tuple(kept(row, "AlertID", alert(row)) for row in top.findall("PrinterAlerts")),
        inputs=tuple(kept(row, "InputID", input_tray(row)) for row in top.findall("PrinterInputs")),
        outputs=tuple(kept(row, "OutputID", output_tray(row)) for row in top.findall("PrinterOutputs")),
        storages=tuple(kept(row, "StorageID", storage(row)) for row in top.findall("PrinterStorages")),
        created_at=time(top, "CreatedAt"),
        changed_at=time(top, "ChangedAt"),
        seen_at=time(top, "ChangedAt"),
    )


def text(element: etree._Element, tag: str, nth: int = 0) -> str:
    return element.findall(tag)[nth].text or ""


def number(element: etree._Element, tag: str, nth: int = 0) -> int:
    return int(text(element, tag, nth).replace("80B", "808"))


def time(element: etree._Element, tag: str) -> datetime:
    return datetime.fromisoformat(text(element, tag)).astimezone(UTC)


def kept(row: etree._Element, identifier: str, record: T) -> Kept[T]:
    return Kept(number(row, identifier), record, time(row, "CreatedAt"), time(row, "ChangedAt"))


def vague(value: int) -> Amount:
    """The waste toner, for one, has a capacity of 2 and a level of 3: -2 and -3 that lost their sign."""
    return Vague(-value) if value in {2, 3} else value


def supply(row: etree._Element) -> Supply:
    return Supply(
        index=number(row, "SupplyID"),
        class_=number(row, "Class"),
        type=number(row, "Type"),
        color=text(row, "Color"),
        description=text(row, "Description"),
        unit=number(row, "Unit"),
        max_capacity=vague(number(row, "Capacity")),
        level=vague(number(row, "Level")),
    )


def alert(row: etree._Element) -> Alert:
    return Alert(
        index=number(row, "AlertID"),
        severity_level=number(row, "SeverityLevel"),
        training_level=number(row, "TrainingLevel"),
        group=number(row, "Group"),
        group_index=number(row, "GroupIndex"),
        location=number(row, "Location"),
        code=number(row, "Code"),
        description=text(row, "Description"),
        time=number(row, "Time"),
    )


def input_tray(row: etree._Element) -> InputTray:
    return InputTray(
        index=number(row, "Index"),
        type=number(row, "Type"),
        dim_unit=number(row, "DimUnit"),
        media_dim_feed_dir_declared=number(row, "MediaDimFeedDirDeclared"),
        media_dim_xfeed_dir_declared=number(row, "MediaDimFeedDirDeclared", 1),
        media_dim_feed_dir_chosen=number(row, "MediaDimFeedDirChosen"),
        media_dim_xfeed_dir_chosen=number(row, "MediaDimFeedDirChosen", 1),
        capacity_unit=number(row, "CapacityUnit"),
        max_capacity=number(row, "MaxCapacity"),
        current_level=number(row, "CurrentLevel"),
        status=number(row, "Status"),
        media_name=text(row, "MediaName"),
        name=None if row.find("Names") is None else text(row, "Names"),
        vendor_name=text(row, "VendorName"),
        model=text(row, "Model"),
        version=text(row, "Version"),
        serial_number=text(row, "Serialnumber"),
        description=text(row, "Description"),
        security=number(row, "Security"),
        media_weight=vague(number(row, "MediaWeights")),
        media_type=text(row, "MediaType"),
        media_color=text(row, "MediaColor"),
        media_form_parts=vague(number(row, "MediaFormParts")),
        media_load_timeout=vague(number(row, "MediaLoadTimeout")),
        next_index=vague(number(row, "NextIndex")),
    )


def output_tray(row: etree._Element) -> OutputTray:
    return OutputTray(
        index=number(row, "Index"),
        type=number(row, "Type"),
        capacity_unit=number(row, "CapacityUnit"),
        max_capacity=number(row, "MaxCapacity"),
        remaining_capacity=vague(number(row, "RemainingCapacity")),
        status=number(row, "Status"),
        name=text(row, "Name"),
        vendor_name=text(row, "VendorName"),
        model=text(row, "Model"),
        version=text(row, "Version"),
        serial_number=text(row, "Serialnumber"),
        description=text(row, "Description"),
        security=number(row, "Security"),
        dim_unit=number(row, "DimUnit"),
        max_dim_feed_dir=number(row, "MaxDimFeedDir"),
        max_dim_xfeed_dir=number(row, "MaxDimFeedDir", 1),
        min_dim_feed_dir=number(row, "MinDimFeedDir"),
        min_dim_xfeed_dir=number(row, "MinDimFeedDir", 1),
        stacking_order=number(row, "StackingOrder"),
        page_delivery_orientation=number(row, "PageDeliveryOrientation"),
        bursting=number(row, "Bursting"),
        decollating=number(row, "Decollating"),
        page_collated=number(row, "PageCollated"),
        offset_stacking=number(row, "OffsetStacking"),
    )


def storage(row: etree._Element) -> Storage:
    return Storage(
        index=number(row, "Index"),
        type=text(row, "Type"),
        description=text(row, "Description"),
        allocation_units=number(row, "AllocationUnits"),
        size=number(row, "Size"),
        used=number(row, "Used"),
        allocation_failures=number(row, "AllocationFailures"),
    )
