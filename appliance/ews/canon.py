"""Canon: `dcounter.cgi` of the Remote UI, whose script writes the counters by Canon's own numbers.

A first visit to the start page gives the cookie that the counters want; where a login stands before it, the
entry's name and password are the department id (or user) and its PIN.
"""

import re

from appliance.domain.model import CounterName
from appliance.ews import html_tables
from appliance.ews.http_client import Answer, Client
from appliance.ews.number_parser import LARGEST
from appliance.ews.result import NoPage, Page

START = "/"
PLACES = ("/dcounter.cgi", "/rps/dcounter.cgi")  # smaller, larger devices
LOGIN = "/login"

VALUE = re.compile(r"""write_value\(\s*["'](\d{1,5})["']\s*,\s*["']?(\d{1,19})["']?\s*\)""")
MOST_VALUES = 2_000

NUMBERS = {  # Canon's counters
    101: CounterName.TOTAL,
    103: CounterName.LARGE,
    105: CounterName.TOTAL_COLOR,
    108: CounterName.TOTAL_BLACK,
    114: CounterName.DUPLEX,
    201: CounterName.COPY_TOTAL,
    217: CounterName.COPY_FULL_COLOR,
    219: CounterName.COPY_SINGLE_COLOR,
    221: CounterName.COPY_BLACK,
    301: CounterName.PRINT_TOTAL,
    309: CounterName.PRINT_FULL_COLOR,
    311: CounterName.PRINT_SINGLE_COLOR,
    313: CounterName.PRINT_BLACK,
    501: CounterName.SCAN,
    701: CounterName.FAX,
}


async def read(client: Client, path: str = "", _: int | None = None) -> Page:
    """The counters, from `path` where it is known."""
    await client.get(START)  # for its cookie
    locked = False
    for place in dict.fromkeys((path or PLACES[0], *PLACES)):
        answer = await client.get(place)
        found = values(answer.text) if answer.status == 200 else {}
        if found:
            return Page(place, counters(found))
        locked |= _is_locked(answer)
    if not locked:
        raise NoPage("the printer has no page with counters")
    return await _behind_login(client)


async def _behind_login(client: Client) -> Page:
    credentials = client.credentials()
    await client.secure()
    form = {
        "deptid": credentials.username,
        "username": credentials.username,
        "password": credentials.password,
        "uri": "/rps/",
    }
    await client.post(LOGIN, form)
    for place in reversed(PLACES):
        answer = await client.get(place)
        found = values(answer.text) if answer.status == 200 else {}
        if found:
            return Page(place, counters(found))
        if _is_locked(answer):
            raise client.refuse()
    raise NoPage("the printer has no page with counters, even after login")


def values(page: str) -> dict[int, int]:
    """What the page's script writes, by Canon's numbers."""
    found: dict[int, int] = {}
    for match in VALUE.finditer(page):
        if len(found) >= MOST_VALUES:
            break
        if int(match[2]) <= LARGEST:
            found.setdefault(int(match[1]), int(match[2]))
    return found


def counters(found: dict[int, int]) -> dict[CounterName, int]:
    return {name: found[number] for number, name in NUMBERS.items() if number in found}


def _is_locked(answer: Answer) -> bool:
    return answer.status in (401, 403) or (
        answer.status == 200 and any(field.type == "password" for field in html_tables.inputs(answer.text))
    )
