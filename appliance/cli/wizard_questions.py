"""What the wizard asks about the settings: a table of questions, and how an answer becomes a setting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network

from appliance.domain.model import DiscoveryEntry
from appliance.settings import schema
from appliance.settings.schema import Config

Table = Mapping[str, object]  # settings as settings.toml holds them
EMPTY = "-"  # the answer that empties a setting which has an offer
NOTHING = (EMPTY, "none", "never")
WORDS = ("transmission.mail.security",)  # of a few that are right


@dataclass(frozen=True, slots=True)
class Question:
    """One question; its flag is `--` and its name."""

    name: str
    text: str
    key: str  # where its setting stands
    offer: Callable[[Table], str]
    change: Callable[[Table, str], Table]
    asked: Callable[[Table], bool] = lambda _: True
    secret: bool = False


def wrong(question: Question, settings: Table, answer: str) -> str | None:
    """Why this answer will not do: what is wrong with it as a setting."""
    if isinstance(get(settings, question.key), int) and not (answer.isascii() and answer.isdecimal()):
        return f"{answer} is no number"
    problems = schema.problems(question.change(settings, answer))
    return next((problem for problem in problems if problem.startswith(question.key)), None)


def get(settings: Table, key: str) -> object:
    """The value at a dotted key."""
    head, _, rest = key.partition(".")
    inner = settings.get(head)
    return get(inner, rest) if rest and isinstance(inner, Mapping) else inner


def put(settings: Table, key: str, value: object) -> Table:
    """The settings with another value at a dotted key."""
    head, _, rest = key.partition(".")
    inner = settings.get(head)
    return {**settings, head: put(inner, rest, value) if rest and isinstance(inner, Mapping) else value}


def _plain(
    name: str, text: str, key: str, asked: Callable[[Table], bool] = lambda _: True, *, secret: bool = False
) -> Question:
    """A question whose answer is the setting."""

    def change(settings: Table, answer: str) -> Table:
        if isinstance(get(settings, key), int) and answer.isascii() and answer.isdecimal():
            return put(settings, key, int(answer))
        if key in WORDS:
            answer = answer.lower()
        return put(settings, key, "" if answer == EMPTY else answer)

    return Question(name, text, key, lambda settings: str(get(settings, key) or ""), change, asked, secret)


def _by_mail(settings: Table) -> bool:
    return get(settings, "transmission.mode") == "mail"


def _times(settings: Table) -> str:
    times = get(settings, "schedule.discover_at")
    return ", ".join(map(str, times)) if isinstance(times, Sequence) and times else "never"


def _set_times(settings: Table, answer: str) -> Table:
    times = [] if answer in NOTHING else [part.strip() for part in answer.split(",")]
    return put(settings, "schedule.discover_at", times)


def _manual(settings: Table) -> list[Table]:
    entries = get(settings, "discovery.entries")
    found = [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, Sequence) else []
    return [each for each in found if each.get("source") != "import"]


def _with_manual(settings: Table, manual: Sequence[Table]) -> Table:
    """Entries by hand replaced; the import list looks after its own."""
    entries = get(settings, "discovery.entries")
    imported = (
        [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, Sequence) else []
    )
    imported = [each for each in imported if each.get("source") == "import"]
    return put(settings, "discovery.entries", [*manual, *imported])


def _ranges(settings: Table) -> str:
    return ", ".join(str(each.get("addresses")) for each in _manual(settings))


def _set_ranges(settings: Table, answer: str) -> Table:
    if answer == _ranges(settings):
        return settings
    if answer in NOTHING:
        return _with_manual(settings, [])
    first = next(iter(_manual(settings)), asdict(DiscoveryEntry("")))
    return _with_manual(settings, [{**first, "addresses": answer}])


def _community(settings: Table) -> str:
    return str(next(iter(_manual(settings)), {}).get("community_read", "public"))


def _set_community(settings: Table, answer: str) -> Table:
    if answer == _community(settings):
        return settings
    return _with_manual(settings, [{**each, "community_read": answer} for each in _manual(settings)])


def _range(guess: IPv4Network | None) -> Question:
    def offer(settings: Table) -> str:
        return _ranges(settings) or (f"{guess[1]}-{guess[-2]}" if guess and guess.prefixlen < 31 else "none")

    text = "Addresses to search for printers (ranges, addresses, names; separated by commas)"
    return Question("range", text, "discovery.entries", offer, _set_ranges)


SCHEDULE = (
    _plain("query-every", "Time between two queries of the known printers", "schedule.query_every"),
    Question(
        "discover-at",
        "Times of day at which to search for new printers (or never)",
        "schedule.discover_at",
        _times,
        _set_times,
    ),
    _plain("time-zone", "Time zone", "schedule.time_zone"),
)
TRANSMISSION = (
    Question(
        "transmission",
        "How to send the data: https, mail or off",
        "transmission.mode",
        lambda settings: str(get(settings, "transmission.mode")).replace("off", "https"),
        lambda settings, answer: put(settings, "transmission.mode", answer.lower()),
    ),
    _plain("mail-host", "Mail server", "transmission.mail.host", _by_mail),
    _plain("mail-port", "Its port", "transmission.mail.port", _by_mail),
    _plain("mail-security", "Its encryption: none, starttls or tls", "transmission.mail.security", _by_mail),
    _plain(
        "mail-username",
        "User name there, if it wants one (- for none)",
        "transmission.mail.username",
        _by_mail,
    ),
    _plain(
        "mail-password",
        "Password there, if it wants one",
        "transmission.mail.password",
        _by_mail,
        secret=True,
    ),
    _plain("mail-sender", "Mail address of this Plug", "transmission.mail.sender", _by_mail),
    _plain("mail-recipient", "Mail address of the provider", "transmission.mail.recipient", _by_mail),
)


def questions(guess: IPv4Network | None = None, *, schedule_only: bool = False) -> tuple[Question, ...]:
    """All of them in their order; `guess` is the Plug's own network."""
    if schedule_only:
        return SCHEDULE
    return (
        _plain("site", "Name of this site", "plug.site"),
        _range(guess),
        Question(
            "community",
            "SNMP community to read with",
            "discovery.entries",
            _community,
            _set_community,
            lambda settings: bool(_manual(settings)),
        ),
        *SCHEDULE,
        *TRANSMISSION,
    )


def table(settings: Config) -> Table:
    """The settings as the questions take them."""
    return asdict(settings)
