# Everything that CI does is a target here; .ci/run only calls them.

GOLANGCI_VERSION := 2.15.0
GOVULNCHECK_VERSION := 1.9.0

# An installed golangci-lint of the pinned version is used; otherwise that version goes into ./bin.
GOLANGCI := $(shell golangci-lint version 2>/dev/null | grep -q 'version v\{0,1\}$(GOLANGCI_VERSION) ' && command -v golangci-lint)
ifeq ($(GOLANGCI),)
GOLANGCI := bin/golangci-lint-$(GOLANGCI_VERSION)
endif

# The race detector looks at all that is written in Go. SQLite is C that was translated into Go, synchronises by means of its
# own, and takes ten times as long when each of its steps is looked at; who calls it how is looked at all the same.
RACE := -race -gcflags=modernc.org/...=-race=false

.PHONY: fuzz deps flood timing run build fmt lint test axe figures drivers race bench load torture mutants restarts stalled soak seed vuln cover cross screenshots

run:
	go run .

build:
	CGO_ENABLED=0 go build -trimpath -o govor .

fmt: $(GOLANGCI)
	$(GOLANGCI) fmt

# golangci-lint brings its own pinned gofumpt and goimports.
lint: $(GOLANGCI)
	$(GOLANGCI) fmt --diff
	$(GOLANGCI) run ./...
	go vet ./...
	go vet -C tests/load ./...

# With the race detector, then without it what it only makes slow: browsers, every character tried as a name, and every
# beginning of a line. A program that has done its work need not linger for another second at each of some hundred ends,
# as the detector has it. make lint vets, and vetting what is built for the detector would be to vet everything twice.
test: export GORACE := atexit_sleep_ms=50
test:
	go test $(RACE) -vet=off -shuffle=on -parallel 3 -timeout 20m -skip '^TestBrowser' ./...
	go test -shuffle=on -timeout 20m -run '^TestBrowser' ./tests
	go test -run 'Stable|StayAllowed|NothingIsDropped' ./hub/protocol ./views
	go test -C tests/load ./...

# What finds, in the browser tests, whatever would be in the way of somebody. Without it they are skipped.
axe: tests/js/node_modules/axe-core/axe.min.js

tests/js/node_modules/axe-core/axe.min.js: tests/js/package-lock.json
	npm ci --prefix tests/js --no-audit --no-fund
	@touch $@

# What the page promises in milliseconds: how soon a phone on a slow line sees a room, that neither scrolling nor typing
# stutters, and that a short restart goes unnoticed. Nothing else should be running: that is why make test leaves it out.
# FIGURES=TestBrowserScrolls for one.
figures:
	GOVOR_REQUIRE_BROWSER=1 GOVOR_FIGURES=1 go test -count=1 -parallel 1 -v -run '$(or $(FIGURES),TestBrowserPaints|TestBrowserScrolls|TestBrowserKeepsUp|TestBrowserSaysNothing)' ./tests

# Both drivers of sockets are there and pass the same suite: fails if the name of either is missing from the output.
drivers:
	@mkdir -p tests/out
	go test -count=1 -v -run 'TestConformance|TestFormatsTalk|TestResume|TestRestartUnderLoad' ./hub/socket ./tests > tests/out/drivers.log || (tail -40 tests/out/drivers.log; exit 1)
	@for driver in portable loop; do \
		n=$$(grep -c -- "--- PASS: .*/$$driver" tests/out/drivers.log); \
		echo "$$driver: $$n passed"; \
		test "$$n" -gt 0 || exit 1; \
	done

# The same, several times over, and SQLite with it: for interleavings that one run does not meet.
race:
	go test -race -shuffle=on -count=5 ./hub/...

bench:
	go test -run='^$$' -bench=. -benchmem ./...

# Govor against other hubs and the bare write loop, see tests/load/README.md: twenty minutes, or make load QUICK=1
# for two minutes. Also ROUNDS=3 SCENARIO=S1u,S1 PEER=govor,gorilla DURATION=5s, and LOAD='more flags'.
load:
	@mkdir -p tests/out/load/bin
	go build -C tests/load -o ../out/load/bin/load .
	tests/out/load/bin/load -root . $(if $(QUICK),-quick) $(if $(ROUNDS),-rounds $(ROUNDS)) \
		$(if $(SCENARIO),-scenario $(SCENARIO)) $(if $(PEER),-peer $(PEER)) $(if $(DURATION),-duration $(DURATION)) $(LOAD)

# The promises, under everything that can go wrong: make torture DURATION=30s SEED=7. With MUTANT=x, a build that breaks
# one of them, it must fail: see tests/torture/README.md.
torture:
	go run ./tests/torture $(if $(DURATION),--duration $(DURATION)) $(if $(filter-out tests/out/seed,$(SEED)),--seed $(SEED)) $(if $(MUTANT),--mutant $(MUTANT))

# What a flood does to everybody else, kind by kind: make flood PAIRS=5 FLOOD=pings,logins. More than an hour, as root, on a
# Linux machine of two cores that does nothing else.
flood:
	go run ./tests/flood $(if $(PAIRS),--pairs $(PAIRS)) $(if $(FLOOD),--flood $(FLOOD))

# That times tell nothing about names, and that wrong logins cost nobody else anything. On a machine that does nothing else.
timing:
	GOVOR_TIMING=1 go test -count=1 -v -run 'TestKnownNamesCannotBeToldByTime|TestWrongLoginsDoNotDisturb' ./tests

# Every mutant in turn: each must be found out.
mutants:
	go run ./tests/torture --mutants --duration 50s $(if $(filter-out tests/out/seed,$(SEED)),--seed $(SEED))

# Ten restarts in place under the load of a thousand clients: nobody is refused, everything is acknowledged soon. Also
# RESTARTS=3 CLIENTS=300 EVENTS=1000000 DRIVER=portable.
restarts:
	go run ./tests/torture --restarts $(or $(RESTARTS),10) --clients $(or $(CLIENTS),1000) --events $(or $(EVENTS),0) $(if $(DRIVER),--driver $(DRIVER))

# A fifth of the sockets of a room takes nothing: what that costs the others, as the median of five pairs. Wants a machine
# on which nothing else runs.
stalled:
	go run ./tests/torture --stalled $(or $(PAIRS),5) $(if $(DRIVER),--driver $(DRIVER))

# Nothing goes wrong, but there are many, for long: deliveries are counted, and the server's memory is watched.
soak:
	go run ./tests/torture --soak --duration $(or $(DURATION),5m)

# A data directory with a million messages in 500 rooms by 500 members, to try things out with: make seed SEED=DIR
SEED ?= tests/out/seed
seed:
	go run ./tests/seed --dir $(SEED) --events 1000000 --rooms 500 --members 500

# Every fuzz target for so long, two at a time: make fuzz FUZZTIME=5m FUZZ=FuzzParser. Go sometimes takes the end of that
# time for a failure (golang/go#75804), without an input that fails: then once more. What all of them are built of is built
# first, or two would build it at the same time. An input that is new is not made small for long: by itself Go would do that
# for a minute, and for nothing else.
FUZZTIME ?= 10s
fuzz:
	$(if $(FUZZ),,go test -c -o /dev/null -fuzz=. ./handlers)
	@grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z]+' . | sort -u | sed 's/^func //' | grep -E '$(or $(FUZZ),.)' | xargs -P 2 -I{} sh -c '\
		dir=$$(dirname "$$(grep -rlE --include="*_test.go" "^func {}\(" .)"); \
		run() { go test -vet=off "$$dir" -run="^\$$" -fuzz="^{}\$$" $(if $(FUZZ),,-parallel=1) -fuzztime=$(FUZZTIME) -fuzzminimizetime=20x 2>&1; }; \
		out=$$(run) || { ! echo "$$out" | grep -q "Failing input" && echo "$$out" | grep -q "^ *context deadline exceeded\$$" && out=$$(run); } || { echo "$$out"; exit 255; }; \
		echo "{} in $$dir: $$(echo "$$out" | grep -o "execs: [0-9]*" | tail -1)"'

# go.mod is as it should be, and docs/dependencies.md lists what it has.
deps:
	go mod tidy -diff
	go mod verify
	go test -count=1 -run TestDependenciesAreListed .

vuln:
	go run golang.org/x/vuln/cmd/govulncheck@v$(GOVULNCHECK_VERSION) ./...

cover:
	@mkdir -p tests/out
	go test -coverpkg=./... -coverprofile=tests/out/cover.out ./...
	go tool cover -func=tests/out/cover.out | tail -1

# The systems that are promised but not run here: they vet and build. Nobody runs what is built, so it is not optimised.
cross: PLAIN := -gcflags='all=-N -l'
cross:
	@set -e; for target in linux/arm64 darwin/arm64 windows/amd64; do \
		echo "vet and build $$target"; \
		export CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/}; \
		go vet $(PLAIN) ./...; go build $(PLAIN) -o /dev/null . ./client; \
	done

# Takes the pictures of the README, and draws the icons, with a browser.
screenshots:
	GOVOR_REQUIRE_BROWSER=1 GOVOR_SCREENSHOTS=1 go test -count=1 -run 'TestBrowserScreenshots|TestBrowserIcons' ./tests

bin/golangci-lint-$(GOLANGCI_VERSION):
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@
