# mailhaul: build, try and test. Needs Go and, for tests against real servers,
# Debian's apt-get and dpkg-deb (packages are unpacked, never installed).

GO ?= go
BIN := bin/mailhaul

.PHONY: build demo test quick kill bench lint fuzz clean

build: ## the program, in bin/
	$(GO) build -trimpath -o $(BIN) ./cmd/mailhaul

demo: build ## move a sample organisation into the embedded destination
	$(BIN) demo

test: lint ## every test, real servers where they can be had
	$(GO) test -timeout 30m ./...
	$(GO) test -race -short -timeout 30m ./...

quick: ## what a developer runs often: small samples, no race detector
	$(GO) test -short ./...

KILLS ?= 200
kill: ## kill the program KILLS times while it loads a hundred messages a time
	MAILHAUL_KILLS=$(KILLS) $(GO) test -run TestKilledAgainAndAgain -v -timeout 120m ./internal/cli

BENCH ?= .
bench: ## everything docs/performance.md shows, in one run; BENCH=Ceiling for a part
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime 1x -timeout 6h ./internal/bench

lint:
	@test -z "$$(gofmt -l cmd internal)" || { gofmt -l cmd internal; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; done

clean:
	rm -rf bin
