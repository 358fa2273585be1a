"""Our decoder against aiosnmp's, where that one is right, and against bytes that nobody should send."""

import pytest
from aiosnmp.message import (
    GetBulkRequest,
    GetNextRequest,
    GetRequest,
    GetResponse,
    SnmpMessage,
    SnmpResponse,
    SnmpVarbind,
    SnmpVersion,
)
from hypothesis import given
from hypothesis import strategies as st

from appliance.snmp import ber
from appliance.snmp.errors import BerDecodeError
from tests.fakes import ber as agents

request_ids = st.integers(ber.MIN_REQUEST_ID, ber.MAX_REQUEST_ID)
oids = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=30).map(lambda tail: (1, 3, *tail))
values = st.none() | st.integers(-(2**31), 2**31 - 1) | st.binary(max_size=300)
communities = st.text(st.characters(codec="utf-8"), max_size=20)
PUBLIC_GET = ber.encode_request("get", [(1, 3, 6, 1)], version="2", community="public", request_id=1 << 30)


def dotted(oid: ber.Oid) -> str:
    return ".".join(map(str, oid))


def response(varbinds: bytes, *, request_id: int = 77) -> bytes:
    """A response around varbinds that are encoded already, by the agent's code."""
    fields = agents.integer(request_id) + agents.integer(0) * 2 + agents.tlv(0x30, varbinds)
    return agents.tlv(0x30, agents.integer(1) + agents.tlv(4, b"public") + agents.tlv(0xA2, fields))


def cell(tag: int, contents: bytes) -> ber.SnmpValue:
    """What is read from one value."""
    varbind = agents.tlv(0x30, bytes.fromhex("06032b0601") + agents.tlv(tag, contents))
    message = ber.decode_message(response(varbind))
    assert message.varbinds[0].oid == (1, 3, 6, 1)
    assert message.varbinds[0].tag == tag
    return message.varbinds[0].value


# Requests


@given(st.lists(oids, max_size=8), communities, request_ids, st.sampled_from(["get", "get_next"]))
def test_a_request_is_the_same_as_aiosnmps(names, community, request_id, kind):
    pdu = {"get": GetRequest, "get_next": GetNextRequest}[kind]([SnmpVarbind(dotted(oid)) for oid in names])
    pdu.request_id = request_id
    expected = SnmpMessage(SnmpVersion.v1, community, pdu).encode()
    assert (
        ber.encode_request(kind, names, version="1", community=community, request_id=request_id) == expected
    )


@given(st.lists(oids, max_size=8), request_ids, st.integers(0, 200))
def test_a_bulk_request_is_the_same_as_aiosnmps(names, request_id, repetitions):
    pdu = GetBulkRequest([SnmpVarbind(dotted(oid)) for oid in names], 0, repetitions)
    pdu.request_id = request_id
    ours = ber.encode_request(
        "get_bulk",
        names,
        version="2",
        community="public",
        request_id=request_id,
        max_repetitions=repetitions,
    )
    assert ours == SnmpMessage(SnmpVersion.v2c, "public", pdu).encode()


def test_a_request_reaches_an_agent_as_it_was_meant():
    data = ber.encode_request(
        "get", [(1, 3, 6, 1, 2), (1, 3, 4)], version="2", community="Bär", request_id=1 << 24
    )
    request = agents.decode(data)
    assert request.pdu == agents.GET
    assert request.community == "Bär".encode()
    assert request.request_id == 1 << 24
    assert request.oids == [(1, 3, 6, 1, 2), (1, 3, 4)]


@pytest.mark.parametrize("request_id", [0, 0x00FFFFFF, 0x80000000])
def test_a_request_id_that_does_not_fit_is_refused(request_id):
    with pytest.raises(ValueError, match="four octets"):
        ber.encode_request("get", [(1, 3)], version="1", community="public", request_id=request_id)


@pytest.mark.parametrize("oid", [(), (1,), (9, 99, 1), (1, 3, -1)])
def test_names_that_no_agent_could_have_are_refused(oid):
    with pytest.raises(ValueError, match="cannot be asked"):
        ber.encode_request("get", [oid], version="1", community="public", request_id=1 << 24)


# Responses


@given(
    st.lists(st.tuples(oids, values), max_size=20),
    communities,
    st.integers(0, 2**31 - 1),
    st.integers(0, 18),
    st.integers(0, 100),
)
def test_a_response_is_read_as_aiosnmp_reads_it(rows, community, request_id, status, index):
    pdu = GetResponse([SnmpVarbind(dotted(oid), value) for oid, value in rows])
    pdu.request_id, pdu.error_status, pdu.error_index = request_id, status, index
    data = SnmpMessage(SnmpVersion.v2c, community, pdu).encode()
    theirs = SnmpResponse.decode(data)
    ours = ber.decode_message(data)
    assert ours.version == theirs.version
    assert ours.community.decode() == theirs.community
    assert (ours.request_id, ours.error_status, ours.error_index) == (request_id, status, index)
    assert ber.decode_request_id(data) == request_id
    assert [(f".{dotted(each.oid)}", each.value) for each in ours.varbinds] == [
        (each.oid, each.value) for each in theirs.data.varbinds
    ]


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_undecodable_or_a_message(data):
    for read in (ber.decode_message, ber.decode_request_id):
        try:
            read(data)
        except BerDecodeError:
            continue


@given(st.data(), st.lists(st.tuples(oids, values), min_size=1, max_size=5))
def test_a_damaged_response_is_undecodable_or_a_message(data, rows):
    pdu = GetResponse([SnmpVarbind(dotted(oid), value) for oid, value in rows])
    message = bytearray(SnmpMessage(SnmpVersion.v2c, "public", pdu).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    for read in (ber.decode_message, ber.decode_request_id):
        try:
            read(bytes(message))
        except BerDecodeError:
            continue


@given(st.lists(st.tuples(oids, values), min_size=1, max_size=5), st.data())
def test_every_truncated_response_is_undecodable(rows, data):
    pdu = GetResponse([SnmpVarbind(dotted(oid), value) for oid, value in rows])
    message = SnmpMessage(SnmpVersion.v2c, "public", pdu).encode()
    with pytest.raises(BerDecodeError):
        ber.decode_message(message[: data.draw(st.integers(0, len(message) - 1))])


def test_the_request_id_of_a_truncated_response_is_known():
    data = response(
        agents.tlv(0x30, bytes.fromhex("06032b0601") + agents.tlv(4, b"x" * 500)), request_id=4711
    )
    assert ber.decode_request_id(data[:40]) == 4711
    with pytest.raises(BerDecodeError):
        ber.decode_message(data[:40])


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x00", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\xff" * 50]
)
def test_what_is_too_short_to_be_a_message(data):
    for read in (ber.decode_message, ber.decode_request_id):
        with pytest.raises(BerDecodeError):
            read(data)


def test_nesting_is_no_way_to_exhaust_the_stack():
    data = b""
    for _ in range(2_000):
        data = agents.tlv(0x30, data)
    with pytest.raises(BerDecodeError):
        ber.decode_message(data)


def test_octets_after_the_message_are_ignored():
    assert ber.decode_message(PUBLIC_GET + b"\x00" * 20) == ber.decode_message(PUBLIC_GET)


def test_octets_inside_the_message_that_belong_to_nothing_are_not():
    fields = agents.integer(1) + agents.integer(0) * 2 + agents.tlv(0x30, b"")
    parts = agents.integer(1) + agents.tlv(4, b"public")
    assert ber.decode_message(agents.tlv(0x30, parts + agents.tlv(0xA2, fields)))
    for spoiled in (
        agents.tlv(0x30, parts + agents.tlv(0xA2, fields + b"\x05\x00")),
        agents.tlv(0x30, parts + agents.tlv(0xA2, fields) + b"\x05\x00"),
    ):
        with pytest.raises(BerDecodeError):
            ber.decode_message(spoiled)


@pytest.mark.parametrize(
    "varbind",
    [
        "30050603 2b0601",
        "3008 06032b0601 0500 00",
        "3006 06032b06 01",
        "3007 06032b0681 0500",
        "3104 0601 2b 05",
    ],
)
def test_a_varbind_whose_parts_do_not_fit(varbind):
    with pytest.raises(BerDecodeError):
        ber.decode_message(response(bytes.fromhex(varbind)))


def test_lengths_may_take_more_octets_than_needed():
    varbind = bytes.fromhex("30840000000f 068200032b0601 04840000000 2 6f6b".replace(" ", ""))
    assert ber.decode_message(response(varbind)).varbinds == [ber.Varbind((1, 3, 6, 1), b"ok", 4)]


def test_a_v1_trap_is_no_response():
    data = bytearray(PUBLIC_GET)
    data[data.index(0xA0)] = 0xA4
    with pytest.raises(BerDecodeError):
        ber.decode_message(bytes(data))


# Values


@pytest.mark.parametrize(
    ("tag", "contents", "value"),
    [
        (0x02, "00", 0),
        (0x02, "fd", -3),
        (0x02, "fffffffe", -2),
        (0x02, "7fffffff", 2**31 - 1),
        (0x02, "00ffffffff", 2**32 - 1),  # longer than RFC 2578 permits
        (0x02, "", None),
        (0x02, "00" * 9, None),
        (0x41, "00ffffffff", 2**32 - 1),
        (0x41, "ffffffff", 2**32 - 1),  # the leading zero is missing
        (0x41, "c8", 200),
        (0x41, "ffffffffffffffc8", 2**32 - 56),  # sign-extended to 64 bits
        (0x42, "ffffffff", 2**32 - 1),
        (0x43, "009605a0", 9_831_840),
        (0x46, "00ffffffffffffffff", 2**64 - 1),
        (0x46, "ffffffffffffffff", 2**64 - 1),
        (0x46, "", None),
        (0x46, "00" * 10, None),
        (0x47, "ff", 255),
        (0x04, "", b""),
        (0x04, "00ff", b"\x00\xff"),
        (0x40, "7f000001", b"\x7f\x00\x00\x01"),
        (0x44, "9f7804", b"\x9f\x78\x04"),
        (0x05, "", None),
        (0x80, "", None),
        (0x81, "", None),
        (0x82, "", None),
        (0x06, "2b0601", (1, 3, 6, 1)),
        (0x06, "", (0, 0)),
        (0x06, "00", (0, 0)),
        (0x06, "8837 03".replace(" ", ""), (2, 999, 3)),
        (0x06, "2b8fffffff7f", (1, 3, 2**32 - 1)),
        (0x06, "2b9fffffff7f", None),  # a sub-identifier of 33 bits
        (0x06, "2b81", None),  # cut off
        (0x24, "0401ff", None),  # a string in pieces
        (0x0C, "ff", None),  # no type of SNMP's
    ],
)
def test_values(tag, contents, value):
    assert cell(tag, bytes.fromhex(contents)) == value


def test_the_object_names_that_are_remembered_are_bounded():
    for block in range(3):
        varbinds = b"".join(
            agents.tlv(0x30, agents.encode_oid((1, 3, 6, block, row)) + b"\x05\x00") for row in range(4_000)
        )
        message = ber.decode_message(response(varbinds))
        assert [varbind.oid for varbind in message.varbinds] == [
            (1, 3, 6, block, row) for row in range(4_000)
        ]
        assert len(ber._oid_cache) <= ber.MAX_CACHED_OIDS


def test_a_name_of_more_than_128_numbers_is_refused():
    name = agents.tlv(6, b"\x2b" + b"\x01" * 127)
    with pytest.raises(BerDecodeError):
        ber.decode_message(response(agents.tlv(0x30, name + b"\x05\x00")))
