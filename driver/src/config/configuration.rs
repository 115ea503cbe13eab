//! From what all sources say to a [`Context`], and what to tell the operator about it. `[any]`

use std::io::{self, Write};

use super::context::Context;
use super::setting::{Scope, Setting, Taken};
use super::source::{Given, Sources};
use super::table;
use super::warning::{ConfigError, Origin, Warning};
use gannet_core::uri::value::parse_switch;

/// A context, and of each of its values where it comes from.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The values.
    pub context: Context,
    /// Whether the defaults are those of the small profile.
    pub is_small: bool,
    /// Whether a warning would have been an error.
    pub is_strict: bool,
    entries: Vec<Entry>,
}

/// Where a setting's value comes from.
#[derive(Clone, Debug)]
struct Entry {
    setting: &'static Setting,
    origin: Origin,
    /// What was said and not taken as given.
    note: Option<String>,
}

/// What the command line says about the configuration as a whole; the variables `GANNET_STRICT` and `GANNET_SMALL`
/// say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// Warnings are errors.
    pub strict: bool,
    /// Defaults are those of the small profile.
    pub small: bool,
}

impl Configuration {
    /// Puts together what the sources say. The values are in their ranges; what contradicts each other, launching
    /// finds out ([`Context::validate`]).
    ///
    /// # Errors
    /// When a value cannot be taken and has no substitute, or with `strict` when there is anything to warn of.
    pub fn resolve(sources: Sources, mode: Mode) -> Result<Configuration, ConfigError> {
        let says =
            |name| sources.values.get(name).and_then(|given| parse_switch(given.value.to_str()?).ok()).unwrap_or(false);
        let is_small = mode.small || says(table::SMALL);
        let is_strict = mode.strict || says(table::STRICT);
        let defaults = Context::default();
        let mut context = if is_small { Context::small() } else { Context::default() };
        let mut warnings = sources.warnings;
        let mut entries = Vec::new();
        for setting in table::all() {
            let origin =
                if setting.shown(&context) == setting.shown(&defaults) { Origin::Default } else { Origin::Small };
            let mut entry = Entry { setting, origin, note: None };
            if let Some(given) = sources.values.get(setting.name) {
                take(&mut context, given, &mut entry, &mut warnings)?;
            }
            let is_option = match setting.name {
                table::SMALL => mode.small,
                table::STRICT => mode.strict,
                _ => false,
            };
            if is_option {
                entry.origin = Origin::Option;
            }
            entries.push(entry);
        }
        for (name, given) in sources.values.iter().filter(|(name, _)| table::find(name).is_none()) {
            let guess = table::nearest(name).map_or_else(String::new, |known| format!("; did you mean {known}?"));
            let text = format!("{name} ({}) is not a setting that this driver knows{guess}", given.origin);
            warnings.push(Warning { name: name.clone(), text, is_about_value: false });
        }
        if is_strict && !warnings.is_empty() {
            return Err(ConfigError::Strict(warnings));
        }
        context.warnings = warnings;
        Ok(Configuration { context, is_small, is_strict, entries })
    }

    /// Where the value of a variable comes from; nothing for an unknown one.
    #[must_use]
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.entries.iter().find(|entry| entry.setting.name == name).map(|entry| &entry.origin)
    }

    /// Writes every setting with its value and where that comes from, one to a line.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let width = self.entries.iter().map(|entry| entry.setting.name.len()).max().unwrap_or(0);
        for entry in self.entries.iter().filter(|entry| entry.setting.scope != Scope::Client) {
            let value = match entry.setting.name {
                table::SMALL => self.is_small.to_string(),
                table::STRICT => self.is_strict.to_string(),
                _ => entry.setting.shown(&self.context),
            };
            write!(out, "{:width$}  {value:24}  {}", entry.setting.name, entry.origin)?;
            match &entry.note {
                Some(note) => writeln!(out, " ({note})")?,
                None => writeln!(out)?,
            }
        }
        Ok(())
    }
}

impl Context {
    /// The context of the process's environment; what was not taken as given stands in its `warnings`.
    ///
    /// # Errors
    /// When a value cannot be taken and has no substitute, or with `GANNET_STRICT` when there is anything to warn of.
    pub fn from_env() -> Result<Context, ConfigError> {
        Configuration::resolve(Sources::environment(), Mode::default()).map(|configuration| configuration.context)
    }
}

/// Fills a setting from what was said of it.
fn take(
    context: &mut Context,
    given: &Given,
    entry: &mut Entry,
    warnings: &mut Vec<Warning>,
) -> Result<(), ConfigError> {
    let setting = entry.setting;
    let (name, value, origin) = (setting.name, given.value.to_string_lossy(), &given.origin);
    let mut warn = |text: String| warnings.push(Warning { name: name.to_owned(), text, is_about_value: true });
    match setting.apply(context, &given.value) {
        Taken::AsGiven => entry.origin = origin.clone(),
        Taken::Instead { reason, taken } => {
            warn(format!("{name}={value} ({origin}) {reason}; {taken} is taken"));
            entry.note = Some(format!("{origin} says {value}"));
        }
        Taken::Refused(reason) => {
            return Err(ConfigError::Refused { name, value: value.into_owned(), origin: origin.clone(), reason });
        }
    }
    if setting.scope == Scope::Unsupported {
        warn(format!("{name}={value} ({origin}) has no effect in this driver"));
    }
    if name == "AERON_DRIVER_NATIVE_RESOURCE_AGENT_IDLE_STRATEGY" {
        // The default arguments are the default strategy's; its row comes before that of its arguments.
        context.native_resource_agent_idle_strategy.init_args = None;
    }
    Ok(())
}
