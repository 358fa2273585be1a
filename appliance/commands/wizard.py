"""`printmonitor wizard`: settings and licence in a few questions, then a discovery and a test delivery."""

import asyncio
import getpass
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance import config, settings_rules
from appliance.commands import licence, options, questions, rounds, state, terminal
from appliance.commands.questions import Question, Table
from appliance.commands.trouble import Wrong
from appliance.config import Config, Home
from appliance.delivery import trial
from appliance.delivery.undelivered import NotDelivered
from appliance.licence import state as standing
from appliance.licence.state import Status
from appliance.system import routes

DONE, WRONG, NOT_SENT = 0, 2, 3
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
            answers={name: text(name) for name in options.QUESTIONS},
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
class _LicencePlan:
    way: str
    url: str | None = None
    code: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    """One that changes something."""

    question: Question
    text: str

    def put(self, settings: Table) -> Table:
        return self.question.change(settings, self.text)


def run(home: Home, flags: Flags) -> int:
    """Ask everything, then do it: until then, Ctrl-C leaves all as it was."""
    before = config.load(state.made(home))
    conversation = _Conversation(flags)
    settings = questions.table(before)
    asked = () if flags.licence_only else _questions(flags)
    present = standing.status(home.folder, datetime.now(UTC))
    conversation.check(asked, settings)
    changes: list[_Answer] = []
    for question in asked:
        if question.asked(settings) or flags.answers.get(question.name) is not None:
            answer = _Answer(question, conversation.answer(question, settings))
            changed = answer.put(settings)
            if _built(changed) != _built(settings):  # an offer that was taken is no wish
                changes.append(answer)
            settings = changed
    if problems := config.problems(settings):
        raise config.BadSettings(problems)
    plan = _LicencePlan("keep") if flags.schedule_only else conversation.licence(present)
    if not conversation.agreed("Save this", None):
        terminal.tell("nothing was changed")
        return DONE
    return _do(home, conversation, settings, changes, plan)


def _questions(flags: Flags) -> Sequence[Question]:
    return questions.questions(routes.own_network(), schedule_only=flags.schedule_only)


def _do(
    home: Home,
    conversation: "_Conversation",
    settings: Table,
    changes: Sequence[_Answer],
    plan: _LicencePlan,
) -> int:
    wanted = _built(settings)
    flags = conversation.flags
    codes = [_take_licence(home, wanted, plan)]
    if not flags.licence_only:
        with config.changing(home):
            wanted = _with(config.load(home), changes)
            config.save(home, wanted)
        terminal.say(f"Saved in {home.settings}.")
    if not (flags.licence_only or flags.schedule_only):
        if wanted.discovery.entries and conversation.agreed("Search for printers now", flags.discover):
            codes.append(rounds.run(home, "discover", False))
        if wanted.transmission.mode != "off" and conversation.agreed("Send a test delivery now", flags.test):
            codes.append(_try(home, wanted))
    return max(codes)


def _with(now: Config, changes: Sequence[_Answer]) -> Config:
    """What was answered, in the settings of now: the page may have changed others during the questions."""
    settings = questions.table(now)
    for change in changes:
        settings = change.put(settings)
    return _built(settings)


def _built(settings: Table) -> Config:
    return settings_rules.build(Config(), settings)


def _take_licence(home: Home, wanted: Config, plan: _LicencePlan) -> int:
    """A licence that cannot be had now keeps nobody from the rest."""
    match plan:
        case _LicencePlan(way="online"):
            return _enrol(home, wanted, plan)
        case _LicencePlan(way="file", file=str(file)):
            try:
                licence.tell_installed(licence.install_file(home, file), wanted)
            except (Wrong, OSError) as error:
                terminal.tell(f"no licence: {terminal.clean(str(error))}")
                return WRONG
        case _LicencePlan(way="file"):
            made = licence.made_request(home)
            path = Path(f"{made.plug_id}-request.pem")
            path.write_text(made.pem)
            terminal.say(f"Send {path} to the provider, then: printmonitor licence install FILE")
    return DONE


def _enrol(home: Home, wanted: Config, plan: _LicencePlan) -> int:
    try:
        found = asyncio.run(licence.enrolled(home, wanted, plan.url, plan.code))
    except (NotDelivered, Wrong) as error:
        terminal.tell(f"no licence: {terminal.clean(str(error))}; later: printmonitor licence enrol")
        return NOT_SENT
    if found is None:
        terminal.say("The provider has not decided yet; the poller service asks again.")
    else:
        licence.tell_installed(found, wanted)
    return DONE


def _try(home: Home, wanted: Config) -> int:
    steps = asyncio.run(trial.run(home, wanted, datetime.now(UTC)))
    for step in steps:
        terminal.say(f"{'ok    ' if step.ok else 'FAILED'}  {step.name:12} {terminal.clean(step.text)}")
        if step.advice:
            terminal.say(f"{'':22}{step.advice}")
    return DONE if trial.passed(steps) else NOT_SENT


class _Conversation:
    """Who answers: the flags, the offers, or the person at the terminal."""

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        self._interactive = sys.stdin.isatty() and not flags.yes

    def check(self, asked: Sequence[Question], settings: Table) -> None:
        """Raises Wrong in one line where nobody can answer, or a flag is wrong: before anything is asked."""
        for question in asked:
            answer = self.flags.answers.get(question.name)
            if answer is not None:
                if problem := questions.wrong(question, settings, answer):
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
            problem = questions.wrong(question, settings, answer)
            if problem is None:
                return answer
            if not self._interactive:
                raise Wrong(f"--{question.name}: {problem}")
            terminal.tell(f"  {terminal.clean(problem)}")

    def licence(self, present: Status) -> _LicencePlan:
        way = self._licence_way()
        renewable = present.licence is not None and bool(present.licence.enrolment_url)
        if way is None:
            offer = "keep" if present.state == "valid" else "online" if renewable else "later"
            if present.licence is None and self._interactive:
                offer = "online"
            terminal.tell(f"Licence: {terminal.clean(present.text)}")
            way = self._choice("Licence: online, by file, keep or later", offer, options.LICENCE_WAYS)
        if way == "online":
            return self._online(present, renewable)
        file = self.flags.licence_file
        if way == "file" and file is None and self._interactive:
            file = (
                self._asked("Licence file (none: write the request that the provider needs)", "none") or None
            )
        return _LicencePlan(way, file=None if file in questions.NOTHING else file)

    def _online(self, present: Status, renewable: bool) -> _LicencePlan:
        url, code = self.flags.enrolment_url, self.flags.code
        if present.licence and renewable and url is None and code is None:
            return _LicencePlan("online")
        if self._interactive and url is None:
            url = self._asked("The provider's enrolment URL", "")
        if self._interactive and code is None:
            code = self._asked("Enrolment code, as the provider gave it", "", secret=True)
        return _LicencePlan("online", url or None, code)

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
