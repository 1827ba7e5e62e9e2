# Everything a developer does here, by name. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help setup packages build lint test test-quick test-unit test-fuzz test-fuzz-lab test-engine test-pack test-versions test-lab test-faults test-fleet test-truth fixture bench docs demo demo-down clean test-undisturbed test-guard test-stacks test-vm healing
MAKEFLAGS += --no-print-directory

suite = tools/env node tools/test.mjs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## fetch what is missing: Node.js, npm packages, the Pulumi CLI (quick when nothing is)
	@tools/setup

packages:
	@tools/setup without-pulumi

build: packages ## compile resources/ and provider/ to dist/
	@tools/env node tools/build.mjs

lint: packages ## Biome, oxlint, knip, tsc, shellcheck
	@$(suite) lint

test: setup ## lint and all suites, root: the seconds of each file at the end; the last line is the sum
	@$(suite)

test-quick: packages ## lint, and what needs neither root nor Pulumi: two minutes at most; `npm test` is this
	@$(suite) lint unit

test-unit: packages ## pure functions: seconds
	@$(suite) unit

test-fuzz: packages ## random inputs: VPC6_FUZZ of them for all kinds, 100,000 if nothing is said; new ones for each other unit test that has some, and more; the largest sizes
	@VPC6_FUZZ=$${VPC6_FUZZ:-100000} tools/env vitest run --project unit $$(grep -rlE 'fast-check|/seed"' test/unit --include=*.test.ts)

test-fuzz-lab: setup ## random networks judged by the daemons of a real router: VPC6_FUZZ_LAB of them, 1,000 if nothing is said; needs root
	@VPC6_FUZZ_LAB=$${VPC6_FUZZ_LAB:-1000} tools/env vitest run --project lab test/lab/fuzz.test.ts

test-engine: setup ## the real Pulumi CLI, without routers
	@$(suite) engine

test-pack: packages ## the npm package, as a stranger would install it
	@$(suite) pack

test-versions: setup ## the npm package with the oldest and newest Node.js and @pulumi/pulumi, fetched for it
	@tools/env tools/versions

test-lab: setup ## real routers in containers on this machine; needs root
	@$(suite) lab

FAULTS ?= 370,90,30,20
test-faults: setup build ## the fault campaign, about an hour: 510 tries, none may be lost; writes docs/reliability.md; FAULTS=tries by driver
	@VPC6_FAULTS=$(FAULTS) VPC6_FAULTS_DOC=$(CURDIR)/docs/reliability.md VPC6_FAULTS_REPORT=$(CURDIR)/faults.json \
		tools/env vitest run --project lab test/lab/faults.test.ts

test-fleet: setup build ## 1,000 simulated routers in one run, 1,024 VPCs, then 100 stacks on one Postgres: an hour on 2 cores; FLEET=1000 STACKS=100
	@VPC6_FLEET=$(or $(FLEET),1000) VPC6_STACKS=$(or $(STACKS),100) tools/env vitest run --project engine \
		test/engine/fleet.test.ts test/engine/scale.test.ts test/engine/scale-out.test.ts --no-file-parallelism

test-truth: setup build ## 200 random edits, and 40 on a real router (root): is what preview says what up does? An hour; TRUTH=200,SEED TRUTH_LAB=40,SEED
	@VPC6_TRUTH=$(or $(TRUTH),200) tools/env vitest run --project engine test/engine/truth.test.ts
	@VPC6_TRUTH_LAB=$(or $(TRUTH_LAB),40) tools/env vitest run --project lab test/lab/truth.test.ts

test-undisturbed: setup ## 50 updates, in place of 12 or 14, that no connection and no ping may notice; needs root; EDITS=50
	@VPC6_EDITS=$(or $(EDITS),50) tools/env vitest run --project lab test/lab/undisturbed.test.ts test/lab/acl.test.ts

test-guard: setup ## 100 reboots, in place of 2, with Debian's own nftables.service enabled, and nothing may be open; needs root; REBOOTS=100
	@VPC6_REBOOTS=$(or $(REBOOTS),100) tools/env vitest run --project lab test/lab/guard.test.ts

test-stacks: setup ## two stacks on one router, 20 times both at once: all of them by the Pulumi CLI, in place of 8, of which 2; needs root
	@VPC6_STACKS_BY_CLI=20 tools/env vitest run --project lab test/lab/stacks.test.ts

test-vm: setup ## a real machine: Debian 13 with a kernel of its own, AppArmor and networkd, emulated by QEMU; needs root, a quarter of an hour
	@tools/env vitest run --project vm

healing: setup ## the table of docs/routers.md: what takes a router's network away, on each release, with each manager of its links; needs root, half an hour
	@VPC6_HEALING_DOC=$(CURDIR)/docs/routers.md tools/env vitest run --project healing

fixture: setup build ## the state of this version for test/engine/states.test.ts: before each release
	@VPC6_FIXTURE=write tools/env vitest run --project engine test/engine/states.test.ts

bench: setup build ## docs/performance.md: vpc6 against ssh, Ansible and do-nothing resources; root, a quiet machine, an hour; BENCH=rule,up,losses,first,guests,ledger,engine,fleet for parts
	@tools/env node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON --import $(CURDIR)/bench/resolve.mjs bench/run.ts

docs: packages ## docs/resources/ from the doc comments
	@tools/env node tools/docs.mjs

demo: setup build ## a VPC on routers in containers, to look at; needs root
	@tools/env tools/demo

demo-down: setup ## take the demo down again
	@tools/env tools/demo down

clean: ## remove what was built; the cache of tools/setup stays
	@rm -rf dist dist.*
