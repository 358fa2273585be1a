"""Printer records for the tests of this station."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from appliance.domain.model import (
    Alert,
    Counter,
    CounterName,
    Details,
    Identity,
    InputTray,
    OutputTray,
    Printer,
    Storage,
    StoredRow,
    Supply,
    Target,
    VagueAmount,
)

NOON = datetime(2026, 1, 15, 11, 0, 0, 250_000, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1.5)

BARE = Printer(
    id=1,
    target=Target("10.0.0.5", snmp_version="1"),
    identity=Identity(),
    details=Details(),
    counters=(),
    supplies=(),
    alerts=(),
    inputs=(),
    outputs=(),
    storages=(),
    created_at=NOON,
    changed_at=LATER,
    seen_at=LATER,
)

FULL = replace(
    BARE,
    id=7,
    target=Target("10.0.0.9", name="flur.example", snmp_version="2", port=1161),
    identity=Identity("Musterwerk", "Presto 300", "MW-0042", "0200C0FFEE01", "1.3.6.1.4.1.99999.1"),
    details=Details("flur", "1. OG", "", "Presto 300 / Netz 2.0", "2.0.1", "Bereit", status=3),
    counters=tuple(Counter(name, 1000 + row, "test") for row, name in enumerate(CounterName)),
    supplies=(
        StoredRow(
            11, Supply(1, 3, 3, "black", "Toner", 19, VagueAmount.UNKNOWN, VagueAmount.SOME_LEFT), NOON, LATER
        ),
    ),
    alerts=(StoredRow(12, Alert(61, 3, 2, 8, 1, 500, 808, "Fach 1 leer", 12345), NOON, LATER),),
    inputs=(
        StoredRow(
            13,
            InputTray(
                index=1,
                type=3,
                dim_unit=4,
                media_dim_feed_dir_declared=210_000,
                media_dim_xfeed_dir_declared=297_000,
                media_dim_feed_dir_chosen=210_001,
                media_dim_xfeed_dir_chosen=297_001,
                capacity_unit=8,
                max_capacity=550,
                current_level=0,
                status=9,
                media_name="A4",
                name="Fach 1",
                vendor_name="Musterwerk",
                model="PF-1",
                version="1",
                serial_number="PF-0007",
                description="Papierfach",
                security=5,
                media_weight=80,
                media_type="stationery",
                media_color="white",
                media_form_parts=VagueAmount.UNKNOWN,
                media_load_timeout=VagueAmount.OTHER,
                next_index=2,
            ),
            NOON,
            LATER,
        ),
    ),
    outputs=(
        StoredRow(
            14,
            OutputTray(
                index=1,
                type=4,
                capacity_unit=8,
                max_capacity=500,
                remaining_capacity=VagueAmount.SOME_LEFT,
                status=0,
                name="Ablage",
                vendor_name="Musterwerk",
                model="",
                version="",
                serial_number="",
                description="Obere Ablage",
                security=5,
                dim_unit=4,
                max_dim_feed_dir=420_000,
                max_dim_xfeed_dir=297_000,
                min_dim_feed_dir=148_000,
                min_dim_xfeed_dir=105_000,
                stacking_order=3,
                page_delivery_orientation=4,
                bursting=5,
                decollating=6,
                page_collated=7,
                offset_stacking=8,
            ),
            NOON,
            LATER,
        ),
    ),
    storages=(StoredRow(15, Storage(1, "1.3.6.1.2.1.25.2.1.2", "RAM", 1024, 65536, 4096, 0), NOON, LATER),),
)
