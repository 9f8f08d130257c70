# What to run while working here; `make` alone lists it. CONTRIBUTING.md says when.

CARGO ?= cargo
# For example CARGO_FLAGS=--locked, as CI has it.
CARGO_FLAGS ?=
# How long `make fuzz-smoke` spends on each target.
export FUZZ_SECONDS ?= 30
# Debian keeps servers where an ordinary user's PATH does not look.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: help test deps lint doc deny fuzz-smoke bench ci

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

test: deps ## all tests and doc tests; installs what they need
	$(CARGO) test --workspace --all-features $(CARGO_FLAGS)

deps: ## what the build and the tests need from the system (apt, when root)
	@.ci/run deps

lint: ## formatting, and clippy for the workspace and for each feature of the core
	@.ci/run lint core

doc: ## the API's documentation, warnings as errors
	@.ci/run doc

deny: ## licences, banned crates and sources of the dependencies
	@.ci/run deny

fuzz-smoke: ## every fuzz target for FUZZ_SECONDS each
	@.ci/run fuzz

bench: ## the benchmarks that README.md reports; wants a quiet machine
	$(CARGO) bench --workspace $(CARGO_FLAGS)

ci: ## everything that a change has to pass
	@.ci/run
