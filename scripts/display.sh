#!/bin/sh
# On Linux without a display: see to a virtual one, and to the libraries Qt and OpenGL draw with.
set -eu

if [ "$(uname -s)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exit 0
fi

libraries="
libEGL.so.1                 libegl1
libGL.so.1                  libgl1
libGLX_mesa.so.0            libglx-mesa0
libOpenGL.so.0              libopengl0
libdbus-1.so.3              libdbus-1-3
libfontconfig.so.1          libfontconfig1
libglib-2.0.so.0            libglib2.0-0
libxcb-cursor.so.0          libxcb-cursor0
libxcb-icccm.so.4           libxcb-icccm4
libxcb-image.so.0           libxcb-image0
libxcb-keysyms.so.1         libxcb-keysyms1
libxcb-randr.so.0           libxcb-randr0
libxcb-render-util.so.0     libxcb-render-util0
libxcb-shape.so.0           libxcb-shape0
libxcb-xinerama.so.0        libxcb-xinerama0
libxcb-xkb.so.1             libxcb-xkb1
libxkbcommon-x11.so.0       libxkbcommon-x11-0
"

# ldconfig stands in /sbin, which is not on every user's path.
installed=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p)
missing=$(echo "$libraries" | while read -r library package; do
    case "$installed" in *"$library"*) ;; *) echo "$package" ;; esac
done)
command -v xvfb-run >/dev/null 2>&1 || missing="$missing xvfb"
command -v xauth >/dev/null 2>&1 || missing="$missing xauth"

# Without quotes: one argument per package, and none where nothing is missing.
set -- $missing
[ $# -eq 0 ] || "$(dirname "$0")/apt.sh" "$@"
