# Everything lives in .venv, which make builds from the lock files by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE ?= state

.PHONY: demo run test bench screenshots lint lock image test-image lock-image clean

demo: $(VENV)/ready
	./requirements/tools.py install demo
	$(BIN)/python -m tests.demo $(if $(ONCE),--once)

run: $(VENV)/ready
	$(BIN)/printmonitor --state $(STATE) poller

test: $(VENV)/ready lint
	./requirements/tools.py install test
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(VENV)/ready
	./requirements/tools.py install demo
	$(BIN)/python -m tests.bench $(if $(QUICK),--quick)

# Shows each page in light, dark and on a phone; for the README, and for a look at a change.
screenshots: $(VENV)/ready
	./requirements/tools.py install test
	$(BIN)/python -m tests.browser.screenshots $(PAGES)

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	./requirements/lint-js

$(VENV)/ready: requirements/dev.txt requirements/run.txt pyproject.toml
	./requirements/make-venv $(PYTHON) $(VENV)
	touch $@

# Resolves the versions anew; for maintainers, needs uv and npm.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		-o requirements/run.txt pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--extra dev -c requirements/run.txt -o requirements/dev.txt pyproject.toml
	npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

# The firmware image, into dist/. LOCK=dist/some.lock builds it of those packages, LOCKED=1 of no others than locked.
image:
	./requirements/tools.py install --required image
	./build-image.sh

# Boots the image of this commit, built first where dist/ has it not; PRINTMONITOR_IMAGE names another one.
test-image: $(VENV)/ready
	./requirements/tools.py install image test-image
	[ -n "$$PRINTMONITOR_IMAGE" ] || [ "$$(cat dist/commit 2>/dev/null)" = "$$(git rev-parse HEAD)" ] || \
		{ ./build-image.sh && git rev-parse HEAD >dist/commit; }
	$(BIN)/python -m pytest -v -m image $(if $(ONLY),-k "$(ONLY)") tests/image

# Resolve the image's Debian packages anew, and print what changed as a commit message; for maintainers.
lock-image:
	./build-image.sh lock

clean:
	rm -rf $(VENV) node_modules build dist *.egg-info
