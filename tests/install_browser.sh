#!/bin/sh
# Bring a Chromium for the browser tests where there is none: the system's package, else the one of Playwright.
set -eu
bin=$1
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
as_root=
if [ "$(id -u)" != 0 ]; then as_root="sudo -n"; fi
if command -v apt-get >/dev/null 2>&1 && $as_root apt-get -qq update && $as_root apt-get -qq -y install chromium >/dev/null; then
  exit 0
fi
exec "$bin/playwright" install chromium
