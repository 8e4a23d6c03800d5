#!/usr/bin/env bash
# Makes what the Makefile's targets run in, and says what it does: the system packages that the build
# needs, a virtual environment, fastload in it, and with the extra "dev" a browser for the tests of pages.
# What is there already is left as it is.
#
#     tools/environment.sh VENV EXTRAS      (EXTRAS as pip takes them: dev,train)
#
# The extra "ffcv" is special: FFCV is built from source, against a few megabytes of OpenCV instead of all
# of it. Where it cannot be built that is said, and its tests are skipped.

set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1
extras=$2
python=${PYTHON:-python3}
compiler=${CXX:-g++}
ffcv=ffcv==1.0.2

say() { printf '== %s\n' "$*"; }

fail() {
    printf 'fastload: %s\n' "$*" >&2
    exit 1
}

require_python() {
    command -v "$python" >/dev/null || fail "$python is not installed; name another one: make PYTHON=..."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "$("$python" --version) is too old; fastload needs Python 3.10 or later: make PYTHON=..."
}

has_compiler() { command -v "${compiler%% *}" >/dev/null; }

has_libjpeg() {
    has_compiler || return 1
    printf '#include <cstdio>\n#include <jpeglib.h>\n' |
        $compiler -x c++ -fsyntax-only - 2>/dev/null &&
        [[ $($compiler -print-file-name=libjpeg.a) == /* ]]
}

# Debian keeps the pip that a new environment gets in a package of its own.
has_venv() { [[ -x $venv/bin/python ]] || "$python" -c 'import ensurepip, venv' 2>/dev/null; }

missing_packages() {
    has_compiler || echo g++
    has_libjpeg || echo libjpeg-dev
    has_venv || "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

install_packages() { tools/system_packages.sh "$@"; }

# Where this checkout, what it asks for and its extras are the same as last time, pip has nothing to do.
request() {
    printf '%s\n%s\n' "$PWD" "$extras"
    cat pyproject.toml
}

install_fastload() {
    local stamp=$venv/fastload-request
    if [[ -f $stamp ]] && request | cmp -s - "$stamp"; then
        say "fastload and its dependencies are in $venv"
        return
    fi
    local wanted=,$extras,
    wanted=${wanted/,ffcv,/,}
    wanted=${wanted#,}
    say "pip install --editable .[${wanted%,}]    (torch is large; the first time takes minutes)"
    "$venv/bin/python" -m pip install --disable-pip-version-check --editable ".[${wanted%,}]"
    request >"$stamp"
}

has_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null

# fc-list need not be there where the font is.
has_hangul() {
    [[ -n $(fc-list :lang=ko file 2>/dev/null) ]] || compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK*' >/dev/null
}

missing_packages_of_pages() {
    has_browser || echo chromium
    has_hangul || echo fonts-noto-cjk
}

# What opens the pages of train_ref in tests. All else works without.
install_browser() {
    local packages
    mapfile -t packages < <(missing_packages_of_pages)
    if ((${#packages[@]} == 0)); then
        say "a browser and a font with Hangul are on this machine"
    elif ! (install_packages "${packages[@]}") || ! has_browser; then
        say "there is no ${packages[*]} here, see above: the tests that look at pages are skipped"
    fi
}

has_ffcv() { "$venv/bin/python" -c 'import ffcv._libffcv, numba' 2>/dev/null; }

missing_packages_of_ffcv() {
    command -v pkg-config >/dev/null || echo pkg-config
    printf '#include <turbojpeg.h>\n' | $compiler -x c++ -fsyntax-only - 2>/dev/null || echo libturbojpeg0-dev
    printf '#include <opencv2/imgproc.hpp>\n' | $compiler -I/usr/include/opencv4 -x c++ -fsyntax-only - 2>/dev/null ||
        echo libopencv-imgproc-dev
}

# Not by pip's extra: FFCV asks for opencv-python, which overwrites the opencv-python-headless of others,
# and numba must not change the NumPy that is there.
build_ffcv() {
    local pip=("$venv/bin/python" -m pip install --disable-pip-version-check) packages numpy
    mapfile -t packages < <(missing_packages_of_ffcv)
    if ((${#packages[@]})); then
        install_packages "${packages[@]}" || return 1
    fi
    numpy=$("$venv/bin/python" -c 'import numpy; print(numpy.__version__)')
    "${pip[@]}" "numpy==$numpy" numba tqdm opencv-python-headless || return 1
    PKG_CONFIG_PATH="$PWD/tools/ffcv" "${pip[@]}" --no-deps "$ffcv" && has_ffcv
}

install_ffcv() {
    if has_ffcv; then
        say "FFCV is in $venv"
    elif ! (build_ffcv); then
        say "FFCV cannot be built here, see above: the tests of engine=\"ffcv\" are skipped"
    fi
}

require_python
mapfile -t packages < <(missing_packages)
if ((${#packages[@]})); then
    install_packages "${packages[@]}"
fi
if [[ ! -x $venv/bin/python ]]; then
    say "virtual environment: $venv ($("$python" --version))"
    "$python" -m venv "$venv"
fi
install_fastload
if [[ ,$extras, == *,ffcv,* ]]; then
    install_ffcv
fi
if [[ ,$extras, == *,dev,* ]]; then
    install_browser
fi
