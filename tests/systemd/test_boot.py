"""The Plug's units under a real systemd: sockets, requests, what comes back after which death."""

import signal
from collections.abc import Iterator

import pytest

from tests.fakes import traps as wire
from tests.systemd import machine
from tests.systemd.machine import Machine

NAMES = ("poller", "traps", "web")
PAGE = """
import urllib.request, urllib.error
try:
    print(urllib.request.urlopen("http://127.0.0.1:{port}/login", timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
TRAP = """
import socket
sender = socket.socket({family}, socket.SOCK_DGRAM)
sender.sendto(bytes.fromhex("{data}"), ("{host}", {port}))
"""
REQUEST = """
from pathlib import Path
from appliance.host import unit_status
print(unit_status.submit_request(Path("/run/printmonitor"), {order!r}))
"""

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def plug(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine") / "root"
    folder.mkdir()
    try:
        with machine.running(folder) as booted:
            yield booted
    except machine.NotHere as why:
        pytest.skip(str(why))


def active(plug: Machine, *names: str) -> bool:
    return set(told(plug, "ActiveState", *names).values()) == {"active"}


def main_pids(plug: Machine) -> dict[str, str]:
    return told(plug, "MainPID", *NAMES)


def told(plug: Machine, what: str, *names: str) -> dict[str, str]:
    """A property of several services, with one call."""
    units = [f"printmonitor-{name}.service" for name in names]
    said = plug.do("systemctl", "show", f"--property={what}", "--value", *units).split()
    return dict(zip(names, said, strict=True))


def test_it_starts_by_itself_without_the_trap_receiver(plug: Machine) -> None:
    plug.until("poller and page are up", lambda: active(plug, "poller", "web"))
    plug.until("the ports are settled", lambda: plug.show("printmonitor-apply.service", "SubState") == "dead")
    assert plug.do("systemctl", "list-units", "--failed", "--no-legend", "printmonitor*") == ""
    assert not active(plug, "traps")
    assert plug.show("printmonitor-traps.socket", "ActiveState") == "inactive"
    assert plug.python(PAGE.format(port=80)).strip() == "200"
    owner = plug.do("stat", "-c", "%U %a", "/var/lib/printmonitor", "/run/printmonitor/requests").split("\n")
    assert owner[:2] == ["printmonitor 700", "printmonitor 700"]


def test_switching_the_trap_receiver_on_opens_port_162(plug: Machine) -> None:
    plug.do("/opt/bin/printmonitor", "traps", "--enable")
    plug.until("the trap receiver is up", lambda: active(plug, "traps"))
    data = wire.version_2(wire.COLD_START).hex()
    plug.python(TRAP.format(family="socket.AF_INET", data=data, host="127.0.0.1", port=162))
    listing = ("/opt/bin/printmonitor", "traps", "--list")
    plug.until("a trap by IPv4", lambda: "127.0.0.1" in plug.do(*listing))
    plug.python(TRAP.format(family="socket.AF_INET6", data=data, host="::1", port=162))
    plug.until("a trap by IPv6", lambda: "::1" in plug.do(*listing))


def test_another_port_is_taken_over(plug: Machine) -> None:
    plug.do(
        "sed",
        "-i",
        "s/^port = 162$/port = 1162/; s/^port = 80$/port = 8888/",
        "/var/lib/printmonitor/settings.toml",
    )
    before = main_pids(plug)
    plug.python(REQUEST.format(order={"do": "apply"}), "printmonitor")
    plug.until(
        "new processes",
        lambda: all(main_pids(plug)[name] not in ("0", before[name]) for name in ("traps", "web")),
    )
    plug.until("both are up", lambda: active(plug, "traps", "web"))
    assert plug.python(PAGE.format(port=8888)).strip() == "200"
    data = wire.version_2("1.3.6.1.6.3.1.1.5.2").hex()
    plug.python(TRAP.format(family="socket.AF_INET", data=data, host="127.0.0.1", port=1162))
    plug.until("a trap", lambda: "warmStart" in plug.do("/opt/bin/printmonitor", "traps", "--list"))


def test_a_request_of_the_page_restarts_a_service(plug: Machine) -> None:
    before = main_pids(plug)["poller"]
    order = {"do": "restart", "unit": "printmonitor-poller.service"}
    request = plug.python(REQUEST.format(order=order), "printmonitor").strip()
    plug.until("another process", lambda: main_pids(plug)["poller"] not in ("0", before))
    answer = plug.do("cat", f"/run/printmonitor/answers/{request}.json")
    assert '"done"' in answer


def test_the_poller_reads_its_settings_anew(plug: Machine) -> None:
    before = main_pids(plug)["poller"]
    plug.do("systemctl", "reload", "printmonitor-poller.service")
    assert main_pids(plug)["poller"] == before
    assert active(plug, "poller")


def test_a_request_for_anything_else_is_refused(plug: Machine) -> None:
    order = {"do": "stop", "unit": "systemd-journald.service"}
    request = plug.python(REQUEST.format(order=order), "printmonitor").strip()
    place = f"/run/printmonitor/answers/{request}.json"
    plug.until("an answer", lambda: '"refused"' in plug.do("cat", place, check=False))
    assert plug.show("systemd-journald.service", "ActiveState") == "active"
    assert plug.show("printmonitor-request.path", "ActiveState") == "active"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["kill -9", "kill -STOP"])
def test_each_service_comes_back(plug: Machine, number: signal.Signals) -> None:
    plug.until("all are up", lambda: active(plug, *NAMES))
    before = main_pids(plug)
    plug.do("kill", f"-{int(number)}", *before.values())
    plug.until(
        "new processes",
        lambda: all(pid not in ("0", before[name]) for name, pid in main_pids(plug).items()),
    )
    plug.until("all are up again", lambda: active(plug, *NAMES))
    assert plug.python(PAGE.format(port=8888)).strip() == "200"
    told = plug.do("/opt/bin/printmonitor", "status")
    assert all(f"{name} was started again" in " ".join(told.split()) for name in NAMES)


def test_what_systemd_has_given_up_on_comes_back(plug: Machine) -> None:
    plug.do("systemctl", "stop", "printmonitor-traps.socket", "printmonitor-traps.service")
    plug.do("mkdir", "-p", "/run/systemd/system/printmonitor-poller.service.d")
    drop_in = "/run/systemd/system/printmonitor-poller.service.d/fail.conf"
    plug.do("sh", "-c", f"printf '[Service]\\nRestart=no\\n' > {drop_in}")
    plug.do("systemctl", "daemon-reload")
    plug.do("systemctl", "kill", "--signal=KILL", "printmonitor-poller.service")
    plug.until("it failed", lambda: plug.show("printmonitor-poller.service", "ActiveState") == "failed")
    plug.do("systemctl", "start", "printmonitor-revive.service")  # as its timer does each minute
    plug.until("both are up again", lambda: active(plug, "poller", "traps"))
    plug.until(
        "an event tells of it",
        lambda: "the service monitor started it" in plug.do("/opt/bin/printmonitor", "status", "--json"),
    )


def test_it_ends_in_order(plug: Machine) -> None:
    plug.do("systemctl", "stop", "printmonitor.target")
    assert set(told(plug, "Result", *NAMES).values()) == {"success"}
