from pathlib import Path

import pytest

from appliance.cli import unreachable_diagnosis
from appliance.domain.model import Target
from tests.fakes.agent import Agent, Device
from tests.fakes.models import MODELS

PATIENCE = 0.3


async def test_silence_is_not_explained_away(agent: Agent) -> None:
    device = agent.add("127.31.4.1", Device({}, asleep=True))
    told = await unreachable_diagnosis.explain(Target("127.31.4.1", port=agent.port), PATIENCE)
    assert told == unreachable_diagnosis.SILENCE
    assert device.requests.total() == 2  # v2c and v1, once each


async def test_another_version_is_found(agent: Agent) -> None:
    agent.add("127.31.4.2", Device(next(iter(MODELS.values())).rows(), versions={"1"}))
    told = await unreachable_diagnosis.explain(
        Target("127.31.4.2", port=agent.port, snmp_version="2"), PATIENCE
    )
    assert "answers to SNMP version 1" in told


async def test_closed_port(agent: Agent) -> None:
    told = await unreachable_diagnosis.explain(Target("127.31.4.3", port=agent.port), PATIENCE)
    assert f"nothing listens at UDP port {agent.port}" in told


async def test_no_community_is_guessed(agent: Agent) -> None:
    """Some printers mail their owner about each wrong community."""
    device = agent.add("127.31.4.4", Device(next(iter(MODELS.values())).rows(), community="other"))
    assert (
        await unreachable_diagnosis.explain(Target("127.31.4.4", port=agent.port, snmp_version="1"), PATIENCE)
        == unreachable_diagnosis.SILENCE
    )
    assert device.requests.total() == 2


async def test_who_answers_late_is_told_so(agent: Agent) -> None:
    agent.add("127.31.4.5", Device(next(iter(MODELS.values())).rows(), delay=0.1))
    told = await unreachable_diagnosis.explain(Target("127.31.4.5", port=agent.port), PATIENCE)
    assert "try again" in told


@pytest.mark.parametrize(
    ("flags", "mac", "said"),
    [
        ("0x2", "00:00:74:ed:64:38", "A device is there: it answers to ARP as 00:00:74:ed:64:38"),
        ("0x0", "00:00:00:00:00:00", unreachable_diagnosis.NOBODY),
    ],
)
async def test_whether_a_device_is_there_can_be_told_on_the_own_network(
    agent: Agent, tmp_path: Path, flags: str, mac: str, said: str
) -> None:
    agent.add("127.31.4.6", Device({}, asleep=True))
    arp = tmp_path / "arp"
    arp.write_text(
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        f"127.31.4.6       0x1         {flags}         {mac}     *        eth0\n"
    )
    assert said in await unreachable_diagnosis.explain(Target("127.31.4.6", port=agent.port), PATIENCE, arp)
