"""Eclipse hawkBit's Direct Device Integration API, version 1: what it says, and how it is answered.

https://eclipse.dev/hawkbit/rest-api/ddi/. A device polls its base resource; links in it lead to an action, to
its cancellation, or ask for the device's attributes. Links are followed by their last part only, below the
address that was set: no answer leads the Plug, and its token, to another server.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from appliance.updates.http_client import Client, NotFetched

MOST_OCTETS = 256 << 10
MOST_DETAIL = 500  # characters; the server takes 512
SHORTEST, LONGEST, USUAL = 30.0, 86_400.0, 300.0  # seconds between two polls
SUFFIX = ".raucb"

Handling = Literal["skip", "attempt", "forced"]
HANDLINGS: tuple[Handling, ...] = ("skip", "attempt", "forced")
Execution = Literal["proceeding", "downloaded", "rejected", "closed"]
Finished = Literal["none", "success", "failure"]


class NotUsable(NotFetched):
    """The server's answer is not what the API describes, or not for a Plug."""


@dataclass(frozen=True, slots=True)
class Base:
    """The base resource: what there is to do."""

    sleep: float  # seconds until the next poll
    deployment: str = ""  # the last part of the link, "" where there is none
    cancel: str = ""
    wants_attributes: bool = False


@dataclass(frozen=True, slots=True)
class Artifact:
    url: str
    size: int | None
    sha256: str  # "": not told


@dataclass(frozen=True, slots=True)
class Deployment:
    """An action: a bundle to fetch and install."""

    id: str
    download: Handling
    update: Handling
    has_window: bool  # the server's maintenance window
    version: str
    artifact: Artifact | None  # None: there is not exactly one bundle


class Ddi:
    """One device's way to its server."""

    def __init__(self, client: Client, url: str, tenant: str, controller: str) -> None:
        self._client = client
        self._base = f"{url.rstrip('/')}/{quote(tenant, safe='')}/controller/v1/{quote(controller, safe='')}"

    async def base(self) -> Base:
        """Raises NotFetched."""
        found = await self._get("")
        links = _table(found, "_links")
        return Base(
            sleep=_seconds(_table(_table(found, "config"), "polling").get("sleep")),
            deployment=_last_part(links, "deploymentBase"),
            cancel=_last_part(links, "cancelAction"),
            wants_attributes="configData" in links,
        )

    async def deployment(self, link: str) -> Deployment:
        """Raises NotFetched."""
        return deployment(await self._get(f"deploymentBase/{link}"))

    async def cancel(self, link: str) -> str:
        """The action that is to be stopped. Raises NotFetched."""
        stop = _table(await self._get(f"cancelAction/{link}"), "cancelAction").get("stopId")
        return _id(stop)

    async def tell(
        self, action: str, execution: Execution, finished: Finished, details: Sequence[str] = ()
    ) -> None:
        """Feedback to an action. Raises NotFetched."""
        await self._client.send(
            "POST",
            f"{self._base}/deploymentBase/{action}/feedback",
            feedback(action, execution, finished, details),
        )

    async def tell_cancel(
        self, action: str, execution: Execution, finished: Finished, details: Sequence[str] = ()
    ) -> None:
        """Feedback to its cancellation. Raises NotFetched."""
        await self._client.send(
            "POST",
            f"{self._base}/cancelAction/{action}/feedback",
            feedback(action, execution, finished, details),
        )

    async def put_attributes(self, attributes: Mapping[str, str]) -> None:
        """Raises NotFetched."""
        body = {"mode": "merge", "data": dict(attributes)}
        await self._client.send("PUT", f"{self._base}/configData", body)

    async def _get(self, path: str) -> dict[str, object]:
        url = f"{self._base}/{path}" if path else self._base
        reply = await self._client.get(url, most=MOST_OCTETS)
        try:
            found = json.loads(reply.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise NotUsable("the fleet server's answer is no JSON object")
        return found


def feedback(
    action: str, execution: Execution, finished: Finished, details: Sequence[str]
) -> dict[str, object]:
    """DdiActionFeedback; `id` is what servers before 0.4 want."""
    status = {
        "execution": execution,
        "result": {"finished": finished},
        "details": [each[:MOST_DETAIL] for each in details],
    }
    return {"id": action, "status": status}


def deployment(found: Mapping[str, object]) -> Deployment:
    """DdiDeploymentBase. Raises NotUsable."""
    told = _table(found, "deployment")
    chunks = told.get("chunks")
    bundles = [
        (str(chunk.get("version", "")), artifact)
        for chunk in (chunks if isinstance(chunks, list) else [])
        if isinstance(chunk, dict)
        for artifact in _artifacts(chunk)
    ]
    only = bundles[0] if len(bundles) == 1 else None
    return Deployment(
        id=_id(found.get("id")),
        download=_handling(told, "download"),
        update=_handling(told, "update"),
        has_window="maintenanceWindow" in told,
        version=only[0] if only else "",
        artifact=only[1] if only else None,
    )


def _artifacts(chunk: Mapping[str, object]) -> list[Artifact]:
    listed = chunk.get("artifacts")
    return [
        artifact
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and str(each.get("filename", "")).endswith(SUFFIX)
        if (artifact := _artifact(each))
    ]


def _artifact(found: Mapping[str, object]) -> Artifact | None:
    links, size = _table(found, "_links"), found.get("size")
    # Plain HTTP is as good where nothing else is offered: the bundle is signed.
    url = _table(links, "download").get("href") or _table(links, "download-http").get("href")
    if not isinstance(url, str) or not re.fullmatch(r"https?://[!-~]{1,2000}", url):
        return None
    sha256 = _table(found, "hashes").get("sha256")
    return Artifact(
        url=url,
        size=size if isinstance(size, int) and size > 0 else None,
        sha256=sha256 if isinstance(sha256, str) else "",
    )


def _handling(told: Mapping[str, object], key: str) -> Handling:
    found = next((each for each in HANDLINGS if each == told.get(key)), None)
    if found is None:
        raise NotUsable(f"the fleet server does not say how to do the {key}")
    return found


def _id(found: object) -> str:
    if not isinstance(found, str) or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", found):
        raise NotUsable("the fleet server names no action")
    return found


def _table(found: Mapping[str, object], key: str) -> Mapping[str, object]:
    table = found.get(key)
    return table if isinstance(table, dict) else {}


def _last_part(links: Mapping[str, object], name: str) -> str:
    href = _table(links, name).get("href")
    try:
        parts = urlsplit(href) if isinstance(href, str) else None
    except ValueError:
        return ""
    last = parts.path.rpartition("/")[2] if parts else ""
    if parts is None or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", last):
        return ""
    return f"{last}?{parts.query}" if re.fullmatch(r"[\w.=&%-]{1,200}", parts.query) else last


def _seconds(sleep: object) -> float:
    """Of HH:mm:ss."""
    found = re.fullmatch(r"(\d{1,3}):([0-5]\d):([0-5]\d)", sleep) if isinstance(sleep, str) else None
    if found is None:
        return USUAL
    told = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])
    return min(max(float(told), SHORTEST), LONGEST)
