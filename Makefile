# swift-cnf. `make` lists the targets. Times in the help are of 2 cores.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# One configuration serves the program and its tests, so each source is compiled once. The tests import nothing with
# @testable: testable imports would compile every module a second time.
CONFIGURATION := release
SWIFT_BUILD := swift build -c $(CONFIGURATION)
SWIFT_TEST := swift test -c $(CONFIGURATION) --disable-testable-imports
PROGRAM := .build/$(CONFIGURATION)/cnf
RESOURCES := .build/$(CONFIGURATION)/swift-cnf_ContinuousFlows.resources

# What `make train` trains on, where it writes, and further options of `cnf train`.
DATA ?= digits
OUT ?= runs/$(DATA)-$(shell date +%Y%m%d-%H%M%S)
ARGS ?=

# Where `make install` puts files. DESTDIR is put before it, for those who build packages.
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help
help: ## list the targets
	@printf 'swift-cnf: continuous normalizing flows and neural ODEs on CPUs\n\n'
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 29
	@printf '\nTimes are of 2 cores. Variables:\n'
	@printf '  %s\n' 'DATA=digits OUT=runs/NAME ARGS="--seed 1"   for train' 'ARGS="..."   for bench and bench-...: flags of the program' \
	  'FILTER=NAME   for swift-test and bench-library' 'PREFIX=/usr/local DESTDIR=   for install'

.PHONY: train
train: build ## set up, build, and train a flow on DATA (two minutes to build, two to train)
	$(PROGRAM) train --data $(DATA) --out $(OUT) $(ARGS)

.PHONY: build
build: ## set up and build the program, .build/release/cnf (two minutes)
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product cnf

.PHONY: test
test: ## set up, build, and run every test: sources, C by gcc and clang, Swift (12 minutes on busy cores)
	@Scripts/setup.sh test
	@Scripts/test.sh $(MAKE) --no-print-directory swift-test

.PHONY: c-test
c-test: ## test the C library alone, through CMake: tests, examples, installation (four minutes)
	@Scripts/setup.sh c
	Scripts/test-c.sh

.PHONY: soak
soak: ## check the activations on all 2^32 floats and many doubles against wider arithmetic (hours)
	@Scripts/setup.sh c
	@"$$(Scripts/build-c.sh gcc accuracy_test)/tests/accuracy_test" --all

.PHONY: test-arm
test-arm: ## cross-compile the C library for 64-bit Arm and run its tests in QEMU
	@Scripts/setup.sh arm
	Scripts/test-c-emulated.sh arm

.PHONY: test-avx512
test-avx512: ## run the C library's tests with AVX-512 emulated by SIMDe
	@Scripts/setup.sh avx512
	Scripts/test-c-emulated.sh avx512

.PHONY: sanitize
sanitize: ## run the C library's tests under AddressSanitizer, UBSan and ThreadSanitizer; then fuzz
	@Scripts/setup.sh c
	SECONDS_EACH=$(SECONDS) Scripts/sanitize.sh

# Seconds of each target. What it finds stays in .build-c/fuzz: a later run begins there.
SECONDS ?= 20
.PHONY: fuzz
fuzz: ## let libFuzzer make up field programs and calls, under AddressSanitizer; SECONDS=20 of each
	@Scripts/setup.sh c
	SECONDS_EACH=$(SECONDS) Scripts/sanitize.sh fuzz

.PHONY: swift-test
swift-test: ## build and run the Swift tests alone; FILTER=NAME picks some (seven minutes)
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --build-tests
	$(SWIFT_TEST) $(if $(FILTER),--filter $(FILTER))

.PHONY: goodness-of-fit
goodness-of-fit: ## compare 200,000 samples with the density, eight seeds, for every kind of model (half an hour)
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --build-tests
	CNF_FIT_STEPS=2000 CNF_FIT_SAMPLES=200000 CNF_FIT_SEEDS=8 CNF_FIT_PARTS=4 $(SWIFT_TEST) --filter GoodnessOfFitTests

# The list of hashes that `make bits` writes; AGAINST=FILE names an earlier one to compare it with.
BITS ?= .build-c/bits.txt
AGAINST ?=
.PHONY: bits
bits: build ## hash every kind of result into BITS; with AGAINST=FILE, fail where a list differs (two minutes)
	@Scripts/setup.sh c
	@Scripts/bits.sh $(BITS) $(AGAINST)

.PHONY: coverage
coverage: ## print what the tests run, C and Swift: lines by folder, functions never run (half an hour)
	@Scripts/setup.sh c
	@Scripts/coverage.sh

.PHONY: measure
measure: ## print files per folder, lines per module, the longest functions and the largest structs (seconds)
	@python3 Scripts/measure_code.py

.PHONY: bench
bench: build ## measure kernels and training steps (a minute); ARGS="--full" takes longer
	$(PROGRAM) bench $(ARGS)

.PHONY: bench-c
bench-c: ## time training steps by the C library alone; THREADS=1 for one core, or all (a minute)
	@Scripts/setup.sh c
	@"$$(Scripts/build-c.sh clang training_step)/training_step" $(THREADS)

.PHONY: bench-small-calls
bench-small-calls: ## time calls of 1 to 16 samples by the C library; THREADS=1 for one core (two minutes)
	@Scripts/setup.sh c
	@"$$(Scripts/build-c.sh clang small_calls)/small_calls" $(THREADS)

.PHONY: bench-blas
bench-blas: ## compare the kernels' matrix product with OpenBLAS's, on one core (a minute)
	@Scripts/setup.sh c
	@"$$(Scripts/build-c.sh clang blas_product)/blas_product"

.PHONY: bench-memory
bench-memory: ## measure a gradient's peak memory and time by the number of steps; ARGS="--quick"
	@Scripts/setup.sh c
	@python3 Benchmarks/memory.py "$$(Scripts/build-c.sh clang memory)/memory" $(ARGS)

.PHONY: bench-precision
bench-precision: build ## compare training in full and in mixed precision: five seeds, two data sets (ten minutes)
	python3 Benchmarks/precision.py $(PROGRAM) $(ARGS)

.PHONY: bench-discrete
bench-discrete: build ## compare discrete and continuous flows after equal seconds (fifteen minutes)
	python3 Benchmarks/discrete.py $(PROGRAM) $(ARGS)

# A package of its own, because the benchmark library takes minutes to build.
.PHONY: bench-library
bench-library: ## time files, solves and flows of the Swift modules (Swift 6.3); ARGS="--format jmh" for JSON
	@Scripts/setup.sh train
	cd Benchmarks && swift package benchmark $(if $(FILTER),--filter '$(FILTER)') $(ARGS)

.PHONY: bench-solvers
bench-solvers: ## measure work and precision of every adaptive method on the DETEST problems, with plots
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-solvers
	.build/$(CONFIGURATION)/bench-solvers $(ARGS)

.PHONY: bench-hamiltonian
bench-hamiltonian: ## measure the energy drift of Hamiltonian fields and of a plain net
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-structures
	.build/$(CONFIGURATION)/bench-structures hamiltonian $(ARGS)

.PHONY: bench-transport
bench-transport: ## compare transport costs of a plain flow, RNODE and OT-Flow with the exact one
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-structures
	.build/$(CONFIGURATION)/bench-structures transport $(ARGS)

BENCH_OBJECTIVES := .build/$(CONFIGURATION)/bench-objectives
.PHONY: bench-flow-matching
bench-flow-matching: ## compare NLL after equal processor time: maximum likelihood and flow matching (an hour)
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-objectives
	$(BENCH_OBJECTIVES) flow-matching $(ARGS)

.PHONY: bench-diffusion
bench-diffusion: ## compare the three diffusions after equal processor time, and their samplers
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-objectives
	$(BENCH_OBJECTIVES) diffusion $(ARGS)

.PHONY: bench-neural-ode
bench-neural-ode: build ## train neural ODEs on digits and on a disc inside a ring, three seeds (a few minutes)
	python3 Benchmarks/neural_ode.py $(PROGRAM) $(ARGS)

.PHONY: bench-architectures
bench-architectures: build ## train each architecture on one data set, and count dropout's steps (a few minutes)
	$(SWIFT_BUILD) --product cnf-examples
	@python3 Benchmarks/architectures.py $(PROGRAM) .build/$(CONFIGURATION)/cnf-examples $(ARGS)
	@"$$(Scripts/build-c.sh clang dropout_steps_test)/tests/dropout_steps_test"

.PHONY: documents
documents: build ## rebuild the figures in Documentation of conditional flows, inverses, transforms (25 minutes)
	python3 Benchmarks/flow_documents.py $(PROGRAM) all --seconds 300 --write $(ARGS)

# The other libraries have a Python environment of their own. With COMPILER=gcc, gcc builds the kernels, not Clang.
PEERS := .build-peers
COMPILER ?= clang
.PHONY: bench-peers
bench-peers: ## compare with diffrax and torchdiffeq (an hour; ARGS="--quick" is shorter)
	@Scripts/setup.sh peers
	@$(MAKE) --no-print-directory --silent $(PEERS)/ready
	@build=$$(Scripts/build-c.sh $(COMPILER) cnf first_gradient); \
	  $(PEERS)/venv/bin/python Benchmarks/peers/compare.py --build "$$build" $(ARGS)

$(PEERS)/ready: Benchmarks/peers/requirements.txt
	@echo 'bench-peers: installing the other libraries into $(PEERS)' >&2
	python3 -m venv --clear $(PEERS)/venv
	$(PEERS)/venv/bin/pip install --quiet --requirement $<
	@touch $@

.PHONY: lint
lint: ## check format, wording and sizes of every source (seconds)
	@Scripts/setup.sh test
	Scripts/lint.sh

.PHONY: format
format: ## repair the format of every source
	Scripts/lint.sh --fix

# The program looks for its resources in its own folder, so both are installed in libexec, and bin gets a link.
.PHONY: install
install: build ## install the program, its data and the C library under PREFIX
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/libexec/swift-cnf"
	install $(PROGRAM) "$(DESTDIR)$(PREFIX)/libexec/swift-cnf/cnf"
	cp -R $(RESOURCES) "$(DESTDIR)$(PREFIX)/libexec/swift-cnf/"
	ln -sfn ../libexec/swift-cnf/cnf "$(DESTDIR)$(PREFIX)/bin/cnf"
	@$(MAKE) --no-print-directory install-c

.PHONY: install-c
install-c: ## install the C library alone under PREFIX
	@Scripts/setup.sh c
	cmake -S CSources/CNFKernels -B .build-c/install -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX="$(PREFIX)"
	cmake --build .build-c/install --parallel "$$(getconf _NPROCESSORS_ONLN)"
	DESTDIR="$(DESTDIR)" cmake --install .build-c/install

.PHONY: clean
clean: ## remove what was built; runs/ stays
	rm -rf .build .build-c .build-coverage Benchmarks/.build $(PEERS)
