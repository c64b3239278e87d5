#!/bin/bash
# Opens a project in QGIS itself, on a screen that nobody sees, and fails if a window waits for an answer.
#
#   open_qgis_window.sh PROJECT.qgz [PICTURE.xwd]
#
# Needs qgis, xvfb and xwininfo (package x11-utils). Prints the titles of the windows.
set -u
project=$(realpath "$1")
picture=${2:-}
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
export project picture profile
unset QT_QPA_PLATFORM
XDG_RUNTIME_DIR=$profile xvfb-run -a -s "-screen 0 1600x1000x24" bash -c '
  qgis --nologo --noversioncheck --noplugins --profiles-path "$profile" "$project" >"$profile/log" 2>&1 &
  program=$!
  windows() { xwininfo -root -tree | sed -n "s/^ *0x[0-9a-f]* \"\(.*\)\": (\"qgis\.bin\" \"QGIS3\?\"[^)]*) *\([0-9]*\)x\([0-9]*\).*/\2x\3 \1/p"; }
  # The title of the main window names the project once it is read; then there is time for a question to come up.
  for _ in $(seq 90); do
    sleep 1
    windows | grep -q " — QGIS" && break
    kill -0 $program 2>/dev/null || break
  done
  sleep 8
  xwininfo -root -tree >"$profile/tree"
  windows >"$profile/windows"
  [ -n "$picture" ] && command -v xwd >/dev/null && xwd -root -silent -out "$picture"
  kill $program 2>/dev/null
  wait $program 2>/dev/null
'
cat "$profile/windows"
grep -q " — QGIS" "$profile/windows" || { echo "the project did not open"; tail -n 5 "$profile/log"; grep -i qgis "$profile/tree"; exit 1; }
# Windows of one pixel or so belong to the toolkit.
asking=$(awk '{ split($1, size, "x"); if (size[1] > 20 && size[2] > 20 && $0 !~ / — QGIS/) print }' "$profile/windows")
[ -z "$asking" ] || { echo "a window waits: $asking"; exit 1; }
