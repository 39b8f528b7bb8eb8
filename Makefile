# One command for each chore; `make help` lists them.
PYTHON ?= python3
DATA ?=
# Options for pytest, e.g. make test PYTEST_ARGS='-k taps -x'.
PYTEST_ARGS ?=
# make test-install FAMILY=onedl tries one family of distributions.
FAMILY ?=
# make docs CHECK=1 writes no page, and fails if one is out of date.
CHECK ?=
# Processes for pytest: make test JOBS=4; JOBS=0 runs the tests in pytest's own,
# for a debugger.
JOBS ?= 2
# What of the tests depends on the family of distributions.
OPENMMLAB_TESTS := tests/models tests/robustness tests/test_registry.py \
	mlfm_mm/models
FLOOR_TESTS := tests/models tests/test_registry.py mlfm_mm/models \
	tests/analysis/test_grad_cam.py
VENV := .venv/bin
# Neighbours stay together, since they share what was made for their module.
PYTEST := -m pytest -n $(JOBS) --dist worksteal
# The pinned numpy starts at 3.11, and 3.13 is the newest that was tried.
PINNED := Python 3.11, 3.12 or 3.13
TESTING := quickstart dev
HOSTS := .venv-hosts .venv-hosts-openmmlab

.DEFAULT_GOAL := help
.PHONY: help venv quickstart test test-slow test-openmmlab test-floor \
	test-install hosts test-hosts sweep lint format hooks docs kill-test \
	benchmark gpu build constraints clean

help: ## show this list
	@echo 'make <target>'
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) \
		| sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 18
	@echo 'Only quickstart and test are needed to begin with: both set up' \
		'.venv first.'

# $(call set_up,folder,Pythons,requirements) creates or completes an
# environment. What is unset would send the packages somewhere else.
define set_up
@command -v $(PYTHON) >/dev/null || { echo 'No "$(PYTHON)" was found:' \
	'install $(2), or name one by' \
	'make ... PYTHON=/path/to/python' >&2; exit 1; }
@env -u PYTHONHOME -u PYTHONPATH -u PIP_PREFIX -u PIP_TARGET -u PIP_USER \
	$(PYTHON) -u .dev_scripts/bootstrap.py $(1) '$(2)' $(3)
endef

venv: ## create or complete .venv from requirements/ (others do it, too)
	$(call set_up,.venv,$(PINNED),torch onedl $(TESTING))

quickstart: venv ## train with and without MLFM; DATA=folder: your images
	@$(VENV)/python demo/quickstart/quickstart.py $(if $(DATA),--data "$(DATA)")

test: venv ## run the test suite and the doctests, without the slow tests
	@$(VENV)/python $(PYTEST) $(PYTEST_ARGS)

test-slow: venv ## run the tests marked slow
	@$(VENV)/python $(PYTEST) -m slow $(PYTEST_ARGS)

test-floor: ## test the models with the oldest Python and torch promised
	$(call set_up,.venv-floor,Python 3.10,floor)
	@.venv-floor/bin/python $(PYTEST) $(FLOOR_TESTS) $(PYTEST_ARGS)

test-openmmlab: ## run what applies with the original OpenMMLab packages
	$(call set_up,.venv-openmmlab,$(PINNED),torch openmmlab $(TESTING))
	@.venv-openmmlab/bin/python $(PYTEST) $(OPENMMLAB_TESTS) $(PYTEST_ARGS)

hosts: ## create or complete the environments of the other hosts
	$(call set_up,.venv-hosts,$(PINNED),torch onedl hosts)
	$(call set_up,.venv-hosts-openmmlab,Python 3.11,hosts-openmmlab)
	@.venv-hosts-openmmlab/bin/python -m pip install -q --no-deps \
		-r requirements/hosts-alone.txt

test-hosts: hosts ## train and infer with mmdet, mmpose, mmyolo and mmrotate
	@for venv in $(HOSTS); do \
		$$venv/bin/python -m pytest tests/other_hosts $(PYTEST_ARGS) \
			|| exit 1; done

sweep: venv hosts ## try memory on all networks of all hosts (an hour)
	@$(VENV)/python .dev_scripts/sweep_backbones.py
	@.venv-hosts/bin/python .dev_scripts/sweep_backbones.py \
		mmdet mmrotate
	@.venv-hosts-openmmlab/bin/python .dev_scripts/sweep_backbones.py \
		mmyolo mmpose
	@$(VENV)/python .dev_scripts/pages.py

test-install: venv ## install the wheel in bare environments, try it by mim
	@$(VENV)/python .dev_scripts/install_test.py $(FAMILY)

lint: venv ## check style (ruff) and types (mypy)
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy

format: venv ## format the code and repair what ruff can
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

hooks: venv ## let git run the linters before each commit
	@$(VENV)/pre-commit install

docs: venv ## write the generated pages, then the site in build/docs
	@$(VENV)/python .dev_scripts/pages.py $(if $(CHECK),--check)
	@$(VENV)/python -m sphinx --fail-on-warning --keep-going --quiet \
		docs build/docs
	@echo 'The site is in build/docs/index.html.'

kill-test: venv ## kill and resume runs; docs/reliability.md (15 minutes)
	@$(VENV)/python .dev_scripts/kill_test.py --runs 20 \
		--out docs/results/reliability/kills_ours.json
	@$(VENV)/python .dev_scripts/kill_test.py --runs 8 --processes 2 \
		--out docs/results/reliability/kills_two_processes.json
	@$(VENV)/python .dev_scripts/kill_test.py --way keep_all keep_one \
		--runs 8 --out docs/results/reliability/kills_mmengine.json
	@$(VENV)/python .dev_scripts/harm_test.py \
		--out docs/results/reliability/inputs.json
	@$(VENV)/python .dev_scripts/pages.py

benchmark: venv ## measure what docs/performance.md lacks (30 quiet minutes)
	@$(VENV)/python -m benchmarks.parts
	@$(VENV)/python .dev_scripts/pages.py

gpu: venv ## test and measure the fused kernels on a GPU (10 minutes)
	@$(VENV)/python -m benchmarks.gpu
	@$(VENV)/python .dev_scripts/pages.py

build: venv ## build the source archive and the wheel into dist/
	@$(VENV)/python -m build --no-isolation

constraints: venv ## write the versions in .venv to requirements/
	@grep "^#" requirements/constraints.txt > requirements/constraints.new
	@$(VENV)/python -m pip freeze --all --exclude-editable \
		| grep -ivE "^(pip|nvidia-[^=]*|cuda-[^=]*|triton)==" \
		>> requirements/constraints.new
	@mv requirements/constraints.new requirements/constraints.txt

clean: ## remove what builds, tests and linters leave; .venv stays
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis
	@find mlfm_mm benchmarks tools demo .dev_scripts tests configs \
		-name __pycache__ -type d -prune -exec rm -rf {} +
