"""Get the wizard's answers from flags, from defaults or from the user at the terminal."""

import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.cli import common_arguments, terminal, wizard_questions
from appliance.cli.errors import CommandError
from appliance.cli.wizard_questions import NONE_ANSWERS, Question, SettingsTable
from appliance.licensing import csr
from appliance.licensing.csr import Enrolment
from appliance.licensing.status import LicenceStatus

YES_ANSWERS, NO_ANSWERS = ("yes", "y"), ("no", "n")


@dataclass(frozen=True, slots=True)
class WizardFlags:
    """The flags of `printmonitor wizard`; None where a flag was not given."""

    answers: Mapping[str, str | None]  # by the question's name
    licence: str | None  # one of common_arguments.LICENCE_METHODS
    enrolment_url: str | None
    code: str | None
    licence_file: str | None
    discover: bool | None
    test: bool | None
    yes: bool
    licence_only: bool
    schedule_only: bool

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, object]) -> "WizardFlags":
        """Return the flags from parsed arguments."""

        def text(name: str) -> str | None:
            value = arguments.get(name.replace("-", "_"))
            return None if value is None else str(value)

        def choice(name: str) -> bool | None:
            value = arguments.get(name)
            return value if isinstance(value, bool) else None

        return cls(
            answers={name: text(name) for name in common_arguments.WIZARD_FLAGS},
            licence=text("licence"),
            enrolment_url=text("enrolment_url"),
            code=text("code"),
            licence_file=text("licence_file"),
            discover=choice("discover"),
            test=choice("test"),
            yes=bool(arguments.get("yes")),
            licence_only=bool(arguments.get("licence_only")),
            schedule_only=bool(arguments.get("schedule_only")),
        )


@dataclass(frozen=True, slots=True)
class LicenceChoice:
    """How to get a licence."""

    way: str  # one of common_arguments.LICENCE_METHODS
    url: str | None = None
    code: str | None = None
    file: str | None = None


def _file_problem(answer: str) -> str | None:
    return (
        None
        if answer in NONE_ANSWERS or Path(answer).is_file()
        else f"{terminal.sanitize(answer)}: no such file"
    )


def _enrolment_url_problem(answer: str) -> str | None:
    return None if answer in NONE_ANSWERS else csr.url_problem(answer)


class Prompter:
    """Answer questions from flags, from defaults or by asking the user."""

    def __init__(self, flags: WizardFlags) -> None:
        self.flags = flags
        # sys.stdin is None if the shell closed it
        self._interactive = bool(sys.stdin) and sys.stdin.isatty() and not flags.yes

    def check_flags(self, questions: Sequence[Question], settings: SettingsTable) -> None:
        """Raise CommandError, before any question, if a flag is wrong or missing without a terminal."""
        for question in questions:
            answer = self.flags.answers.get(question.name)
            if answer is not None:
                if problem := wizard_questions.find_answer_problem(question, settings, answer):
                    raise CommandError(f"--{question.name}: {problem}")
                settings = question.apply_answer(settings, answer)
        if self._interactive or self.flags.yes:
            return
        missing = [
            f"--{each.name}"
            for each in questions
            if each.is_applicable(settings) and self.flags.answers.get(each.name) is None
        ]
        if not self.flags.schedule_only and self._licence_method_of_flags() is None:
            missing.append("--licence")
        if missing:
            raise CommandError(
                f"there is no terminal to ask at: give {', '.join(missing)}, or --yes for the offers"
            )

    def ask_question(self, question: Question, settings: SettingsTable) -> str:
        """Return a valid answer."""
        given = self.flags.answers.get(question.name)
        if given is not None:
            return given
        offer = question.default_answer(settings)
        while True:
            answer = self._prompt(question.text, offer, secret=question.secret)
            problem = wizard_questions.find_answer_problem(question, settings, answer)
            if problem is None:
                return answer
            if not self._interactive:
                raise CommandError(f"--{question.name}: {problem}")
            terminal.print_message(f"  {terminal.sanitize(problem)}")

    def ask_licence(self, present: LicenceStatus, waiting: Enrolment | None) -> LicenceChoice:
        way = self._licence_method_of_flags()
        renewable = present.licence is not None and bool(present.licence.enrolment_url)
        if way is None:
            offer = "keep" if present.state == "valid" else "online" if renewable else "later"
            if present.licence is None and self._interactive:
                offer = "online"
            terminal.print_message(f"Licence: {terminal.sanitize(present.text)}")
            way = self._ask_choice(
                "Licence: online, by file, keep or later", offer, common_arguments.LICENCE_METHODS
            )
        if way == "online":
            return self._ask_enrolment(present, waiting)
        if way != "file":
            return LicenceChoice(way)
        text = "Licence file (none: write the request that the provider needs)"
        file = self._ask_valid(text, self.flags.licence_file, "none", _file_problem)
        return LicenceChoice(way, file=None if file in NONE_ANSWERS else file)

    def _ask_enrolment(self, present: LicenceStatus, waiting: Enrolment | None) -> LicenceChoice:
        url, code = self.flags.enrolment_url, self.flags.code
        if present.licence and present.licence.enrolment_url and url is None and code is None:
            return LicenceChoice("online")
        text, offer = "The provider's enrolment URL (none: later)", waiting.url if waiting else "none"
        url = self._ask_valid(text, url, offer, _enrolment_url_problem)
        if url in NONE_ANSWERS:
            return LicenceChoice("later")
        text, offer = "Enrolment code, as the provider gave it", waiting.code if waiting else ""
        return LicenceChoice("online", url, self._ask_valid(text, code, offer, csr.code_problem, secret=True))

    def _ask_valid(
        self,
        text: str,
        given: str | None,
        offer: str,
        find_problem: Callable[[str], str | None],
        *,
        secret: bool = False,
    ) -> str | None:
        """Return the flag's value, else the user's; None without a terminal. Raise CommandError."""
        if given is not None and (problem := find_problem(given)):
            raise CommandError(problem)
        if given is not None or not self._interactive:
            return given
        while problem := find_problem(answer := self._prompt(text, offer, secret=secret)):
            terminal.print_message(f"  {problem}")
        return answer

    def confirm(self, text: str, flag: bool | None) -> bool:
        if flag is not None:
            return flag
        return self._ask_choice(f"{text}?", "yes", (*YES_ANSWERS, *NO_ANSWERS)) in YES_ANSWERS

    def _licence_method_of_flags(self) -> str | None:
        """Return the method that the flags state or imply; None if neither."""
        if self.flags.licence:
            return self.flags.licence
        if self.flags.licence_file:
            return "file"
        return "online" if self.flags.enrolment_url or self.flags.code else None

    def _ask_choice(self, text: str, offer: str, choices: Sequence[str]) -> str:
        while (answer := self._prompt(text, offer).lower()) not in choices:
            terminal.print_message(f"  {terminal.sanitize(answer)}: right would be {', '.join(choices)}")
        return answer

    def _prompt(self, text: str, offer: str, *, secret: bool = False) -> str:
        """Return the user's answer, or the default. Raise KeyboardInterrupt at the end of the input."""
        if not self._interactive:
            return offer
        shown = ("kept" if offer else "none") if secret else terminal.sanitize(offer)
        prompt = f"{text} [{shown}]: " if shown else f"{text}: "
        if secret:
            return self._prompt_hidden(prompt) or offer
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise KeyboardInterrupt
        return line.strip() or offer

    def _prompt_hidden(self, prompt: str) -> str:
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise KeyboardInterrupt from None
