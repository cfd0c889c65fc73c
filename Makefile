# Everything that is done often, one word each. Needs git, make and any Python from 3.11 on; the rest is installed here.
# Which Python is found by .ci/environment; `make PYTHON=/path/to/python3 ...` names one.
export PYTHON
BIN = .venv/bin
ANNOTATIONS = /usr/share/java/jakarta-annotation-api.jar

.PHONY: help run test test-browser test-clients test-pythons docs lint format bench bench-growth bench-journal bench-limits bench-moving bench-peers bench-requests bench-unread guard lock clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

run: .venv/run  ## Serve the API and its documentation at http://127.0.0.1:5000
	@$(BIN)/python -m storekeeper serve

test: .venv/dev  ## Run all tests, on SQLite and on PostgreSQL
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

test-pythons: .venv/dev  ## Run a part of the tests with each other Python, from 3.11 on, that is found here
	.ci/other-pythons

test-browser: .venv-browser/done  ## Try the console in a browser. Installs Chromium where it may
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core)
	.venv-browser/bin/python -m pytest browser $(ARGS)

test-clients: .venv-clients/node  ## Generate clients in six languages, and read every answer with them. Installs Java where it may
	@(command -v javac && test -e $(ANNOTATIONS)) >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends default-jdk-headless libjakarta-annotation-api-java)
	.venv-clients/bin/python -m pytest clients $(ARGS)

docs: .venv-docs/done  ## Build the documents as a site, in ./site; a dead link fails
	@rm -rf site
	.venv-docs/bin/sphinx-build -q -n -W --keep-going -c docs/site -d .venv-docs/doctrees -E . site
	@echo "The site is complete: open site/index.html."

lint: .venv/dev  ## Format, lint, types, and which module may import which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev  ## Put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv-bench/done  ## Measure Storekeeper beside the course's stack and a bare server
	.venv-bench/bin/python -m benchmarks.run $(ARGS)

bench-growth: .venv-bench/done  ## Measure a look-up, a page and a search from a thousand items to ten million
	.venv-bench/bin/python -m benchmarks.growth $(ARGS)

bench-journal: .venv-bench/done  ## Measure what the journal costs per write
	.venv-bench/bin/python -m benchmarks.journal $(ARGS)

bench-limits: .venv-bench/done  ## Measure Storekeeper beside the raw driver's commits and Argon2 alone
	.venv-bench/bin/python -m benchmarks.limits $(ARGS)

bench-moving: .venv-bench/done  ## Measure the import of a million items beside the database's own bulk loader
	.venv-bench/bin/python -m benchmarks.moving $(ARGS)

bench-peers: .venv-peers/node  ## Measure what somebody may take instead of Storekeeper, beside it
	.venv-peers/bin/python -m benchmarks.peers.run $(ARGS)

bench-requests: .venv-bench/done  ## Measure what each kind of request costs
	.venv-bench/bin/python -m benchmarks.requests $(ARGS)

bench-unread: .venv-bench/done  ## Measure what exports that nobody reads cost a worker
	.venv-bench/bin/python -m benchmarks.unread $(ARGS)

guard: .venv-bench/done  ## Count what a request and the start cost, in instructions, and memory; fail where it has become too much
	@(command -v valgrind && command -v wrk) >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends valgrind wrk)
	.venv-bench/bin/python -m benchmarks.guard

lock:  ## Pin the newest versions that requirements*.in allow
	python3.11 -m venv .venv-lock  # the oldest: newer ones need nothing that it does not, and it does
	.venv-lock/bin/pip install --quiet pip-tools
	for each in requirements requirements-dev requirements-bench requirements-browser requirements-clients requirements-docs requirements-peers; do \
		.venv-lock/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
			--no-emit-index-url --no-emit-find-links -o $$each.txt $$each.in; \
	done

clean:  ## Remove what was installed and cached; your data stays
	rm -rf .venv .venv-* site benchmarks/peers/*/node_modules clients/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Each is looked at whenever it is needed: it may be half-made, or its Python gone.
.PHONY: .venv/run .venv/dev .venv-bench/done .venv-browser/done .venv-clients/done .venv-docs/done .venv-peers/done

.venv/run:
	@.ci/environment .venv run requirements.txt

.venv/dev:
	@.ci/environment .venv dev requirements-dev.txt

.venv-bench/done:
	@.ci/environment .venv-bench done requirements-bench.txt

.venv-browser/done:
	@.ci/environment .venv-browser done requirements-browser.txt

.venv-clients/done:
	@.ci/environment .venv-clients done requirements-clients.txt

.venv-docs/done:
	@.ci/environment .venv-docs done requirements-docs.txt

.venv-peers/done:
	@.ci/environment .venv-peers done requirements-peers.txt

.venv-peers/node: $(wildcard benchmarks/peers/*/package-lock.json) | .venv-peers/done
	.venv-peers/bin/python -m benchmarks.peers.node benchmarks/peers/directus benchmarks/peers/strapi
	@touch $@

.venv-clients/node: clients/package-lock.json | .venv-clients/done
	.venv-clients/bin/python -m benchmarks.peers.node clients
	@touch $@
