"""What came of a run, for people and for scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from appliance.cli import reading_report, terminal
from appliance.cli.json_output import plain, record
from appliance.delivery.outbox import Parcel
from appliance.domain.model import Cost
from appliance.mib import enum_labels
from appliance.storage import jobs

DONE, PRINTERS_FAILED, WRONG, NOT_SENT, INTERRUPTED = 0, 1, 2, 3, 130

Named = Literal["failed", "incomplete", "skipped"]
NAMED: tuple[Named, ...] = ("failed", "incomplete", "skipped")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that has ended, with what became of its parcel so far."""

    kind: jobs.JobKind
    state: jobs.JobState
    result: Mapping[str, object]  # as the job's row tells it
    parcel: Parcel | None = None
    not_sent: str | None = None  # why nothing left the site, where something should have

    def number(self, name: str) -> int:
        value = self.result.get(name)
        return value if isinstance(value, int) else 0

    def named(self, name: Named) -> list[tuple[str, str]]:
        """Return who and why, as far as they are named."""
        rows = self.result.get(name)
        found = []
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, Mapping):
                who = f"{row['name']} ({row['host']})" if row.get("name") else str(row.get("host"))
                found.append((who, str(row.get("reason"))))
        return found

    @property
    def cost(self) -> Cost:
        values = self.result.get("cost")
        if not isinstance(values, Mapping):
            return Cost()
        return Cost(int(values["packets"]), int(values["bytes"]), float(values["seconds"]))

    @property
    def exit_code(self) -> int:
        if self.state == "interrupted":
            return INTERRUPTED
        if self.state != "done":
            return WRONG
        if self.not_sent:
            return NOT_SENT
        return PRINTERS_FAILED if self.number("failed_total") or self.number("incomplete_total") else DONE


def show(outcome: Outcome, as_json: bool) -> None:
    """Write the outcome; failures and what was not sent go to standard error."""
    if as_json:
        terminal.document(_document(outcome))
        return
    for name in NAMED:
        named = outcome.named(name)
        for who, why in named:
            terminal.tell(f"{name}: {terminal.clean(who)}: {terminal.clean(why)}")
        more = outcome.number(f"{name}_total") - len(named)
        if more > 0:
            terminal.tell(f"{name}: and {more:,} more")
    if outcome.state == "failed":
        terminal.tell(f"{outcome.kind} failed: {terminal.clean(str(outcome.result.get('reason', '')))}")
        return
    terminal.say(_numbers(outcome))
    terminal.say(reading_report.cost(outcome.cost))
    if outcome.parcel:
        terminal.say(f"Parcel: {outcome.parcel.name}, {outcome.parcel.size:,} bytes, {outcome.parcel.state}")
    if outcome.not_sent:
        terminal.tell(f"not sent: {terminal.clean(outcome.not_sent)}")


def _numbers(outcome: Outcome) -> str:
    printers = enum_labels.count(outcome.number("read"), "printer")
    parts = [f"{outcome.kind}: {printers} read, {outcome.number('failed_total'):,} failed"]
    if outcome.number("incomplete_total"):
        parts.append(f"{outcome.number('incomplete_total'):,} not read in all parts")
    if outcome.kind == "discover":
        parts.append(f"{outcome.number('skipped_total'):,} skipped")
        addresses = "address" if outcome.number("asked") == 1 else "addresses"
        parts.append(
            f"{outcome.number('asked'):,} {addresses} asked, {outcome.number('answered'):,} answered"
        )
    if outcome.number("left_alone"):
        parts.append(f"{outcome.number('left_alone'):,} known ones are in no discovery entry")
    if outcome.state == "interrupted":
        parts.append("interrupted")
    return "; ".join(parts)


def _document(outcome: Outcome) -> dict[str, terminal.Json]:
    document = {name: plain(value) for name, value in outcome.result.items()}
    document["kind"], document["state"] = outcome.kind, outcome.state
    document["bytes_on_the_wire"] = reading_report.on_the_wire(outcome.cost)
    document["parcel"] = record(outcome.parcel) if outcome.parcel else None
    document["not_sent"] = outcome.not_sent
    return document


def with_parcel(outcome: Outcome, parcel: Parcel | None, trouble: str | None) -> Outcome:
    """Add what became of the parcel; `trouble` is why parcels wait in general."""
    if parcel is None:
        reason = outcome.result.get("not_handed_over")
        return replace(outcome, not_sent=str(reason) if reason else None)
    if parcel.state == "delivered":
        return replace(outcome, parcel=parcel)
    reason = parcel.error or trouble or "it was not tried yet"
    kept = "it is set aside" if parcel.state == "refused" else "the parcel is kept"
    return replace(outcome, parcel=parcel, not_sent=f"{reason}; {kept}")
