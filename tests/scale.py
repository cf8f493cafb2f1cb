"""How often the tests of chance and of kills try: `make soak` says so many times as often."""

import os

SOAK = int(os.environ.get("BROADSHEET_SOAK", "1"))
