# Everything lives in .venv, which make builds from the lock files by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE ?= state

.PHONY: help demo run test coverage bench screenshots lint format lock image test-image lock-image clean
.DEFAULT_GOAL := demo

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## Run a Plug with simulated printers and a provider; ONCE=1 ends after one delivery
	./requirements/tools.py install demo
	$(BIN)/python -m tests.demo $(if $(ONCE),--once)

run: $(VENV)/ready ## Run the poller with the data in STATE
	$(BIN)/printmonitor --state $(STATE) poller

test: $(VENV)/ready lint ## Run the linters and all tests except those of the image
	./requirements/tools.py install test
	$(BIN)/python -m pytest -n 2 --dist loadfile

coverage: $(VENV)/ready ## Report which lines and branches TESTS run (default: all); HTML in build/coverage/html
	./requirements/tools.py install test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report

bench: $(VENV)/ready ## Measure requests, time and memory; QUICK=1 with fewer printers
	./requirements/tools.py install demo
	$(BIN)/python -m tests.bench $(if $(QUICK),--quick)

screenshots: $(VENV)/ready ## Take pictures of the web UI, or of PAGES: light, dark and on a phone
	./requirements/tools.py install test
	$(BIN)/python -m tests.browser.screenshots $(PAGES)

lint: $(VENV)/ready ## Check style, types, imports, shell scripts and the JavaScript
	./requirements/tools.py install lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.shell_scripts
	./requirements/lint-js

format: $(VENV)/ready ## Format the Python code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/ready: requirements/dev.txt requirements/run.txt pyproject.toml
	./requirements/make-venv $(PYTHON) $(VENV)
	touch $@

lock: ## Resolve the versions of the Python packages anew (needs uv and npm)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		-o requirements/run.txt pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--extra dev -c requirements/run.txt -o requirements/dev.txt pyproject.toml
	npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

image: ## Build the firmware image into dist/; LOCK=dist/some.lock of those packages, LOCKED=1 of no others than locked
	./requirements/tools.py install --required image
	./build-image.sh

# PRINTMONITOR_IMAGE names another image than the one of this commit.
test-image: $(VENV)/ready ## Boot the image of this commit under QEMU (built first if need be) and test it; ONLY=power a part
	./requirements/tools.py install image test-image
	[ -n "$$PRINTMONITOR_IMAGE" ] || [ "$$(cat dist/commit 2>/dev/null)" = "$$(git rev-parse HEAD)" ] || \
		{ ./build-image.sh && git rev-parse HEAD >dist/commit; }
	$(BIN)/python -m pytest -v -m "image$(if $(STRESS),, and not stress)" $(if $(ONLY),-k "$(ONLY)") tests/image

lock-image: ## Resolve the image's Debian packages anew and print the changes as a commit message
	./build-image.sh lock

clean: ## Remove everything that make built, except the data in STATE
	rm -rf $(VENV) node_modules build dist *.egg-info
