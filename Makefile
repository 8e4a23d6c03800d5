# make quickstart   everything from nothing: environment, install, a first pack, a first comparison
# make test         everything from nothing: environment, install, all tests
#
#   PYTHON=python3.12   the Python to make the environment with
#   VENV=.venv          the environment ($FASTLOAD_VENV also names one, outside the checkout say)
#   EXTRAS=dev,train    what of pyproject.toml's optional dependencies to install
#   PYTEST_ARGS=...     more arguments for pytest
#   BENCH_ARGS=...      more arguments for make bench: --set loader, --rounds 3, -k decode

PYTHON ?= python3
VENV ?= $(or $(FASTLOAD_VENV),.venv)
EXTRAS ?= dev,train
PYTEST_ARGS ?=
BENCH_ARGS ?=
BIN = $(VENV)/bin
CPP_FOLDERS = fastload/native tests/native tests/native/fuzz
CPP_FILES = $(foreach folder,$(CPP_FOLDERS),$(wildcard $(folder)/*.cpp $(folder)/*.h))

.PHONY: help quickstart test test-oldest test-sanitize environment native lint format wheel bench bench-peers bench-smoke clean

help:
	@sed -n '/^#/!q; s/^# \?//p' Makefile
	@echo 'more: native test-oldest test-sanitize lint format wheel bench bench-peers bench-smoke clean'

quickstart: environment native
	$(BIN)/python examples/quickstart.py

test: environment native
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# The tests with the oldest dependencies that are promised to work, on a Python that has them: 3.10 to 3.12.
test-oldest:
	PIP_CONSTRAINT=tests/packaging/oldest.txt $(MAKE) test VENV="$(VENV)-oldest"

environment:
	@PYTHON="$(PYTHON)" tools/environment.sh "$(VENV)" "$(EXTRAS)"

# The native library, in place; only what changed is compiled.
native: | environment
	$(BIN)/python setup.py build_native

# The C++ tests, under each of the sanitizers (two of them cannot be in one program). ThreadSanitizer runs those
# that start threads, and with one instruction set, since threads do the same with each.
test-sanitize: environment
	FASTLOAD_SIMD=avx2 $(BIN)/python setup.py test_native --sanitize=thread
	$(BIN)/python setup.py test_native --sanitize=address,undefined

lint: environment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CPP_FILES)
	$(BIN)/lint-imports

format: environment
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(CPP_FILES)

wheel: environment
	$(BIN)/python -m pip wheel --disable-pip-version-check --no-deps --wheel-dir dist .

# The peers run in environments of their own, which `python -m benchmarks.environments` makes.
bench: environment native
	$(BIN)/python -m benchmarks.environments
	results=$$($(BIN)/python -m benchmarks.result_file) && \
	$(BIN)/python -m pytest benchmarks -o faulthandler_timeout=0 --benchmark-json="$$results" $(BENCH_ARGS)

# Every peer of the tables, once: those that cannot run stand there with their error.
bench-peers: BENCH_ARGS = --set loader --rounds 1
bench-peers: bench

bench-smoke: environment native
	$(BIN)/python -m pytest benchmarks --smoke

clean:
	rm -rf build dist *.egg-info fastload/native/libfastload.so
