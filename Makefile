# `make demo` and `make test` install what is missing, build and run. All targets: `make help`.
COMMAND := .build/release/sampling-free
DEMO := runs/demo
venv = python3 -m venv $(1) 2>/dev/null || { sh scripts/install_dependencies.sh python3 python3-venv && python3 -m venv $(1); }

.PHONY: help deps build demo demo-focal demo-trees test check-debian fuzz fuzz-hdf5 kill-test soak sanitize-leaks sanitize-thread parity check-ulp bench bench-loss bench-load bench-startup bench-instructions book book-sample book-current book-check book-serve clean

help: ## This list.
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

deps: ## Install missing Debian packages (uses sudo unless root).
	@sh scripts/install_dependencies.sh

build: deps ## Build the command in release.
	swift build -c release --product sampling-free

demo: build ## Train Sampling-Free on digit-scenes, draw detections to a PNG, print AP (about 5 minutes on 2 cores).
	rm -rf $(DEMO)
	$(COMMAND) train docs/recipes/digit-scenes.yaml --set train.output=$(DEMO)
	$(COMMAND) detect $(DEMO)/weights.h5 --validation 9 --output $(DEMO)/detections.png
	@echo "weights and metrics: $(DEMO), picture: $(DEMO)/detections.png"
	$(COMMAND) evaluate docs/recipes/digit-scenes.yaml $(DEMO)/weights.h5

demo-focal: build ## The same configuration with Focal Loss and its heuristics instead.
	rm -rf $(DEMO)-focal
	$(COMMAND) train docs/recipes/digit-scenes.yaml --set train.output=$(DEMO)-focal \
	  --set sampler=focal --set lossScaler=unscaled --set bias=constant --set thresholder=fixed

demo-trees: build ## Train on tree-crowns and draw the validation tiles.
	rm -rf $(DEMO)-trees
	$(COMMAND) train docs/recipes/tree-crowns.yaml --set train.output=$(DEMO)-trees
	$(COMMAND) detect $(DEMO)-trees/weights.h5 --validation 6 --output $(DEMO)-trees/detections.png

test: deps ## Run all tests, the chapters' snippets among them.
	swift build -c release --build-tests
	swift test -c release --skip-build
	sh scripts/check_template.sh

check-debian: ## `make demo test` from nothing in a Debian 13 root folder; needs root (SUITE, MIRROR, SWIFT, BIND: see the script).
	scripts/check_debian.sh demo test

MUTATIONS := 100000

fuzz-hdf5: deps ## Read that many damaged HDF5 files (MUTATIONS=100000): errors, but no crash and little memory.
	swift build -c release --build-tests
	HDF5_MUTATIONS=$(MUTATIONS) swift test -c release --skip-build --filter HDF5Tests.Mutation

RUNS := 100000
TARGETS :=

fuzz: deps ## Feed damaged images, annotations, configurations and weights to the readers (RUNS=100000 TARGETS="png coco").
	scripts/proof/fuzz.sh $(RUNS) $(TARGETS)

MINUTES := 120

soak: bench-build ## Train and detect in turn for MINUTES=120 and fail where memory, open files or threads add up.
	.build/release/bench soak --minutes $(MINUTES)

sanitize-leaks: deps ## Run the commands under AddressSanitizer, LeakSanitizer and, for C, UndefinedBehaviorSanitizer.
	scripts/proof/sanitize_leaks.sh

sanitize-thread: deps ## Run the commands under ThreadSanitizer.
	scripts/proof/sanitize_thread.sh

KILLS := 100

kill-test: deps ## Kill training and comparing that often (KILLS=100) at random moments: all end with the same bytes.
	swift build -c release --build-tests
	KILLS=$(KILLS) swift test -c release --skip-build --filter CommandTests.KillTests

RECORD :=

bench-instructions: ## Count the kernels' instructions and compare with the recorded counts (RECORD=record writes them).
	@sh scripts/install_dependencies.sh valgrind binutils
	swift build -c release --product bench
	scripts/benchmarks/instructions.sh $(RECORD)

check-ulp: deps ## Hold the kernels' exp and log1p against double precision at every float (a minute or two).
	swift build -c release --build-tests
	ULP_STRIDE=1 swift test -c release --skip-build --filter DetectionCoreTests.FunctionError

PEERS := .build/peers/bin/python
ROUNDS := 5

bench: bench-build $(PEERS) ## Speed and memory against PyTorch, ONNX Runtime, OpenVINO, pycocotools (see docs/benchmarks.md).
	$(PEERS) scripts/benchmarks/bench.py --rounds $(ROUNDS) --table .build/benchmarks/table.md

bench-loss: bench-build $(PEERS) ## The same for the classification loss alone.
	$(PEERS) scripts/benchmarks/bench.py --rounds $(ROUNDS) --only loss

bench-load: bench-build $(PEERS) ## Loading ResNet-50 by us, by h5py and by a plain read(), in turn.
	$(PEERS) scripts/benchmarks/load.py

bench-startup: build bench-build $(PEERS) ## From process start to a picture with detections, against torchvision.
	$(PEERS) scripts/benchmarks/startup.py

.PHONY: bench-build
bench-build: deps
	swift build -c release --product bench

$(PEERS): scripts/benchmarks/requirements.txt
	$(call venv,.build/peers)
	.build/peers/bin/pip install --quiet -r $<
	touch $@

parity: build bench-build $(PEERS) ## What we compute from Keras' and torchvision's weights against what they compute.
	OMP_NUM_THREADS=1 KERAS_BACKEND=torch $(PEERS) scripts/parity/parity.py $(COMMAND) .build/release/bench

MODE := quick
PYTHON := .build/book-venv/bin/python

book: build $(PYTHON) ## Re-run the book's experiments, write tables and figures back, build site/ (MODE=quick, full).
	$(PYTHON) scripts/book/book.py all --mode $(MODE)

book-sample: build $(PYTHON) ## Train a few of the book's runs anew and hold them against the committed results (see docs/experiments.yaml).
	$(PYTHON) scripts/book/book.py sample

book-current: $(PYTHON) ## Fail where a table or a translation is not current.
	$(PYTHON) scripts/book/book.py check

book-check: deps book-current ## The same, and run the chapters, claims about results among them.
	swift build -c release --build-tests
	swift test -c release --skip-build --filter ChaptersTests

book-serve: ## Show site/ at http://localhost:8000 (search needs a server, reading does not).
	python3 -m http.server 8000 --bind localhost --directory site

$(PYTHON): scripts/book/requirements.txt
	$(call venv,.build/book-venv)
	.build/book-venv/bin/pip install --quiet -r $<
	touch $@

clean: ## Remove builds and runs.
	rm -rf .build runs site
