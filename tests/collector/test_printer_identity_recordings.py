"""Who each recorded printer is, worked out by hand from what it says.

The rule: the manufacturer is the brand on the case as its owner writes it; the model is what the printer
calls itself, the brand included where it says it, without versions, serial numbers and network cards.

Another tool reads some of these differently: without the brand ("LaserJet MFP M129-M134" for an M130nw is the
family of the IEEE 1284 id, we take the device's own name); for the Zebra its part number 79071 as the model,
7062184 of the label printer's own tree as the serial number (there is none in the standard place, 7062184 is
the network card's); "Q", the network card's firmware, for the MFC-L2710DW.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.collector.poll import poll_printer
from appliance.collector.reading_builder import build_reading
from appliance.domain.model import Target
from appliance.snmp.transport import SnmpEndpoint
from tests.collector.cells import cells
from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Who = tuple[str | None, str | None, str | None, str | None]  # manufacturer, model, serial number, firmware
RECORDED: dict[str, Who] = {
    "bieniu_brother_dcp-7070dw": ("Brother", "DCP-7070DW", None, "U1307022128VER.J"),
    "bieniu_brother_dcp-9020cdw": ("Brother", "DCP-9020CDW series", "E71833C4J372261", "ZA1811191217"),
    "bieniu_brother_dcp-j132w": ("Brother", "DCP-J132W", None, "Q1906110144"),
    "bieniu_brother_hl-5350dn": ("Brother", "HL-5350DN series", None, None),
    "bieniu_brother_hl-l2340dw": ("Brother", "HL-L2340DW series", None, "1.17"),
    "bieniu_brother_mfc-j680dw": ("Brother", "MFC-J680DW", None, "U1804191714VER.J"),
    "bieniu_brother_mfc-t910dw": ("Brother", "MFC-T910DW", None, "M2009041848"),
    "excerpt_canon_mf642c": ("Canon", "Canon MF642C/643C/644C", None, None),
    "excerpt_hp_m451dn_marker": (None, None, None, None),
    "excerpt_kyocera_fs4200dn": (None, "FS-4200DN", "V1S5898250", None),
    "excerpt_lexmark_ibm_infoprint1130": ("IBM", "IBM Infoprint 1130", None, "54.10.21"),
    "excerpt_lexmark_x748": (None, None, None, None),
    "excerpt_ricoh_german_trays_toner": (None, None, None, None),
    "excerpt_ricoh_infotec_isc2432": ("infotec", "infotec ISC 2432", None, "1.21"),
    "excerpt_xerox_ethz_nsbin": ("Xerox", None, None, None),
    "glpi_sample2": ("Ricoh", "RICOH Aficio MP 171", None, "1.00.1"),
    "librenms_brother": ("Brother", "Brother MFC-L2710DW series", "000A5J431816", None),
    "librenms_canonprinter_ir-adv": ("Canon", "Canon iR-ADV C5235", None, None),
    "librenms_canonprinter_lbp": ("Canon", "Canon LBP6670", "MKRA012345", "R7.21"),
    "librenms_dell-laser_mfp": ("Dell", "Dell MFP Laser 3115cn", None, "200709110910"),
    "librenms_dell-laser_s5830dn": ("Dell", "Dell S5830dn", "7XQ1R92-132-13", "NH62.YS.N636"),
    "librenms_developprinter": ("Develop", "Develop ineo 280", None, None),
    "librenms_epson": ("Epson", "EPSON WF-C5790BA", "X3B8022793", None),
    "librenms_fujifilmprinter_c810": ("FUJIFILM", "FUJIFILM ApeosPro C810", "TC101630131338", None),
    "librenms_jetdirect": ("HP", "HP Color LaserJet M452nw", "AAA0A00000", None),
    "librenms_jetdirect_1": ("Kyocera", None, None, None),
    "librenms_jetdirect_m130nw": ("HP", "HP LaserJet MFP M130nw", "VNCRC48198", "20201023"),
    "librenms_konica_2": ("Konica Minolta", "Konica Minolta bizhub 25e", None, None),
    "librenms_konica_c250i": ("Konica Minolta", "KONICA MINOLTA bizhub C250i", "AA2M021115700", "1.102"),
    "librenms_lanier": ("Lanier", "LANIER MP C3501/LD635C", None, "2.01"),
    "librenms_lexmarkprinter": ("Lexmark", "Lexmark T640", None, "NS.NP.N219"),
    "librenms_nrg": ("NRG", "NRG SP 4210N", None, "1.05"),
    "librenms_okilan_9450g": ("OKI", "MC873", None, "07.87"),
    "librenms_ricoh": ("Ricoh", "RICOH MP 3053", None, "1.09"),
    "librenms_ricoh_aficio": ("Ricoh", "RICOH Aficio MP 201", None, "1.04"),
    "librenms_ricoh_mpc3002": ("Ricoh", "RICOH Aficio MP C3002", "W492KB03439", "2.20"),
    "librenms_samsungprinter_m4080fx": ("Samsung", "Samsung M408x Series", None, "V11.01.03.04"),
    "librenms_samsungprinter_ml": ("Samsung", "Samsung ML-2850 Series", None, "1.01.15.47"),
    "librenms_savin_c4503": ("Savin", "SAVIN MP C4503", None, "1.18"),
    "librenms_sharp": ("Sharp", "SHARP MX-3570N", "6509415X00", "1.04"),
    "librenms_sharp_mx2614n": ("Sharp", "SHARP MX-2614N", None, None),
    "librenms_sharp_mxc301w": ("Sharp", "SHARP MX-C301W", None, None),
    "librenms_toshiba-tec_estudio2505": ("Toshiba TEC", "TOSHIBA e-STUDIO2505AC", None, None),
    "librenms_toshiba-tec_ev4": ("Toshiba TEC", "TOSHIBA TEC B-EV4", None, None),
    "librenms_toshiba-tec_fv4": ("Toshiba TEC", "TOSHIBA TEC B-FV4", None, None),
    "librenms_utax": ("UTAX", "P-4532DN", "R9L0309954", "2TP_S000.003.402"),
    "librenms_xerox": ("Xerox", "Xerox AltaLink C8045", None, "100.002.057.09608"),
    "librenms_xerox_color": ("Xerox", "Xerox Color 570", None, "55.40.61"),
    "librenms_xerox_phaser": ("Xerox", "Xerox Phaser 4600", None, "35.004.32.000"),
    "librenms_zebra": ("Zebra", "ZTC TLP 2824 Plus", None, "V61.17.17Z"),
    "librenms_zebra_1": ("Zebra", None, None, None),
    "pm_brother": ("Brother", "Brother HL-L8260CDW series", "U64641E7J134163", None),
    "pm_epson_cw": ("Epson", "EPSON CW-C6500Au", "X7F4008528", "TS20P2"),
    "pm_kyocera_p2040": ("Kyocera", "ECOSYS P2040dw", "VD21457943", "2RX_3000.002.503"),
}
DESCRIBED: dict[str, Who] = {  # by sysDescr alone, as Rapid7's recog lists them
    "Brother NC-8200h, Firmware Ver.1.03 (10.05.20),MID 84UC07": ("Brother", None, None, None),
    "Canon iR105PLUS-M3 /P": ("Canon", "Canon iR105PLUS-M3", None, None),
    "Canon LASER SHOT LBP-2510 /P EEPROM 1204": ("Canon", "Canon LASER SHOT LBP-2510", None, None),
    "Canon MF6500 Series (UFRII LT)": ("Canon", "Canon MF6500 Series", None, None),
    "Canon Network Printer Board-E1": ("Canon", None, None, None),
    "Dell 2335dn MFP; 2.70.03.02;Engine 1.10.65;NIC V4.01.30(2335dn MFP) 02-05-2010;S/N JQF9FG1": (
        "Dell",
        "Dell 2335dn MFP",
        "JQF9FG1",
        "2.70.03.02",
    ),
    "EPSON AL-C1750N; Net 98.48,ESS 201103111031,IOT 02.17.00": (
        "Epson",
        "EPSON AL-C1750N",
        None,
        "201103111031",
    ),
    "EPSON Type B 10Base-T/100Base-TX Print Server": ("Epson", None, None, None),
    "HP ETHERNET MULTI-ENVIRONMENT,ROM A.05.03,JETDIRECT,JD24,EEPROM A.08.49": ("HP", None, None, None),
    "KYOCERA Printer I/F IB-23 Ver 1.1.0": ("Kyocera", None, None, None),
    "NRG SP C231SF v1.14a / NRG Network Printer C model": ("NRG", "NRG SP C231SF", None, "1.14a"),
    "RICOH IPSiO GX e3300 Ver 1.02 / RICOH Network Printer C model": (
        "Ricoh",
        "RICOH IPSiO GX e3300",
        None,
        "1.02",
    ),
    "OKI FastEther8450e Rev.01.08 10/100BASE Ethernet PrintServer: Attached to B430 Rev.C2.00 : Copy": (
        "OKI",
        "B430",
        None,
        "C2.00",
    ),
    "Samsung CLP-300; CLP300N_V1.01.02.01 11-15-2006;Engine 1.01.57": (
        "Samsung",
        "Samsung CLP-300",
        None,
        "V1.01.02.01",
    ),
    "Samsung Samsung SCX-470x Series; V3.00.01.04 SEP-16-2011": (
        "Samsung",
        "Samsung SCX-470x Series",
        None,
        "V3.00.01.04",
    ),
    "Xerox WorkCentre Pro Multifunction System, ESS 0.C03.04.510.01, IOT 9.0.3": (
        "Xerox",
        "Xerox WorkCentre Pro Multifunction System",
        None,
        None,
    ),
    "Xerox Phaser 6250DP;PS 4.8.0,Net 18.02.08.01.2003,Eng 1.1.1,OS 4.82;SN PWG464781": (
        "Xerox",
        "Xerox Phaser 6250DP",
        "PWG464781",
        None,
    ),
}


async def test_every_recorded_printer_is_who_it_is(
    agent: Agent, endpoint: SnmpEndpoint, recording: Path
) -> None:
    agent.add("127.0.7.9", Device(snmprec.read(recording)))

    reading = await poll_printer(endpoint, Target("127.0.7.9", port=agent.port, snmp_version="2"), "", NOW)

    who = reading.identity
    found = who.manufacturer, who.model, who.serial_number, reading.details.firmware
    assert found == RECORDED[recording.stem]


@pytest.mark.parametrize("description", DESCRIBED)
def test_who_says_it_in_its_description(description: str) -> None:
    reading = build_reading(cells({"1.3.6.1.2.1.1.1.0": (4, description.encode())}), Target("192.0.2.1"))

    who = reading.identity
    found = who.manufacturer, who.model, who.serial_number, reading.details.firmware
    assert found == DESCRIBED[description]
