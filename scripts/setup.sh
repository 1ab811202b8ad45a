#!/bin/sh
# Make .venv, with the package in it as an editable install and everything its tests need.
# QT=pyside6: make .venv-pyside6 likewise, with PySide6 in place of PyQt6.
set -eu
cd "$(dirname "$0")/.."

further=
case "${QT:-pyqt6}" in
    pyqt6) environment=.venv extras=all ;;
    # `all` is napari's extras `optional` and `pyqt6`, and our `io`.
    pyside6) environment=.venv-pyside6 extras=pyside6,io further='napari[optional]' ;;
    *) echo "QT is pyqt6 or pyside6, not '$QT'" >&2; exit 1 ;;
esac

ready=$environment/.ready
for input in pyproject.toml constraints.txt scripts/setup.sh; do
    [ "$ready" -nt "$input" ] || stale=yes
done
[ -n "${stale:-}" ] || exit 0

python=
# 3.11 first: the pins in constraints.txt were made with it.
for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Please install Python 3.11 or newer, or name one: make setup PYTHON=/path/to/python" >&2
    exit 1
fi

if ! $environment/bin/python -c 'import pip' 2>/dev/null; then
    # Debian keeps what venv needs in a package of its own.
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        scripts/apt.sh "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    "$python" -m venv --clear $environment
fi

echo "Installing into $environment; the first time this takes some minutes."
# Dependency groups need pip 25.1; the pip that comes with Python may be older.
$environment/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --upgrade pip
$environment/bin/python -m pip install --quiet -c constraints.txt \
    --editable ".[$extras,zoo,onnx,compare,anndata,cluster,parquet]" $further --group test --group lint
touch "$ready"
