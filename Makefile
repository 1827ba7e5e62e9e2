# Everything a developer does here, by name. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help setup packages build lint test test-unit test-engine test-pack test-lab demo demo-down clean
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

lint: packages ## Biome, ESLint, tsc, shellcheck
	@$(suite) lint

test: setup ## lint and all suites; the last line is the sum
	@$(suite)

test-unit: packages ## pure functions: seconds
	@$(suite) unit

test-engine: setup ## the real Pulumi CLI, without routers
	@$(suite) engine

test-pack: packages ## the npm package, as a stranger would install it
	@$(suite) pack

test-lab: setup ## real routers in containers on this machine; needs root
	@$(suite) lab

demo: setup build ## a VPC on routers in containers, to look at; needs root
	@tools/env tools/demo

demo-down: setup ## take the demo down again
	@tools/env tools/demo down

clean: ## remove what was built; the cache of tools/setup stays
	@rm -rf dist dist.*
