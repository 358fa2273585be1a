"""Read a Canon's counters from `dcounter.cgi` of its Remote UI, whose script writes them by Canon's numbers.

The page requires a cookie that the start page sets. If a login is required, user name and password of the
discovery entry are the department ID (or user) and its PIN.
"""

import re

from appliance.domain.messages import Message
from appliance.domain.model import CounterName
from appliance.ews import html_tables
from appliance.ews.errors import EwsUnavailableError
from appliance.ews.html_tables import MAX_COUNT
from appliance.ews.http_client import EwsClient, EwsResponse
from appliance.ews.models import EwsData

START_PATH = "/"
COUNTER_PATHS = ("/dcounter.cgi", "/rps/dcounter.cgi")  # small devices, large devices
LOGIN_PATH = "/login"

VALUE_PATTERN = re.compile(r"""write_value\(\s*["'](\d{1,5})["']\s*,\s*["']?(\d{1,19})["']?\s*\)""")
MAX_VALUES = 2_000

COUNTER_BY_NUMBER = {  # Canon's counter numbers
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
    """Return the counters, from `path` first if given. Raises EwsError."""
    await client.get(START_PATH)  # sets the cookie
    login_required = False
    for page_path in dict.fromkeys((path or COUNTER_PATHS[0], *COUNTER_PATHS)):
        response = await client.get(page_path)
        values = parse_values(response.text) if response.status == 200 else {}
        if values:
            return EwsData(page_path, extract_counters(values))
        login_required |= _requires_login(response)
    if not login_required:
        raise EwsUnavailableError(Message("ews.no_counters"))
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
    for page_path in reversed(COUNTER_PATHS):
        response = await client.get(page_path)
        values = parse_values(response.text) if response.status == 200 else {}
        if values:
            return EwsData(page_path, extract_counters(values))
        if _requires_login(response):
            raise client.rejected_error()
    raise EwsUnavailableError(Message("ews.no_counters_after_login"))


def parse_values(html: str) -> dict[int, int]:
    """Return the values that the page's script writes, by Canon's numbers."""
    values: dict[int, int] = {}
    for match in VALUE_PATTERN.finditer(html):
        if len(values) >= MAX_VALUES:
            break
        if int(match[2]) <= MAX_COUNT:
            values.setdefault(int(match[1]), int(match[2]))
    return values


def extract_counters(values: dict[int, int]) -> dict[CounterName, int]:
    return {name: values[number] for number, name in COUNTER_BY_NUMBER.items() if number in values}


def _requires_login(response: EwsResponse) -> bool:
    return response.status in (401, 403) or (
        response.status == 200
        and any(field.type == "password" for field in html_tables.parse_form_fields(response.text))
    )
