"""`printmonitor wizard`: settings and licence in a few questions, then a discovery and a test delivery."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.cli import licence, runs, state_dir, terminal, wizard_questions
from appliance.cli.errors import Wrong
from appliance.cli.wizard_prompts import Conversation, Flags, LicencePlan
from appliance.cli.wizard_questions import Question, Table
from appliance.delivery import transmission_test
from appliance.delivery.errors import DeliveryError
from appliance.host import routing_table
from appliance.licensing import csr
from appliance.licensing import status as standing
from appliance.settings import schema, validation
from appliance.settings.schema import Config, Home

DONE, WRONG, NOT_SENT = 0, 2, 3


@dataclass(frozen=True, slots=True)
class _Answer:
    """One that changes something."""

    question: Question
    text: str

    def put(self, settings: Table) -> Table:
        return self.question.change(settings, self.text)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What was answered."""

    settings: Table  # as they would be
    changes: Sequence[_Answer]
    plan: LicencePlan


def run(home: Home, flags: Flags) -> int:
    """Ask everything, then do it: until then, Ctrl-C leaves all as it was."""
    before = schema.load(state_dir.made(home))
    conversation = Conversation(flags)
    try:
        wishes = _wishes(home, conversation, wizard_questions.table(before))
    except KeyboardInterrupt:
        terminal.tell("\nnothing was changed")
        raise
    if wishes is None:
        terminal.tell("nothing was changed")
        return DONE
    return _do(home, conversation, wishes)


def _wishes(home: Home, conversation: Conversation, settings: Table) -> _Wishes | None:
    """All that is asked; None where it is not to be saved."""
    flags = conversation.flags
    asked = () if flags.licence_only else _questions(flags)
    conversation.check(asked, settings)
    changes: list[_Answer] = []
    for question in asked:
        if question.asked(settings) or flags.answers.get(question.name) is not None:
            answer = _Answer(question, conversation.answer(question, settings))
            changed = answer.put(settings)
            if _built(changed) != _built(settings):  # an offer that was taken is no wish
                changes.append(answer)
            settings = changed
    if problems := schema.problems(settings):
        raise schema.BadSettings(problems)
    plan = LicencePlan("keep")
    if not flags.schedule_only:
        present = standing.get_status(home.folder, datetime.now(UTC))
        plan = conversation.licence(present, csr.load_enrolment(home.folder))
    return _Wishes(settings, changes, plan) if conversation.agreed("Save this", None) else None


def _questions(flags: Flags) -> Sequence[Question]:
    return wizard_questions.questions(routing_table.own_network(), schedule_only=flags.schedule_only)


def _do(home: Home, conversation: Conversation, wishes: _Wishes) -> int:
    wanted = _built(wishes.settings)
    flags = conversation.flags
    codes = [_take_licence(home, wanted, wishes.plan)]
    if not flags.licence_only:
        with schema.changing(home):
            wanted = _with(schema.load(home), wishes.changes)
            schema.save(home, wanted)
        terminal.say(f"Saved in {home.settings}.")
    if not (flags.licence_only or flags.schedule_only):
        if wanted.discovery.entries and conversation.agreed("Search for printers now", flags.discover):
            codes.append(runs.run(home, "discover", False))
        if wanted.transmission.mode != "off" and conversation.agreed("Send a test delivery now", flags.test):
            codes.append(_try(home, wanted))
    return max(codes)


def _with(now: Config, changes: Sequence[_Answer]) -> Config:
    """What was answered, in the settings of now: the page may have changed others during the questions."""
    settings = wizard_questions.table(now)
    for change in changes:
        settings = change.put(settings)
    return _built(settings)


def _built(settings: Table) -> Config:
    return validation.build(Config(), settings)


def _take_licence(home: Home, wanted: Config, plan: LicencePlan) -> int:
    """A licence that cannot be had now keeps nobody from the rest."""
    match plan:
        case LicencePlan(way="online"):
            return _enrol(home, wanted, plan)
        case LicencePlan(way="file", file=str(file)):
            try:
                licence.tell_installed(licence.install_file(home, file), wanted)
            except (Wrong, OSError) as error:
                terminal.tell(f"no licence: {terminal.clean(str(error))}")
                return WRONG
        case LicencePlan(way="file"):
            made = licence.made_request(home)
            path = Path(f"{made.plug_id}-request.pem")
            path.write_text(made.pem)
            terminal.say(f"Send {path} to the provider, then: printmonitor licence install FILE")
    return DONE


def _enrol(home: Home, wanted: Config, plan: LicencePlan) -> int:
    try:
        found = asyncio.run(licence.enrolled(home, wanted, plan.url, plan.code))
    except (DeliveryError, Wrong) as error:
        terminal.tell(f"no licence: {terminal.clean(str(error))}; later: printmonitor licence enrol")
        return NOT_SENT
    if found is None:
        terminal.say("The provider has not decided yet; the poller service asks again.")
    else:
        licence.tell_installed(found, wanted)
    return DONE


def _try(home: Home, wanted: Config) -> int:
    steps = asyncio.run(transmission_test.run(home, wanted, datetime.now(UTC)))
    for step in steps:
        terminal.say(f"{'ok    ' if step.ok else 'FAILED'}  {step.name:12} {terminal.clean(step.text)}")
        if step.advice:
            terminal.say(f"{'':22}{step.advice}")
    return DONE if transmission_test.has_passed(steps) else NOT_SENT
