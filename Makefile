# make run    the whole system on this machine
# make test   set-up and all tests
# make check  what CI runs: lint, types, rooms, template, tests

PYTHON ?= python3
STAGE ?= dev
PORT ?= 8080
DATA ?= .local
export PORT DATA DEV_KEY
export SAM_CLI_TELEMETRY := 0

READY := .venv/installed
SAM := .venv-sam/bin/sam
BIN := .venv/bin

.PHONY: run demo tour engine setup test check lint types rooms template validate build deploy deploy-check \
	first-key redrive prices rerate reconcile catalog-diff bench verify verify-export storm storm-socket planted \
	exhaustive orders hostile mutation docs lock clean

# ---------------------------------------------------------------------------------- one machine
# PORT, DATA and DEV_KEY come from the command line or the environment:
#   make run PORT=8080 DATA=.local DEV_KEY=tk_dev_...
# TOLLKEEPER_ENGINE=dynoxide|ministack forces an engine, AWS_ENDPOINT_URL_DYNAMODB takes another's.
run: setup engine
	@exec $(BIN)/python -m local.run --ends-with-parent

engine: setup
	@$(BIN)/python -m local.install

setup: $(READY)

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; say which: make PYTHON=python3.13" >&2; exit 1; }
	@echo "Setting up .venv (once, about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The same with a small chat app whose models are paid with credits, behind one link: docs/tour.md.
demo: setup engine
	@exec $(BIN)/python -m examples.demo.run --ends-with-parent

# The screenshots of docs/tour.md are taken anew; wants a chromium.
tour: setup engine
	TOLLKEEPER_SHOTS=docs/images $(BIN)/pytest -q tests/browser/test_demo.py -k "s0_21 or links_of_the_tour"
	$(BIN)/python -m tests.browser.pictures docs/images/tour-*.png

# --------------------------------------------------------------------------------------- checks
# A process for each core; each takes over from the others what they have not begun.
test: setup
	@$(BIN)/python -m local.install --all
	$(BIN)/pytest --numprocesses auto --dist worksteal

check: lint types rooms template test

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright
	@if command -v npm >/dev/null; then cd tests/web && { test -d node_modules/typescript || \
		npm install --no-package-lock --no-audit --no-fund --silent; } && npx --no-install tsc; \
		else echo "npm is not there: the types of clients/web are not checked" >&2; fi

rooms: setup
	$(BIN)/lint-imports

template validate: setup .venv-sam/installed
	$(BIN)/python -m local.check_catalog layers/catalog/catalog.toml examples/catalogs/*.toml \
		examples/demo/catalog.toml
	$(BIN)/cfn-lint template.yaml examples/events/rules.yaml
	$(SAM) validate --lint

# ------------------------------------------------------------------------------------ the stack
# The SAM CLI has an environment of its own: it is heavy, and it pins boto3.
.venv-sam/installed: requirements/sam.txt
	$(PYTHON) -m venv --clear .venv-sam
	.venv-sam/bin/pip install --quiet --disable-pip-version-check -r requirements/sam.txt
	touch $@

build: setup .venv-sam/installed
	$(BIN)/python -m local.build

deploy: build
	$(SAM) deploy --config-env $(STAGE)

deploy-check: setup .venv-sam/installed
	$(BIN)/python -m local.deploy_check

# TABLE is the stack's output TableName. Prints the key once.
first-key: setup
	@$(BIN)/python -m local.first_key --stage $(STAGE) --table $(TABLE) \
		--pepper-parameter /tollkeeper/$(STAGE)/KEY_PEPPER

# Events of rows are sent again: FUNCTION is the output NotifyFunctionName; either QUEUE is the output
# UnnotifiedQueueUrl, or ACCOUNT, FROM and TO say which rows.
redrive: setup
	@$(BIN)/python -m local.redrive --function $(FUNCTION) \
		$(if $(QUEUE),--queue $(QUEUE),--account $(ACCOUNT) --from-seq $(or $(FROM),1) --to-seq $(TO))

# ----------------------------------------------------------------------------------- the prices
# The price book beside CATALOG is made anew from the pinned package. A rate that changes by more
# than LIMIT=25 percent, or a model that is gone, is written only with ACCEPT=1.
CATALOG ?= layers/catalog/catalog.toml
prices: setup
	@$(BIN)/python -m local.prices --catalog $(CATALOG) $(if $(LIMIT),--limit $(LIMIT)) \
		$(if $(ACCEPT),--accept) $(if $(DATE),--date $(DATE))

# Charges of models that have a price by now are priced anew: URL is the output ApiUrl, the environment
# has TOLLKEEPER_KEY with the scope admin: make rerate URL=https://... REASON="gpt-9 has a price"
rerate: setup
	@$(BIN)/python -m local.rerate --url $(URL) --reason "$(REASON)"

# Stripe's payments of a range are held against the ledger, and healed: URL is the output ApiUrl, the
# environment has TOLLKEEPER_KEY with the scope admin. FROM and TO are days or moments, TO not included:
#   make reconcile URL=https://... FROM=2026-11-01 TO=2026-12-01
reconcile: setup
	@$(BIN)/python -m local.reconcile --url $(URL) --from $(FROM) --to $(TO)

# What the ledger would have cost under another catalog, before anybody is surprised:
#   make catalog-diff NEW=path/to/catalog.toml FROM=2026-11-01 TO=2026-11-30
# of what `make run` serves; of a stack with TABLE=<TableName> and AWS credentials that may scan it; of
# an export with EXPORT=folder. TOP=20 movers each, JSON=1 for programs.
catalog-diff: setup
	@$(BIN)/python -m local.catalog_diff --new $(NEW) $(if $(TABLE),--table $(TABLE)) \
		$(if $(EXPORT),--export $(EXPORT)) $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) \
		$(if $(TOP),--top $(TOP)) $(if $(JSON),--json)

# ------------------------------------------------------------------------------------- the rest
bench: setup engine
	$(BIN)/python -m benchmarks.run

# The real handlers in a simulated world: SEEDS=2000 storms from FIRST=1 on, or one of them, SEED=17.
# STORIES=3 makes them small, EVIDENCE=docs/evidence/storm.md appends what the run came to.
SEEDS ?= 2000
FIRST ?= 1
storm: setup
	$(BIN)/python -m simulation.run --first $(FIRST) --seeds $(SEEDS) \
		$(if $(SEED),--seed $(SEED)) $(if $(STORIES),--stories $(STORIES)) \
		$(if $(EVIDENCE),--evidence $(EVIDENCE)) $(if $(JOBS),--jobs $(JOBS))

# Bugs that are put into the product on purpose, and the seed at which a storm finds each.
planted: setup
	$(BIN)/python -m simulation.planted.run $(if $(EVIDENCE),--evidence $(EVIDENCE)) $(if $(JOBS),--jobs $(JOBS))

# Stripe's stories in every order (of long ones MOST=5040), and bugs that some order must find.
orders: setup
	$(BIN)/python -m tests.stripe_orders --most $(or $(MOST),5040) $(if $(EVIDENCE),--evidence $(EVIDENCE))

# Every order of two requests' database calls with up to FAULTS faults in every place: all pairs, or
# PAIR=deduct+void, or one history of it, CHOICES=0,1,0.
exhaustive: setup
	$(BIN)/python -m simulation.exhaustive.run $(if $(PAIR),--pair $(PAIR)) \
		$(if $(CHOICES),--choices $(CHOICES)) $(if $(FAULTS),--faults $(FAULTS)) \
		$(if $(EVIDENCE),--evidence $(EVIDENCE)) $(if $(JOBS),--jobs $(JOBS))

# The system that `make run` started says whether its ledgers explain every credit.
verify: setup
	@$(BIN)/python -m local.verify_running

# The same of an export of the table to S3, copied here: make verify-export EXPORT=folder
verify-export: setup
	@$(BIN)/python -m local.verify_export $(EXPORT)

# Hostile requests by the million: ATTACK=bodies, requests, users or webhooks; the run is noted in docs/evidence.
ATTACK ?= bodies
COUNT ?= 1000000
hostile: setup
	$(BIN)/python -m simulation.hostile $(ATTACK) $(COUNT) --seed $(or $(SEED),1) --note

# Does a test fail when the code is wrong? NAMES='tollkeeper.domain.money.*' is a part of it.
mutation: setup
	$(BIN)/python -m tests.mutation.run $(NAMES)

# The whole machine over sockets, its processes killed: SECONDS=300 of it, with SEED=1.
SECONDS ?= 300
storm-socket: setup engine
	$(BIN)/python -m tests.e2e.socket_storm --seconds $(SECONDS) --seed $(or $(SEED),1) \
		$(if $(EVIDENCE),--evidence $(EVIDENCE))

docs: setup
	$(BIN)/python -m local.requirements_page
	$(BIN)/python -m local.openapi
	$(BIN)/python -m local.catalog_schema

# Pins every requirement anew; the layer's pins come first, the others follow them.
LOCK := .venv-lock/bin/pip-compile --quiet --upgrade --strip-extras --annotation-style line \
	--no-emit-find-links --no-emit-index-url --no-emit-trusted-host
lock: export CUSTOM_COMPILE_COMMAND := make lock
lock:
	test -x .venv-lock/bin/pip-compile || $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check pip-tools==7.6.2
	$(LOCK) -o layers/deps/requirements.txt layers/deps/requirements.in
	$(LOCK) -c layers/deps/requirements.txt -o requirements/dev.txt requirements/dev.in
	$(LOCK) -o requirements/sam.txt requirements/sam.in
	$(LOCK) -o requirements/ministack.txt requirements/ministack.in
	$(LOCK) -c requirements/ministack.txt -o requirements/deploy-check.txt requirements/deploy-check.in

clean:
	rm -rf .aws-sam .venv .venv-sam .venv-lock .venv-ministack .venv-deploy-check-*
