//! Settings: variables, definitions, property files, what is out of range, what nobody knows.

use crate::support::{Run, launch, run};
use gannet_tests::{AeronDirectory, Settings};
use std::fs;

/// The line of `--print-config` that tells of a setting.
#[track_caller]
fn line<'a>(run: &'a Run, name: &str) -> &'a str {
    let found = run.output.iter().find(|line| line.contains(name));
    found.unwrap_or_else(|| panic!("{name} is not in {:#?}", run.output))
}

#[test]
fn it_says_nothing_on_standard_error_when_nothing_is_wrong() {
    let mut driver = launch("quiet", &[], &Settings::bare());
    gannet_tests::wait_until("it beats", gannet_tests::PATIENCE, || driver.cnc().heartbeat_ms > 0);
    driver.process().signal(nix::sys::signal::Signal::SIGTERM);
    driver.process().wait_exit(gannet_tests::PATIENCE);
    assert_eq!(driver.process().errors(), [""; 0]);
}

#[test]
fn help_names_the_options_and_ends() {
    let directory = AeronDirectory::new("help");
    let help = run(&["--help"], &Settings::bare(), directory.path());
    assert_eq!(help.status.code(), Some(0));
    let text = help.output.join("\n");
    for option in ["--print-config", "--strict", "--small", "-D"] {
        assert!(text.contains(option), "{option} is not in\n{text}");
    }
    assert!(text.contains("AERON_DIR"), "{text}");
    assert!(!directory.path().exists(), "it made no directory");
}

#[test]
fn print_config_tells_each_values_origin() {
    let directory = AeronDirectory::new("print-config");
    let properties = AeronDirectory::new("print-config.properties");
    fs::write(properties.path(), "aeron.ipc.term.buffer.length=1m\n").unwrap();
    let settings = Settings::bare().with("AERON_TIMER_INTERVAL", "500ms");
    let file = properties.path().to_string_lossy().into_owned();
    let printed = run(&["--print-config", "-Daeron.mtu.length=4096", &file], &settings, directory.path());
    fs::remove_file(properties.path()).unwrap();
    assert_eq!(printed.status.code(), Some(0), "{:?}", printed.errors);
    assert!(line(&printed, "AERON_TIMER_INTERVAL").contains("500ms"));
    assert!(line(&printed, "AERON_MTU_LENGTH").contains("4096"));
    assert!(line(&printed, "AERON_IPC_TERM_BUFFER_LENGTH").contains("1m"));
    assert!(line(&printed, "AERON_ERROR_BUFFER_LENGTH").contains("default"));
    let origins: Vec<&str> = ["AERON_TIMER_INTERVAL", "AERON_MTU_LENGTH", "AERON_IPC_TERM_BUFFER_LENGTH"]
        .map(|name| line(&printed, name))
        .to_vec();
    assert!(origins[0].contains("environment"), "{origins:?}");
    assert!(origins[2].contains(&*file), "{origins:?}");
    assert!(!directory.path().exists(), "it started no driver");
}

#[test]
fn a_definition_wins_over_the_environment() {
    let settings = Settings::small().with("AERON_CLIENT_LIVENESS_TIMEOUT", "7s");
    let driver = launch("definition", &["-Daeron.client.liveness.timeout=6s"], &settings);
    assert_eq!(driver.cnc().client_liveness_timeout_ns, 6_000_000_000);
}

#[test]
fn a_property_file_is_read() {
    let properties = AeronDirectory::new("driver.properties");
    fs::write(properties.path(), "# a comment\naeron.client.liveness.timeout=8s\n").unwrap();
    let file = properties.path().to_string_lossy().into_owned();
    let driver = launch("property-file", &[&file], &Settings::small());
    fs::remove_file(properties.path()).unwrap();
    assert_eq!(driver.cnc().client_liveness_timeout_ns, 8_000_000_000);
}

#[test]
fn a_property_file_that_is_not_there_is_an_error() {
    let directory = AeronDirectory::new("no-property-file");
    let refused = run(&["/no/such.properties"], &Settings::small(), directory.path());
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.errors.iter().any(|line| line.contains("/no/such.properties")), "{:?}", refused.errors);
}

#[test]
fn a_value_out_of_range_is_clamped_with_a_warning() {
    let settings = Settings::small().with("AERON_COUNTERS_BUFFER_LENGTH", "1k");
    let mut driver = launch("clamped", &[], &settings);
    assert_eq!(driver.cnc().lengths[3], 1 << 20, "the least that is accepted");
    let output = driver.process().output();
    let warning = output.iter().find(|line| line.starts_with("WARN")).expect("a warning");
    for part in ["AERON_COUNTERS_BUFFER_LENGTH", "1k", "1048576", "524288000"] {
        assert!(warning.contains(part), "{part} is not in {warning}");
    }
    let errors = driver.cnc().errors;
    assert!(errors.iter().any(|error| error.text.starts_with("WARN")), "{errors:?}");
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
}

#[test]
fn a_value_that_cannot_be_parsed_is_defaulted_with_a_warning() {
    let settings = Settings::small().with("AERON_CLIENT_LIVENESS_TIMEOUT", "soon");
    let mut driver = launch("unparsable", &[], &settings);
    assert_eq!(driver.cnc().client_liveness_timeout_ns, 10_000_000_000);
    let output = driver.process().output();
    let warning = output.iter().find(|line| line.starts_with("WARN")).expect("a warning");
    for part in ["AERON_CLIENT_LIVENESS_TIMEOUT", "soon"] {
        assert!(warning.contains(part), "{part} is not in {warning}");
    }
}

#[test]
fn strict_makes_warnings_errors() {
    for (name, value) in [
        ("AERON_COUNTERS_BUFFER_LENGTH", "1k"),
        ("AERON_CLIENT_LIVENESS_TIMEOUT", "soon"),
        ("AERON_NO_SUCH_SETTING", "1"),
        ("GANNET_NO_SUCH_SETTING", "1"),
    ] {
        let directory = AeronDirectory::new("strict");
        let settings = Settings::small().with(name, value);
        for settings in [&settings, &settings.clone().with("GANNET_STRICT", "true")] {
            let arguments: &[&str] = if settings.has("GANNET_STRICT") { &[] } else { &["--strict"] };
            let refused = run(arguments, settings, directory.path());
            assert_eq!(refused.status.code(), Some(1), "{name}: {:?} {:?}", refused.output, refused.errors);
            assert!(refused.errors.iter().any(|line| line.contains(name)), "{name}: {:?}", refused.errors);
            assert!(!directory.path().exists(), "it made no directory");
        }
    }
}

#[test]
fn strict_with_nothing_wrong_starts() {
    let mut driver = launch("strict-and-right", &["--strict"], &Settings::small());
    assert!(driver.process().is_running());
}

#[test]
fn an_unknown_name_is_let_pass_without_strict() {
    let mut driver = launch("unknown", &[], &Settings::small().with("AERON_NO_SUCH_SETTING", "1"));
    assert!(driver.process().is_running());
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
}

#[test]
fn an_unknown_option_is_an_error() {
    let directory = AeronDirectory::new("unknown-option");
    let refused = run(&["--no-such-option"], &Settings::small(), directory.path());
    assert_ne!(refused.status.code(), Some(0));
    assert!(refused.errors.iter().any(|line| line.contains("--no-such-option")), "{:?}", refused.errors);
    assert!(!directory.path().exists());
}

#[test]
fn settings_that_contradict_each_other_do_not_start() {
    let directory = AeronDirectory::new("contradiction");
    let settings =
        Settings::small().with("AERON_PUBLICATION_UNBLOCK_TIMEOUT", "1s").with("AERON_CLIENT_LIVENESS_TIMEOUT", "2s");
    let refused = run(&[], &settings, directory.path());
    assert_eq!(refused.status.code(), Some(1));
    assert!(!refused.errors.is_empty(), "it says why");
}
