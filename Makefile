# mailhaul: build, try and test. Needs Go and, for tests against real servers,
# Debian's apt-get and dpkg-deb (packages are unpacked, never installed).

.DEFAULT_GOAL := build

GO ?= go
BIN := bin/mailhaul

.PHONY: help build demo test quick kill bench lint fuzz clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

build: ## the program, in bin/
	$(GO) build -trimpath -o $(BIN) ./cmd/mailhaul

demo: build ## move a sample organisation into the embedded destination
	$(BIN) demo

# Tests wait for servers: more of them than there are processors may run at once.
TEST := $(GO) test -parallel 4 -timeout 30m

test: lint ## every test, real servers where they can be had; then small samples with the race detector
	$(TEST) ./...
	$(TEST) -race -short ./...

quick: ## what a developer runs often: small samples, no race detector
	$(TEST) -short ./...

KILLS ?= 200
kill: ## kill the program KILLS times while it loads a hundred messages a time
	MAILHAUL_KILLS=$(KILLS) $(GO) test -run TestKilledAgainAndAgain -v -timeout 120m ./internal/cli

BENCH ?= .
bench: ## everything docs/performance.md shows, in one run; BENCH=Ceiling for a part
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime 1x -timeout 6h ./internal/bench

lint: ## format and vet
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
