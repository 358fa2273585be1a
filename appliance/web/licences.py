"""What the page says of the licence."""

from datetime import datetime

from appliance.config import Home
from appliance.licence import state
from appliance.web.times import stamp
from appliance.web.values import Json


def licence(home: Home, now: datetime) -> dict[str, Json]:
    """Licence, as openapi.json has it."""
    standing = state.status(home.folder, now)
    found = standing.licence
    return {
        "state": standing.state,
        "text": f"{standing.text[:1].upper()}{standing.text[1:]}.",
        "valid_until": stamp(found.valid_until) if found else None,
        "customer": found.customer if found else None,
        "printers": found.printers if found else None,
    }
