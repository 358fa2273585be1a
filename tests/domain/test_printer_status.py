import pytest

from appliance.domain.model import Details, Supply
from appliance.domain.printer_status import assess_printer
from appliance.domain.supplies import assess_supplies

OK = Supply(1, 3, 3, max_capacity=100, level=60)
LOW = Supply(2, 3, 3, max_capacity=100, level=5)
EMPTY = Supply(3, 3, 3, max_capacity=100, level=0)
FULL = Supply(4, 4, 4, max_capacity=100, level=0)


@pytest.mark.parametrize(
    ("details", "supplies", "state"),
    [
        (Details(), [OK], "ok"),
        (Details(errors=("lowPaper",)), [OK], "warning"),
        (Details(errors=("lowPaper", "jammed")), [], "error"),
        (Details(device_status=5), [], "error"),
        (Details(device_status=3), [], "warning"),
        (Details(), [OK, LOW], "warning"),
        (Details(), [LOW, EMPTY], "error"),
        (Details(), [OK, FULL], "error"),
    ],
)
def test_a_printer_is_in_one_state(details: Details, supplies: list[Supply], state: str) -> None:
    assessed = assess_supplies(supplies)
    assert assess_printer(details, assessed, responding=True, ignored=False) == state
    assert assess_printer(details, assessed, responding=False, ignored=False) == "silent"
    assert assess_printer(details, assessed, responding=False, ignored=True) == "ignored"
