"""Define the wizard's questions about the settings, and how an answer becomes a setting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network

from appliance.domain.model import DiscoveryEntry
from appliance.settings import schema
from appliance.settings.schema import Config

SettingsTable = Mapping[str, object]  # as in settings.toml
CLEAR_ANSWER = "-"  # empties a setting that has a default answer
NONE_ANSWERS = (CLEAR_ANSWER, "none", "never")
CASE_INSENSITIVE_KEYS = ("transmission.mail.security",)  # settings with a fixed set of values


@dataclass(frozen=True, slots=True)
class Question:
    """One question; its flag is `--` and its name."""

    name: str
    text: str
    key: str  # dotted key of its setting
    default_answer: Callable[[SettingsTable], str]
    apply_answer: Callable[[SettingsTable, str], SettingsTable]
    is_applicable: Callable[[SettingsTable], bool] = lambda _: True
    secret: bool = False


def find_answer_problem(question: Question, settings: SettingsTable, answer: str) -> str | None:
    """Return what is wrong with an answer as a setting; None if nothing."""
    if isinstance(get_value(settings, question.key), int) and not (answer.isascii() and answer.isdecimal()):
        return f"{answer} is no number"
    problems = schema.find_problems(question.apply_answer(settings, answer))
    return next((problem for problem in problems if problem.startswith(question.key)), None)


def get_value(settings: SettingsTable, key: str) -> object:
    """Return the value at a dotted key."""
    head, _, rest = key.partition(".")
    inner = settings.get(head)
    return get_value(inner, rest) if rest and isinstance(inner, Mapping) else inner


def replace_value(settings: SettingsTable, key: str, value: object) -> SettingsTable:
    """Return the settings with another value at a dotted key."""
    head, _, rest = key.partition(".")
    inner = settings.get(head)
    return {
        **settings,
        head: replace_value(inner, rest, value) if rest and isinstance(inner, Mapping) else value,
    }


def _setting_question(
    name: str,
    text: str,
    key: str,
    asked: Callable[[SettingsTable], bool] = lambda _: True,
    *,
    secret: bool = False,
) -> Question:
    """Return a question whose answer is the setting itself."""

    def change(settings: SettingsTable, answer: str) -> SettingsTable:
        if isinstance(get_value(settings, key), int) and answer.isascii() and answer.isdecimal():
            return replace_value(settings, key, int(answer))
        if key in CASE_INSENSITIVE_KEYS:
            answer = answer.lower()
        return replace_value(settings, key, "" if answer == CLEAR_ANSWER else answer)

    return Question(
        name, text, key, lambda settings: str(get_value(settings, key) or ""), change, asked, secret
    )


def _is_mail(settings: SettingsTable) -> bool:
    return get_value(settings, "transmission.mode") == "mail"


def _format_times(settings: SettingsTable) -> str:
    times = get_value(settings, "schedule.discover_at")
    return ", ".join(map(str, times)) if isinstance(times, Sequence) and times else "never"


def _set_times(settings: SettingsTable, answer: str) -> SettingsTable:
    times = [] if answer in NONE_ANSWERS else [part.strip() for part in answer.split(",")]
    return replace_value(settings, "schedule.discover_at", times)


def _manual_entries(settings: SettingsTable) -> list[SettingsTable]:
    entries = get_value(settings, "discovery.entries")
    found = [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, Sequence) else []
    return [each for each in found if each.get("source") != "import"]


def _replace_manual_entries(settings: SettingsTable, manual: Sequence[SettingsTable]) -> SettingsTable:
    """Return the settings with other manual entries; those of the import list stay."""
    entries = get_value(settings, "discovery.entries")
    imported = (
        [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, Sequence) else []
    )
    imported = [each for each in imported if each.get("source") == "import"]
    return replace_value(settings, "discovery.entries", [*manual, *imported])


def _format_ranges(settings: SettingsTable) -> str:
    return ", ".join(str(each.get("addresses")) for each in _manual_entries(settings))


def _set_ranges(settings: SettingsTable, answer: str) -> SettingsTable:
    if answer == _format_ranges(settings):
        return settings
    if answer in NONE_ANSWERS:
        return _replace_manual_entries(settings, [])
    first = next(iter(_manual_entries(settings)), asdict(DiscoveryEntry("")))
    return _replace_manual_entries(settings, [{**first, "addresses": answer}])


def _first_community(settings: SettingsTable) -> str:
    return str(next(iter(_manual_entries(settings)), {}).get("community_read", "public"))


def _set_community(settings: SettingsTable, answer: str) -> SettingsTable:
    if answer == _first_community(settings):
        return settings
    return _replace_manual_entries(
        settings, [{**each, "community_read": answer} for each in _manual_entries(settings)]
    )


def _range_question(lan_network: IPv4Network | None) -> Question:
    def offer(settings: SettingsTable) -> str:
        return _format_ranges(settings) or (
            f"{lan_network[1]}-{lan_network[-2]}" if lan_network and lan_network.prefixlen < 31 else "none"
        )

    text = "Addresses to search for printers (ranges, addresses, names; separated by commas)"
    return Question("range", text, "discovery.entries", offer, _set_ranges)


SCHEDULE_QUESTIONS = (
    _setting_question(
        "query-every", "Time between two queries of the known printers", "schedule.query_every"
    ),
    Question(
        "discover-at",
        "Times of day at which to search for new printers (or never)",
        "schedule.discover_at",
        _format_times,
        _set_times,
    ),
    _setting_question("time-zone", "Time zone", "schedule.time_zone"),
)
TRANSMISSION_QUESTIONS = (
    Question(
        "transmission",
        "How to send the data: https, mail or off",
        "transmission.mode",
        lambda settings: str(get_value(settings, "transmission.mode")).replace("off", "https"),
        lambda settings, answer: replace_value(settings, "transmission.mode", answer.lower()),
    ),
    _setting_question("mail-host", "Mail server", "transmission.mail.host", _is_mail),
    _setting_question("mail-port", "Its port", "transmission.mail.port", _is_mail),
    _setting_question(
        "mail-security", "Its encryption: none, starttls or tls", "transmission.mail.security", _is_mail
    ),
    _setting_question(
        "mail-username",
        "User name there, if it wants one (- for none)",
        "transmission.mail.username",
        _is_mail,
    ),
    _setting_question(
        "mail-password",
        "Password there, if it wants one",
        "transmission.mail.password",
        _is_mail,
        secret=True,
    ),
    _setting_question("mail-sender", "Mail address of this Plug", "transmission.mail.sender", _is_mail),
    _setting_question(
        "mail-recipient", "Mail address of the provider", "transmission.mail.recipient", _is_mail
    ),
)


def build_questions(
    lan_network: IPv4Network | None = None, *, schedule_only: bool = False
) -> tuple[Question, ...]:
    """Return all questions in order; `lan_network` is the Plug's own network."""
    if schedule_only:
        return SCHEDULE_QUESTIONS
    return (
        _setting_question("site", "Name of this site", "plug.site"),
        _range_question(lan_network),
        Question(
            "community",
            "SNMP community to read with",
            "discovery.entries",
            _first_community,
            _set_community,
            lambda settings: bool(_manual_entries(settings)),
        ),
        *SCHEDULE_QUESTIONS,
        *TRANSMISSION_QUESTIONS,
    )


def settings_table(settings: Config) -> SettingsTable:
    """Return the settings as the questions use them."""
    return asdict(settings)
