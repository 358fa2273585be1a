"""The shared sockets: errors that belong to one address disturb nobody else."""

import pytest

from appliance.snmp import ber
from appliance.snmp.transport import SnmpEndpoint, parse_agent_address


class Noted:
    """A listener that writes down what happens."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def on_response(self, _message: ber.DecodedMessage, _size: int) -> None:
        self.events.append("heard")

    def on_invalid_datagram(self, size: int, *, matches_request: bool) -> None:  # noqa: ARG002
        self.events.append("misheard")

    def on_port_unreachable(self) -> None:
        self.events.append("refused")


@pytest.mark.skipif("sys.platform != 'linux'", reason="ICMP errors are only known on Linux")
async def test_a_refusal_reaches_its_listener_while_others_are_asked():
    """The kernel reports it to whoever sends next, which must neither fail nor take it for its own."""
    async with SnmpEndpoint() as endpoint:
        closed, other = parse_agent_address("127.0.6.1", 9), parse_agent_address("127.0.6.2", 9)
        there, elsewhere = Noted(), Noted()
        endpoint.add_listener(closed.peer, 1, there)
        endpoint.add_listener(other.peer, 2, elsewhere)
        endpoint.send(b"1", closed)
        endpoint.send(b"2", parse_agent_address("127.0.6.3", 9))
        assert there.events == ["refused"]
        assert elsewhere.events == []


async def test_what_is_out_of_reach_is_said_at_once():
    async with SnmpEndpoint() as endpoint:
        with pytest.raises(PermissionError):
            endpoint.send(b"", parse_agent_address("127.255.255.255", 161))


def test_addresses_are_told_apart_as_the_kernel_writes_them():
    assert parse_agent_address("127.0.0.1", 161).peer == ("127.0.0.1", 161)
    assert parse_agent_address("0:0::1", 161).peer == ("::1", 161)
    assert parse_agent_address("fe80::1%lo", 161).peer == ("fe80::1", 161)
    assert parse_agent_address("fe80::1%lo", 161).sockaddr[3:] == (1,)
    assert parse_agent_address("fe80::1%7", 161).sockaddr[3:] == (7,)
    with pytest.raises(ValueError, match=r"printer\.example"):
        parse_agent_address("printer.example", 161)
