# make demo     install, compare three searchers on the bundled tss-digits, write a page
# make test     install with the test extras, run the suite
# make lint     style and types
# make speed    every claim of speed, most as a ratio measured in one run

VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
RUN ?= runs/first

.PHONY: demo test lint speed clean

demo: $(VENV)/.installed
	$(BIN)/nasgauge compare tss-digits --searcher random --searcher evolution --searcher local-search \
	    --seconds 60 --seeds 100 --out $(RUN)
	$(BIN)/nasgauge report $(RUN)

test: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto $(ARGS)  # one process a core, one thread a process

lint: $(VENV)/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	mkdir -p $(VENV)/types && ln -sfn $(CURDIR) $(VENV)/types/nasgauge
	cd $(VENV)/types && MYPYPATH=. ../bin/mypy --config-file $(CURDIR)/pyproject.toml \
	    -m nasgauge -m nasgauge.cli \
	    $(foreach floor,bench data proxies reports searchers testing,-p nasgauge.$(floor))

speed: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m speed --benchmark-enable --benchmark-columns=median,min,rounds $(ARGS)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.installed
