"""What a notification means, in words."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.collector.trap_meaning import interpret_notification
from appliance.domain.model import Trap
from appliance.mib import alert_codes
from appliance.snmp import notifications
from appliance.snmp.errors import BerDecodeError
from tests.fakes import ber as agents
from tests.fakes import traps


def read(data: bytes) -> Trap:
    return interpret_notification(notifications.decode_notification(data))


def test_a_printer_alert_is_told_by_its_code() -> None:
    told = read(traps.version_2(bindings=traps.PAPER_OUT))
    assert (told.kind, told.severity, told.text) == ("printerV2Alert", "critical", "input media supply empty")
    assert "prtAlertCode.1.5 = 808" in told.objects
    assert read(traps.version_1("1.3.6.1.2.1.43.18.2", specific=1)).kind == "printerV1Alert"


def test_a_description_says_more_than_a_code() -> None:
    described = {**traps.PAPER_OUT, "1.3.6.1.2.1.43.18.1.1.8.1.5": (4, "Fach 2 leer")}
    assert read(traps.version_2(bindings=described)).text == "Fach 2 leer"


def test_generic_traps_have_their_names() -> None:
    kinds = [read(traps.version_1(generic=number, specific=0)).kind for number in range(6)]
    assert kinds[:2] == ["coldStart", "warmStart"]
    assert kinds[4] == "authenticationFailure"
    assert read(traps.version_2(traps.COLD_START)).kind == "coldStart"


def test_a_maker_is_named_with_its_text() -> None:
    told = read(traps.version_1(bindings={"1.3.6.1.4.1.11.2.3.9.1.1.3.0": (4, "Toner low\0")}))
    assert (told.kind, told.manufacturer, told.text) == ("HP 11.2.3.9.1.0.7", "HP", "Toner low")


def test_an_unknown_one_is_kept_as_it_came() -> None:
    told = read(traps.version_1("1.3.6.1.4.1.99999.1", bindings={"1.3.6.1.4.1.99999.2": (4, b"\x01\xff")}))
    assert (told.kind, told.oid) == ("1.3.6.1.4.1.99999.1.0.7",) * 2
    assert told.objects == ("1.3.6.1.4.1.99999.2 = 01 ff",)


def test_serial_number_and_mac_address_are_found() -> None:
    told = read(
        traps.version_2(
            bindings={
                "1.3.6.1.2.1.43.5.1.1.17.1": (4, "CNBX 1234"),
                "1.3.6.1.2.1.2.2.1.6.1": (4, b"\x00\x1b\xa9\x01\x02\x03"),
            }
        )
    )
    assert (told.serial_number, told.mac_address) == ("CNBX 1234", "001BA9010203")


def test_codes_in_words() -> None:
    assert alert_codes.describe_alert_code(8) == "jam"
    assert alert_codes.describe_alert_code(1104) == "marker toner almost empty"
    assert alert_codes.describe_alert_code(1801) == "alert removal of binary change entry"
    assert alert_codes.describe_alert_code(4711) is None


@given(
    st.dictionaries(
        st.sampled_from(["1.3.6.1.2.1.43.18.1.1.8.1.5", "1.3.6.1.2.1.43.18.1.1.7.1.5", "1.3.6.1.4.1.11.1.0"]),
        st.one_of(
            st.tuples(st.just(agents.INTEGER), st.integers(-(2**31), 2**31 - 1)),
            st.tuples(st.sampled_from([4, 0x40, 0x44]), st.binary(max_size=900)),
        ),
    ),
    st.sampled_from([traps.PRINTER_ALERT, traps.COLD_START, traps.HP, "0.0", "1.3.6.1.6.3.1.1.5.0"]),
)
def test_whatever_is_said_has_a_short_meaning(bindings: traps.Bindings, oid: str) -> None:
    try:
        said = notifications.decode_notification(traps.version_2(oid, bindings))
    except BerDecodeError:
        return
    told = interpret_notification(said)
    assert told.kind
    assert len(told.text) <= 300
    assert all(len(line) < 300 for line in told.objects)
