"""Options that several commands of ops take."""

from __future__ import annotations

import click

quiet_option = click.option("--quiet", "-q", is_flag=True, help="Say only what went wrong.")
json_option = click.option("--json", "is_json", is_flag=True, help="Write JSON.")
lines_option = click.option(
    "--json", "as_json", is_flag=True, help="Write a JSON object a line: each event, as it happens."
)
