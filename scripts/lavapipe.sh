#!/usr/bin/env bash
# Runs a command with Mesa's software Vulkan driver, lavapipe 25 from Debian's bookworm-backports, as the only driver.
# The packages are fetched and unpacked into a cache folder of the user's; nothing on the system changes.
#   scripts/lavapipe.sh npx fusemax doctor
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fusemax/lavapipe
if [ ! -e "$cache/done" ]; then
  command -v apt-get >/dev/null || { echo "lavapipe.sh: needs Debian's apt-get" >&2; exit 2; }
  echo "fetching mesa-vulkan-drivers from bookworm-backports into $cache" >&2
  rm -rf "$cache"
  mkdir -p "$cache"/{lists/partial,archives/partial,debs,root}
  key=/usr/share/keyrings/debian-archive-keyring.gpg
  for suite in bookworm bookworm-backports; do
    echo "deb [signed-by=$key] http://deb.debian.org/debian $suite main"
  done > "$cache/sources.list"
  apt=(apt-get -qq -oDir::Etc::sourcelist="$cache/sources.list" -oDir::Etc::sourceparts=- -oDir::State::Lists="$cache/lists"
    -oDir::Cache="$cache" -oAPT::Get::List-Cleanup=0 -oAPT::Sandbox::User="$(id -un)")
  "${apt[@]}" update
  # What an installation would add to this system; the driver itself also when the system has one.
  mapfile -t files < <("${apt[@]}" install --reinstall --print-uris --yes --no-install-recommends -t bookworm-backports \
    mesa-vulkan-drivers libvulkan1 | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" | sort -u)
  (cd "$cache/debs" && "${apt[@]}" download -t bookworm-backports "${files[@]}")
  for deb in "$cache"/debs/*.deb; do dpkg -x "$deb" "$cache/root"; done
  library=$(find "$cache/root" -name libvulkan_lvp.so -print -quit)
  printf '{"file_format_version":"1.0.0","ICD":{"library_path":"%s","api_version":"1.3.0"}}\n' "$library" > "$cache/lavapipe.json"
  rm -rf "$cache/debs" "$cache/lists" "$cache/archives"
  touch "$cache/done"
fi
libraries=$(find "$cache/root/usr/lib" -maxdepth 2 -type d -name "*-linux-gnu" -print -quit)
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export VK_ICD_FILENAMES="$cache/lavapipe.json" VK_DRIVER_FILES="$cache/lavapipe.json"
exec "$@"
