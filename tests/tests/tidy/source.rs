//! The tree's files, and Rust source with its comments and strings told apart from its code.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the tree.
pub(crate) struct Source {
    /// Relative to the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The text with comments, strings and character literals blanked out; lines stay where they are.
    pub(crate) fn code(&self) -> String {
        blank(&self.text)
    }

    /// Whether it is a test: by its place, or from the first `#[cfg(test)]` on.
    pub(crate) fn test_part(&self) -> String {
        let code = self.code();
        if self.path.split('/').any(|folder| folder == "tests" || folder == "tests.rs") {
            return code;
        }
        code.find("#[cfg(test)]").map_or_else(String::new, |start| code[start..].to_owned())
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All files whose names end so, but what a build or a fuzzer leaves.
pub(crate) fn files(endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root(), "", endings, &mut found);
    assert!(!found.is_empty(), "no file ends with {endings:?}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, prefix: &str, endings: &[&str], found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            let left_by_tools = name.starts_with("target") || ["corpus", "artifacts", "coverage"].contains(&&*name);
            if !left_by_tools && (!name.starts_with('.') || name == ".ci") {
                walk(&entry.path(), &format!("{path}/"), endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending))
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            found.push(Source { path, text });
        }
    }
}

/// Replaces everything that is not code by blanks, line by line.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = match skip(&bytes[at..], at == 0 || !is_word(bytes[at - 1])) {
            0 => {
                code.push(bytes[at]);
                at += 1;
                continue;
            }
            length => (at + length).min(bytes.len()),
        };
        code.extend(bytes[at..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
        at = end;
    }
    String::from_utf8_lossy(&code).into_owned()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How long the comment or literal is that begins here; 0 when code does.
fn skip(rest: &[u8], word_begins: bool) -> usize {
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => {
            let (mut depth, mut at) = (1, 2);
            while depth > 0 && at < rest.len() {
                match &rest[at..] {
                    [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
                    [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
                    _ => at += 1,
                }
            }
            at
        }
        [b'"', ..] => quoted(rest, b'"'),
        [b'b' | b'c', b'"', ..] if word_begins => 1 + quoted(&rest[1..], b'"'),
        [b'b', b'\'', ..] if word_begins => 1 + quoted(&rest[1..], b'\''),
        [b'r', b'"' | b'#', ..] if word_begins => raw(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if word_begins => raw(rest, 2),
        // A lifetime has no quote after its first letter; a character literal has, or a backslash.
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        [b'\'', first, ..] => {
            let width = match first {
                0..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                _ => 4,
            };
            if rest.get(1 + width) == Some(&b'\'') { 2 + width } else { 0 }
        }
        _ => 0,
    }
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return 0; // a raw identifier
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    let body = &rest[open + 1..];
    let length = body.windows(end.len()).position(|window| window == end).unwrap_or(body.len());
    open + 1 + length + end.len()
}

#[test]
fn comments_and_literals_are_told_apart_from_code() {
    let text = "a // b\n/* c /* d */ e */ f \"g\\\"h\" i r#\"j\"k\"# l 'm' '\\'' n<'o> b\"p\" br\"q\" r#s 'é' t";
    let code: Vec<String> = blank(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(code, ["a", "f", "i", "l", "n<'o>", "r#s", "t"]);
}
