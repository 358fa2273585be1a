"""Canon: `dcounter.cgi` of the Remote UI, whose script writes the counters by Canon's own numbers.

A first visit to the start page gives the cookie that the counters want; where a login stands before it, the
entry's name and password are the department id (or user) and its PIN.
"""

import re

from appliance.domain.model import CounterName
from appliance.ews import html_tables
from appliance.ews.http_client import EwsClient, EwsResponse
from appliance.ews.number_parser import MAX_COUNT
from appliance.ews.result import EwsData, EwsUnavailableError

START_PATH = "/"
COUNTER_PATHS = ("/dcounter.cgi", "/rps/dcounter.cgi")  # smaller, larger devices
LOGIN_PATH = "/login"

VALUE_PATTERN = re.compile(r"""write_value\(\s*["'](\d{1,5})["']\s*,\s*["']?(\d{1,19})["']?\s*\)""")
MAX_VALUES = 2_000

COUNTER_BY_NUMBER = {  # Canon's counters
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


async def read_counters(client: EwsClient, path: str = "", _: int | None = None) -> EwsData:
    """The counters, from `path` where it is known."""
    await client.get(START_PATH)  # for its cookie
    locked = False
    for place in dict.fromkeys((path or COUNTER_PATHS[0], *COUNTER_PATHS)):
        answer = await client.get(place)
        found = parse_values(answer.text) if answer.status == 200 else {}
        if found:
            return EwsData(place, extract_counters(found))
        locked |= _requires_login(answer)
    if not locked:
        raise EwsUnavailableError("the printer has no page with counters")
    return await _read_after_login(client)


async def _read_after_login(client: EwsClient) -> EwsData:
    credentials = client.require_credentials()
    await client.switch_to_https()
    form = {
        "deptid": credentials.username,
        "username": credentials.username,
        "password": credentials.password,
        "uri": "/rps/",
    }
    await client.post(LOGIN_PATH, form)
    for place in reversed(COUNTER_PATHS):
        answer = await client.get(place)
        found = parse_values(answer.text) if answer.status == 200 else {}
        if found:
            return EwsData(place, extract_counters(found))
        if _requires_login(answer):
            raise client.rejected_error()
    raise EwsUnavailableError("the printer has no page with counters, even after login")


def parse_values(html: str) -> dict[int, int]:
    """What the page's script writes, by Canon's numbers."""
    found: dict[int, int] = {}
    for match in VALUE_PATTERN.finditer(html):
        if len(found) >= MAX_VALUES:
            break
        if int(match[2]) <= MAX_COUNT:
            found.setdefault(int(match[1]), int(match[2]))
    return found


def extract_counters(values: dict[int, int]) -> dict[CounterName, int]:
    return {name: values[number] for number, name in COUNTER_BY_NUMBER.items() if number in values}


def _requires_login(response: EwsResponse) -> bool:
    return response.status in (401, 403) or (
        response.status == 200
        and any(field.type == "password" for field in html_tables.parse_form_fields(response.text))
    )
