"""Who answers the wizard's questions: the flags, the offers, or the person at the terminal."""

import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.cli import common_arguments, terminal, wizard_questions
from appliance.cli.errors import Wrong
from appliance.cli.wizard_questions import NOTHING, Question, Table
from appliance.licensing import csr
from appliance.licensing.csr import Enrolment
from appliance.licensing.status import LicenceStatus

YES, NO = ("yes", "y"), ("no", "n")


@dataclass(frozen=True, slots=True)
class Flags:
    """What was typed behind `printmonitor wizard`; None where nothing was."""

    answers: Mapping[str, str | None]  # by the question's name
    licence: str | None  # one of options.LICENCE_WAYS
    enrolment_url: str | None
    code: str | None
    licence_file: str | None
    discover: bool | None
    test: bool | None
    yes: bool
    licence_only: bool
    schedule_only: bool

    @classmethod
    def of(cls, typed: Mapping[str, object]) -> "Flags":
        """What argparse made of it."""

        def text(name: str) -> str | None:
            value = typed.get(name.replace("-", "_"))
            return None if value is None else str(value)

        def choice(name: str) -> bool | None:
            value = typed.get(name)
            return value if isinstance(value, bool) else None

        return cls(
            answers={name: text(name) for name in common_arguments.QUESTIONS},
            licence=text("licence"),
            enrolment_url=text("enrolment_url"),
            code=text("code"),
            licence_file=text("licence_file"),
            discover=choice("discover"),
            test=choice("test"),
            yes=bool(typed.get("yes")),
            licence_only=bool(typed.get("licence_only")),
            schedule_only=bool(typed.get("schedule_only")),
        )


@dataclass(frozen=True, slots=True)
class LicencePlan:
    """How to come to a licence."""

    way: str  # one of options.LICENCE_WAYS
    url: str | None = None
    code: str | None = None
    file: str | None = None


def _wrong_file(answer: str) -> str | None:
    return None if answer in NOTHING or Path(answer).is_file() else f"{terminal.clean(answer)}: no such file"


def _wrong_url(answer: str) -> str | None:
    return None if answer in NOTHING else csr.url_problem(answer)


class Conversation:
    """Who answers: the flags, the offers, or the person at the terminal."""

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        # a shell may have closed it: then it is None
        self._interactive = bool(sys.stdin) and sys.stdin.isatty() and not flags.yes

    def check(self, asked: Sequence[Question], settings: Table) -> None:
        """Raises Wrong in one line where nobody can answer, or a flag is wrong: before anything is asked."""
        for question in asked:
            answer = self.flags.answers.get(question.name)
            if answer is not None:
                if problem := wizard_questions.wrong(question, settings, answer):
                    raise Wrong(f"--{question.name}: {problem}")
                settings = question.change(settings, answer)
        if self._interactive or self.flags.yes:
            return
        missing = [
            f"--{each.name}"
            for each in asked
            if each.asked(settings) and self.flags.answers.get(each.name) is None
        ]
        if not self.flags.schedule_only and self._licence_way() is None:
            missing.append("--licence")
        if missing:
            raise Wrong(f"there is no terminal to ask at: give {', '.join(missing)}, or --yes for the offers")

    def answer(self, question: Question, settings: Table) -> str:
        """An answer that is right as a setting."""
        given = self.flags.answers.get(question.name)
        if given is not None:
            return given
        offer = question.offer(settings)
        while True:
            answer = self._asked(question.text, offer, secret=question.secret)
            problem = wizard_questions.wrong(question, settings, answer)
            if problem is None:
                return answer
            if not self._interactive:
                raise Wrong(f"--{question.name}: {problem}")
            terminal.tell(f"  {terminal.clean(problem)}")

    def licence(self, present: LicenceStatus, waiting: Enrolment | None) -> LicencePlan:
        way = self._licence_way()
        renewable = present.licence is not None and bool(present.licence.enrolment_url)
        if way is None:
            offer = "keep" if present.state == "valid" else "online" if renewable else "later"
            if present.licence is None and self._interactive:
                offer = "online"
            terminal.tell(f"Licence: {terminal.clean(present.text)}")
            way = self._choice(
                "Licence: online, by file, keep or later", offer, common_arguments.LICENCE_WAYS
            )
        if way == "online":
            return self._online(present, waiting)
        if way != "file":
            return LicencePlan(way)
        text = "Licence file (none: write the request that the provider needs)"
        file = self._right(text, self.flags.licence_file, "none", _wrong_file)
        return LicencePlan(way, file=None if file in NOTHING else file)

    def _online(self, present: LicenceStatus, waiting: Enrolment | None) -> LicencePlan:
        url, code = self.flags.enrolment_url, self.flags.code
        if present.licence and present.licence.enrolment_url and url is None and code is None:
            return LicencePlan("online")
        text, offer = "The provider's enrolment URL (none: later)", waiting.url if waiting else "none"
        url = self._right(text, url, offer, _wrong_url)
        if url in NOTHING:
            return LicencePlan("later")
        text, offer = "Enrolment code, as the provider gave it", waiting.code if waiting else ""
        return LicencePlan("online", url, self._right(text, code, offer, csr.code_problem, secret=True))

    def _right(
        self,
        text: str,
        given: str | None,
        offer: str,
        wrong: Callable[[str], str | None],
        *,
        secret: bool = False,
    ) -> str | None:
        """The flag's value, else the person's; None where nobody can be asked. Raises Wrong."""
        if given is not None and (problem := wrong(given)):
            raise Wrong(problem)
        if given is not None or not self._interactive:
            return given
        while problem := wrong(answer := self._asked(text, offer, secret=secret)):
            terminal.tell(f"  {problem}")
        return answer

    def agreed(self, text: str, flag: bool | None) -> bool:
        if flag is not None:
            return flag
        return self._choice(f"{text}?", "yes", (*YES, *NO)) in YES

    def _licence_way(self) -> str | None:
        """What the flags say, also by what belongs to one way only."""
        if self.flags.licence:
            return self.flags.licence
        if self.flags.licence_file:
            return "file"
        return "online" if self.flags.enrolment_url or self.flags.code else None

    def _choice(self, text: str, offer: str, choices: Sequence[str]) -> str:
        while (answer := self._asked(text, offer).lower()) not in choices:
            terminal.tell(f"  {terminal.clean(answer)}: right would be {', '.join(choices)}")
        return answer

    def _asked(self, text: str, offer: str, *, secret: bool = False) -> str:
        """The person's answer, or the offer. Raises KeyboardInterrupt at the end of the input."""
        if not self._interactive:
            return offer
        shown = ("kept" if offer else "none") if secret else terminal.clean(offer)
        prompt = f"{text} [{shown}]: " if shown else f"{text}: "
        if secret:
            return self._hidden(prompt) or offer
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise KeyboardInterrupt
        return line.strip() or offer

    def _hidden(self, prompt: str) -> str:
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise KeyboardInterrupt from None
