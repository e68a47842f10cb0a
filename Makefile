# The two commands that a fresh machine needs: make demo, make test.

GO         ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: all demo test unit conformance lint clients soak bench clean

all: bin/sekisho

.PHONY: bin/sekisho
bin/sekisho:
	$(GO) build -o $@ ./cmd/sekisho

# Tells the keyless story on embedded defaults; stays up on a terminal.
demo: bin/sekisho
	bin/sekisho demo

# The race detector. It leaves out what is no concern of it and costs it most: SQLite,
# which is C turned into Go (the driver that shares it between goroutines is
# watched), and the 64 MB that a password is hashed in.
UNWATCHED = modernc.org/sqlite/lib modernc.org/libc/... golang.org/x/crypto/argon2
RACE      = -race $(UNWATCHED:%=-gcflags=%=-race=false)

# Everything: style, unit tests with the race detector, real clients. All of it
# begins at once: the installation waits for registries, and clients for each other, so
# more of them run at a time than there are processors. Each part prints when it ends.
test:
	@$(MAKE) --no-print-directory -j3 --output-sync=target lint unit conformance

# What both test once more, compiled once; build would link as well.
.PHONY: compiled
compiled:
	$(GO) list $(RACE) -export ./... >/dev/null

# lint vets the tests; go test would vet them and all that they import once more.
unit: compiled
	$(GO) test $(RACE) -vet=off -timeout 20m $$($(GO) list ./... | grep -v /conformance)

conformance: compiled clients
	$(GO) test $(RACE) -vet=off -timeout 40m -parallel 4 -count=1 ./conformance # it drives a binary, which the test cache does not see

lint:
	@unformatted="$$(gofmt -l $$(git ls-files '*.go'))"; test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	cd bench && $(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# The pinned clients of the conformance tests, under .cache/.
clients:
	conformance/clients/install.sh

# The long forms: a large blob in and out, whose size in bytes is also the room on
# disk that it takes; an indexer over 10,000 files that is killed; the random tests:
# properties (rapid's flag is known only to packages that test with it) and fuzz
# targets.
SOAK ?= 60s
SOAK_BLOB ?= 5368709120
soak:
	SEKISHO_SOAK_BLOB=$(SOAK_BLOB) $(GO) test -timeout 0 -count=1 -v -run '^TestLargeBlobsNeedNoMemory$$' ./conformance
	SEKISHO_SOAK_FILES=10000 $(GO) test -timeout 0 -count=1 -v -run '^TestAnIndexerThatIsKilledGoesOn$$' ./internal/platform
	$(GO) test -timeout 0 $$($(GO) list -f '{{join .TestImports " "}} {{join .XTestImports " "}} {{.ImportPath}}' ./... | \
	  grep -w pgregory.net/rapid | sed 's/.* //') -rapid.checks=20000
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(SOAK) $$package || exit 1; \
	  done; \
	done

# The price of the gate against a bare reverse proxy, in one run; decisions
# against other engines, in another; grants of tokens against RSA itself; vectors
# against a scan of them and another HNSW; text search against bleve; blobs against
# Azurite and plain files; then the Go benchmarks of the parts. With DATA, a directory
# of labelled sets in BEIR's layout, only what search finds in them, against Lucene
# and by MiniLM's vectors (both take Java 17 and Maven).
DATA ?=
ifneq ($(DATA),)
bench: .cache/lucene .cache/minilm
	cd bench && $(GO) run ./search -data "$(abspath $(DATA))" -lucene $(CURDIR)/.cache/lucene -model $(CURDIR)/.cache/minilm
else
bench: clients
	cd bench && $(GO) run . && $(GO) run ./decide && $(GO) run ./grants && $(GO) run ./vectors && $(GO) run ./search && \
	  $(GO) run ./blobs -azurite "$$(ls -td $(CURDIR)/.cache/clients/js-storage-*/node_modules/azurite | head -1)/dist/src/blob/main.js"
	$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list ./... | grep -v /conformance)
endif

# .cache/minilm also keeps the vectors that the model has made.
.cache/lucene .cache/minilm: .cache/%: bench/search/%/pom.xml
	rm -rf $@ $@.partial
	mvn --batch-mode --quiet --file $< org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/$@.partial
	mv $@.partial $@
	touch $@

clean:
	rm -rf bin .cache
