"""Define the domain data: frozen records that the steps of a run pass on.

Fields are named after their objects in the MIBs (RFC 3805 Printer-MIB, RFC 2790 Host Resources, RFC 3418
system group). `None` always means that the printer did not give the value.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Generic, Literal, TypeVar


class VagueAmount(Enum):
    """A negative number that Printer-MIB gives instead of an amount; never calculate with it."""

    OTHER = -1
    UNKNOWN = -2
    SOME_LEFT = -3


Amount = int | VagueAmount

SnmpVersion = Literal["auto", "1", "2"]


@dataclass(frozen=True, slots=True)
class DiscoveryEntry:
    """A line of the discovery list as it was entered: a range, a CIDR, an address or a name."""

    addresses: str
    snmp_version: SnmpVersion = "auto"
    community_read: str = "public"
    community_write: str = "private"
    port: int = 161
    address_by: Literal["ip", "name"] = "ip"
    http_username: str = ""
    http_password: str = ""
    source: Literal["manual", "import"] = "manual"


@dataclass(frozen=True, slots=True)
class Target:
    """An address to poll, and how: `host` is an IP address, or a DNS name where printers go by name."""

    host: str
    name: str | None = None  # the DNS name that led here, if one did
    port: int = 161
    snmp_version: SnmpVersion = "auto"
    community_read: str = "public"
    community_write: str = "private"
    address_by: Literal["ip", "name"] = "ip"
    http_username: str = ""
    http_password: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a printer, independent of its address."""

    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None  # never a placeholder
    mac_address: str | None = None  # twelve upper-case hexadecimal digits
    object_id: str | None = None  # sysObjectID, dotted, no leading dot


@dataclass(frozen=True, slots=True)
class Details:
    """What a printer reports about itself besides its identity."""

    name: str | None = None  # sysName
    location: str | None = None
    contact: str | None = None
    description: str | None = None  # sysDescr
    firmware: str | None = None
    display_text: str | None = None  # prtConsoleDisplayBufferText, lines joined by a blank
    status: int | None = None  # hrPrinterStatus: 1 other 2 unknown 3 idle 4 printing 5 warmup
    device_status: int | None = None  # hrDeviceStatus: 2 running 3 warning 4 testing 5 down
    errors: tuple[str, ...] = ()  # hrPrinterDetectedErrorState, by bit name: "lowPaper", "noToner", ...
    uptime: int | None = None  # sysUpTime, hundredths of a second


class CounterName(StrEnum):
    """The page counters of the reference product, then those that serve as proof."""

    TOTAL = "total"
    LARGE = "large"
    DUPLEX = "duplex"
    PRINT_BLACK = "print_black"
    PRINT_SINGLE_COLOR = "print_single_color"
    PRINT_FULL_COLOR = "print_full_color"
    COPY_BLACK = "copy_black"
    COPY_SINGLE_COLOR = "copy_single_color"
    COPY_FULL_COLOR = "copy_full_color"
    FAX = "fax"
    TOTAL_BLACK = "total_black"
    TOTAL_COLOR = "total_color"
    PRINT_TOTAL = "print_total"
    COPY_TOTAL = "copy_total"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Counter:
    """One page counter with the object or page that gave it."""

    name: CounterName
    value: int
    source: str  # "prtMarkerLifeCount.1.1", "ricohEngCounterValue type 10", "http /etc/mnt_info.csv"
    dispute: str | None = None  # the value of another source, where the two differ
    held: int | None = None  # a later value that is not trusted yet; `value` is the last trusted one
    held_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """A row of prtMarkerSuppliesTable, with its colorant's name."""

    index: int
    class_: int | None = None  # 3 supplyThatIsConsumed, 4 receptacleThatIsFilled
    type: int | None = None
    color: str | None = None  # prtMarkerColorantValue; "other" where the row names no colorant
    description: str | None = None
    unit: int | None = None
    max_capacity: Amount | None = None
    level: Amount | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A row of prtAlertTable."""

    index: int
    severity_level: int | None = None
    training_level: int | None = None
    group: int | None = None
    group_index: int | None = None
    location: int | None = None
    code: int | None = None
    description: str | None = None
    time: int | None = None  # sysUpTime of the alert, hundredths of a second


@dataclass(frozen=True, slots=True)
class InputTray:
    """A row of prtInputTable."""

    index: int
    type: int | None = None
    dim_unit: int | None = None
    media_dim_feed_dir_declared: Amount | None = None
    media_dim_xfeed_dir_declared: Amount | None = None
    media_dim_feed_dir_chosen: Amount | None = None
    media_dim_xfeed_dir_chosen: Amount | None = None
    capacity_unit: int | None = None
    max_capacity: Amount | None = None
    current_level: Amount | None = None
    status: int | None = None
    media_name: str | None = None
    name: str | None = None
    vendor_name: str | None = None
    model: str | None = None
    version: str | None = None
    serial_number: str | None = None
    description: str | None = None
    security: int | None = None
    media_weight: Amount | None = None
    media_type: str | None = None
    media_color: str | None = None
    media_form_parts: Amount | None = None
    media_load_timeout: Amount | None = None
    next_index: Amount | None = None


@dataclass(frozen=True, slots=True)
class OutputTray:
    """A row of prtOutputTable."""

    index: int
    type: int | None = None
    capacity_unit: int | None = None
    max_capacity: Amount | None = None
    remaining_capacity: Amount | None = None
    status: int | None = None
    name: str | None = None
    vendor_name: str | None = None
    model: str | None = None
    version: str | None = None
    serial_number: str | None = None
    description: str | None = None
    security: int | None = None
    dim_unit: int | None = None
    max_dim_feed_dir: Amount | None = None
    max_dim_xfeed_dir: Amount | None = None
    min_dim_feed_dir: Amount | None = None
    min_dim_xfeed_dir: Amount | None = None
    stacking_order: int | None = None
    page_delivery_orientation: int | None = None
    bursting: int | None = None
    decollating: int | None = None
    page_collated: int | None = None
    offset_stacking: int | None = None


@dataclass(frozen=True, slots=True)
class Storage:
    """A row of hrStorageTable."""

    index: int
    type: str | None = None  # an OID, dotted
    description: str | None = None
    allocation_units: int | None = None  # bytes
    size: int | None = None  # in allocation units
    used: int | None = None
    allocation_failures: int | None = None


@dataclass(frozen=True, slots=True)
class PollCost:
    """The cost of a poll: datagrams in both directions, their UDP payload in bytes, seconds."""

    packets: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PartFailure:
    """A part of a printer that could not be read; its last known values stay."""

    part: str  # "supplies", "alerts", "inputs", "outputs", "storages", "counters", "details"
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a poll returned; the parts in `failures` keep the values of the reading before."""

    target: Target  # as it answered, with a definite SNMP version
    identity: Identity
    details: Details
    counters: tuple[Counter, ...] = ()
    supplies: tuple[Supply, ...] = ()
    alerts: tuple[Alert, ...] = ()
    inputs: tuple[InputTray, ...] = ()
    outputs: tuple[OutputTray, ...] = ()
    storages: tuple[Storage, ...] = ()
    failures: tuple[PartFailure, ...] = ()
    cost: PollCost = PollCost()
    plan: str = ""  # the poll cache for the next poll; opaque outside the collector
    notes: tuple[str, ...] = ()  # hints for people: a web page needs a password, two counts differ


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredRow(Generic[T]):
    """A row with its identifier and times (UTC) in the database."""

    id: int
    row: T
    created_at: datetime
    changed_at: datetime  # moves only when a value changed


@dataclass(frozen=True, slots=True)
class Printer:
    """A known printer with its last known values. All times are UTC."""

    id: int
    target: Target
    identity: Identity
    details: Details
    counters: tuple[Counter, ...]
    supplies: tuple[StoredRow[Supply], ...]
    alerts: tuple[StoredRow[Alert], ...]
    inputs: tuple[StoredRow[InputTray], ...]
    outputs: tuple[StoredRow[OutputTray], ...]
    storages: tuple[StoredRow[Storage], ...]
    created_at: datetime
    changed_at: datetime
    seen_at: datetime  # the last time it answered
    failed_at: datetime | None = None  # the last poll, if it failed
    failure: str | None = None  # why
    failures: tuple[
        PartFailure, ...
    ] = ()  # parts that the last reading could not read: their values are older
    notes: tuple[str, ...] = ()  # of the last reading
    cost: PollCost = PollCost()  # of the last reading
    plan: str = ""
    device_group: int = 0
    ignore: bool = False


@dataclass(frozen=True, slots=True)
class Trap:
    """An SNMP notification and its meaning; v1 traps are translated to v2c (RFC 3584)."""

    kind: str  # "coldStart", "printerV2Alert", a vendor's name with its number, or the OID itself
    oid: str = ""  # snmpTrapOID, dotted
    version: Literal["1", "2"] = "2"
    inform: bool = False
    manufacturer: str | None = None
    agent_address: str | None = None  # the source that the sender states
    uptime: int | None = None  # sysUpTime, hundredths of a second
    serial_number: str | None = None  # where the notification carries it
    mac_address: str | None = None  # the same
    severity: str | None = None  # prtAlertSeverityLevel
    text: str = ""  # one line for people
    objects: tuple[str, ...] = ()  # "name or OID = value", as they came
