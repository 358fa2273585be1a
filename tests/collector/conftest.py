"""What all tests of the reader share."""

from collections.abc import AsyncIterator

import pytest

from appliance.snmp.client import Endpoint


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with Endpoint() as opened:
        yield opened
