"""Judge what needs attention: one list of reasons with codes, for web UI, CLI, metrics, LED and events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from appliance.domain import sending
from appliance.domain.messages import Message
from appliance.domain.printer_status import AssessedPrinter, cannot_print
from appliance.domain.sending import NO_PARCELS, ParcelCounts, SendingObstacle
from appliance.domain.supplies import STATES_NOW, STATES_SOON, AssessedSupply, SupplyState

ReasonCode = Literal[
    "printer-error",
    "printer-silent",
    "supply-empty",
    "supply-low",
    "parcel-refused",
    "parcels-waiting",
    "licence",
    "settings",
    "poller",
    "traps",
    "no-entries",
    "transmission-off",
    "event",
]
Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

OUTBOX_EVENT_KIND, LICENCE_EVENT_KIND = "outbox growing", "licence"

# The LED shows trouble of the Plug itself; a printer without paper is not among it.
LED_EVENT_KINDS = frozenset({LICENCE_EVENT_KIND, "disk nearly full", "database not usable"})


class OngoingEvent(Protocol):
    """An event that has begun and not ended."""

    @property
    def kind(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def begun_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class PlugFacts:
    """The facts about this Plug that decide what needs attention."""

    now: datetime
    settings_problems: tuple[str, ...] = ()
    poller_running: bool = True
    trap_receiver_running: bool = True  # also True where traps are switched off
    has_entries: bool = True
    sending_obstacle: SendingObstacle | None = None
    parcels: ParcelCounts = NO_PARCELS
    events: tuple[OngoingEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class AttentionReason:
    """Something that needs attention.

    `text` is a Message (English text with code and parameters); `detail` holds the names of a printer's
    errors, a supply's name or a reason; `percent` is what remains of a supply.
    """

    code: ReasonCode
    severity: Severity
    text: str
    subject: str | None = None
    detail: str | None = None
    printer_id: int | None = None
    percent: float | None = None
    since: datetime | None = None
    on_led: bool = False


def list_reasons(facts: PlugFacts, printers: Iterable[AssessedPrinter] = ()) -> list[AttentionReason]:
    """Return all reasons, the worst first."""
    reasons = [*plug_reasons(facts), *printer_reasons(printers), *_event_reasons(facts)]
    return sort_reasons(reasons)


def sort_reasons(reasons: Iterable[AttentionReason]) -> list[AttentionReason]:
    """Return the reasons with the worst first, else in their order."""
    return sorted(reasons, key=lambda reason: SEVERITIES.index(reason.severity))


def plug_reasons(facts: PlugFacts) -> Iterator[AttentionReason]:
    """Yield what needs attention about this Plug, except for ongoing events."""
    for problem in facts.settings_problems:
        yield AttentionReason(
            "settings", "error", Message("attention.settings", problem=problem), detail=problem
        )
    if not facts.poller_running:
        yield AttentionReason("poller", "error", Message("attention.poller"))
    if not facts.trap_receiver_running:
        yield AttentionReason("traps", "error", Message("attention.trap_receiver"))
    if not facts.has_entries:
        yield AttentionReason("no-entries", "info", Message("attention.no_entries"))
    if facts.sending_obstacle:
        yield _obstacle_reason(facts.sending_obstacle)
    yield from _parcel_reasons(facts)


def printer_reasons(printers: Iterable[AssessedPrinter]) -> Iterator[AttentionReason]:
    """Yield one reason, the worst, for each printer in the state error, warning or silent."""
    for printer in printers:
        reason = printer_reason(printer)
        if reason:
            yield reason


def printer_reason(printer: AssessedPrinter) -> AttentionReason | None:
    """Return the worst reason why a printer needs attention; None if it is ok or ignored."""
    if printer.state == "silent":
        return AttentionReason(
            "printer-silent",
            "warning",
            Message("attention.silent", reason=printer.failure),
            printer.name,
            printer.failure,
            printer.id,
            since=printer.seen_at,
        )
    if printer.state not in ("error", "warning"):
        return None
    if cannot_print(printer.details):
        return _device_reason(printer)
    worst = _worst_supply(printer.supplies)
    return _supply_reason(printer, worst) if worst else _device_reason(printer)


def _device_reason(printer: AssessedPrinter) -> AttentionReason:
    """Return a reason that the printer itself reports."""
    errors = " ".join(printer.details.errors) or None
    if printer.state == "error":
        text = Message("attention.cannot_print", reason=errors or Message("attention.down"))
        return AttentionReason("printer-error", "error", text, printer.name, errors, printer.id)
    text = Message("attention.warns", reason=errors or Message("attention.device_warning"))
    return AttentionReason("printer-error", "warning", text, printer.name, errors, printer.id)


def _supply_reason(printer: AssessedPrinter, worst: AssessedSupply) -> AttentionReason:
    supply = worst.supply
    name = supply.description or supply.color or f"#{supply.index}"
    now = worst.state in STATES_NOW
    return AttentionReason(
        "supply-empty" if now else "supply-low",
        "error" if now else "warning",
        _supply_message(worst.state, name),
        printer.name,
        name,
        printer.id,
        percent=worst.remaining_percent,
    )


def _supply_message(state: SupplyState, name: str) -> Message:
    match state:
        case "full":
            return Message("attention.supply_full", supply=name)
        case "nearly-full":
            return Message("attention.supply_nearly_full", supply=name)
        case "empty":
            return Message("attention.supply_empty", supply=name)
    return Message("attention.supply_low", supply=name)


def _worst_supply(supplies: Iterable[AssessedSupply]) -> AssessedSupply | None:
    """Return the supply that has to be replaced first: empty or full ones before low or nearly full ones."""
    due = [assessed for assessed in supplies if assessed.state in STATES_NOW | STATES_SOON]
    return min(
        due,
        key=lambda assessed: (assessed.state not in STATES_NOW, assessed.remaining_percent or 0.0),
        default=None,
    )


def _obstacle_reason(obstacle: SendingObstacle) -> AttentionReason:
    match obstacle.code:
        case "transmission-off":
            return AttentionReason("transmission-off", "info", obstacle.text, on_led=True)
        case "no-destination":
            return AttentionReason("settings", "error", obstacle.text, on_led=True)
    return AttentionReason("licence", "error", obstacle.text, on_led=True)


def _parcel_reasons(facts: PlugFacts) -> Iterator[AttentionReason]:
    parcels, obstacle = facts.parcels, facts.sending_obstacle
    if parcels.refused:
        text = Message("attention.refused", count=parcels.refused)
        yield AttentionReason("parcel-refused", "error", text, str(parcels.refused), on_led=True)
    if obstacle and obstacle.code == "transmission-off":
        return
    if sending.is_backlog(parcels, facts.now):
        reason = parcels.error or Message("attention.not_tried")
        yield AttentionReason(
            "parcels-waiting",
            "warning",
            Message("attention.waiting", count=parcels.waiting, reason=reason),
            str(parcels.waiting),
            parcels.error,
            since=parcels.oldest_waiting_at,
            on_led=True,
        )


def _event_reasons(facts: PlugFacts) -> Iterator[AttentionReason]:
    """Yield the ongoing events; those that another reason already states are left out."""
    stated = {OUTBOX_EVENT_KIND}
    if facts.sending_obstacle and facts.sending_obstacle.code == "licence":
        stated.add(LICENCE_EVENT_KIND)
    for event in facts.events:
        if event.kind not in stated:
            yield AttentionReason(
                "event",
                "warning",
                event.text,
                event.subject,
                event.text,
                since=event.begun_at,
                on_led=event.kind in LED_EVENT_KINDS,
            )
