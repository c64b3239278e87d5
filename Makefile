# brasa: the few verbs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# `make test` is the same for everybody; `make search` is not.
SEED := 20261124
ROUNDS := 20

BUILD_PACKAGES := build-essential pkg-config libgdal-dev
TEST_PACKAGES := chromium gdal-bin python3 python3-venv python3-qgis qgis-providers qgis xvfb xauth x11-utils postgresql-15 postgresql-15-postgis-3

PYTHON := python3
MATURIN := target/maturin/bin/maturin
# A wheel for people; the tests build one in less time, which shares what they have built.
PROFILE := release
WHEELS = target/wheels/$(PROFILE)

# Installs the Debian packages that are missing; elsewhere says what is needed and goes on.
define install
	@missing=$$(for package in $(1); do dpkg -s $$package >/dev/null 2>&1 || echo $$package; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "no apt here; please install:" $$missing; exit 0; fi; \
	echo "installing" $$missing; \
	$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null
endef

.PHONY: help
help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: demo
demo: setup ## build, run the main job on the sample city, say what to open
	cargo build --release --locked -p brasa-cli
	./target/release/brasa demo -o brasa-demo --force

.PHONY: test
# What makes the next build quicker would take two thirds of the disk, and CI builds once.
test: export CARGO_INCREMENTAL = 0
test: setup setup-test ## everything: format, lints, all tests (what CI runs)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --features brasa-cli/gdal --locked -- -D warnings
	PROPTEST_RNG_SEED=$(SEED) cargo test --workspace --locked
	cargo build --workspace --bins --locked
	$(MAKE) test-python PROFILE=dev

.PHONY: wheel
# A library of shared code does not link out of the pieces of an incremental build (rustc 1.95, undefined hidden symbols).
wheel: export CARGO_INCREMENTAL = 0
wheel: setup ## build the Python wheel, in target/wheels
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv >/dev/null; }
	@[ -x $(MATURIN) ] || { $(PYTHON) -m venv target/maturin && target/maturin/bin/pip install --quiet maturin==1.16.0; }
	rm -rf $(WHEELS) target/stub
	$(MATURIN) build --quiet --profile $(PROFILE) --locked -m python/Cargo.toml -o $(WHEELS)
	$(PYTHON) -m zipfile -e $(WHEELS)/brasa-*.whl target/stub
	PYTHONPATH=target/stub $(PYTHON) -P python/stubs.py python/brasa/__init__.pyi
	$(MATURIN) build --quiet --profile $(PROFILE) --locked -m python/Cargo.toml -o $(WHEELS)

.PHONY: test-python
test-python: wheel ## install the wheel into a fresh environment; its tests, its types, the notebooks
	rm -rf target/python && $(PYTHON) -m venv target/python
	target/python/bin/pip install --quiet --requirement python/requirements.txt $(WHEELS)/brasa-*.whl
	MYPYPATH= target/python/bin/mypy --config-file python/pyproject.toml python/tests
	target/python/bin/python -P -m pytest -q --rootdir python -c python/pyproject.toml python/tests

.PHONY: search
search: ## look for counter-examples: the property tests with fresh seeds, ROUNDS times
	for round in $$(seq $(ROUNDS)); do cargo test --workspace --locked --quiet || exit 1; done

.PHONY: check
check: ## quick: format, lints, unit tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked --lib --bins

.PHONY: fmt
fmt: ## format the code
	cargo fmt --all

.PHONY: docs
docs: ## the documentation of the crates, in target/doc
	cargo doc --workspace --no-deps --locked

.PHONY: data
data: ## make the sample city anew (the same bytes)
	cargo run --locked -p brasa-sample-city -- data

.PHONY: setup
setup: ## install what a build needs (Debian packages, with sudo where needed)
	$(call install,$(BUILD_PACKAGES))
	$(if $(shell command -v npm),,$(call install,nodejs npm))
	@cd crates/export/web && if [ node_modules/.package-lock.json -nt package-lock.json ]; then exit 0; fi; \
	command -v npm >/dev/null && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
	|| echo "the map library is not here: report.html will draw its map without WebGL"
	@command -v cargo >/dev/null || { echo "no cargo here: a Rust toolchain is needed, see https://rustup.rs"; exit 1; }

.PHONY: setup-test
setup-test: ## install what the tests need besides
	$(call install,$(TEST_PACKAGES))
