"""Notifications of every kind are decoded; whatever else comes is refused in one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.snmp import ber, notifications
from appliance.snmp.constants import RESPONSE_PDU
from appliance.snmp.errors import BerDecodeError
from tests.fakes import ber as agents
from tests.fakes import traps

SAMPLES = (
    traps.version_1(bindings={"1.3.6.1.4.1.11.2.3.9.1.1.3.0": (4, "Toner low")}),
    traps.version_1(generic=0, specific=0),
    traps.version_2(bindings=traps.PAPER_OUT),
    traps.version_2(bindings=traps.PAPER_OUT, pdu=traps.INFORM),
)


@pytest.mark.parametrize(
    ("generic", "specific", "oid"),
    [
        (0, 0, "1.3.6.1.6.3.1.1.5.1"),
        (4, 0, "1.3.6.1.6.3.1.1.5.5"),
        (6, 7, "1.3.6.1.4.1.11.2.3.9.1.0.7"),
    ],
)
def test_a_v1_trap_is_told_as_a_v2_one(generic: int, specific: int, oid: str) -> None:
    """RFC 3584 section 3.1."""
    data = traps.version_1(generic=generic, specific=specific, agent="10.1.2.3")
    said = notifications.decode_notification(data)
    assert (said.version, said.inform, said.community, said.agent_address) == (
        "1",
        False,
        b"public",
        "10.1.2.3",
    )
    assert said.oid == agents.parse_oid(oid)
    assert (said.uptime, said.enterprise) == (4711, agents.parse_oid(traps.HP))


def test_the_printer_alert_of_v1_is_the_one_of_v2() -> None:
    old = notifications.decode_notification(
        traps.version_1("1.3.6.1.2.1.43.18.2", specific=1, bindings=traps.PAPER_OUT)
    )
    new = notifications.decode_notification(traps.version_2(bindings=traps.PAPER_OUT))
    assert old.oid == new.oid == agents.parse_oid(traps.PRINTER_ALERT)
    assert old.varbinds == new.varbinds
    assert [each.value for each in new.varbinds] == [3, 8, 2, 2, 808]


def test_an_agent_address_that_names_nobody_is_none() -> None:
    assert notifications.decode_notification(traps.version_1(agent="0.0.0.0")).agent_address is None
    assert notifications.decode_notification(traps.version_1(agent="255.255.255.255")).agent_address is None


def test_a_forwarded_trap_names_its_origin_and_its_community_stays_secret() -> None:
    forwarded: traps.Bindings = {
        "1.3.6.1.6.3.18.1.3.0": (agents.ADDRESS, "10.9.8.7"),
        "1.3.6.1.6.3.18.1.4.0": (4, "secret"),
    }
    said = notifications.decode_notification(traps.version_2(bindings=forwarded))
    assert said.agent_address == "10.9.8.7"
    assert b"secret" not in [each.value for each in said.varbinds]


def test_an_inform_is_acknowledged_by_itself_as_a_response() -> None:
    data = traps.version_2(bindings=traps.PAPER_OUT, pdu=traps.INFORM, request_id=99)
    said = notifications.decode_notification(data)
    assert said.inform
    answer = ber.decode_message(notifications.encode_inform_response(data))
    assert (answer.pdu, answer.request_id, answer.community) == (RESPONSE_PDU, 99, b"public")
    assert answer.varbinds == ber.decode_message(data).varbinds
    assert notifications.encode_inform_response(data + b"\0\0") == notifications.encode_inform_response(
        data
    )  # nothing beyond the message


def test_a_datagram_full_of_objects_is_bounded() -> None:
    many: traps.Bindings = {f"1.3.6.1.4.1.11.{number}": (2, number) for number in range(2_000)}
    assert (
        len(notifications.decode_notification(traps.version_2(bindings=many)).varbinds)
        == notifications.MAX_OBJECTS
    )


def test_requests_and_responses_are_no_notifications() -> None:
    for pdu in (0xA0, 0xA1, 0xA2, 0xA3, 0xA5):
        with pytest.raises(BerDecodeError):
            notifications.decode_notification(traps.version_2(pdu=pdu))


@given(st.binary(max_size=300))
def test_garbage_is_undecodable(data: bytes) -> None:
    with pytest.raises(BerDecodeError):
        notifications.decode_notification(data)


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    st.integers(0, 400),
)
def test_mangled_datagrams_decode_or_are_undecodable(
    sample: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(sample)
    for at, value in changes:
        if at < len(data):
            data[at] = value
    try:
        said = notifications.decode_notification(bytes(data[: length or None]))
    except BerDecodeError:
        return
    assert len(said.varbinds) <= notifications.MAX_OBJECTS
    notifications.encode_inform_response(bytes(data))
