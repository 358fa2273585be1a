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

from appliance.domain.messages import Message
from appliance.updates.http_client import UpdateClient, UpdateFetchError

MAX_RESPONSE_BYTES = 256 << 10
MAX_DETAIL_CHARS = 500  # characters; the server takes 512
MIN_SLEEP_S, MAX_SLEEP_S, DEFAULT_SLEEP_S = 30.0, 86_400.0, 300.0  # seconds between two polls
BUNDLE_SUFFIX = ".raucb"

Handling = Literal["skip", "attempt", "forced"]
HANDLINGS: tuple[Handling, ...] = ("skip", "attempt", "forced")
Execution = Literal["proceeding", "downloaded", "rejected", "closed"]
Finished = Literal["none", "success", "failure"]


class HawkbitResponseError(UpdateFetchError):
    """The server's answer is not what the API describes, or not for a Plug."""


@dataclass(frozen=True, slots=True)
class BaseResource:
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


class HawkbitApi:
    """One device's way to its server."""

    def __init__(self, client: UpdateClient, url: str, tenant: str, controller: str) -> None:
        self._client = client
        self._base_url = (
            f"{url.rstrip('/')}/{quote(tenant, safe='')}/controller/v1/{quote(controller, safe='')}"
        )

    async def get_base(self) -> BaseResource:
        """Raises NotFetched."""
        found = await self._get_json("")
        links = _get_table(found, "_links")
        return BaseResource(
            sleep=_parse_sleep(_get_table(_get_table(found, "config"), "polling").get("sleep")),
            deployment=_link_target(links, "deploymentBase"),
            cancel=_link_target(links, "cancelAction"),
            wants_attributes="configData" in links,
        )

    async def get_deployment(self, link: str) -> Deployment:
        """Raises NotFetched."""
        return parse_deployment(await self._get_json(f"deploymentBase/{link}"))

    async def get_cancel_action(self, link: str) -> str:
        """The action that is to be stopped. Raises NotFetched."""
        stop = _get_table(await self._get_json(f"cancelAction/{link}"), "cancelAction").get("stopId")
        return _parse_action_id(stop)

    async def send_feedback(
        self, action: str, execution: Execution, finished: Finished, details: Sequence[str] = ()
    ) -> None:
        """Feedback to an action. Raises NotFetched."""
        await self._client.send(
            "POST",
            f"{self._base_url}/deploymentBase/{action}/feedback",
            build_feedback(action, execution, finished, details),
        )

    async def send_cancel_feedback(
        self, action: str, execution: Execution, finished: Finished, details: Sequence[str] = ()
    ) -> None:
        """Feedback to its cancellation. Raises NotFetched."""
        await self._client.send(
            "POST",
            f"{self._base_url}/cancelAction/{action}/feedback",
            build_feedback(action, execution, finished, details),
        )

    async def put_attributes(self, attributes: Mapping[str, str]) -> None:
        """Raises NotFetched."""
        body = {"mode": "merge", "data": dict(attributes)}
        await self._client.send("PUT", f"{self._base_url}/configData", body)

    async def _get_json(self, path: str) -> dict[str, object]:
        url = f"{self._base_url}/{path}" if path else self._base_url
        reply = await self._client.get(url, max_bytes=MAX_RESPONSE_BYTES)
        try:
            found = json.loads(reply.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise HawkbitResponseError(Message("hawkbit.no_json"))
        return found


def build_feedback(
    action: str, execution: Execution, finished: Finished, details: Sequence[str]
) -> dict[str, object]:
    """DdiActionFeedback; `id` is what servers before 0.4 want."""
    status = {
        "execution": execution,
        "result": {"finished": finished},
        "details": [each[:MAX_DETAIL_CHARS] for each in details],
    }
    return {"id": action, "status": status}


def parse_deployment(document: Mapping[str, object]) -> Deployment:
    """DdiDeploymentBase. Raises NotUsable."""
    told = _get_table(document, "deployment")
    chunks = told.get("chunks")
    bundles = [
        (str(chunk.get("version", "")), artifact)
        for chunk in (chunks if isinstance(chunks, list) else [])
        if isinstance(chunk, dict)
        for artifact in _parse_artifacts(chunk)
    ]
    only = bundles[0] if len(bundles) == 1 else None
    return Deployment(
        id=_parse_action_id(document.get("id")),
        download=_parse_handling(told, "download"),
        update=_parse_handling(told, "update"),
        has_window="maintenanceWindow" in told,
        version=only[0] if only else "",
        artifact=only[1] if only else None,
    )


def _parse_artifacts(chunk: Mapping[str, object]) -> list[Artifact]:
    listed = chunk.get("artifacts")
    return [
        artifact
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and str(each.get("filename", "")).endswith(BUNDLE_SUFFIX)
        if (artifact := _parse_artifact(each))
    ]


def _parse_artifact(document: Mapping[str, object]) -> Artifact | None:
    links, size = _get_table(document, "_links"), document.get("size")
    # Plain HTTP is as good where nothing else is offered: the bundle is signed.
    url = _get_table(links, "download").get("href") or _get_table(links, "download-http").get("href")
    if not isinstance(url, str) or not re.fullmatch(r"https?://[!-~]{1,2000}", url):
        return None
    sha256 = _get_table(document, "hashes").get("sha256")
    return Artifact(
        url=url,
        size=size if isinstance(size, int) and size > 0 else None,
        sha256=sha256 if isinstance(sha256, str) else "",
    )


def _parse_handling(document: Mapping[str, object], key: str) -> Handling:
    found = next((each for each in HANDLINGS if each == document.get(key)), None)
    if found is None:
        raise HawkbitResponseError(Message("hawkbit.no_link", key=key))
    return found


def _parse_action_id(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", value):
        raise HawkbitResponseError(Message("hawkbit.no_action"))
    return value


def _get_table(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    table = document.get(key)
    return table if isinstance(table, dict) else {}


def _link_target(links: Mapping[str, object], name: str) -> str:
    href = _get_table(links, name).get("href")
    try:
        parts = urlsplit(href) if isinstance(href, str) else None
    except ValueError:
        return ""
    last = parts.path.rpartition("/")[2] if parts else ""
    if parts is None or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", last):
        return ""
    return f"{last}?{parts.query}" if re.fullmatch(r"[\w.=&%-]{1,200}", parts.query) else last


def _parse_sleep(sleep: object) -> float:
    """Of HH:mm:ss."""
    found = re.fullmatch(r"(\d{1,3}):([0-5]\d):([0-5]\d)", sleep) if isinstance(sleep, str) else None
    if found is None:
        return DEFAULT_SLEEP_S
    told = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])
    return min(max(float(told), MIN_SLEEP_S), MAX_SLEEP_S)
