# The front door: verbs here, nouns in CMakeLists.txt. Each verb chooses a build folder and calls
# CMake and CTest. `make test T=regex SEED=n` runs some tests with one seed.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
SECONDS ?= 60
CLANG ?= $(firstword $(wildcard /usr/bin/clang++-14) clang++)

configure_release :=
configure_debug := -DCMAKE_BUILD_TYPE=Debug
# Also the benchmarks, so that they are seen by the second compiler and by clang-tidy.
configure_clang := -DCMAKE_CXX_COMPILER=$(CLANG) -DCMAKE_C_COMPILER=$(subst clang++,clang,$(CLANG)) \
  -DSPW_BENCH=$(if $(wildcard /usr/include/benchmark/benchmark.h),ON,OFF)
configure_asan := -DCMAKE_BUILD_TYPE=Debug -DSPW_MALLOC=system -DSPW_SANITIZE=address,undefined
configure_tsan := -DCMAKE_BUILD_TYPE=Debug -DSPW_MALLOC=system -DSPW_SANITIZE=thread
configure_valgrind := -DSPW_MALLOC=system
configure_fuzz := -DCMAKE_CXX_COMPILER=$(CLANG) -DCMAKE_C_COMPILER=$(subst clang++,clang,$(CLANG)) \
  -DSPW_FUZZ=ON -DSPW_TESTS=OFF -DSPW_EXAMPLES=OFF -DSPW_MALLOC=system \
  -DSPW_SANITIZE=fuzzer-no-link,address,undefined
configure_bench := -DSPW_BENCH=ON -DSPW_TESTS=OFF

.PHONY: help
help: ## help: these verbs
	@sed -n 's/^[a-z-]*:.*## /make /p' Makefile

.PHONY: bootstrap
bootstrap: ## bootstrap: install what a fresh Debian lacks (run and test do it themselves)
	@.ci/bootstrap

# make build/<folder>: configure if that was not done yet, then build all. Order only: bootstrap is
# never up to date, and must not make everything else stale.
build/%/build.ninja: | bootstrap
	cmake -S . -B build/$* -G Ninja $(configure_$*)

.PHONY: $(foreach f,release debug clang asan tsan valgrind fuzz bench,build/$(f))
build/release build/debug build/clang build/asan build/tsan build/valgrind build/fuzz build/bench: build/%: build/%/build.ninja
	cmake --build $@ -j $(JOBS)

.PHONY: run
run: bootstrap build/release/build.ninja ## run: put real logs through the store and through SQLite, compare (FILES="a.log ...")
	@cmake --build build/release -j $(JOBS) --target examples
	examples/c/run.sh build/release $(FILES)

.PHONY: test
test: bootstrap ## test: build, run all tests (T=regex: some of them, SEED=n: random tests with that seed)
	@$(MAKE) --no-print-directory build/release
	@.ci/ctest build/release $(if $(T),-R '$(T)')

.PHONY: test-bindings
test-bindings: bootstrap ## test-bindings: C#, Go and Rust, from the source and from the packed artefact; nothing is skipped
	@$(MAKE) --no-print-directory build/release
	@SPW_REQUIRE_ALL=1 .ci/ctest build/release -R '^(bindings|consumer|examples|smoke)\.'

.PHONY: format
format: ## format: rewrite our C and C++ sources with clang-format
	@.ci/format

.PHONY: check
check: bootstrap ## check: presubmit: format, lint, clang-tidy, g++ and clang builds, ABI gates
	@.ci/check

.PHONY: bench
bench: ## bench: benchmarks against the limits and the installed peers (SPW_BENCH_FILTER=regex)
	@.ci/bootstrap bench
	@$(MAKE) --no-print-directory build/bench
	tests/bench/run.sh build/bench

.PHONY: bench-report
bench-report: ## bench-report: one page and a table of what the last `make bench` measured (RECORDS=n: measure the stores with so many first)
ifdef RECORDS
	@.ci/bootstrap bench
	@$(MAKE) --no-print-directory build/bench
	SPW_BENCH_RECORDS=$(RECORDS) tests/bench/run.sh build/bench records
endif
	@tests/bench/results/page.py --results build --html build/bench-report.html --markdown build/bench-report.md

.PHONY: bench-bindings
bench-bindings: bootstrap ## bench-bindings: the same loop in C, C#, Go and Rust; each must reach 80 % of C
	@$(MAKE) --no-print-directory build/release
	tests/bindings/throughput.sh build/release

.PHONY: asan tsan
asan: bootstrap ## asan: all tests under address and undefined-behaviour sanitizers
tsan: bootstrap ## tsan: all tests under the thread sanitizer
asan tsan:
	@$(MAKE) --no-print-directory build/$@
	@.ci/ctest build/$@ $(if $(T),-R '$(T)')

.PHONY: fuzz
fuzz: bootstrap build/fuzz/build.ninja ## fuzz: all fuzzers for SECONDS (60) each, on what came before and on the committed corpus
	@cmake --build build/fuzz -j $(JOBS) --target $(patsubst tests/fuzz/corpus/%,fuzz_%,$(wildcard tests/fuzz/corpus/*))
	tests/fuzz/run.sh build/fuzz $(SECONDS)

.PHONY: valgrind
valgrind: bootstrap ## valgrind: the C API tests under memcheck
	@$(MAKE) --no-print-directory build/valgrind
	@.ci/valgrind build/valgrind

.PHONY: examples
examples: bootstrap build/release/build.ninja ## examples: build the examples, run the one there is in every language, compare
	@cmake --build build/release -j $(JOBS) --target examples
	tests/examples/languages_test.sh build/release

.PHONY: install
install: build/release/build.ninja ## install: header, libraries, package files, the command (DESTDIR=, PREFIX=/usr/local)
	cmake --build build/release -j $(JOBS) --target spillway spw_archive spillway_cli
	DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)

.PHONY: clean
clean: ## clean: remove all build folders, keep fetched sources
	rm -rf $(foreach f,$(wildcard build/*),$(if $(filter build/deps,$f),,$f))
