#!/usr/bin/env bash
# Runs a command with FUSEMAX_FIREFOX set to Debian's Firefox ESR, a script that starts it with the libraries it needs.
# The packages are fetched and unpacked into a cache folder of the user's; nothing on the system changes.
#   npm run test:firefox
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fusemax/firefox-esr
if [ ! -e "$cache/done" ]; then
  command -v apt-get >/dev/null || { echo "firefox.sh: needs Debian's apt-get" >&2; exit 2; }
  echo "fetching firefox-esr into $cache" >&2
  rm -rf "$cache"
  mkdir -p "$cache"/{lists/partial,archives/partial,debs,root}
  key=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$key] http://deb.debian.org/debian bookworm main" > "$cache/sources.list"
  echo "deb [signed-by=$key] http://deb.debian.org/debian-security bookworm-security main" >> "$cache/sources.list"
  apt=(apt-get -qq -oDir::Etc::sourcelist="$cache/sources.list" -oDir::Etc::sourceparts=- -oDir::State::Lists="$cache/lists"
    -oDir::Cache="$cache" -oAPT::Get::List-Cleanup=0 -oAPT::Sandbox::User="$(id -un)")
  "${apt[@]}" update
  # What an installation would add to this system.
  mapfile -t files < <("${apt[@]}" install --print-uris --yes --no-install-recommends firefox-esr fonts-dejavu-core \
    | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" | sort -u)
  (cd "$cache/debs" && "${apt[@]}" download "${files[@]}")
  for deb in "$cache"/debs/*.deb; do dpkg -x "$deb" "$cache/root"; done
  libraries=$(find "$cache/root/usr/lib" -maxdepth 1 -type d -name "*-linux-gnu" -print -quit)
  cat > "$cache/fonts.conf" <<FONTS
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>$cache/root/usr/share/fonts</dir><cachedir>$cache/font-cache</cachedir></fontconfig>
FONTS
  cat > "$cache/firefox" <<START
#!/bin/sh
LD_LIBRARY_PATH="$libraries:$cache/root/usr/lib/firefox-esr" FONTCONFIG_FILE="$cache/fonts.conf" exec "$cache/root/usr/lib/firefox-esr/firefox-esr" "\$@"
START
  chmod +x "$cache/firefox"
  rm -rf "$cache/debs" "$cache/lists" "$cache/archives"
  touch "$cache/done"
fi
export FUSEMAX_FIREFOX="$cache/firefox"
exec "$@"
