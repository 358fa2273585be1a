"""Run `printmonitor wizard`: ask for settings and licence, then discover and test the delivery."""

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
    """An answer that changes a setting."""

    question: Question
    text: str

    def apply_to(self, settings: SettingsTable) -> SettingsTable:
        return self.question.apply_answer(settings, self.text)


@dataclass(frozen=True, slots=True)
class _WizardResult:
    """The answers of the user."""

    settings: SettingsTable  # with the answers applied
    changes: Sequence[_AppliedAnswer]
    licence_choice: LicenceChoice


def run(home: Home, flags: WizardFlags) -> int:
    """Ask all questions, then apply the answers; until then, Ctrl-C changes nothing."""
    before = schema.load_settings(state_dir.ensure_created(home))
    prompter = Prompter(flags)
    try:
        result = _ask_questions(home, prompter, wizard_questions.settings_table(before))
    except KeyboardInterrupt:
        terminal.print_message("\nnothing was changed")
        raise
    if result is None:
        terminal.print_message("nothing was changed")
        return EXIT_OK
    return _apply_result(home, prompter, result)


def _ask_questions(home: Home, prompter: Prompter, settings: SettingsTable) -> _WizardResult | None:
    """Ask all questions; return None if the answers are not to be saved."""
    flags = prompter.flags
    questions = () if flags.licence_only else _select_questions(flags)
    prompter.check_flags(questions, settings)
    changes: list[_AppliedAnswer] = []
    for question in questions:
        if question.is_applicable(settings) or flags.answers.get(question.name) is not None:
            answer = _AppliedAnswer(question, prompter.ask_question(question, settings))
            changed = answer.apply_to(settings)
            if _build_config(changed) != _build_config(settings):  # an accepted default changes nothing
                changes.append(answer)
            settings = changed
    if problems := schema.find_problems(settings):
        raise schema.SettingsError(problems)
    choice = LicenceChoice("keep")
    if not flags.schedule_only:
        present = standing.get_status(home.folder, datetime.now(UTC))
        choice = prompter.ask_licence(present, csr.load_enrolment(home.folder))
    return _WizardResult(settings, changes, choice) if prompter.confirm("Save this", None) else None


def _select_questions(flags: WizardFlags) -> Sequence[Question]:
    return wizard_questions.build_questions(
        network_info.detect_lan_network(), schedule_only=flags.schedule_only
    )


def _apply_result(home: Home, prompter: Prompter, result: _WizardResult) -> int:
    config = _build_config(result.settings)
    flags = prompter.flags
    codes = [_obtain_licence(home, config, result.licence_choice)]
    if not flags.licence_only:
        with schema.lock_settings(home):
            config = _apply_changes(schema.load_settings(home), result.changes)
            schema.save_settings(home, config)
        terminal.print_line(f"Saved in {home.settings}.")
    if not (flags.licence_only or flags.schedule_only):
        if config.discovery.entries and prompter.confirm("Search for printers now", flags.discover):
            codes.append(runs.run(home, "discover", False))
        if config.transmission.mode != "off" and prompter.confirm("Send a test delivery now", flags.test):
            codes.append(_send_test_delivery(home, config))
    return max(codes)


def _apply_changes(now: Config, changes: Sequence[_AppliedAnswer]) -> Config:
    """Return the current settings with the answers; the web UI may have changed others meanwhile."""
    settings = wizard_questions.settings_table(now)
    for change in changes:
        settings = change.apply_to(settings)
    return _build_config(settings)


def _build_config(settings: SettingsTable) -> Config:
    return validation.build_record(Config(), settings)


def _obtain_licence(home: Home, config: Config, choice: LicenceChoice) -> int:
    """Get the licence and return an exit code; a failure does not stop the wizard."""
    match choice:
        case LicenceChoice(way="online"):
            return _enrol_online(home, config, choice)
        case LicenceChoice(way="file", file=str(file)):
            try:
                licence.print_installed(home, licence.install_licence_file(home, file), config)
            except (CommandError, OSError) as error:
                terminal.print_message(f"no licence: {terminal.sanitize(str(error))}")
                return EXIT_LICENCE_PROBLEM
        case LicenceChoice(way="file"):
            request = licence.get_or_create_request(home)
            path = Path(f"{request.plug_id}-request.pem")
            path.write_text(request.pem)
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
        licence.print_installed(home, found, config)
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
