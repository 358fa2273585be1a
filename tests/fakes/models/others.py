"""What is no office printer: a label printer without Printer-MIB, a switch, a power supply."""

from tests.fakes.ber import COUNTER32, GAUGE32, OID, TICKS
from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import MIB_2, PROCESSOR, Content, Rows
from tests.fakes.models.printer_mib import scalars, table

UPS = f"{MIB_2}.33.1"
PAGES = weights(Pk=1)


def _system(who: Who, life: Life, description: str, object_id: str, services: int) -> Rows:
    rows: dict[str, Content] = {
        "1.0": description,
        "2.0": (OID, object_id),
        "3.0": (TICKS, life.ticks),
        "4.0": who.contact,
        "5.0": who.name,
        "6.0": who.location,
        "7.0": services,
    }
    return scalars(f"{MIB_2}.1", rows)


def _ports(who: Who, number: int) -> Rows:
    rows: dict[int, list[Content]] = {}
    for port in range(1, number + 1):
        mac = who.mac if number == 1 else who.mac[:5] + bytes((port,))
        rows[port] = [
            port,
            f"Port {port}",
            6,
            1_500,
            (GAUGE32, 1_000_000_000),
            mac,
            1,
            1 + port % 2,
            (TICKS, 0),
            (COUNTER32, port * 7_919),
        ]
    return {**scalars(f"{MIB_2}.2", {"1.0": number}), **table(f"{MIB_2}.2.2.1", rows)}


def zebra_zt411(who: Who, life: Life) -> Rows:
    private = "1.3.6.1.4.1.10642"
    names: dict[str, Content] = {
        "1.1.0": "ZTC ZT411-300dpi ZPL",
        "1.2.0": "V92.21.17Z",
        "1.4.0": who.name,
        "1.9.0": who.serial,
        "1.18.0": "6.5",
    }
    device_id = "MANUFACTURER:Zebra Technologies ;COMMAND SET:ZPL;MODEL:ZTC ZT411-300dpi ZPL;CLASS:PRINTER;"
    return {
        **_system(who, life, "Zebra Wired", f"{private}.1.1", 72),
        **_ports(who, 1),
        **scalars(private, names),
        **scalars("1.3.6.1.4.1.11.2.3.9.1.1.7", {"0": device_id}),
    }


def switch(who: Who, life: Life) -> Rows:
    """HP's enterprise number does not make it a printer, its printer-like name neither."""
    device: dict[int, list[Content]] = {
        1: [1, (OID, PROCESSOR), "Switch CPU", (OID, "0.0"), 2, (COUNTER32, 0)]
    }
    return {
        **_system(
            who, life, "HP J9773A 2530-24G-PoEP Switch, printer room", "1.3.6.1.4.1.11.2.3.7.11.155", 74
        ),
        **_ports(who, 28),
        **table(f"{MIB_2}.25.3.2.1", device),
    }


def ups(who: Who, life: Life) -> Rows:
    rows: dict[str, Content] = {
        "1.1.0": "APC",
        "1.2.0": "Smart-UPS 1500",
        "1.3.0": "UPS 04.5",
        "2.1.0": 2,
        "2.3.0": 47,
        "2.4.0": 100,
    }
    return {
        **_system(
            who, life, "APC Web/SNMP Management Card (MB:v4.3.1 PF:v7.1.2)", "1.3.6.1.4.1.318.1.3.27", 72
        ),
        **_ports(who, 1),
        **scalars(UPS, rows),
    }


MODELS = (
    Model("zebra_zt411", "Zebra", "ZT411", PAGES, "99A999999999", "002210", zebra_zt411),
    Model("hp_switch_2530", "HP", "2530-24G", PAGES, "CN99FPA999", "3CA82A", switch, is_printer=False),
    Model("apc_smart_ups", "APC", "Smart-UPS 1500", PAGES, "AS9999999999", "00C0B7", ups, is_printer=False),
)
