# `cargo install just`. `.ci/run` runs the same commands.

# The official crates' build scripts look for cmake (3.30 or newer, from pip) in this variable.
export CMAKE := env("CMAKE", `command -v cmake || true`)

# The default members: no C compiler, cmake, Java or root needed.
test:
    cargo test

# Beside the official C client and driver.
interop *arguments:
    cargo test -p gannet-interop -- {{arguments}}

# The fault suites at full size: ten million commands, a thousand cycles of a full file system, every kill point more often.
faults-full:
    GANNET_FAULTS=full cargo test --release -p gannet-tests --test faults -- --nocapture

# Criterion, micro.
bench *arguments:
    cargo bench -p gannet-benches -- {{arguments}}

# Whole systems beside the official driver: prints the ratios.
bench-peer *arguments:
    cargo build --release -p gannet-driver
    cargo run --release -p gannet-benches -- {{arguments}}

# A minute for each fuzz target; needs cargo-fuzz (`cargo install cargo-fuzz --locked`) and a C++ compiler.
fuzz seconds="60":
    for target in $(RUSTC_BOOTSTRAP=1 cargo fuzz list); do RUSTC_BOOTSTRAP=1 cargo fuzz run "$target" -- -max_total_time={{seconds}} || exit 1; done

# All that must hold before a change goes in.
ci:
    .ci/run

# Format, lints, and the house's rules.
tidy:
    cargo fmt --all --check
    cargo clippy --all-targets -- -D warnings
    cargo test -p gannet-tests --test tidy
