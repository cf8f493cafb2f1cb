"""Options that several commands of ops take."""

from __future__ import annotations

import click

quiet_option = click.option("--quiet", "-q", is_flag=True, help="Say only what was refused.")
json_option = click.option("--json", "is_json", is_flag=True, help="Write JSON.")
