//! The table in words: for `--help`, and for `docs/configuration.md`. `[any]`

use std::fmt::Write as _;

use super::context::Context;
use super::setting::{Scope, Setting};
use super::table;

/// Scopes in the order in which they are shown, with their heading.
const SCOPES: [(Scope, &str); 8] = [
    (Scope::Driver, "Driver"),
    (Scope::Threads, "Threads"),
    (Scope::Files, "Files"),
    (Scope::Streams, "Publications and subscriptions"),
    (Scope::Network, "Channels over UDP"),
    (Scope::Debug, "Fault injection in channels over UDP"),
    (Scope::Client, "Read by clients"),
    (Scope::Unsupported, "Of the C driver only, without effect here"),
];

/// A setting's default as one would write it, the same for every user.
fn default_of(setting: &Setting, context: &Context) -> String {
    match (setting.name, setting.scope) {
        ("AERON_DIR", _) => "/dev/shm/aeron-<user>".to_owned(),
        (_, Scope::Client) => "(see the client)".to_owned(),
        _ => setting.shown(context),
    }
}

/// Every setting, for a terminal.
#[must_use]
pub fn help() -> String {
    let defaults = Context::default();
    let mut text = String::from(
        "Settings, as variables of the environment, as -D, or as lines of a property file, where they may be written\n\
         in lower case with dots (aeron.dir).\n",
    );
    for (scope, heading) in SCOPES {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{heading}:\n");
        for setting in table::all().filter(|setting| setting.scope == scope) {
            let (default, accepted) = (default_of(setting, &defaults), setting.accepted());
            let _ = write!(text, "  {}\n      {}\n", setting.name, setting.doc);
            if !matches!(scope, Scope::Client | Scope::Unsupported) {
                let _ = writeln!(text, "      {accepted} [default: {default}]");
            }
        }
    }
    text
}

/// Every setting, for `docs/configuration.md`.
#[must_use]
pub fn markdown() -> String {
    let (defaults, small) = (Context::default(), Context::small());
    let mut text = String::new();
    for (scope, heading) in SCOPES {
        let _ = write!(text, "\n### {heading}\n\n");
        if matches!(scope, Scope::Client | Scope::Unsupported) {
            for setting in table::all().filter(|setting| setting.scope == scope) {
                let _ = writeln!(text, "* `{}`: {}", setting.name, setting.doc);
            }
            continue;
        }
        text.push_str("| variable | default | accepted | what it is for |\n|---|---|---|---|\n");
        for setting in table::all().filter(|setting| setting.scope == scope) {
            let default = default_of(setting, &defaults);
            let in_small = setting.shown(&small);
            let _ = write!(text, "| `{}` | `{default}`", setting.name);
            if in_small != setting.shown(&defaults) {
                let _ = write!(text, " (small: `{in_small}`)");
            }
            let _ = writeln!(text, " | {} | {} |", setting.accepted(), setting.doc);
        }
    }
    text
}
