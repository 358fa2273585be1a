"""Who a printer is, from what real ones say."""

import pytest

from appliance.collector.printer_identity import identify_printer, is_placeholder_serial, resolve_context
from appliance.collector.reading_builder import build_reading
from appliance.domain.model import Target
from appliance.mib.values import CellValue
from tests.collector.cells import cells

SYS = "1.3.6.1.2.1.1"
IF = "1.3.6.1.2.1.2.2.1"
DEVICE = "1.3.6.1.2.1.25.3.2.1"
PRINTER_TYPE = "1.3.6.1.2.1.25.3.1.5"
GENERAL = "1.3.6.1.2.1.43.5.1.1"


def described(
    sys_descr: str, object_id: str = "0.0", device: str | None = None, **more: str
) -> dict[tuple[int, ...], CellValue]:
    rows: dict[str, tuple[int, int | bytes | str]] = {
        f"{SYS}.1.0": (4, sys_descr.encode()),
        f"{SYS}.2.0": (6, object_id),
    }
    if device:
        rows |= {f"{DEVICE}.2.1": (6, PRINTER_TYPE), f"{DEVICE}.3.1": (4, device.encode())}
    return cells(rows | {oid: (4, text.encode()) for oid, text in more.items()})


@pytest.mark.parametrize(
    ("sys_descr", "number", "device", "expected"),
    [
        (
            "RICOH Aficio MP 171 1.00.1 / RICOH Network Printer C model",
            "367.1.1",
            None,
            ("Ricoh", "RICOH Aficio MP 171", "1.00.1"),
        ),
        (
            "LANIER MP C3501/LD635C 2.01 / LANIER Network Printer",
            "367.1.1",
            None,
            ("Lanier", "LANIER MP C3501/LD635C", "2.01"),
        ),
        (
            "infotec  ISC 2432 1.21 / infotec Network Printer C",
            "367.1.1",
            None,
            ("infotec", "infotec ISC 2432", "1.21"),
        ),
        ("NRG SP 4210N 1.05 / NRG Network Printer C model", "367.1.1", None, ("NRG", "NRG SP 4210N", "1.05")),
        (
            "SAVIN MP C4503 1.18 / SAVIN Network Printer C",
            "367.1.1",
            None,
            ("Savin", "SAVIN MP C4503", "1.18"),
        ),
        (
            "Gestetner MP C2500 1.60 / Gestetner Network Printer",
            "367.1.1",
            None,
            ("Gestetner", "Gestetner MP C2500", "1.60"),
        ),
        ("Develop ineo  280", "18334.1.2.1.2.1.50.2.2", None, ("Develop", "Develop ineo 280", None)),
        (
            "KONICA MINOLTA bizhub C250i",
            "18334.1.1.1.2.1.181.2.4",
            None,
            ("Konica Minolta", "KONICA MINOLTA bizhub C250i", None),
        ),
        ("Canon iR-ADV C5235 /P", "1602.4.7", None, ("Canon", "Canon iR-ADV C5235", None)),
        ("Canon Inc., LBP-1760e Printer /P", "1602.4.7", None, ("Canon", "Canon Inc., LBP-1760e", None)),
        (
            "KYOCERA Document Solutions Printing System",
            "1347.41",
            "ECOSYS P2040dw",
            ("Kyocera", "ECOSYS P2040dw", None),
        ),
        ("TA_UTAX Printing System", "1347.41", "P-4532DN", ("UTAX", "P-4532DN", None)),
        ("TRIUMPH-ADLER Printing System", "1347.41", "P-C3065 MFP", ("Triumph-Adler", "P-C3065 MFP", None)),
        (
            "Xerox AltaLink C8045; SS 100.002.057.09608, NC 100.002.09608, UI",
            "253.8.62.1.35.2.3.1.1",
            None,
            ("Xerox", "Xerox AltaLink C8045", "100.002.057.09608"),
        ),
        (
            "Xerox Color 570;System 55.40.61,ESS1.208.6",
            "253.8.62.1.20",
            None,
            ("Xerox", "Xerox Color 570", "55.40.61"),
        ),
        (
            "FUJIFILM ApeosPro C810",
            "297.1.11.93.2.1.3.5.5",
            None,
            ("FUJIFILM", "FUJIFILM ApeosPro C810", None),
        ),
        (
            "FUJI XEROX Document Centre C400 v 2. 0. 6",
            "297.1.11.93",
            None,
            ("Fuji Xerox", "FUJI XEROX Document Centre C400 v 2. 0. 6", None),
        ),
        (
            "Lexmark T640 version NS.NP.N219 kernel 2.6.6 All-N-1",
            "641.1.71106749",
            None,
            ("Lexmark", "Lexmark T640", "NS.NP.N219"),
        ),
        (
            "IBM Infoprint 1130 version 54.10.21 kernel 2.4.0",
            "641.1",
            None,
            ("IBM", "IBM Infoprint 1130", "54.10.21"),
        ),
        (
            "Dell 2330dn Laser Printer version NR.APS.N449 kernel 2.6",
            "641.2",
            None,
            ("Dell", "Dell 2330dn Laser Printer", "NR.APS.N449"),
        ),
        (
            "Dell MFP Laser 3115cn; Net 9.26, Controller 200709110910, Engine",
            "674.10898.10",
            None,
            ("Dell", "Dell MFP Laser 3115cn", "200709110910"),
        ),
        (
            "Brother NC-8700w, Firmware Ver.Y  ,MID 84E-822",
            "2435.2.3.9.1",
            "Brother HL-L8260CDW series",
            ("Brother", "Brother HL-L8260CDW series", None),
        ),
        (
            "EPSON Built-in 10Base-T/100Base-TX Print Server",
            "1248.1.1.2",
            "EPSON WF-C5790BA",
            ("Epson", "EPSON WF-C5790BA", None),
        ),
        (
            "OKI OkiLAN 9450g Rev.00.69 Ethernet PrintServer: Attached to MC873 Rev.07.87 : Copyright",
            "2001.1.1.1.1",
            None,
            ("OKI", "MC873", "07.87"),
        ),
        ("SHARP MX-3570N", "2385.3.1.112.1.2", None, ("Sharp", "SHARP MX-3570N", None)),
        ("TOSHIBA e-STUDIO2505AC", "1129.2.3.58.2", None, ("Toshiba TEC", "TOSHIBA e-STUDIO2505AC", None)),
        (
            "Samsung ML-2850 Series OS 1.01.15.47 02-10-2010;Engine 1.01",
            "236.11.5.1",
            None,
            ("Samsung", "Samsung ML-2850 Series", "1.01.15.47"),
        ),
        ("Pantum P3300DN", "40093.1", None, ("Pantum", "Pantum P3300DN", None)),
        ("ZebraNet Wired PS", "10642.1.1", "ZTC ZT411-300dpi ZPL", ("Zebra", "ZTC ZT411-300dpi ZPL", None)),
        (
            "HP ETHERNET MULTI-ENVIRONMENT,SN:VNCRC48198,FN:4Q817L4,SVCID:31339,PID:HP LaserJet MFP M130nw",
            "11.2.3.9.1",
            None,
            ("HP", "HP LaserJet MFP M130nw", None),
        ),
        (
            "HP ETHERNET MULTI-ENVIRONMENT,ROM J.sp.00,JETDIRECT EX,JD28",
            "1347.41",
            None,
            ("Kyocera", None, None),
        ),
        (
            "HP ETHERNET MULTI-ENVIRONMENT",
            "11.2.3.9.1",
            "Brother HL-1250",
            ("Brother", "Brother HL-1250", None),
        ),
        ("SHARP MX-2614N", "0", None, ("Sharp", "SHARP MX-2614N", None)),  # sysObjectID is 0.0
        ("Some box", "99999.1", None, (None, "Some box", None)),
    ],
)
def test_maker_model_firmware(
    sys_descr: str, number: str, device: str | None, expected: tuple[str | None, str | None, str | None]
) -> None:
    object_id = "0.0" if number == "0" else f"1.3.6.1.4.1.{number}"
    reading = build_reading(described(sys_descr, object_id, device), Target("192.0.2.1"))

    found = reading.identity.manufacturer, reading.identity.model, reading.details.firmware
    assert found == expected
    assert reading.identity.object_id == (None if number == "0" else object_id)


def test_serial_number_and_firmware_are_no_part_of_the_model() -> None:
    said = described(
        "Dell S5830dn version NH62.YS.N636 kernel 3.0.0",
        "1.3.6.1.4.1.674.10898.2",
        "Dell S5830dn 7XQ1R92 LW62.DN4.P636",
        **{f"{GENERAL}.17.1": "7XQ1R92-132-13"},
    )

    assert identify_printer(resolve_context(said)).model == "Dell S5830dn"


def test_the_printers_own_row_among_devices_names_it() -> None:
    rows = {
        f"{DEVICE}.2.1": (6, "1.3.6.1.2.1.25.3.1.21"),
        f"{DEVICE}.3.1": (4, b"Nonvolatile RAM"),
        f"{DEVICE}.2.2": (6, PRINTER_TYPE),
        f"{DEVICE}.3.2": (4, b"SHARP MX-3570N"),
    }

    assert identify_printer(resolve_context(cells(rows))).model == "SHARP MX-3570N"


def test_a_name_that_people_gave_is_no_model() -> None:
    said = described("Printer", **{f"{SYS}.5.0": "Reception", f"{GENERAL}.16.1": "Reception"})

    assert identify_printer(resolve_context(said)).model is None


def test_ieee_1284_device_id_names_maker_and_model() -> None:
    device_id = "MFG:Brother;CMD:PJL,PCL;MDL:DCP-7070DW;CLS:PRINTER;"
    said = described("", **{"1.3.6.1.4.1.2435.2.3.9.1.1.7.0": device_id})

    identity = identify_printer(resolve_context(said))

    assert (identity.manufacturer, identity.model) == ("Brother", "DCP-7070DW")


@pytest.mark.parametrize(
    "serial",
    ["serial_number", "AAAAAAAAAA", "XXXXXXXX", "0000000000", "-", "----", "", "N/A", "Unknown", "0-0"],
)
def test_placeholders_identify_nobody(serial: str) -> None:
    assert is_placeholder_serial(serial)
    assert (
        identify_printer(resolve_context(described("x", **{f"{GENERAL}.17.1": serial}))).serial_number is None
    )


@pytest.mark.parametrize("serial", ["V1.399605417", "MKRA012345", "6509415X00", "7XQ1R92-132-13", "00A0"])
def test_serial_numbers_of_real_printers_stand(serial: str) -> None:
    assert (
        identify_printer(resolve_context(described("x", **{f"{GENERAL}.17.1": f" {serial} "}))).serial_number
        == serial
    )


def test_behind_a_placeholder_the_makers_own_serial_number_counts() -> None:
    said = described(
        "Brother NC-8700w",
        "1.3.6.1.4.1.2435.2.3.9.1",
        **{f"{GENERAL}.17.1": "serial_number", "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.1.0": "E71833C4J372261"},
    )

    assert identify_printer(resolve_context(said)).serial_number == "E71833C4J372261"


def test_serial_number_in_the_description_of_a_card() -> None:
    said = described(
        "HP ETHERNET MULTI-ENVIRONMENT,SN:TH7U8YZ0G0,FN:1,PID:HP OfficeJet", "1.3.6.1.4.1.11.2.3.9.1"
    )

    assert identify_printer(resolve_context(said)).serial_number == "TH7U8YZ0G0"


@pytest.mark.parametrize(
    ("interfaces", "mac"),
    [
        ([(24, b""), (6, bytes.fromhex("000074ed6438"))], "000074ED6438"),
        (
            [(71, bytes.fromhex("3c2af410d278")), (6, bytes.fromhex("f8da0c2de3aa"))],
            "F8DA0C2DE3AA",
        ),  # wired first
        ([(71, bytes.fromhex("3c2af410d278"))], "3C2AF410D278"),
        (
            [(7, bytes.fromhex("fada0c2d63aa")), (7, bytes.fromhex("f8da0c2de3aa"))],
            "F8DA0C2DE3AA",
        ),  # made up: later
        ([(24, bytes.fromhex("f8da0c2de3aa"))], None),  # a loopback
        ([(6, bytes(6)), (6, b"\xff" * 6), (6, b"\x00\x74\xed")], None),
        ([(6, b"00:74:ED:64:38:01")], "0074ED643801"),  # as text
        ([], None),
    ],
)
def test_mac_address(interfaces: list[tuple[int, bytes]], mac: str | None) -> None:
    rows: dict[str, tuple[int, int | bytes]] = {}
    for index, (kind, address) in enumerate(interfaces, 1):
        rows |= {f"{IF}.3.{index}": (2, kind), f"{IF}.6.{index}": (4, address)}

    assert identify_printer(resolve_context(cells(rows))).mac_address == mac
