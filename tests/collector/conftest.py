"""What all tests of the reader share."""

from collections.abc import AsyncIterator

import pytest

from appliance.snmp.transport import SnmpEndpoint


@pytest.fixture
async def endpoint() -> AsyncIterator[SnmpEndpoint]:
    async with SnmpEndpoint() as opened:
        yield opened
