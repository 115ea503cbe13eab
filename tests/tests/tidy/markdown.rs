//! Links, decision records and the map of the tree.

use crate::report;
use crate::source::{Source, files, root};
use std::collections::BTreeSet;
use std::path::Path;

/// The targets of a document's links, without code blocks.
fn links(document: &Source) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_block = false;
    for line in document.text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block || line.starts_with("    ") {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            if let Some(end) = line[at + 2..].find(')') {
                links.push(line[at + 2..at + 2 + end].to_owned());
            }
        }
    }
    links
}

/// The anchors of a document's headings, as the usual hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn links_resolve() {
    let mut complaints = Vec::new();
    for document in files(&[".md"]) {
        let folder = root().join(Path::new(&document.path).parent().unwrap());
        for link in links(&document) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { root().join(&document.path) } else { folder.join(path) };
            let resolves = target.exists()
                && (anchor.is_empty()
                    || std::fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor)));
            if !resolves {
                complaints.push(format!("{}: {link}", document.path));
            }
        }
    }
    report("a link leads somewhere", &complaints);
}

/// The numbers of the decision records.
fn records() -> BTreeSet<String> {
    files(&[".md"])
        .iter()
        .filter_map(|document| document.path.strip_prefix("docs/adr/"))
        .filter(|name| name.as_bytes()[0].is_ascii_digit())
        .map(|name| name[..4].to_owned())
        .collect()
}

#[test]
fn decision_records_that_are_cited_exist() {
    let records = records();
    let mut complaints = Vec::new();
    for source in files(&[".rs", ".md", ".toml"]) {
        for (index, line) in source.text.lines().enumerate() {
            for mark in ["ADR ", "ADR-", "adr/"] {
                for (at, _) in line.match_indices(mark) {
                    let number: String = line[at + mark.len()..].chars().take_while(char::is_ascii_digit).collect();
                    if number.len() == 4 && !records.contains(&number) {
                        complaints.push(format!("{}:{}: {mark}{number}", source.path, index + 1));
                    }
                }
            }
        }
    }
    report("a cited decision record exists", &complaints);
}

#[test]
fn decision_records_are_listed_once() {
    let index = std::fs::read_to_string(root().join("docs/adr/README.md")).unwrap();
    let complaints: Vec<String> =
        records().into_iter().filter(|number| index.matches(&format!("| [{number}](")).count() != 1).collect();
    report("docs/adr/README.md lists each record", &complaints);
}

#[test]
fn the_map_names_every_crate_and_only_what_is_there() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let mut complaints = Vec::new();
    for manifest in files(&["Cargo.toml"]) {
        if let Some(folder) = manifest.path.strip_suffix("/Cargo.toml")
            && !map.contains(&format!("`{folder}/`"))
        {
            complaints.push(format!("`{folder}/` is not on the map"));
        }
    }
    // Words in backticks that look like paths of this tree: those that begin with one of its folders.
    for word in map.split('`').skip(1).step_by(2) {
        let first = word.split('/').next().unwrap_or_default();
        let is_path = word.contains('/') && !word.contains([' ', '*', '{', '<', '…']) && root().join(first).is_dir();
        let exists = root().join(word).exists() || root().join(format!("{word}.rs")).exists();
        if is_path && !first.is_empty() && !exists {
            complaints.push(format!("`{word}` is on the map only"));
        }
    }
    report("ARCHITECTURE.md describes the tree as it is", &complaints);
}
