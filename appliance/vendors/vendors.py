"""What each maker's printers are called, and which private objects hold their counters: one table.

A maker is a row. `enterprises` are its numbers below iso.org.dod.internet.private.enterprises, `brands` the
words by which its own devices, then those that it builds for others, name themselves. Objects are given by
their instances below the same arc, the most trusted first.

Its counters are rules over keys (see rules.py): `a + b | c ; d` is the sum of a and b; else c, which says
the same and is compared with it; else d, which says it less exactly. `life` is prtMarkerLifeCount. Full
colour is all colour where a maker does not tell single colour from it; two-colour pages count as single
colour, as in Ricoh's own table. Further counters are further keys; a table of counters is read by what its
rows say they are, never by their numbers, which differ from model to model.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from appliance.mib.oids import Oid
from appliance.mib.printer_mib import MibTable
from appliance.vendors.counter_rules import VendorCounters, define_counters
from appliance.vendors.counter_sources import PackedRecords, ScalarCounters, enterprise_oid
from appliance.vendors.counter_tables import NamedRows, NumberedRows, SummedRows, TypedRows

VENDOR_TEXT_BYTES = 16  # bytes of a maker's text: a version, a serial number


@dataclass(frozen=True, slots=True)
class SupplyLevelColumns:
    """A table of true levels in percent, by colour."""

    entry: str
    color_column: int  # columns
    percent_column: int
    colors: Mapping[int, str]  # code → prtMarkerColorantValue


@dataclass(frozen=True, slots=True)
class Vendor:
    """One maker: its numbers, its names, its private objects."""

    name: str
    enterprises: tuple[str, ...]
    brands: Mapping[str, str] = field(default_factory=dict)  # word in lower case → manufacturer
    printer_prefixes: tuple[str, ...] = ()  # where only some of its numbers are printers': these
    device_id: str | None = None  # IEEE 1284: MFG:..;MDL:..;SN:..;
    model: str | None = None
    serial_numbers: tuple[str, ...] = ()
    firmware: str | None = None
    host_name: str | None = None
    counters: tuple[VendorCounters, ...] = ()  # its own, then those of who builds for it
    supply_levels: SupplyLevelColumns | None = None


# ricohEngCounterTable: type codes as agents answer them (glpi-agent Ricoh.pm, Checkmk, a meter monitor);
# A3/DLT and duplex share one type and are told by their English names.
RICOH = define_counters(
    TypedRows(
        "ricohEngCounterTable",
        "367.3.2.1.2.19.5.1",
        "ricohEngCounterValue",
        type=2,
        value=9,
        prefix="t",
        name=5,
        names={"counter:a3/dlt": "large", "counter:duplex": "duplex"},
        # fax by colour, a second machine total, transmissions by colour, scans by colour
        other_types=frozenset({301, 302, 303, 800, 870, 871, 872, 873, 874}),
    ),
    ScalarCounters(("367.3.2.1.2.19.",)),  # ricohEngCounterTotal, which older machines have alone
    total="t10 | 1.0 | life",
    large="large",
    duplex="duplex",
    print_black="t401",
    print_single_color="t402",
    print_full_color="t403",
    copy_black="t201",
    copy_single_color="t202",
    copy_full_color="t203",
    fax="t300",
    print_total="t400",
    copy_total="t200",
)

# HP's PML objects: 4.1.2 the engine (5 all, 6 black, 7 colour, 22 duplex), 2.2.1.74 scans (glpi-agent
# HPNetPeripheral, LibreNMS jetdirect). They do not tell prints from copies.
HP = define_counters(
    ScalarCounters(("11.2.3.9.4.2.1.",)),
    total="life | 4.1.2.5.0",
    duplex="4.1.2.22.0",
    total_black="4.1.2.6.0",
    total_color="4.1.2.7.0",
    scan="2.2.1.74.0",
)

# kmSysPrintFunctionCounterTable: 5 all, 7 large; [1 black 2 full 3 single 4 two colours].[1 copy 2 print]
# (glpi-agent Konica.pm, LibreNMS, two meter monitors). Total = copies + prints on a bizhub C250i.
KONICA = define_counters(
    ScalarCounters(("18334.1.1.1.5.7.2.",)),
    total="1.1.0 | life",
    large="2.1.7.1.1 + 2.1.7.2.1? + 2.1.7.3.1? + 2.1.7.4.1?"
    " + 2.1.7.1.2 + 2.1.7.2.2? + 2.1.7.3.2? + 2.1.7.4.2?",
    duplex="1.3.0",
    print_black="2.1.5.1.2",
    print_single_color="2.1.5.3.2? + 2.1.5.4.2?",
    print_full_color="2.1.5.2.2",
    copy_black="2.1.5.1.1",
    copy_single_color="2.1.5.3.1? + 2.1.5.4.1?",
    copy_full_color="2.1.5.2.1",
    scan="1.5.0 | 3.1.5.1",
)

# Canon's counter numbers as on its panels (service mode, dcounter.cgi): 1xx all, 2xx copies, 3xx prints, 5xx
# scans, 7xx received faxes. The first of a pair counts a large sheet once, as prtMarkerLifeCount does.
_BLACK_WORDS = ("black", "black&white", "b&w", "bk&wh")
_SINGLE_COLOR_WORDS = ("singlecolor", "monocolor")
CANON_PANEL_NAMES = {
    "total1": "101",
    "total(large)": "103",
    "total1(2-sided)": "114",
    "copy(total1)": "201",
    "print(total1)": "301",
    "scan(total1)": "501",
    "receptionprint(total1)": "701",
    "receiveprint(total1)": "701",
}
for _word in _BLACK_WORDS:
    CANON_PANEL_NAMES |= {
        f"total({_word}1)": "108",
        f"total({_word}/large)": "112",
        f"total({_word}/small)": "113",
    }
    CANON_PANEL_NAMES |= {
        f"copy({_word}1)": "221",
        f"copy({_word}/large)": "227",
        f"copy({_word}/small)": "228",
    }
    CANON_PANEL_NAMES |= {
        f"print({_word}1)": "313",
        f"print({_word}/large)": "319",
        f"print({_word}/small)": "320",
    }
for _scope, _full, _one, _both in (
    ("total", ("105", "120", "121"), ("118", "110", "111"), ("125", "122", "123")),
    ("copy", ("217", "223", "224"), ("219", "225", "226"), ("232", "229", "230")),
    ("print", ("309", "315", "316"), ("311", "317", "318"), ("324", "321", "322")),
):
    for _at, _size in enumerate(("1", "/large", "/small")):
        CANON_PANEL_NAMES[f"{_scope}(fullcolor{_size})"] = _full[_at]
        for _word in _SINGLE_COLOR_WORDS:
            CANON_PANEL_NAMES[f"{_scope}({_word}{_size})"] = _one[_at]
            CANON_PANEL_NAMES[f"{_scope}(fullcolor+{_word}{_size})"] = _both[_at]
CANON = define_counters(
    # iR-ADV: the numbers are the rows (glpi-agent Canon.pm, Zabbix templates, seen on C5840 and MF660C)
    NumberedRows("canonCounters4", "1602.1.11.1.4.1", "canonCounter", 4),
    NumberedRows("canonCounters3", "1602.1.11.1.3.1", "canonCounter", 4),
    # LBP, MF: the panel's names, in any order
    NamedRows("canonPanelCounters", "1602.1.11.2.1.1", "canonPanelCounter", 2, {3: ""}, CANON_PANEL_NAMES),
    total="101 | life",
    large="112 + 122 | 112 + 120 + 110 | 103",
    duplex="114",
    print_black="313 | 319 + 320",
    print_single_color="311 | 317 + 318",
    print_full_color="309 | 315 + 316 ; 324 | 321 + 322",
    copy_black="221 | 227 + 228",
    copy_single_color="219 | 225 + 226",
    copy_full_color="217 | 223 + 224 ; 232 | 229 + 230",
    fax="701",
    total_black="108 | 112 + 113",
    total_color="125 | 122 + 123 ; 105 | 120 + 121",
    print_total="301",
    copy_total="201",
    scan="501",
)

# 42.3.1.2: [1 print 2 copy 4 fax].[1 black 2 single 3 full colour], 42.3.1.1 all colours of the same; 42.2.5:
# 1 one-sided, 2 two-sided, 3 both; 42.2.1: by paper size (glpi-agent, PrintMaster, Zabbix templates; the sums
# fit on an ECOSYS P2040dw). Some models have the faxes at function 3: only where the sum proves it.
KYOCERA = define_counters(
    ScalarCounters(("1347.",)),
    SummedRows(
        "kyoceraPaperSizes",
        "1347.42.2.1.1.1",
        "kyoceraPaperSizeCount",
        columns={2: 8},
        values=(6,),
        discovery_column=6,
        sums={"large": {2: {"a3", "ledger", "tabloid", "11x17", '11x17"', "12x18", '12x18"', "sra3", "8k"}}},
    ),
    proofs={
        "42.3.1.1.1.1.1 + 42.3.1.1.1.1.2 + 42.3.1.1.1.1.3": "42.3.1.1.1.1.3",
        "42.2.5.1.1.1.1 + 42.2.5.1.1.2.1": "42.2.5.1.1.2.1",
    },
    total="43.10.1.1.12.1.1 | 42.2.5.1.1.3.1 | life",
    large="large",
    duplex="42.2.5.1.1.2.1",
    print_black="42.3.1.2.1.1.1.1 ; 42.2.2.1.1.3.1.1",
    print_single_color="42.3.1.2.1.1.1.2",
    print_full_color="42.3.1.2.1.1.1.3",
    copy_black="42.3.1.2.1.1.2.1",
    copy_single_color="42.3.1.2.1.1.2.2",
    copy_full_color="42.3.1.2.1.1.2.3",
    fax="42.3.1.1.1.1.4 | 42.3.1.2.1.1.4.1 ; 42.3.1.1.1.1.3",
    print_total="42.3.1.1.1.1.1",
    copy_total="42.3.1.1.1.1.2",
    scan="46.10.1.1.5.3 ; 42.3.1.3.1.1.2 + 42.3.1.3.1.1.4? + 42.3.1.4.1.1.1",
)

# XCMI, xcmHrDevDetailTable: [1 usage 103 or 11 copy 102 network scan].20.[item] (glpi-agent Xerox.pm; at ETH
# Zürich black = printed + copied, colour likewise). Large sheets are told as black and colour.
XEROX = define_counters(
    ScalarCounters(("253.8.53.13.2.1.6.",)),
    total="1.20.1 | 1.20.33 + 1.20.34 | life",
    large="1.20.43 + 1.20.44 ; 1.20.10 + 1.20.32",
    print_black="1.20.7",
    print_full_color="1.20.29",
    copy_black="103.20.3 | 11.20.3",
    copy_full_color="103.20.25 | 11.20.25",
    fax="1.20.71",
    total_black="1.20.34",
    total_color="1.20.33",
    scan="102.20.21 + 102.20.11? ; 102.20.11 ; 10.20.11 + 10.20.12?",
)

# LEXMARK-MPS-MIB: paperGeneralCountTable by type, the same type in sides and in sheets; paperSidesCountTable
# by paper size. 641.2.1.5 is what older printers have (1 all, 2 black, 3 colour).
LEXMARK = define_counters(
    TypedRows(
        "paperGeneralCountTable",
        "641.6.4.2.1.1",
        "paperGeneralCountValue",
        type=2,
        value=4,
        prefix="t",
        unit=3,
        units=(4, 3),  # sides, items
    ),
    ScalarCounters(("641.2.1.5.",)),
    SummedRows(
        "paperSidesCountTable",
        "641.6.4.2.2.1",
        "paperSidesSafe",
        columns={2: 1},
        values=(6, 7),
        discovery_column=2,
        sums={"large": {2: {14, 67}}},  # tabloid, A3
        part="large pages",
    ),
    total="t2 | 1.0 | life",
    large="large",
    print_black="t17",
    print_full_color="t18",
    copy_black="t33",
    copy_full_color="t34",
    fax="t48",
    total_black="t3 | 2.0",
    total_color="t4 | 3.0",
    print_total="t16",
    copy_total="t32",
)

# Records: 00 all, 01 black, 02 colour, 06 two-sided (bieniu/brother; 00 = 01 + 02 in its recordings). Table
# 52.21 by function, 52.3 by colour (a meter monitor's notes on HL and MFC models).
BROTHER = define_counters(
    PackedRecords("2435.2.3.9.4.2.1.5.5.10.0", "r"),
    TypedRows("brotherFunctions", "2435.2.3.9.4.2.1.5.5.52.21.1", "brotherFunctionCount", 2, 3, prefix="f"),
    TypedRows("brotherColors", "2435.2.3.9.4.2.1.5.5.52.3.1", "brotherColorCount", 2, 3, prefix="c"),
    total="r00 | life ; f898",
    duplex="r06 ; f11 + f12? + f13? + f94?",
    fax="f2",
    total_black="r01 | c704",
    total_color="r02 | c705",
    print_total="f1",
    copy_total="f3",
)

# 27.1.1: 30 all, 3 black, 4 colour; 27.6.1: functions by name (PrintMaster's AM-C550, WF models elsewhere).
# 27.1.1.33 is something else on a CW-C6500.
EPSON = define_counters(
    ScalarCounters(("1248.1.2.2.27.1.1.",)),
    NamedRows(
        "epsonFunctions",
        "1248.1.2.2.27.6.1",
        "epsonFunctionCount",
        2,
        {3: "k", 4: "", 5: "c"},
        names={
            "printfromcomputer": "print",
            "print": "print",
            "copy": "copy",
            "fax": "fax",
            "faxreceive": "fax",
        },
        rows={"1.1.1": "print", "1.1.2": "copy"},
    ),
    total="30.1.1 | life",
    print_black="printk",
    print_full_color="printc",
    copy_black="copyk",
    copy_full_color="copyc",
    fax="fax",
    total_black="3.1.1 | 6.1.1",
    total_color="4.1.1",
    print_total="print",
    copy_total="copy",
)

# Counts of the engine, by colour (a Zabbix template, a meter monitor); on colour models only.
OKI = define_counters(
    ScalarCounters(("2001.1.1.1.1.",)),
    total="100.1.1.1.3.1 | life",
    total_black="11.1.10.170.1.7.3",
    total_color="11.1.10.170.1.8.3",
)

# A table of names and values; its rows were the same on every model seen (LibreNMS, an MX-3570N: prints +
# copies + others = black + colour = prtMarkerLifeCount).
SHARP = define_counters(
    NamedRows(
        "sharpCounters",
        "2385.1.1.19.2.1",
        "sharpCounter",
        4,
        {3: ""},
        names={
            "prints": "Pt",
            "black&whiteprintcount": "Pk",
            "fullcolorprintcount": "Pc",
            "twocolorprintcount": "P2",
            "singlecolorprintcount": "P1",
            "duplex": "duplex",
            "copies": "Ct",
            "black&whitecopycount": "Ck",
            "fullcolorcopycount": "Cc",
            "twocolorcopycount": "C2",
            "singlecolorcopycount": "C1",
            "black&whitetotalcount": "Tk",
            "fullcolortotalcount": "Tc",
            "twocolortotalcount": "T2",
            "singlecolortotalcount": "T1",
            "black&whitescannercount": "Sk",
            "fullcolorscannercount": "Sc",
        },
        rows={
            "1.4.60": "Pt",
            "1.4.61": "Pk",
            "1.4.63": "Pc",
            "1.4.75": "duplex",
            "4.4.60": "Ct",
            "4.4.61": "Ck",
            "4.4.63": "Cc",
            "4.4.64": "C2",
            "4.4.80": "C1",
            "5.4.61": "Tk",
            "5.4.63": "Tc",
            "5.4.64": "T2",
            "5.4.80": "T1",
            "7.4.51": "Sk",
            "7.4.53": "Sc",
        },
    ),
    total="Tk + Tc? + T2? + T1? | life",
    duplex="duplex",
    print_black="Pk",
    print_single_color="P1? + P2?",
    print_full_color="Pc",
    copy_black="Ck",
    copy_single_color="C1? + C2?",
    copy_full_color="Cc",
    total_black="Tk",
    total_color="Tc? + T2? + T1?",
    print_total="Pt",
    copy_total="Ct",
    scan="Sk + Sc?",
)

# [2 all 3 print 4 copy 7 fax 207 large].1.[1 full 2 two 3 black 4 all colours] (fusioninventory, two meter
# readers that were checked on e-STUDIO 2050C, 2555C, 3015AC, 3515AC).
TOSHIBA = define_counters(
    ScalarCounters(("1129.2.3.50.1.3.21.6.1.",)),
    total="2.1.3 + 2.1.1? + 2.1.2? | 2.1.4 | life",
    large="207.1.3 + 207.1.1? + 207.1.2?",
    print_black="3.1.3",
    print_single_color="3.1.2",
    print_full_color="3.1.1",
    copy_black="4.1.3",
    copy_single_color="4.1.2",
    copy_full_color="4.1.1",
    fax="7.1.3 + 7.1.1? + 7.1.2? ; 7.1.4",
    total_black="2.1.3",
    total_color="2.1.1? + 2.1.2?",
    print_total="3.1.4",
    copy_total="4.1.4",
)

# SAMSUNG-HOST-RESOURCES-EXT-MIB, scmHrDevCountTable: 2 job (1 print 2 copy 3 fax received 5 scan 6 report), 3
# size (2 large 19 ledger 20 A3 31 larger), 4 unit (7 impressions 8 sheets), 5 (2 duplex), 6 (1 full 2 single
# 3 black). On two HP of Samsung's make the rows of a job add up to what the panel says.
_PRINTED_JOB_TYPES = frozenset({1, 2, 3, 6, 12, 21})
SAMSUNG = define_counters(
    SummedRows(
        "scmHrDevCountTable",
        "236.11.5.11.53.11.2.1",
        "scmHrDevCountValue",
        columns={2: 1, 3: 1, 5: 1, 6: 1},
        values=(7,),
        discovery_column=2,
        unit=4,
        units=(7,),
        sums={
            "pages": {2: _PRINTED_JOB_TYPES},
            "large": {2: _PRINTED_JOB_TYPES, 3: {2, 19, 20, 31}},
            "duplex": {2: _PRINTED_JOB_TYPES, 5: {2}},
            "prints": {2: {1}},
            "copies": {2: {2}},
            "faxes": {2: {3}},
            "scans": {2: {5}},
            "black": {2: _PRINTED_JOB_TYPES, 6: {3}},
            "color": {2: _PRINTED_JOB_TYPES, 6: {1, 2}},
            **{
                f"{job}-{color}": {2: {number}, 6: {code}}
                for number, job in ((1, "print"), (2, "copy"))
                for code, color in ((1, "full"), (2, "single"), (3, "black"))
            },
        },
    ),
    total="life | pages",
    large="large",
    duplex="duplex",
    print_black="print-black",
    print_single_color="print-single",
    print_full_color="print-full",
    copy_black="copy-black",
    copy_single_color="copy-single",
    copy_full_color="copy-full",
    fax="faxes",
    total_black="black",
    total_color="color",
    print_total="prints",
    copy_total="copies",
    scan="scans",
)

# 10.3.1.1 all pages (a manufacturer's port monitor, GLPI users). 1.1.3: 12 prints, 9 copies, 1 duplex
# (glpi-agent), but on other models 9 is the printer's state: only where prints and copies give the total.
PANTUM = define_counters(
    ScalarCounters(("40093.",)),
    proofs={"1.1.3.12 + 1.1.3.9?": "1.1.3.12 1.1.3.9 1.1.3.1"},
    total="10.3.1.1 | life",
    duplex="1.1.3.1",
    print_total="1.1.3.12",
    copy_total="1.1.3.9",
)

# The makers' objects are those of their public MIB modules, as glpi-agent and LibreNMS read them; they were
# seen in recordings of real printers where there is one of the maker.
VENDORS = (
    Vendor(
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
        serial_numbers=("367.3.2.1.2.1.4.0",),
        firmware="367.3.2.1.1.1.2.0",
        counters=(RICOH,),
        supply_levels=SupplyLevelColumns(
            "367.3.2.1.2.24.1.1", 4, 5, {3: "black", 10: "cyan", 11: "magenta", 12: "yellow", 13: "black"}
        ),
    ),
    Vendor(
        "HP",
        ("11",),
        {"hp": "HP", "hewlett-packard": "HP", "hewlett packard": "HP", "laserjet": "HP", "officejet": "HP"},
        printer_prefixes=("11.2.3.9",),
        device_id="11.2.3.9.1.1.7.0",
        model="11.2.3.9.4.2.1.1.3.2.0",
        serial_numbers=("11.2.3.9.4.2.1.1.3.3.0",),
        firmware="11.2.3.9.4.2.1.1.3.5.0",  # its date, as the configuration page shows it
        counters=(HP, SAMSUNG),
    ),
    Vendor(
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
        firmware="18334.1.1.1.1.6.1.0",
        counters=(KONICA,),
    ),
    Vendor(
        "Canon",
        ("1602",),
        {"canon": "Canon", "imagerunner": "Canon", "imageclass": "Canon", "i-sensys": "Canon"},
        model="1602.1.1.1.1.0",
        serial_numbers=("1602.1.2.1.4.0", "1602.1.2.1.8.1.3.1.1"),
        firmware="1602.1.1.1.4.0",
        counters=(CANON,),
    ),
    Vendor("Océ", ("1552",), {"océ": "Océ", "oce": "Océ", "colorwave": "Océ"}),
    Vendor(
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
        serial_numbers=("1347.43.5.1.1.28.1",),
        firmware="1347.43.5.4.1.5.1.1",
        host_name="1347.40.10.1.1.5.1",
        counters=(KYOCERA,),
    ),
    Vendor(
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
        serial_numbers=("253.8.53.3.2.1.3.1",),
        counters=(XEROX,),
    ),
    Vendor(
        "FUJIFILM",
        ("297",),
        {"fuji xerox": "Fuji Xerox", "fujixerox": "Fuji Xerox", "fujifilm": "FUJIFILM", "apeos": "FUJIFILM"},
        serial_numbers=("253.8.53.3.2.1.3.1",),
        counters=(XEROX, BROTHER),  # Brother builds small DocuPrints
    ),
    Vendor(
        "Lexmark",
        ("641",),
        {"lexmark": "Lexmark", "dell": "Dell", "ibm": "IBM", "infoprint": "IBM", "toshiba": "Toshiba"},
        model="641.2.1.2.1.2.1",
        serial_numbers=("641.2.1.2.1.6.1",),
        counters=(LEXMARK,),
    ),
    Vendor(
        "Dell",
        ("674",),
        {"dell": "Dell"},
        printer_prefixes=("674.10898",),
        model="674.10898.100.1.1.1.0",
        serial_numbers=("674.10898.100.2.1.2.1.6.1",),
        counters=(LEXMARK,),
    ),
    Vendor(
        "IBM", ("2",), {"infoprint": "IBM", "ibm": "IBM"}, printer_prefixes=("2.6.2.6",), counters=(LEXMARK,)
    ),
    Vendor(
        "Brother",
        ("2435",),
        {"brother": "Brother", "lenovo": "Lenovo"},
        device_id="2435.2.3.9.1.1.7.0",
        serial_numbers=("2435.2.3.9.4.2.1.5.5.1.0",),
        firmware="2435.2.3.9.4.2.1.5.5.17.0",
        counters=(BROTHER,),
    ),
    Vendor(
        "Epson",
        ("1248",),
        {"epson": "Epson"},
        printer_prefixes=("1248.1",),  # its projectors are elsewhere
        device_id="1248.1.2.2.1.1.1.1.1",
        model="1248.1.2.2.1.1.1.2.1",
        serial_numbers=("1248.1.2.2.1.1.1.5.1",),
        firmware="1248.1.2.2.2.1.1.2.1.1",
        counters=(EPSON,),
    ),
    Vendor(
        "OKI",
        ("2001",),
        {"oki": "OKI", "okidata": "OKI", "okilan": "OKI"},
        device_id="11.2.3.9.1.1.7.0",
        model="2001.1.1.1.1.11.1.10.25.0",
        serial_numbers=("2001.1.1.1.1.11.1.10.45.0",),
        counters=(OKI,),
    ),
    Vendor(
        "Sharp",
        ("2385",),
        {"sharp": "Sharp"},
        printer_prefixes=("2385.3",),
        firmware="2385.2.1.1.2.1.2.1",
        counters=(SHARP,),
    ),
    Vendor(
        "Toshiba TEC",
        ("1129",),
        {"toshiba": "Toshiba TEC", "e-studio": "Toshiba TEC"},
        printer_prefixes=("1129.1.2", "1129.2.3"),
        counters=(TOSHIBA,),
    ),
    Vendor(
        "Samsung",
        ("236",),
        {"samsung": "Samsung"},
        printer_prefixes=("236.11.5",),
        model="236.11.5.1.1.1.1.0",
        serial_numbers=("236.11.5.1.1.1.4.0",),
        firmware="236.11.5.1.1.1.2.0",
        counters=(SAMSUNG,),
    ),
    Vendor(
        "Pantum",
        ("40093",),
        {"pantum": "Pantum"},
        serial_numbers=("40093.6.1.2", "40093.10.1.1.4", "40093.1.1.5"),
        counters=(PANTUM,),
    ),
    Vendor(
        "Zebra",
        ("10642", "683"),  # Zebra, Extended Systems whose print servers Zebra builds in
        {"zebra": "Zebra", "zebranet": "Zebra", "ztc": "Zebra"},
        device_id="11.2.3.9.1.1.7.0",
        model="10642.1.1.0",
        serial_numbers=("10642.1.9.0",),
        firmware="10642.1.2.0",
    ),
)

DEVICE_ID_OIDS = tuple(
    dict.fromkeys(
        enterprise_oid(dotted)
        for dotted in ("2699.1.2.1.2.1.1.3.1", *(maker.device_id for maker in VENDORS if maker.device_id))
    )
)  # the first one is PWG 5107.1, ppmPortIEEE1284DeviceId: any maker

_VENDOR_BY_ENTERPRISE = {enterprise_oid(number): maker for maker in VENDORS for number in maker.enterprises}
_PRINTER_PREFIXES = tuple(
    enterprise_oid(number) for maker in VENDORS for number in (maker.printer_prefixes or maker.enterprises)
)
_VENDOR_BY_BRAND = {word: (maker, name) for maker in reversed(VENDORS) for word, name in maker.brands.items()}
_BRAND_PATTERN = re.compile(
    r"(?<![a-z0-9])("
    + "|".join(sorted(map(re.escape, _VENDOR_BY_BRAND), key=len, reverse=True))
    + r")(?![a-z0-9])"
)


def find_vendor(object_id: Oid | None, description: str | None = None) -> Vendor | None:
    """Whose device answers: by sysObjectID, else by the first brand that the description names."""
    for length in (8, 7):
        found = _VENDOR_BY_ENTERPRISE.get((object_id or ())[:length])
        if found is not None:
            return found
    named = _find_brand(description)
    return named[0] if named else None


def resolve_manufacturer(object_id: Oid | None, description: str | None = None) -> str | None:
    """The brand on the printer's case: builders give their number to the devices that others sell."""
    builder, named = find_vendor(object_id, description), _find_brand(description)
    if builder is None:
        return None
    if named is not None and (
        named[0] is builder or named[1] in builder.brands.values() or builder.name == "HP"
    ):
        return named[1]
    return builder.name


def find_vendor_by_objects(objects: Iterable[Oid]) -> Vendor | None:
    """Whose private objects these are; HP's are answered by many."""
    for oid in objects:
        found = _VENDOR_BY_ENTERPRISE.get(oid[:7])
        if found is not None and found.name != "HP":
            return found
    return None


def is_printer_object_id(object_id: Oid) -> bool:
    """Whether this sysObjectID is given to printers only."""
    return any(object_id[: len(prefix)] == prefix for prefix in _PRINTER_PREFIXES)


@lru_cache(maxsize=1024)
def _find_brand(description: str | None) -> tuple[Vendor, str] | None:
    found = _BRAND_PATTERN.search(description.lower()) if description else None
    return _VENDOR_BY_BRAND[found[1]] if found else None


def optional_oid(dotted: str | None) -> Oid | None:
    """The instance that a maker's row names."""
    return enterprise_oid(dotted) if dotted else None


def vendor_scalars(vendor: Vendor) -> dict[Oid, int]:
    """A maker's single objects, with the size of what they hold."""
    named = (vendor.model, *vendor.serial_numbers, vendor.firmware, vendor.host_name)
    return {enterprise_oid(dotted): VENDOR_TEXT_BYTES for dotted in named if dotted} | volatile_scalars(
        vendor
    )


def volatile_scalars(vendor: Vendor) -> dict[Oid, int]:
    """Those of them that count."""
    return {oid: size for each in vendor.counters for group in each.sources for oid, size in group.scalars()}


@lru_cache(maxsize=64)
def counter_tables_of(name: str) -> tuple[MibTable, ...]:
    maker = next(maker for maker in VENDORS if maker.name == name)
    return tuple(table for each in maker.counters for group in each.sources for table in group.tables())


def vendor_tables(vendor: Vendor | None, *, has_vague_levels: bool = False) -> tuple[MibTable, ...]:
    """A maker's tables, to be read like any other; true levels only where the usual ones are vague."""
    if vendor is None:
        return ()
    return (
        *counter_tables_of(vendor.name),
        *((_supply_level_table(vendor.supply_levels),) if vendor.supply_levels and has_vague_levels else ()),
    )


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
