//! The rules of the house that a machine can hold. A failed rule lists every place that breaks it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

#[path = "tidy/markdown.rs"]
mod markdown;
#[path = "tidy/source.rs"]
mod source;

use cargo_metadata::{DependencyKind, MetadataCommand};
use source::{Source, files, root};
use std::collections::{BTreeMap, BTreeSet};

/// Who may import whom: a crate, and those of this workspace that it may depend on in earnest.
const IMPORTS: &[(&str, &[&str])] = &[
    ("gannet-core", &[]),
    ("gannet-transport-ipc", &["gannet-core"]),
    ("gannet-driver", &["gannet-core", "gannet-transport-ipc"]),
    // The driver under the feature `embedded-driver` only: see below.
    ("gannet", &["gannet-core", "gannet-transport-ipc", "gannet-driver"]),
    ("gannet-cli", &["gannet", "gannet-core", "gannet-transport-ipc", "gannet-driver"]),
    ("gannet-benches", &["gannet", "gannet-core", "gannet-transport-ipc", "gannet-driver"]),
    ("gannet-tests", &["gannet", "gannet-core", "gannet-transport-ipc", "gannet-driver"]),
    ("gannet-interop", &["gannet", "gannet-core", "gannet-transport-ipc", "gannet-driver", "gannet-tests"]),
];

/// Imports that only tests need, beyond what the crate itself may import.
const TEST_IMPORTS: &[(&str, &[&str])] = &[("gannet", &["gannet-driver"])];

/// Where `unsafe` may stand: folders, and files of their own that a foreign interface or a system call forces.
const UNSAFE: &[&str] = &[
    "core/src/sync/",
    "core/src/log/",
    "core/src/ring/",
    "core/src/counters/",
    // The models' memory, made of loom's cells.
    "core/tests/",
    // A program without libc makes its system calls itself.
    "core/freestanding/src/start.rs",
    "transport-ipc/src/",
    // Who opens a log vouches for it: the driver, the client, and those who test and measure logs by themselves.
    "driver/src/native_resource_agent/logs.rs",
    "client/src/conductor/logs.rs",
    "client/tests/scripted_driver/fake_driver.rs",
    "core/freestanding/src/main.rs",
    "benches/micro/log.rs",
    "fuzz/fuzz_targets/log.rs",
    // sched_setattr has no safe wrapper.
    "driver/src/agent/scheduling.rs",
    // What a child does between fork and exec.
    "tests/src/leash.rs",
    // The official client and driver, through their C interface.
    "tests/interop/src/official/",
    "tests/interop/src/bin/official_driver.rs",
    "benches/src/official.rs",
    "benches/src/bin/official_driver.rs",
    // Pinning, resource usage and clocks of the bench's processes.
    "benches/src/machine.rs",
];

/// Where atomics of the language may stand beside `core/src/sync`: behind the memory trait, or as words of one process.
const ATOMICS: &[&str] = &[
    "core/src/sync/",
    "core/tests/",
    "core/freestanding/",
    "transport-ipc/src/",
    "transport-ipc/tests/",
    // Flags between a client's conductor and its handles.
    "client/src/sync.rs",
    // What a signal handler may store.
    "driver/src/gannetd.rs",
    "cli/src/interrupt.rs",
    "benches/src/bin/official_driver.rs",
    // How far the producer thread of one bench process is.
    "benches/src/roles/stream.rs",
    "tests/",
];

const LONGEST_FILE: usize = 700;

/// Fails with every complaint, if there is one.
#[track_caller]
fn report(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}\n  {}", complaints.join("\n  "));
}

/// Every place in the code where a word stands, as `path:line`.
fn places(source: &Source, code: &str, word: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let found = line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back().is_some_and(is_word) && word.starts_with(is_word);
            let after = line[at + word.len()..].chars().next().is_some_and(is_word) && word.ends_with(is_word);
            !before && !after
        });
        if found {
            places.push(format!("{}:{}", source.path, index + 1));
        }
    }
    places
}

fn stands_in(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path == *place || (place.ends_with('/') && path.starts_with(place)))
}

#[test]
fn crates_import_only_from_below() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let allowed = |table: &[(&str, &'static [&str])], name: &str| {
        table.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, imports)| *imports)
    };
    let mut complaints = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        if !IMPORTS.iter().any(|(of, _)| *of == name) {
            complaints.push(format!("{name} has no row in the table of imports"));
        }
        for dependency in package.dependencies.iter().filter(|dependency| ours.contains(dependency.name.as_str())) {
            let import = dependency.name.as_str();
            let in_tests =
                dependency.kind == DependencyKind::Development && allowed(TEST_IMPORTS, name).contains(&import);
            if !allowed(IMPORTS, name).contains(&import) && !in_tests {
                complaints.push(format!("{name} may not import {import}"));
            }
            if name == "gannet" && import == "gannet-driver" && !in_tests && !dependency.optional {
                complaints.push("gannet may import gannet-driver under its feature only".to_owned());
            }
        }
    }
    report("only from a lower row, never sideways", &complaints);
}

#[test]
fn every_crate_takes_the_workspaces_lints_and_versions() {
    let mut complaints = Vec::new();
    for manifest in files(&["Cargo.toml"]) {
        // The root; and those that are a workspace of their own.
        if manifest.path == "Cargo.toml" || manifest.text.contains("\n[workspace]") {
            continue;
        }
        if !manifest.text.contains("[lints]\nworkspace = true") {
            complaints.push(format!("{}: no `[lints] workspace = true`", manifest.path));
        }
        let mut in_dependencies = false;
        for (index, line) in manifest.text.lines().enumerate() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies
                && line.contains('=')
                && !line.contains("workspace = true")
                && !line.starts_with('#')
            {
                complaints.push(format!("{}:{}: {line}", manifest.path, index + 1));
            }
        }
    }
    report("versions stand in the workspace's table", &complaints);
}

#[test]
fn unsafe_stands_where_it_may() {
    let mut complaints = Vec::new();
    for source in files(&[".rs"]).iter().filter(|source| !stands_in(&source.path, UNSAFE)) {
        complaints.extend(places(source, &source.code(), "unsafe"));
    }
    report("unsafe code has its own places", &complaints);
}

#[test]
fn unsafe_code_proves_itself() {
    let mut complaints = Vec::new();
    for source in files(&[".rs"]) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (index, line) in source.code().lines().enumerate() {
            let block = line.contains("unsafe {") || line.contains("unsafe impl");
            // The comment stands on the line, or directly above the statement that the block is part of.
            let proof = lines[index.saturating_sub(7)..=index].iter().any(|line| line.contains("SAFETY:"));
            if block && !proof {
                complaints.push(format!("{}:{}", source.path, index + 1));
            }
        }
    }
    report("every unsafe block says in `// SAFETY:` why it is sound", &complaints);
}

#[test]
fn atomics_go_through_core() {
    let mut complaints = Vec::new();
    for source in files(&[".rs"]).iter().filter(|source| !stands_in(&source.path, ATOMICS)) {
        let code = source.code();
        for word in ["sync::atomic", "AtomicI32", "AtomicI64", "AtomicU8", "AtomicU32", "AtomicU64", "AtomicPtr"] {
            complaints.extend(places(source, &code, word).into_iter().map(|place| format!("{place}: {word}")));
        }
    }
    report("shared words go through core::sync", &complaints);
}

/// A release or an acquire by its label, and how it is paired.
struct Sync {
    place: String,
    /// It cites the foreign file that holds the other side.
    is_foreign: bool,
    /// It stands over a section that holds both sides.
    is_section: bool,
}

/// How far below its comment a section may hold both sides.
const SECTION_LINES: usize = 40;

/// The label and the pairing of the comment that begins at a line, if one does.
fn sync_label(source: &Source, lines: &[&str], index: usize) -> Option<(String, Sync)> {
    let (_, rest) = lines[index].split_once("// SYNC: ")?;
    let label = rest.split(['.', ',', '(', ':', ';']).next()?.trim().to_owned();
    let rest = lines[index + 1..].iter().take_while(|line| line.trim_start().starts_with("//"));
    let comment: Vec<&str> = std::iter::once(lines[index]).chain(rest.copied()).collect();
    let cites = |word: &str| {
        let name = word.trim_matches(|c: char| !c.is_alphanumeric());
        [".c", ".h", ".java"].iter().any(|ending| name.len() > ending.len() && name.ends_with(ending))
    };
    let below = &lines[index + comment.len()..];
    let holds = |word: &str| below.iter().take(SECTION_LINES).any(|line| line.contains(word));
    let sync = Sync {
        place: format!("{}:{}", source.path, index + 1),
        is_foreign: comment.iter().any(|line| line.split_whitespace().any(cites)),
        is_section: below.first().is_some_and(|line| line.is_empty()) && holds("Release") && holds("Acquire"),
    };
    Some((label, sync))
}

#[test]
fn every_release_has_its_acquire() {
    let mut labels: BTreeMap<String, Vec<Sync>> = BTreeMap::new();
    for source in files(&[".rs"]).iter().filter(|source| !source.path.starts_with("tests/tests/")) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (label, sync) in (0..lines.len()).filter_map(|index| sync_label(source, &lines, index)) {
            labels.entry(label).or_default().push(sync);
        }
    }
    let complaints: Vec<String> = labels
        .iter()
        .filter(|(_, sides)| sides.len() < 2 && !sides[0].is_foreign && !sides[0].is_section)
        .map(|(label, sides)| format!("{}: {label}", sides[0].place))
        .collect();
    report("a SYNC label stands at both sides, or cites the foreign file of the other", &complaints);
}

#[test]
fn files_read_in_one_sitting() {
    let complaints: Vec<String> = files(&[".rs"])
        .iter()
        .filter(|source| source.text.lines().count() > LONGEST_FILE)
        .map(|source| format!("{}: {} lines", source.path, source.text.lines().count()))
        .collect();
    report(&format!("no file has more than {LONGEST_FILE} lines"), &complaints);
}

/// Tests that moved out of the file that they test.
fn is_test_module(path: &str) -> bool {
    path.contains("/src/") && (path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("/testing.rs"))
}

#[test]
fn every_module_says_what_it_is() {
    let complaints: Vec<String> = files(&[".rs"])
        .iter()
        .filter(|source| !source.text.starts_with("//!") && !is_test_module(&source.path))
        .map(|source| source.path.clone())
        .collect();
    report("a file begins with its module doc", &complaints);
}

#[test]
fn nothing_is_left_to_do() {
    let mut complaints = Vec::new();
    for source in files(&[".rs"]) {
        let code = source.code();
        for word in ["todo!", "unimplemented!", "dbg!", "#[ignore"] {
            complaints.extend(places(&source, &code, word).into_iter().map(|place| format!("{place}: {word}")));
        }
    }
    for source in files(&[".rs", ".md", ".toml", "justfile", ".ci/run"]) {
        for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
            complaints.extend(places(&source, &source.text, word).into_iter().map(|place| format!("{place}: {word}")));
        }
    }
    report("what is not done is an issue, not a note in the code", &complaints);
}

#[test]
fn skipped_tests_are_counted() {
    let (says, counts) = (concat!("\"SKIP", "PED"), concat!("\"GANNET_SKIP", "PED\""));
    let complaints: Vec<String> = files(&[".rs"])
        .iter()
        .filter(|source| source.text.contains(says) && !source.text.contains(counts))
        .map(|source| source.path.clone())
        .collect();
    report("a test that skips itself says so in the file that GANNET_SKIPPED names", &complaints);
}

#[test]
fn tests_do_not_sleep() {
    let mut complaints = Vec::new();
    for source in files(&[".rs"]) {
        let code = source.test_part();
        for word in ["thread::sleep", "sleep(Duration", "nanosleep", "usleep"] {
            complaints.extend(places(&source, &code, word));
        }
    }
    report("a test waits on the thing, with a deadline", &complaints);
}

#[test]
fn core_needs_neither_std_nor_an_allocator() {
    let sources = files(&[".rs"]);
    let root = sources.iter().find(|source| source.path == "core/src/lib.rs").unwrap();
    assert!(root.code().contains("#![no_std]"));
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("core/src/")) {
        if is_test_module(&source.path) {
            continue;
        }
        let code = source.code();
        let production = code.split("#[cfg(test)]").next().unwrap();
        for word in ["std::", "alloc::"] {
            complaints.extend(places(source, production, word).into_iter().map(|place| format!("{place}: {word}")));
        }
    }
    report("core is no_std, without alloc", &complaints);
}

#[test]
fn ci_runs_the_commands_that_the_readme_names() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap_or_else(|_| panic!("{path} is missing"));
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    for command in ["cargo run --release --bin gannet -- demo", "cargo test"] {
        assert!(readme.contains(command), "README.md names `{command}`");
        let runs = ci.lines().any(|line| line.trim() == command);
        assert!(runs, ".ci/run runs `{command}`, as it stands");
    }
}
