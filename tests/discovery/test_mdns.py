"""Scenarios on the air wait much and work little: each has a loopback of its own, where that may be had."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from appliance.discovery import mdns
from appliance.discovery.mdns import MdnsResponder
from tests import children
from tests.discovery.on_air import SCENARIOS, Plug

SECONDS = 45
ALONE = 'ip link set lo up && ip route add 224.0.0.0/4 dev lo && exec "$@"'
PRIVATE = ("unshare", "--map-root-user", "--net", "sh", "-c", ALONE, "sh")


def has_private_networks() -> bool:
    """Whether we may make network namespaces; else the scenarios take turns on the common loopback."""
    try:
        return subprocess.run([*PRIVATE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


Ended = dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def ended() -> Iterator[Ended]:
    """Exit code and output of each scenario."""
    private = has_private_networks()
    started: dict[str, subprocess.Popen[str]] = {}
    ended: Ended = {}
    try:
        for name in SCENARIOS:
            command = [*(PRIVATE if private else ()), sys.executable, "-m", "tests.discovery.on_air", name]
            started[name] = children.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if not private:
                ended[name] = end(started[name])
        for name, child in started.items():
            if name not in ended:
                ended[name] = end(child)
        yield ended
    finally:
        for child in started.values():
            children.stop(child)


def end(child: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = child.communicate(timeout=SECONDS)
    return child.returncode, output


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_on_the_air(scenario: str, ended: Ended) -> None:
    assert ended[scenario] == (0, "")


async def test_an_interface_that_is_not_there_is_told_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    plug = Plug("pm", "192.0.2.7")
    plug.neighbours = MdnsResponder(lambda: plug.notice, lambda: plug.addresses, check_interval=0.02)
    with caplog.at_level("INFO"):
        async with plug.on_air():
            await asyncio.sleep(0.2)
    assert [line.split(":")[0] for line in caplog.messages] == ["mDNS cannot be used on 192.0.2.7"]
    with pytest.raises(
        OSError, match=r"mDNS cannot be used on 192\.0\.2\.7: Cannot assign requested address"
    ):
        await mdns.find_plugs(0.1, ("192.0.2.7",))
