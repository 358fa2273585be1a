"""The network under a real systemd-networkd: a lease, a trial that goes again, one that somebody confirms.

The machine of namespaces has an eth0; at the other end of its cable is a namespace with a router.
"""

import json
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.systemd import machine
from tests.systemd.machine import Machine

TOOLS = {"dnsmasq": "dnsmasq-base", "ip": "iproute2", "dbus-daemon": "dbus"}
PASSWORD = "correct horse battery"
TIMER = "printmonitor-network-trial.timer"
TRIAL_SECONDS = 12  # instead of two minutes
STATIC = {"method": "static", "address": "10.9.1.5/24", "gateway": "10.9.1.1", "dns": ["10.9.1.1"]}
SETTINGS = f"""
from dataclasses import replace
from appliance.host import passwords
from appliance.settings import schema
from appliance.settings.paths import PLUG_STATE_DIR, Home
from appliance.settings.schema import Config
standard = Config()
web = replace(standard.web, password_hash=passwords.hash_password({PASSWORD!r}))
plug = replace(standard.plug, name="plug-7")
schema.save_settings(Home(PLUG_STATE_DIR), replace(standard, web=web, plug=plug))
"""
# Somebody in the LAN: logs in at an address, and asks.
ASK = """
import json, sys, http.client
host, password, method, path, body = sys.argv[1:]
host = f"[{host}]" if ":" in host else host
page = http.client.HTTPConnection(host, timeout=5)
def ask(method, path, body, cookie=""):
    headers = {"Origin": f"http://{host}", "Cookie": cookie}
    if body: headers["Content-Type"] = "application/json"
    page.request(method, path, body or None, headers)
    answer = page.getresponse()
    return answer, answer.read().decode()
login = json.dumps({"username": "admin", "password": password})
answer, said = ask("POST", "/api/session", login)
assert answer.status == 200, said
print(ask(method, path, body, answer.headers["Set-Cookie"].partition(";")[0])[1])
"""

pytestmark = pytest.mark.timeout(240)


class Lan:
    """The Plug in its machine, and whoever is at the other end of the cable."""

    def __init__(self, plug: Machine) -> None:
        self.plug = plug
        users = "messagebus:x:600:600::/:/bin/false"
        plug.do("sh", "-c", f"echo '{users}' >> /etc/passwd; echo 'messagebus:x:600:' >> /etc/group")
        plug.python(SETTINGS, "printmonitor")
        unit = f"/etc/systemd/system/{TIMER}.d"
        plug.do(
            "sh",
            "-c",
            f"mkdir {unit}; printf '[Timer]\\nOnActiveSec=\\nOnActiveSec={TRIAL_SECONDS}\\n' >{unit}/t.conf",
        )
        plug.do("rm", "/etc/systemd/system/systemd-networkd.service")
        plug.do("systemctl", "daemon-reload")
        plug.do("systemctl", "restart", "dbus.socket")
        self._lay_the_cable()
        plug.do("systemctl", "start", "systemd-networkd.service")

    def _lay_the_cable(self) -> None:
        do = self.plug.do
        do("ip", "netns", "add", "lan")
        do(
            "ip",
            "link",
            "add",
            "eth0",
            "address",
            "02:00:00:00:00:07",
            "type",
            "veth",
            "peer",
            "lan0",
            "netns",
            "lan",
        )
        for address in ("10.9.0.1/24", "10.9.1.1/24", "2001:db8:9::1/64"):
            do("ip", "-n", "lan", "address", "add", address, "dev", "lan0", "nodad")
        do("ip", "-n", "lan", "link", "set", "lan0", "up")
        router = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--port=0"]
        router += ["--dhcp-range=10.9.0.100,10.9.0.110", "--dhcp-option=option:dns-server,10.9.0.1"]
        router += [
            "--dhcp-leasefile=/run/leases",
            "--no-ping",
            "--enable-ra",
            "--dhcp-range=2001:db8:9::,ra-only",
        ]
        do("systemd-run", "--quiet", "--unit=router", "ip", "netns", "exec", "lan", *router)

    def ask(self, host: str, method: str, path: str, body: object = None) -> Any:
        """What the page says at that address, None where it does not answer."""
        given = (host, PASSWORD, method, path, json.dumps(body) if body else "")
        python = ("env", "LD_LIBRARY_PATH=/opt/python/lib", "/opt/python/bin/python3", "-c", ASK)
        said = self.plug.do("ip", "netns", "exec", "lan", *python, *given, check=False)
        return json.loads(said) if said else None

    def state(self, host: str) -> str:
        """Of the trial."""
        return str((self.ask(host, "GET", "/api/network") or {"trial": {"state": ""}})["trial"]["state"])

    def addresses(self) -> list[str]:
        told = json.loads(self.plug.do("ip", "-json", "address", "show", "dev", "eth0"))
        return [each["local"] for each in told[0]["addr_info"] if each["scope"] == "global"]

    def has(self, *addresses: str, without: str = "none") -> bool:
        found = self.addresses()
        return all(any(each.startswith(one) for each in found) for one in addresses) and not any(
            each.startswith(without) for each in found
        )

    @property
    def lease(self) -> str:
        return next(each for each in self.addresses() if each.startswith("10.9.0."))


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lan]:
    if missing := [package for tool, package in TOOLS.items() if shutil.which(tool) is None]:
        pytest.skip(f"not installed: apt-get install {' '.join(missing)}")
    folder = tmp_path_factory.mktemp("machine") / "root"
    folder.mkdir()
    try:
        with machine.running(folder) as booted:
            yield Lan(booted)
    except machine.NotHere as why:
        pytest.skip(str(why))


def test_by_itself_it_takes_a_lease_and_a_prefix(lan: Lan) -> None:
    lan.plug.until("addresses", lambda: lan.has("10.9.0.1", "2001:db8:9:"))
    assert "plug-7" in lan.plug.do("cat", "/run/leases")
    found = lan.ask(lan.lease, "GET", "/api/network")
    assert (found["box"], found["trial"]["state"]) == (True, "none")
    eth0 = next(each for each in found["interfaces"] if each["name"] == "eth0")
    assert (eth0["mac_address"], eth0["carrier"]) == ("02:00:00:00:00:07", True)
    assert f"{lan.lease}/24" in eth0["addresses"]
    assert "10.9.0.1" in eth0["gateways"]


def test_a_trial_that_nobody_confirms_goes_again(lan: Lan) -> None:
    lan.plug.until("a lease", lambda: lan.has("10.9.0."))
    assert lan.ask(lan.lease, "POST", "/api/network/trial", STATIC)["trial"]["hosts"][0] == "10.9.1.5"
    lan.plug.until("the new address alone", lambda: lan.has("10.9.1.5", without="10.9.0."))
    began = time.monotonic()
    assert lan.ask("10.9.1.5", "GET", "/api/session")["network_trial"] is True
    lan.plug.do("systemctl", "kill", "--signal=KILL", "printmonitor-web.service")  # it is not needed for that
    lan.plug.until("the old address alone", lambda: lan.has("10.9.0.", without="10.9.1."))
    assert TRIAL_SECONDS - 5 < time.monotonic() - began < TRIAL_SECONDS + 10
    told = lan.plug.do("cat", "/run/printmonitor/answers/network.json")
    assert '"rolled-back"' in told
    said = ("/opt/bin/printmonitor", "status", "--json")
    lan.plug.until("an event", lambda: "were not confirmed" in lan.plug.do(*said, check=False))


def test_a_trial_is_confirmed_at_the_new_address(lan: Lan) -> None:
    lan.plug.until("a lease", lambda: lan.has("10.9.0."))
    lan.ask(lan.lease, "POST", "/api/network/trial", STATIC)
    lan.plug.until(
        "an offer at the new address",
        lambda: (lan.ask("10.9.1.5", "GET", "/api/session") or {}).get("network_trial"),
    )
    kept = lan.ask("10.9.1.5", "POST", "/api/network/trial/confirmation")
    assert kept["settings"]["address"] == "10.9.1.5/24"
    lan.plug.until("it is kept", lambda: lan.state("10.9.1.5") == "kept")
    lan.plug.until("nothing that goes back", lambda: lan.plug.show(TIMER, "ActiveState") == "inactive")
    assert lan.has("10.9.1.5", without="10.9.0.")
    assert "10.9.1.1" in lan.plug.do("ip", "route", "show", "default")
    # What a start does: /run is forgotten.
    lan.plug.do("sh", "-c", "rm -r /run/systemd/network/* /run/printmonitor-root/*", check=False)
    lan.plug.do("systemctl", "restart", "systemd-networkd.service")
    lan.plug.do("systemctl", "start", "printmonitor-network.service")
    lan.plug.until("the same address", lambda: lan.has("10.9.1.5", without="10.9.0."))


def test_ipv6_can_be_fixed_or_switched_off(lan: Lan) -> None:
    here = lan.lease if lan.has("10.9.0.") else "10.9.1.5"
    lan.ask(here, "POST", "/api/network/trial", {"ipv6": {"method": "static", "address": "2001:db8:9::7/64"}})
    lan.plug.until("the new address", lambda: lan.has("2001:db8:9::7"))
    lan.plug.until("an offer there", lambda: lan.state("2001:db8:9::7") == "trying")
    lan.ask(here, "POST", "/api/network/trial", {"ipv6": {"method": "off"}})
    lan.plug.until("no address of IPv6", lambda: lan.has(without="2001:") and lan.state(here) == "trying")
    lan.ask(here, "DELETE", "/api/network/trial")
    lan.plug.until("the way back", lambda: lan.has("2001:db8:9:"))
