# Two commands for a newcomer: `make demo` and `make test`. Both do all the set-up they need.

CARGO_FLAGS = --release --workspace

.PHONY: help demo test check bench conformance build guests clean

help:
	@echo "make demo   sets up what it needs, then tells the story in Python, Node and C"
	@echo "make test   sets up what it needs, then runs every test of every host"
	@echo "make check  formatting, lints, licences, and whether generated files are up to date"
	@echo "make bench  actors and secured operations against their peers; ROWS=rt/send runs what begins so"
	@echo "make conformance WASMTIME=path  the programs of wasmtime's own tests of WASI 0.2, as actors"
	@echo "make build  the libraries of all hosts; make clean removes what was built"

guests:
	@scripts/prerequisites
	@tests/guests/build

# One build for every host: the same profile, package selection and folder, so that wasmtime is compiled once.
build: guests
	cargo build $(CARGO_FLAGS)
	bindings-python/build
	bindings-node/build
	PREFIX=target/c-prefix ffi-c/install

demo: build
	@scripts/demo

test:
	@scripts/prerequisites
	@tests/run

check:
	@scripts/prerequisites
	@scripts/check

# The peers are compiled in a folder of their own; results are lines in target/bench/results.jsonl.
bench: guests
	@case "$(ROWS)" in wasm/*) ;; *) CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-target/bench/build} \
		cargo run --release --manifest-path tests/bench/Cargo.toml -- $(ROWS) ;; esac
	@case "$(ROWS)" in ""|wasm/*) cargo build $(CARGO_FLAGS) --examples && target/release/examples/bench-guests $(ROWS) ;; esac

conformance:
	@scripts/prerequisites
	@tests/conformance/run "$(WASMTIME)"

clean:
	cargo clean
	rm -rf tests/guests/target bindings-node/node_modules bindings-node/*.node examples/node_modules
