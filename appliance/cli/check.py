"""`printmonitor check`: what is wrong with the settings, one line each."""

from appliance.cli import formatting, state_dir, terminal
from appliance.settings import schema

EXIT_OK, EXIT_PROBLEMS = 0, 2


def run(home: schema.Home, as_json: bool) -> int:
    """Name the problems; 2 if there are any."""
    problems: list[str] = []
    try:
        schema.load_settings(state_dir.require_existing(home))
    except schema.SettingsError as error:
        problems = error.problems
    if as_json:
        terminal.print_json({"settings": str(home.settings), "problems": problems})
    else:
        _print_problems(home, problems)
    return EXIT_PROBLEMS if problems else EXIT_OK


def _print_problems(home: schema.Home, problems: list[str]) -> None:
    for problem in problems:
        terminal.print_line(terminal.sanitize(problem))
    if problems:
        terminal.print_message(f"{formatting.format_count(len(problems), 'problem')} in {home.settings}")
    elif home.settings.exists():
        terminal.print_line(f"{home.settings}: no problems")
    else:
        terminal.print_line(
            f"there is no {home.settings}: the defaults hold, and there is nothing to discover"
        )
