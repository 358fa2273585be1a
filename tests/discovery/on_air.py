"""Plugs and printers on the air of the loopback interface, whose multicasts stay in this computer.

`python -m tests.discovery.on_air SCENARIO` plays one scenario; its exit code tells whether all went well.
Names are drawn by lot, as others may be on the same air.
"""

import asyncio
import random
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from appliance.discovery import mdns
from appliance.discovery.mdns import MdnsResponder
from appliance.discovery.mdns_cache import AnnouncedPrinter
from appliance.discovery.mdns_txt import DiscoveredPlug, PlugAnnouncement

LOOPBACK = ("127.0.0.1",)
WAIT = 15.0
GROUP = ("224.0.0.251", 5353)


class Plug:
    """What a Plug may change while it is on the air."""

    def __init__(
        self, name: str, address: str, lot: Callable[[float, float], float] = random.uniform
    ) -> None:
        self.notice: PlugAnnouncement | None = PlugAnnouncement(
            f"id of {address}", name, "Head office", "1.0", 8080
        )
        self.addresses: tuple[str, ...] = (address,)
        self.neighbours = MdnsResponder(
            lambda: self.notice,
            lambda: self.addresses,
            interfaces=LOOPBACK,
            check_interval=0.05,
            random_delay=lot,
        )

    @property
    def host(self) -> str | None:
        return self.neighbours.host

    @asynccontextmanager
    async def on_air(self, host: str | None = None) -> AsyncIterator["Plug"]:
        staying = asyncio.create_task(self.neighbours.run())
        try:
            if host:
                await until(lambda: self.host == host)
            yield self
        finally:
            staying.cancel()
            with suppress(asyncio.CancelledError):
                await staying


def _draw(least: float, most: float, share: float) -> float:
    return least + share * (most - least)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT):
        while not true():  # noqa: ASYNC110  what is looked at has no event
            await asyncio.sleep(0.02)


async def found(name: str, seconds: float = 1.5) -> list[DiscoveredPlug]:
    listed = await mdns.find_plugs(seconds, LOOPBACK)
    return sorted((plug for plug in listed if plug.name == name), key=lambda plug: plug.addresses)


async def a_plug_is_found_by_name_and_says_goodbye(name: str) -> None:
    async with Plug(name, "192.0.2.7").on_air(f"{name}.local"):
        (plug,) = await found(name)
        assert (plug.id, plug.site, plug.version) == ("id of 192.0.2.7", "Head office", "1.0")
        assert (plug.host, plug.url) == (f"{name}.local", "http://192.0.2.7:8080/")
        async with AsyncZeroconf(interfaces=list(LOOPBACK)) as air:
            pages = await air.async_get_service_info("_http._tcp.local.", f"{name}._http._tcp.local.")
            assert pages is not None
            assert (pages.port, pages.properties[b"path"]) == (8080, b"/")
    assert await found(name) == []


async def goodbye_is_heard_by_those_who_listen(name: str) -> None:
    gone = asyncio.Event()

    def note(**told: object) -> None:
        if told["state_change"] is ServiceStateChange.Removed and str(told["name"]).startswith(name):
            gone.set()

    async with AsyncZeroconf(interfaces=list(LOOPBACK)) as air:
        browser = AsyncServiceBrowser(air.zeroconf, mdns.PLUG_SERVICE, handlers=[note])
        async with Plug(name, "192.0.2.7").on_air(f"{name}.local"):
            assert not gone.is_set()
        async with asyncio.timeout(3):
            await gone.wait()
        await browser.async_cancel()


async def a_name_that_is_taken_gets_a_number_and_keeps_it(name: str) -> None:
    async with (
        Plug(name, "192.0.2.7").on_air(f"{name}.local"),
        Plug(name, "192.0.2.8").on_air(f"{name}-2.local") as other,
    ):
        one, two = await found(name)
        assert (one.host, one.addresses) == (f"{name}.local", ("192.0.2.7",))
        assert (two.host, two.addresses) == (f"{name}-2.local", ("192.0.2.8",))
        other.addresses = ("192.0.2.9",)
        await until(lambda: other.host is None)
        await until(lambda: other.host == f"{name}-2.local")


async def of_two_that_start_at_once_one_gives_way(name: str) -> None:
    """As after a power cut: neither was there first; their lots differ by less than a probe takes."""
    early, late = (partial(_draw, share=share) for share in (0.25, 0.5))
    async with (
        Plug(name, "192.0.2.7", early).on_air() as one,
        Plug(name, "192.0.2.8", late).on_air() as other,
    ):
        async with asyncio.timeout(2 * WAIT):
            seen: list[str | None] = []
            while len(set(seen)) != 2 or seen != [one.host, other.host]:
                seen = [plug.host for plug in await found(name)]
        assert sorted(map(str, seen)) == [f"{name}-2.local", f"{name}.local"]


async def the_host_name_alone_may_be_taken(name: str) -> None:
    """By a device that is no Plug: only its address record stands in the way."""
    kind = f"_k{secrets.token_hex(4)}._tcp.local."
    info = AsyncServiceInfo(kind, f"x.{kind}", 9, server=f"{name}.local.", parsed_addresses=["192.0.2.9"])
    async with AsyncZeroconf(interfaces=list(LOOPBACK)) as air:
        await (await air.async_register_service(info))
        async with Plug(name, "192.0.2.7").on_air(f"{name}-2.local"):
            pass


async def the_same_computer_may_have_the_name_already(name: str) -> None:
    """Such as by systemd-resolved."""
    kind = f"_k{secrets.token_hex(4)}._tcp.local."
    info = AsyncServiceInfo(kind, f"x.{kind}", 9, server=f"{name}.local.", parsed_addresses=["192.0.2.7"])
    async with AsyncZeroconf(interfaces=list(LOOPBACK)) as air:
        await (await air.async_register_service(info))
        async with Plug(name, "192.0.2.7").on_air(f"{name}.local"):
            pass


async def it_follows_its_network(name: str) -> None:
    plug = Plug(name, "192.0.2.7")
    plug.addresses = ()
    async with plug.on_air():
        await asyncio.sleep(0.2)
        assert plug.host is None
        plug.addresses = ("192.0.2.17", "2001:db8::17")
        await until(lambda: plug.host == f"{name}.local")
        assert [set(each.addresses) for each in await found(name)] == [{"192.0.2.17", "2001:db8::17"}]
        plug.addresses = ("192.0.2.18",)
        await until(lambda: plug.host is None)
        await until(lambda: plug.host == f"{name}.local")
        assert [each.addresses for each in await found(name)] == [("192.0.2.18",)]


async def it_follows_its_settings(name: str) -> None:
    async with Plug(name, "192.0.2.7").on_air(f"{name}.local") as plug:
        assert plug.notice
        plug.notice = replace(plug.notice, name=f"{name}x", site="Branch")
        await until(lambda: plug.host == f"{name}x.local")
        assert [each.site for each in await found(f"{name}x")] == ["Branch"]
        plug.notice = None
        await until(lambda: plug.host is None)
        assert await found(f"{name}x") == []


@asynccontextmanager
async def printer(name: str, address: str, txt: bytes | dict[str, str], *kinds: str) -> AsyncIterator[None]:
    """A printer that announces itself."""
    async with AsyncZeroconf(interfaces=list(LOOPBACK)) as air:
        infos = [
            AsyncServiceInfo(
                f"_{kind}._tcp.local.",
                f"{name}._{kind}._tcp.local.",
                631,
                properties=txt,
                server=f"{name}.local.",
                parsed_addresses=[address],
            )
            for kind in kinds
        ]
        await asyncio.gather(
            *[air.async_register_service(info, cooperating_responders=True) for info in infos]
        )
        yield


def heard(plug: Plug, name: str) -> list[AnnouncedPrinter]:
    return [each for each in plug.neighbours.cache.list_printers() if each.name.startswith(name)]


async def printers_that_announce_themselves_are_heard(name: str) -> None:
    said = {"ty": "Kyocera ECOSYS M2540dn", "note": "Room 3"}
    async with (
        printer(f"{name}-a", "192.0.2.40", said, "ipp", "pdl-datastream"),
        Plug(name, "192.0.2.7").on_air() as plug,
    ):
        await until(lambda: [each.services for each in heard(plug, name)] == [("ipp", "pdl-datastream")])
        async with printer(f"{name}-b", "192.0.2.41", {}, "uscan", "ipps", "printer"):
            await until(lambda: len(heard(plug, name)) == 2)
            await until(lambda: heard(plug, name)[1].services == ("ipps", "printer", "uscan"))
        await until(lambda: len(heard(plug, name)) == 1)
        (one,) = heard(plug, name)
        assert (one.address, one.model, one.location) == ("192.0.2.40", "Kyocera ECOSYS M2540dn", "Room 3")


async def hostile_announcements_are_harmless(name: str) -> None:
    hostile = b"\x05ty=\xff\xfe" + b"\x00" * 50 + b"\xffnote=" + b"<script>" * 40
    async with Plug(name, "192.0.2.7").on_air(f"{name}.local") as plug:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            for garbage in (
                b"",
                b"\xff" * 500,
                b"\0\0\x84\0\0\0\xff\xff\0\0\0\0" + b"\xc0\x0c" * 300,
                b"\0" * 12,
            ):
                sock.sendto(garbage, GROUP)
        async with printer(f"{name}-evil", "192.0.2.66", hostile, "ipp"):
            await until(lambda: len(heard(plug, name)) == 1)
        evil = next(iter(heard(plug, name)), None)
        assert plug.host == f"{name}.local"
        assert evil is None or evil.model is None or evil.model.isprintable()


SCENARIOS = {
    each.__name__: each
    for each in (
        a_plug_is_found_by_name_and_says_goodbye,
        goodbye_is_heard_by_those_who_listen,
        a_name_that_is_taken_gets_a_number_and_keeps_it,
        of_two_that_start_at_once_one_gives_way,
        the_host_name_alone_may_be_taken,
        the_same_computer_may_have_the_name_already,
        it_follows_its_network,
        it_follows_its_settings,
        printers_that_announce_themselves_are_heard,
        hostile_announcements_are_harmless,
    )
}


if __name__ == "__main__":
    asyncio.run(SCENARIOS[sys.argv[1]](f"pm-{secrets.token_hex(5)}"))
