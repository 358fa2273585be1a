"""What came of a run, for people and for scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from appliance.cli import formatting, reading_report, terminal
from appliance.cli.json_output import record_to_json, to_json
from appliance.delivery.outbox import Parcel
from appliance.domain.model import PollCost
from appliance.storage import jobs

EXIT_OK, EXIT_PRINTERS_FAILED, EXIT_RUN_FAILED, EXIT_NOT_SENT, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

ProblemKind = Literal["failed", "incomplete", "skipped"]
PROBLEM_KINDS: tuple[ProblemKind, ...] = ("failed", "incomplete", "skipped")


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A run that has ended, with what became of its parcel so far."""

    kind: jobs.JobKind
    state: jobs.JobState
    result: Mapping[str, object]  # as the job's row tells it
    parcel: Parcel | None = None
    not_sent: str | None = None  # why nothing left the site, where something should have

    def get_count(self, name: str) -> int:
        value = self.result.get(name)
        return value if isinstance(value, int) else 0

    def list_problems(self, name: ProblemKind) -> list[tuple[str, str]]:
        """Return who and why, as far as they are named."""
        rows = self.result.get(name)
        found = []
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, Mapping):
                who = f"{row['name']} ({row['host']})" if row.get("name") else str(row.get("host"))
                found.append((who, str(row.get("reason"))))
        return found

    @property
    def cost(self) -> PollCost:
        values = self.result.get("cost")
        if not isinstance(values, Mapping):
            return PollCost()
        return PollCost(int(values["packets"]), int(values["bytes"]), float(values["seconds"]))

    @property
    def exit_code(self) -> int:
        if self.state == "interrupted":
            return EXIT_INTERRUPTED
        if self.state != "done":
            return EXIT_RUN_FAILED
        if self.not_sent:
            return EXIT_NOT_SENT
        return (
            EXIT_PRINTERS_FAILED
            if self.get_count("failed_total") or self.get_count("incomplete_total")
            else EXIT_OK
        )


def print_outcome(outcome: RunOutcome, as_json: bool) -> None:
    """Write the outcome; failures and what was not sent go to standard error."""
    if as_json:
        terminal.print_json(_serialize_outcome(outcome))
        return
    for name in PROBLEM_KINDS:
        named = outcome.list_problems(name)
        for who, why in named:
            terminal.print_message(f"{name}: {terminal.sanitize(who)}: {terminal.sanitize(why)}")
        more = outcome.get_count(f"{name}_total") - len(named)
        if more > 0:
            terminal.print_message(f"{name}: and {more:,} more")
    if outcome.state == "failed":
        terminal.print_message(
            f"{outcome.kind} failed: {terminal.sanitize(str(outcome.result.get('reason', '')))}"
        )
        return
    terminal.print_line(_format_summary(outcome))
    terminal.print_line(reading_report.format_cost(outcome.cost))
    if outcome.parcel:
        terminal.print_line(
            f"Parcel: {outcome.parcel.name}, {outcome.parcel.size:,} bytes, {outcome.parcel.state}"
        )
    if outcome.not_sent:
        terminal.print_message(f"not sent: {terminal.sanitize(outcome.not_sent)}")


def _format_summary(outcome: RunOutcome) -> str:
    printers = formatting.format_count(outcome.get_count("read"), "printer")
    parts = [f"{outcome.kind}: {printers} read, {outcome.get_count('failed_total'):,} failed"]
    if outcome.get_count("incomplete_total"):
        parts.append(f"{outcome.get_count('incomplete_total'):,} not read in all parts")
    if outcome.kind == "discover":
        parts.append(f"{outcome.get_count('skipped_total'):,} skipped")
        addresses = "address" if outcome.get_count("asked") == 1 else "addresses"
        parts.append(
            f"{outcome.get_count('asked'):,} {addresses} asked, {outcome.get_count('answered'):,} answered"
        )
    if outcome.get_count("left_alone"):
        parts.append(f"{outcome.get_count('left_alone'):,} known ones are in no discovery entry")
    if outcome.state == "interrupted":
        parts.append("interrupted")
    return "; ".join(parts)


def _serialize_outcome(outcome: RunOutcome) -> dict[str, terminal.Json]:
    document = {name: to_json(value) for name, value in outcome.result.items()}
    document["kind"], document["state"] = outcome.kind, outcome.state
    document["bytes_on_the_wire"] = reading_report.bytes_on_wire(outcome.cost)
    document["parcel"] = record_to_json(outcome.parcel) if outcome.parcel else None
    document["not_sent"] = outcome.not_sent
    return document


def attach_parcel(outcome: RunOutcome, parcel: Parcel | None, delivery_error: str | None) -> RunOutcome:
    """Add what became of the parcel; `trouble` is why parcels wait in general."""
    if parcel is None:
        reason = outcome.result.get("not_handed_over")
        return replace(outcome, not_sent=str(reason) if reason else None)
    if parcel.state == "delivered":
        return replace(outcome, parcel=parcel)
    reason = parcel.error or delivery_error or "it was not tried yet"
    kept = "it is set aside" if parcel.state == "refused" else "the parcel is kept"
    return replace(outcome, parcel=parcel, not_sent=f"{reason}; {kept}")
