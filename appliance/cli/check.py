"""`printmonitor check`: what is wrong with the settings, one line each."""

from appliance.cli import state_dir, terminal
from appliance.mib import enum_labels
from appliance.settings import schema

DONE, WRONG = 0, 2


def run(home: schema.Home, as_json: bool) -> int:
    """Name the problems; 2 if there are any."""
    problems: list[str] = []
    try:
        schema.load(state_dir.existing(home))
    except schema.BadSettings as error:
        problems = error.problems
    if as_json:
        terminal.document({"settings": str(home.settings), "problems": problems})
    else:
        _tell(home, problems)
    return WRONG if problems else DONE


def _tell(home: schema.Home, problems: list[str]) -> None:
    for problem in problems:
        terminal.say(terminal.clean(problem))
    if problems:
        terminal.tell(f"{enum_labels.count(len(problems), 'problem')} in {home.settings}")
    elif home.settings.exists():
        terminal.say(f"{home.settings}: no problems")
    else:
        terminal.say(f"there is no {home.settings}: the defaults hold, and there is nothing to discover")
