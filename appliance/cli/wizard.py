"""`printmonitor wizard`: settings and licence in a few questions, then a discovery and a test delivery."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.cli import licence, runs, state_dir, terminal, wizard_questions
from appliance.cli.errors import CommandError
from appliance.cli.wizard_prompts import LicenceChoice, Prompter, WizardFlags
from appliance.cli.wizard_questions import Question, SettingsTable
from appliance.delivery import transmission_test
from appliance.delivery.errors import DeliveryError
from appliance.host import network_info
from appliance.licensing import csr
from appliance.licensing import status as standing
from appliance.settings import schema, validation
from appliance.settings.schema import Config, Home

EXIT_OK, EXIT_LICENCE_PROBLEM, EXIT_NOT_SENT = 0, 2, 3


@dataclass(frozen=True, slots=True)
class _AppliedAnswer:
    """One that changes something."""

    question: Question
    text: str

    def apply_to(self, settings: SettingsTable) -> SettingsTable:
        return self.question.apply_answer(settings, self.text)


@dataclass(frozen=True, slots=True)
class _WizardResult:
    """What was answered."""

    settings: SettingsTable  # as they would be
    changes: Sequence[_AppliedAnswer]
    licence_choice: LicenceChoice


def run(home: Home, flags: WizardFlags) -> int:
    """Ask everything, then do it: until then, Ctrl-C leaves all as it was."""
    before = schema.load_settings(state_dir.ensure_created(home))
    conversation = Prompter(flags)
    try:
        wishes = _ask_questions(home, conversation, wizard_questions.settings_table(before))
    except KeyboardInterrupt:
        terminal.print_message("\nnothing was changed")
        raise
    if wishes is None:
        terminal.print_message("nothing was changed")
        return EXIT_OK
    return _apply_result(home, conversation, wishes)


def _ask_questions(home: Home, prompter: Prompter, settings: SettingsTable) -> _WizardResult | None:
    """All that is asked; None where it is not to be saved."""
    flags = prompter.flags
    asked = () if flags.licence_only else _select_questions(flags)
    prompter.check_flags(asked, settings)
    changes: list[_AppliedAnswer] = []
    for question in asked:
        if question.is_applicable(settings) or flags.answers.get(question.name) is not None:
            answer = _AppliedAnswer(question, prompter.ask_question(question, settings))
            changed = answer.apply_to(settings)
            if _build_config(changed) != _build_config(settings):  # an offer that was taken is no wish
                changes.append(answer)
            settings = changed
    if problems := schema.find_problems(settings):
        raise schema.SettingsError(problems)
    plan = LicenceChoice("keep")
    if not flags.schedule_only:
        present = standing.get_status(home.folder, datetime.now(UTC))
        plan = prompter.ask_licence(present, csr.load_enrolment(home.folder))
    return _WizardResult(settings, changes, plan) if prompter.confirm("Save this", None) else None


def _select_questions(flags: WizardFlags) -> Sequence[Question]:
    return wizard_questions.build_questions(
        network_info.detect_lan_network(), schedule_only=flags.schedule_only
    )


def _apply_result(home: Home, prompter: Prompter, result: _WizardResult) -> int:
    wanted = _build_config(result.settings)
    flags = prompter.flags
    codes = [_obtain_licence(home, wanted, result.licence_choice)]
    if not flags.licence_only:
        with schema.lock_settings(home):
            wanted = _apply_changes(schema.load_settings(home), result.changes)
            schema.save_settings(home, wanted)
        terminal.print_line(f"Saved in {home.settings}.")
    if not (flags.licence_only or flags.schedule_only):
        if wanted.discovery.entries and prompter.confirm("Search for printers now", flags.discover):
            codes.append(runs.run(home, "discover", False))
        if wanted.transmission.mode != "off" and prompter.confirm("Send a test delivery now", flags.test):
            codes.append(_send_test_delivery(home, wanted))
    return max(codes)


def _apply_changes(now: Config, changes: Sequence[_AppliedAnswer]) -> Config:
    """What was answered, in the settings of now: the page may have changed others during the questions."""
    settings = wizard_questions.settings_table(now)
    for change in changes:
        settings = change.apply_to(settings)
    return _build_config(settings)


def _build_config(settings: SettingsTable) -> Config:
    return validation.build_record(Config(), settings)


def _obtain_licence(home: Home, config: Config, choice: LicenceChoice) -> int:
    """A licence that cannot be had now keeps nobody from the rest."""
    match choice:
        case LicenceChoice(way="online"):
            return _enrol_online(home, config, choice)
        case LicenceChoice(way="file", file=str(file)):
            try:
                licence.print_installed(licence.install_licence_file(home, file), config)
            except (CommandError, OSError) as error:
                terminal.print_message(f"no licence: {terminal.sanitize(str(error))}")
                return EXIT_LICENCE_PROBLEM
        case LicenceChoice(way="file"):
            made = licence.get_or_create_request(home)
            path = Path(f"{made.plug_id}-request.pem")
            path.write_text(made.pem)
            terminal.print_line(f"Send {path} to the provider, then: printmonitor licence install FILE")
    return EXIT_OK


def _enrol_online(home: Home, config: Config, choice: LicenceChoice) -> int:
    try:
        found = asyncio.run(licence.renew_or_enrol(home, config, choice.url, choice.code))
    except (DeliveryError, CommandError) as error:
        terminal.print_message(
            f"no licence: {terminal.sanitize(str(error))}; later: printmonitor licence enrol"
        )
        return EXIT_NOT_SENT
    if found is None:
        terminal.print_line("The provider has not decided yet; the poller service asks again.")
    else:
        licence.print_installed(found, config)
    return EXIT_OK


def _send_test_delivery(home: Home, config: Config) -> int:
    steps = asyncio.run(transmission_test.run(home, config, datetime.now(UTC)))
    for step in steps:
        terminal.print_line(
            f"{'ok    ' if step.ok else 'FAILED'}  {step.name:12} {terminal.sanitize(step.text)}"
        )
        if step.advice:
            terminal.print_line(f"{'':22}{step.advice}")
    return EXIT_OK if transmission_test.has_passed(steps) else EXIT_NOT_SENT
