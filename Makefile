# SPDX-License-Identifier: Apache-2.0
# A thin wrapper: Meson builds, tools/ does the rest. `make` builds build/ringfence; `make help` lists the targets.

BUILD ?= build
JOBS ?= $(shell nproc)
CMD ?= sh -c 'uname -a; id; ls /'
RUN_FLAGS ?= --ro .
FUZZ_TIME ?= 60
SETUP = tools/setup

.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: build help run setup setup-test setup-lint setup-bench test test-unit test-native test-lab test-lab-intel test-model check \
	build-asan build-clang bench bench-lab fuzz fmt fmt-check lint clean distclean install

help:			## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "  %-14s %s\n", $$1, $$2 }' Makefile

build:			## build build/ringfence (the default)
	@tools/build $(BUILD) -j$(JOBS)
	@[ ! -x $(BUILD)/ringfence ] || echo "built $(BUILD)/ringfence   (make help: other targets)"

run: setup build	## install what is missing, build, run CMD='…' in a sandbox
	$(BUILD)/ringfence run $(RUN_FLAGS) -- $(CMD)

setup:			## install the Debian packages the build needs
	@$(SETUP) build

setup-test:
	@$(SETUP) test

setup-lint:
	@$(SETUP) lint

setup-bench:
	@$(SETUP) test bench

test: setup-test build build-asan	## install what is missing, build, run every suite
	@tools/run-suites --build $(BUILD) checks unit platform guest apps cli endings escape stress evil evil@build-asan \
		platform@build-clang guest@build-clang escape@build-clang \
		model lab lab-walls lab@build-clang

test-unit: build-asan	## unit tests, under ASan and UBSan too (needs no /dev/kvm)
	@tools/build $(BUILD) -j$(JOBS)
	@tools/run-suites --build $(BUILD) unit

test-native: build	## all that needs this machine's /dev/kvm
	@tools/run-suites --build $(BUILD) platform guest apps cli endings escape stress evil

test-lab: build		## in the lab: a VM with emulated SVM, kernel resident in guest ring 0
	@tools/run-suites --build $(BUILD) lab lab-walls

test-model: setup-test	## the protocols between CPUs, all their states, with spin (docs/protocols.md)
	@mkdir -p $(BUILD)/logs
	@tools/run-suites --build $(BUILD) model

test-lab-intel: setup-test build	## a selection on an emulated Intel CPU (Bochs); minutes
	@tools/run-suites --build $(BUILD) lab-intel

check: build		## layers, headers, licence lines, docs/hostcalls.md, and a clang build with -Werror
	@tools/run-suites --build $(BUILD) checks

build-asan:
	@tools/build build-asan -j$(JOBS) -- -Db_sanitize=address,undefined -Db_lundef=false -Dprograms=false

build-clang:		## everything with clang, warnings are errors
	@CC=clang tools/build build-clang -j$(JOBS) -- -Dwerror=true

bench: setup-bench build	## measure against the host, runsc and bwrap; table, JSON and SVG in build/bench
	@bench/run-bench

bench-lab: setup-bench build	## the same in the lab, with exits and hostcalls per operation
	@bench/run-bench-lab

fuzz:			## run every libFuzzer target for FUZZ_TIME seconds
	@CC=clang tools/build build-fuzz -j$(JOBS) -- -Dfuzz=true -Dprograms=false -Db_sanitize=address,undefined -Db_lundef=false
	@tools/run-fuzzers build-fuzz $(FUZZ_TIME)

fmt:			## format the C sources in place
	@tools/format

fmt-check:		## say which files clang-format would change
	@tools/format --check

lint: setup-lint build-clang	## clang-tidy, cppcheck, shellcheck, layers, headers, licence lines
	@tools/lint build-clang

install: build		## install the program, the two libraries and their headers
	@meson install --no-rebuild -C $(BUILD)

clean:			## remove what was compiled, keep the configuration
	@for dir in $(BUILD) build-asan build-clang build-fuzz; do [ ! -f $$dir/build.ninja ] || ninja -C $$dir clean >/dev/null; done

distclean:		## remove the build directories
	rm -rf build build-asan build-clang build-fuzz
