# The two commands that matter are `make demo` and `make test`; both see to the set-up first.

BIN := .venv/bin
PYSIDE := .venv-pyside6
# Seconds: the rail of the workspace and the charts, really drawn.
SMOKE := tests/viewer/workspace/test_rail.py tests/viewer/charts/test_interval_bars.py

# Without a display, tests draw on a virtual one and the demo opens no window.
ifeq ($(shell uname -s)$(DISPLAY)$(WAYLAND_DISPLAY),Linux)
SCREEN := xvfb-run -a -s "-screen 0 1600x1000x24"
NO_WINDOW := --no-window
endif

.PHONY: help setup demo test test-pyside6 lint types screenshots train-sprites clean

help:
	@echo "make demo         set up, then run the main job on the embedded sample"
	@echo "make test         set up, then lint, types, import contracts and all tests"
	@echo "                  (SLOW=1 make test: random orders and clicks in full number too)"
	@echo "make test-pyside6 the tests of the window with PySide6, in .venv-pyside6"
	@echo "make setup        the set-up alone: .venv, and on Linux without a display X and GL"
	@echo "make lint         style and import contracts (make types: types)"
	@echo "make screenshots  the pictures of the documentation, from the real window"
	@echo "make train-sprites  the disentanglers that are shipped, from their seeds (hours)"
	@echo "make clean        remove .venv, .venv-pyside6 and everything that was built"

setup:
	@PYTHON="$(PYTHON)" scripts/setup.sh
	@scripts/display.sh || true

demo: setup
	$(BIN)/napari-channelmix demo $(NO_WINDOW)

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/npe2 validate napari-channelmix

types: setup
	$(BIN)/mypy

# One thread: small networks run faster so, and their figures repeat. As many processes as cores,
# each with a screen of its own; more than four would need much memory. Files are dealt out whole,
# in the order of tests/conftest.py: slow ones first. What is compiled is kept for all processes.
test: lint types
	@scripts/display.sh
	PYTHONDONTWRITEBYTECODE= NAPARI_STRICT_QT=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n auto \
		--maxprocesses 4 --dist loadfile --no-loadscope-reorder
	@if [ -e $(PYSIDE)/.ready ]; then set -x; \
	    QT_API=pyside6 NAPARI_STRICT_QT=1 OMP_NUM_THREADS=1 $(PYSIDE)/bin/pytest -q $(SMOKE); fi

# `make test` uses PyQt6; where this was run before, it tries a few tests with PySide6 as well.
test-pyside6:
	@QT=pyside6 PYTHON="$(PYTHON)" scripts/setup.sh
	@scripts/display.sh
	QT_API=pyside6 NAPARI_STRICT_QT=1 OMP_NUM_THREADS=1 $(PYSIDE)/bin/pytest -n auto \
	    --maxprocesses 4 --dist loadfile tests/viewer tests/settings tests/test_imports.py

screenshots: setup
	@scripts/display.sh
	$(SCREEN) $(BIN)/python scripts/screenshots.py
	$(SCREEN) $(BIN)/python scripts/data_pictures.py
	$(SCREEN) $(BIN)/python scripts/tour.py

train-sprites: setup
	OMP_NUM_THREADS=1 $(BIN)/python scripts/train_sprites.py --ship

clean:
	rm -rf .venv $(PYSIDE) build dist
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
