# The vocabulary of commands, for a person and for CI alike. No logic lives here.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-k8s check images up down lock bench-cycle bench-demo bench-k8s bench-kernel bench-kills bench-monitoring bench-parts bench-promotion bench-steps clean stress test-parallel

export UV_COMPILE_BYTECODE := 1
export UV_PYTHON_DOWNLOADS := never
PYTHON ?= python3
UV_ON_PATH := $(shell command -v uv)
UV := $(or $(UV_ON_PATH),.uv/bin/uv)
READY := .venv/.ready .venv-airflow/.ready
RUN := .venv/bin/python -m

help: ## print this vocabulary
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## set everything up, run the whole cycle on real flights, leave the platform up
	$(RUN) perennial demo

test: test-parallel ## set everything up and run every test
	$(RUN) $(PYTEST) -m platform

test-parallel: $(READY) ## the tests that run side by side; branch coverage of what decides
	$(RUN) $(PARALLEL) $(COVERED) --cov
	$(RUN) $(PARALLEL) $(addprefix --ignore=,$(COVERED))

stress: $(READY) ## the same, three times, beside four busy processes
	$(RUN) benchmarks.stress

PYTEST := pytest --durations=10
# A module's tests stay on one worker, so its fixtures are made once.
PARALLEL := $(PYTEST) -n 2 --dist loadscope -m "not platform and not cluster"
# Their tests, and no others, are traced: `fail_under` in pyproject.toml says what they must reach.
COVERED := contract methods/controller tasks/evaluation tests/contract tests/methods/controller
COVERED += tests/tasks/evaluation tests/dags/stage/test_prefork.py tests/k8s/test_rollout.py

test-k8s: $(READY) ## boot a cluster, or take KUBECONFIG's, and run the cycle in pods
	$(RUN) pytest -m cluster -rs

images: $(READY) ## build the five images with podman or docker, whichever is there
	.venv/bin/python containers/build.py $(IMAGES)

check: $(READY) ## format, lint, types, layers, dependencies, dead code, shell, manifests
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/mypy --python-executable .venv-airflow/bin/python --follow-imports silent -p dags -p plugins
	.venv/bin/lint-imports --no-cache
	.venv/bin/deptry . --no-ansi
	.venv/bin/vulture
	.venv/bin/shellcheck .ci/run containers/base.sh containers/install.sh perennial/kubernetes/forward.sh
	.venv/bin/python k8s/validate.py

up: $(READY) ## start the platform of this machine
	$(RUN) perennial up

down: $(READY) ## stop it; its state stays
	$(RUN) perennial down

lock: $(UV) ## resolve the four environments anew into locks/
	$(UV) pip compile -q $(COMPILE) --extra tasks --extra serving --extra command --extra demo --extra dev -o locks/dev.txt
	$(UV) pip compile -q $(COMPILE) --extra tasks -c locks/dev.txt -o locks/tasks.txt
	$(UV) pip compile -q $(COMPILE) --extra serving -c locks/dev.txt -o locks/serving.txt
	$(UV) pip compile -q $(COMPILE) --extra airflow -o locks/airflow.txt

COMPILE := --generate-hashes --no-emit-index-url --universal --python-version 3.11 pyproject.toml

bench-cycle: $(READY) ## the flights lifecycle through Airflow beside a bare script: CPU of both
	$(RUN) benchmarks.cycle

bench-demo: $(READY) ## the demo in a folder of its own: seconds, CPU, memory, decisions
	$(RUN) benchmarks.demo

bench-kernel: $(READY) ## the C kernel beside its numpy twin: batches and one row
	$(RUN) benchmarks.kernel

bench-kills: $(READY) ## one kill -9 in each stage: what was left, what the re-run made
	$(RUN) benchmarks.kills

bench-monitoring: $(READY) ## simulated and public years: what was asked, promoted, missed; takes PARTS
	$(RUN) benchmarks.monitoring $(PARTS)

bench-parts: $(READY) ## each part of one machine's platform killed in mid-run: what became of it
	$(RUN) benchmarks.parts

bench-k8s: $(READY) ## on a cluster: start, cycle, memory; rollouts; autoscaling; what was killed; what is said
	$(RUN) benchmarks.k8s $(PARTS)

bench-promotion: $(READY) ## how often the gate passes equal models, and ones worse by the margin
	$(RUN) benchmarks.promotion

bench-steps: $(READY) ## what a step, validate and plan cost
	$(RUN) benchmarks.steps

clean: ## remove the environments; the platform's state stays
	rm -rf .venv .venv-airflow .uv build *.egg-info

.uv/bin/uv:
	$(PYTHON) -m venv .uv || { echo "This Python has no venv module; install the package python3-venv." >&2; exit 2; }
	.uv/bin/python -m pip install --quiet --require-hashes -r locks/uv.txt

.venv/.ready: locks/dev.txt setup.py pyproject.toml bundle/_flatforest.c | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python .venv/bin/python --require-hashes locks/dev.txt
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
	touch $@

.venv-airflow/.ready: locks/airflow.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-airflow
	$(UV) pip sync --quiet --python .venv-airflow/bin/python --require-hashes locks/airflow.txt
	touch $@
