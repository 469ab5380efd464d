# jixiao: every target does its own set-up. Needs only Python >= 3.11 (and git, for `make release-check`).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint fuzz bench gallery requirements schema clean

help: ## 显示这份说明
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "} {printf "  make %-14s %s\n", $$1, $$2}'

setup: $(READY) ## 建立 .venv 并安装（可重复运行）；之后命令是 .venv/bin/jixiao

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新版本"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY) ## 演示：一份文本从导入到公开（结果在 var/demo）
	$(BIN)/jixiao demo

test: $(READY) ## 全部测试
	$(BIN)/python -m pytest -n auto

lint: $(READY) ## 格式、规则、类型、分层、文档结构
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fuzz: $(READY) ## 十万个损坏的文件，逐个读入或拒绝（可用种子重现，出错的存入 var/fuzz）
	$(BIN)/python -m tests.fuzz

bench: $(READY) ## 性能测量（比值，不作为测试）
	$(BIN)/python -m benchmarks

gallery: $(READY) ## 重新生成 docs/gallery 中的文件图样（每页一张 PNG）
	$(BIN)/python -m tests.gallery

requirements: ## 重新生成按哈希固定的依赖（pyproject.toml 改动之后）
	$(BIN)/python -m piptools compile --quiet --generate-hashes --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe -o requirements.txt pyproject.toml
	$(BIN)/python -m piptools compile --quiet --generate-hashes --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

schema: $(READY) ## 重新生成 docs/schema 中的 JSON Schema 和 docs/pictures 中的流程图
	$(BIN)/python -c 'import sys; from models.content import schema_bytes; sys.stdout.buffer.write(schema_bytes())' > docs/schema/budget-text-1.json
	$(BIN)/python -c 'import sys; from workflow.schema import schema_bytes; sys.stdout.buffer.write(schema_bytes())' > docs/schema/workflow-1.json
	for name in simple standard county; do JIXIAO_LOG_LEVEL=warning $(BIN)/jixiao workflow graph workflow/definitions/$$name.yaml --format svg --out docs/pictures/$$name.svg; done

clean: ## 删除生成的东西（不动 var/）
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
