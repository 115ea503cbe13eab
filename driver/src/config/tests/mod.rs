//! Tests of the configuration. `[any]`

mod sheet;
mod sources;
mod table;
mod validation;

use std::ffi::OsString;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Sources {
    Sources::from_variables(variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

fn resolve(variables: &[(&str, &str)]) -> Configuration {
    Configuration::resolve(environment(variables), Mode::default()).unwrap()
}

fn texts(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}
