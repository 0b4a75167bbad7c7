# swift-cnf. `make` lists what there is to make.

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

# Where `make install` puts things; DESTDIR is put before it, for those who build packages.
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help
help: ## list the targets
	@printf 'swift-cnf: continuous normalizing flows and neural ODEs on CPUs\n\n'
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@printf '\nVariables: DATA=digits OUT=runs/NAME ARGS="--seed 1" (train), ARGS (bench, bench-library, bench-solvers), FILTER=NAME (swift-test, bench-library), PREFIX=/usr/local DESTDIR= (install)\n'

.PHONY: train
train: build ## set up, build, and train a flow on DATA (about two minutes on 2 cores)
	$(PROGRAM) train --data $(DATA) --out $(OUT) $(ARGS)

.PHONY: build
build: ## set up and build the program, .build/release/cnf
	@Scripts/setup.sh train
	$(SWIFT_BUILD)

.PHONY: test
test: ## set up, build, and run every test: format, C by gcc and clang, Swift
	@Scripts/setup.sh test
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory c-test
	@$(MAKE) --no-print-directory swift-test

.PHONY: c-test
c-test: ## the C library alone, through CMake: tests, examples, installation
	@Scripts/setup.sh c
	Scripts/test-c.sh

.PHONY: soak
soak: ## the activations on all 2^32 floats and many doubles, against wider arithmetic (long; not part of `make test`)
	@Scripts/setup.sh c
	@cmake -S CSources/CNFKernels -B .build-c/soak -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Release >/dev/null
	@cmake --build .build-c/soak --parallel "$$(getconf _NPROCESSORS_ONLN)" --target accuracy_test >/dev/null
	.build-c/soak/tests/accuracy_test --all

.PHONY: test-arm
test-arm: ## the C library for 64-bit Arm: cross-compiled, its tests run in QEMU (not part of `make test`)
	@Scripts/setup.sh arm
	Scripts/test-c-emulated.sh arm

.PHONY: test-avx512
test-avx512: ## the C library with AVX-512 emulated by SIMDe, its tests run there (not part of `make test`)
	@Scripts/setup.sh avx512
	Scripts/test-c-emulated.sh avx512

.PHONY: sanitize
sanitize: ## the C library's tests under AddressSanitizer with UBSan, and under ThreadSanitizer (not part of `make test`)
	@Scripts/setup.sh c
	Scripts/sanitize.sh

.PHONY: swift-test
swift-test: ## the Swift tests alone; FILTER=NAME picks some
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --build-tests
	$(SWIFT_TEST) $(if $(FILTER),--filter $(FILTER))

# The list of hashes that `make bits` writes; AGAINST=FILE names an earlier one to compare it with.
BITS ?= .build-c/bits.txt
AGAINST ?=
.PHONY: bits
bits: build ## write hashes of every kind of result to BITS; AGAINST=FILE fails where an earlier list differs (2 minutes)
	@Scripts/setup.sh c
	@Scripts/bits.sh $(BITS) $(AGAINST)

.PHONY: bench
bench: build ## measure kernels and training steps (about a minute); ARGS="--full" takes longer
	$(PROGRAM) bench $(ARGS)

# The kernels by the compiler that builds them for Swift; the name of a program in Benchmarks/c follows.
BUILD_BENCH = Scripts/setup.sh c && \
  CC="$$(Scripts/swift-clang.sh)" cmake -S CSources/CNFKernels -B .build-c/bench -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF && \
  cmake --build .build-c/bench --parallel "$$(getconf _NPROCESSORS_ONLN)" --target

.PHONY: bench-c
bench-c: ## time training steps by the C library alone; THREADS=1 for one core, or all
	@($(BUILD_BENCH) training_step) >/dev/null
	@.build-c/bench/training_step $(THREADS)

.PHONY: bench-blas
bench-blas: ## time the kernels' matrix product beside OpenBLAS's, on one core
	@($(BUILD_BENCH) blas_product) >/dev/null
	@.build-c/bench/blas_product

.PHONY: bench-memory
bench-memory: ## peak memory and time of a gradient by the number of steps and by what is kept of them; ARGS="--quick"
	@($(BUILD_BENCH) memory) >/dev/null
	@python3 Benchmarks/memory.py .build-c/bench/memory $(ARGS)

.PHONY: bench-precision
bench-precision: build ## train in full and in mixed precision, five seeds of two data sets, and compare (some ten minutes)
	python3 Benchmarks/precision.py $(PROGRAM) $(ARGS)

.PHONY: bench-discrete
bench-discrete: build ## train discrete and continuous flows for equal seconds and compare (some fifteen minutes); ARGS="--cpu-seconds 20"
	python3 Benchmarks/discrete.py $(PROGRAM) $(ARGS)

# A package of its own, so a build of its own: the benchmark library takes minutes.
.PHONY: bench-library
bench-library: ## time files, solves and flows of the Swift modules (Swift 6.3); ARGS="--format jmh" for JSON
	@Scripts/setup.sh train
	cd Benchmarks && swift package benchmark $(if $(FILTER),--filter '$(FILTER)') $(ARGS)

.PHONY: bench-solvers
bench-solvers: ## work and precision of every adaptive method on the DETEST problems, with plots; ARGS="--out DIR --methods tsit5"
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-solvers
	.build/$(CONFIGURATION)/bench-solvers $(ARGS)

.PHONY: bench-hamiltonian
bench-hamiltonian: ## energy drift of Hamiltonian fields beside a plain net, pendulum and two bodies; ARGS="--out DIR"
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-structures
	.build/$(CONFIGURATION)/bench-structures hamiltonian $(ARGS)

.PHONY: bench-transport
bench-transport: ## transport cost of a plain flow, RNODE and OT-Flow beside the exact one of a Gaussian pair; ARGS="--out DIR"
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-structures
	.build/$(CONFIGURATION)/bench-structures transport $(ARGS)

BENCH_OBJECTIVES := .build/$(CONFIGURATION)/bench-objectives
.PHONY: bench-flow-matching
bench-flow-matching: ## nats after equal processor time, maximum likelihood beside flow matching; ARGS="--data moons" (an hour)
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-objectives
	$(BENCH_OBJECTIVES) flow-matching $(ARGS)

.PHONY: bench-diffusion
bench-diffusion: ## the three diffusions after equal processor time, and their ways to sample; ARGS="--data checkerboard"
	@Scripts/setup.sh train
	$(SWIFT_BUILD) --product bench-objectives
	$(BENCH_OBJECTIVES) diffusion $(ARGS)

.PHONY: bench-neural-ode
bench-neural-ode: build ## digits and a disc inside a ring by neural ODEs, three seeds (some minutes); ARGS="--pictures Documentation"
	python3 Benchmarks/neural_ode.py $(PROGRAM) $(ARGS)

.PHONY: bench-architectures
bench-architectures: build ## train each architecture on one data set, and count dropout's steps (some minutes): Documentation/architectures.md
	@cmake -S CSources/CNFKernels -B .build-c/architectures -DCMAKE_C_COMPILER="$$(Scripts/swift-clang.sh)" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON >/dev/null
	@cmake --build .build-c/architectures --parallel "$$(getconf _NPROCESSORS_ONLN)" --target dropout_steps_test >/dev/null
	@python3 Benchmarks/architectures.py $(PROGRAM) .build/$(CONFIGURATION)/cnf-examples $(ARGS)
	@.build-c/architectures/tests/dropout_steps_test

.PHONY: documents
documents: build ## make the figures of conditional flows, inverses and transforms in Documentation again (some 25 minutes)
	python3 Benchmarks/flow_documents.py $(PROGRAM) all --seconds 300 --write $(ARGS)

# The rivals live in a Python environment of their own. COMPILER=gcc builds the kernels by gcc, not by Swift's Clang.
PEERS := .build-peers
PEERS_BUILD = .build-c/peers-$(COMPILER)
COMPILER ?= clang
.PHONY: bench-peers
bench-peers: ## compare with diffrax and torchdiffeq (long; ARGS="--quick" is shorter)
	@Scripts/setup.sh peers
	@$(MAKE) --no-print-directory --silent $(PEERS)/ready
	@cmake -S CSources/CNFKernels -B $(PEERS_BUILD) -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
	  -DCMAKE_C_COMPILER="$$([ $(COMPILER) = clang ] && Scripts/swift-clang.sh || command -v $(COMPILER))" >/dev/null
	@cmake --build $(PEERS_BUILD) --parallel "$$(getconf _NPROCESSORS_ONLN)" --target cnf first_gradient >/dev/null
	@$(PEERS)/venv/bin/python Benchmarks/peers/compare.py --build $(PEERS_BUILD) $(ARGS)

$(PEERS)/ready: Benchmarks/peers/requirements.txt
	@echo 'bench-peers: installing the rivals into $(PEERS)' >&2
	python3 -m venv --clear $(PEERS)/venv
	$(PEERS)/venv/bin/pip install --quiet --requirement $<
	@touch $@

.PHONY: lint
lint: ## check the format of every source
	@Scripts/setup.sh test
	Scripts/lint.sh

.PHONY: format
format: ## repair the format of every source
	Scripts/lint.sh --fix

# The program looks for its resources beside itself, so both live in libexec and bin gets a link.
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
	rm -rf .build .build-c Benchmarks/.build $(PEERS)
