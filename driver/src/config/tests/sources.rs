//! Tests of sources, origins, precedence, warnings and the command line. `[any]`

use std::fs;
use std::path::PathBuf;

use super::*;

const TERM: &str = "AERON_IPC_TERM_BUFFER_LENGTH";
const WINDOW: &str = "AERON_IPC_PUBLICATION_TERM_WINDOW_LENGTH";

fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("driver.properties");
    fs::write(&path, content).unwrap();
    (directory, path)
}

#[test]
fn every_origin_is_told() {
    let (_directory, path) = file("# comment\n\naeron.ipc.mtu.length=4k\n");
    let mut sources = environment(&[(TERM, "1m")]);
    sources.define("aeron.ipc.publication.term.window.length=128k".as_ref()).unwrap();
    sources.load(&path).unwrap();
    let configuration = Configuration::resolve(sources, Mode { strict: true, small: true }).unwrap();
    let origin = |name| configuration.origin(name).unwrap().to_string();
    assert_eq!(origin(TERM), "environment");
    assert_eq!(origin(WINDOW), "-D");
    assert_eq!(origin("AERON_IPC_MTU_LENGTH"), format!("{}:3", path.display()));
    assert_eq!(origin("AERON_COUNTERS_BUFFER_LENGTH"), "small profile");
    assert_eq!(origin("AERON_TIMER_INTERVAL"), "default");
    let context = &configuration.context;
    assert_eq!(context.ipc_term_buffer_length, 1 << 20);
    assert_eq!((context.ipc_publication_window_length, context.ipc_mtu_length), (128 << 10, 4096));
    let mut printed = Vec::new();
    configuration.print(&mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    let line = |name: &str| {
        printed.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line(TERM), "AERON_IPC_TERM_BUFFER_LENGTH 1m environment");
    assert_eq!(line(WINDOW), "AERON_IPC_PUBLICATION_TERM_WINDOW_LENGTH 128k -D");
    assert_eq!(line("AERON_COUNTERS_BUFFER_LENGTH"), "AERON_COUNTERS_BUFFER_LENGTH 1m small profile");
    assert_eq!(line("GANNET_STRICT"), "GANNET_STRICT true command line");
    assert!(!printed.contains("AERON_CLIENT_NAME"));
}

#[test]
fn files_count_more_than_defines_and_defines_more_than_the_environment() {
    let (_one, first) = file("aeron.ipc.term.buffer.length=4m\naeron.ipc.term.buffer.length=8m\n");
    let (_two, second) = file(&format!("{TERM} : 16m"));
    let mut sources = environment(&[(TERM, "1m")]);
    let term = |sources: &Sources| {
        Configuration::resolve(sources.clone(), Mode::default()).unwrap().context.ipc_term_buffer_length >> 20
    };
    assert_eq!(term(&sources), 1);
    sources.define("aeron.ipc.term.buffer.length=2m".as_ref()).unwrap();
    assert_eq!(term(&sources), 2);
    sources.load(&first).unwrap();
    assert_eq!(term(&sources), 8);
    sources.load(&PathBuf::from(format!("file://{}", second.display()))).unwrap();
    assert_eq!(term(&sources), 16);
    sources.define(format!("{TERM}=").as_ref()).unwrap();
    assert_eq!(term(&sources), 64, "an empty value takes back what was set");
}

#[test]
fn an_empty_variable_of_the_environment_is_a_value_as_to_the_c_driver() {
    let context = resolve(&[(TERM, "")]).context;
    assert_eq!(context.ipc_term_buffer_length, 64 << 20);
    assert_eq!(context.warnings.len(), 1);
}

#[test]
fn defines_without_name_or_separator_are_refused() {
    for define in ["", "aeron.dir", "=x", " =x", "#a=b", "a=b\\"] {
        let error = Sources::none().define(define.as_ref()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("malformed define: {define};")), "{error}");
    }
}

#[test]
fn a_warning_names_variable_value_origin_range_and_what_was_taken() {
    let (_directory, path) = file("aeron.timer.interval=soon\n");
    let mut sources = environment(&[("AERON_IPC_MTU_LENGTH", "1m")]);
    sources.define("aeron.threading.mode=ALONE".as_ref()).unwrap();
    sources.load(&path).unwrap();
    let configuration = Configuration::resolve(sources, Mode::default()).unwrap();
    let warnings = &configuration.context.warnings;
    assert_eq!(
        texts(warnings),
        [
            format!(
                "WARN AERON_TIMER_INTERVAL=soon ({}:1) is not a duration (ns, us, ms, s) of at least 1us; 1s is taken",
                path.display()
            ),
            "WARN AERON_THREADING_MODE=ALONE (-D) is not one of DEDICATED, SHARED_NETWORK, SHARED, INVOKER; \
             DEDICATED is taken"
                .to_owned(),
            "WARN AERON_IPC_MTU_LENGTH=1m (environment) is not a number of bytes (k, m, g) from 32 to 65504; \
             65504 is taken"
                .to_owned(),
        ]
    );
    assert!(warnings.iter().all(|warning| warning.is_about_value));
    let mut printed = Vec::new();
    configuration.print(&mut printed).unwrap();
    assert!(String::from_utf8(printed).unwrap().contains("default (environment says 1m)"));
}

#[test]
fn strict_makes_warnings_errors_from_wherever_it_is_asked_for() {
    for (variables, strict) in [
        (vec![("AERON_IPC_MTU_LENGTH", "1m")], true),
        (vec![("AERON_IPC_MTU_LENGTH", "1m"), ("GANNET_STRICT", "true")], false),
        (vec![("AERON_IPC_MTU_LENGHT", "4k")], true),
        (vec![("GANNET_SNAPPY", "1")], true),
        (vec![("AERON_EVENT_LOG", "all")], true),
        (vec![("GANNET_STRICT", "perhaps")], true),
    ] {
        let result = Configuration::resolve(environment(&variables), Mode { strict, small: false });
        let Err(ConfigError::Strict(warnings)) = result else { panic!("{variables:?}: {result:?}") };
        assert_eq!(warnings.len(), 1);
        assert!(ConfigError::Strict(warnings).to_string().starts_with(&format!("strict: {}", variables[0].0)));
    }
    let mut sources = environment(&[("AERON_IPC_MTU_LENGTH", "1m")]);
    sources.define("gannet.strict=true".as_ref()).unwrap();
    assert!(Configuration::resolve(sources, Mode::default()).is_err());
}

#[test]
fn an_unknown_name_is_told_with_the_one_that_was_meant() {
    let warnings =
        resolve(&[("AERON_IPC_MTU_LENGHT", "4k"), ("GANNET_SNAPPY", "1"), ("PATH", "/bin")]).context.warnings;
    assert_eq!(
        texts(&warnings),
        [
            "WARN AERON_IPC_MTU_LENGHT (environment) is not a setting that this driver knows; \
             did you mean AERON_IPC_MTU_LENGTH?",
            "WARN GANNET_SNAPPY (environment) is not a setting that this driver knows",
        ]
    );
    assert!(warnings.iter().all(|warning| !warning.is_about_value));
}

#[test]
fn names_of_clients_archive_and_cluster_are_nobodys_mistake() {
    let variables = [("AERON_CLIENT_NAME", "x"), ("AERON_ARCHIVE_DIR", "x"), ("AERON_CLUSTER_ID", "1")];
    let mode = Mode { strict: true, small: false };
    assert!(Configuration::resolve(environment(&variables), mode).unwrap().context.warnings.is_empty());
}

#[test]
fn a_setting_of_the_c_driver_alone_is_told_to_have_no_effect() {
    let warnings = resolve(&[("AERON_DRIVER_DYNAMIC_LIBRARIES", "x.so")]).context.warnings;
    assert_eq!(
        texts(&warnings),
        ["WARN AERON_DRIVER_DYNAMIC_LIBRARIES=x.so (environment) has no effect in this driver"]
    );
}

#[test]
fn a_strategy_that_does_not_exist_is_refused_with_those_that_do() {
    let result = Configuration::resolve(environment(&[("AERON_SENDER_IDLE_STRATEGY", "lazy")]), Mode::default());
    assert_eq!(
        result.unwrap_err().to_string(),
        "AERON_SENDER_IDLE_STRATEGY=lazy (environment) is not one of backoff, sleep-ns, yield, spin, noop"
    );
}

#[test]
fn files_that_are_absent_unfinished_malformed_or_unreadable_are_told_apart() {
    let (directory, path) = file("aeron.dir=/a\n\nno separator\n");
    let error = Sources::none().load(&path).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}:3: malformed", path.display())), "{error}");

    let error = Sources::none().load(directory.path()).unwrap_err();
    assert!(error.to_string().starts_with("cannot read properties from "), "{error}");
    assert!(Sources::none().load("http://localhost/x".as_ref()).unwrap_err().to_string().contains("not supported"));

    let mut sources = Sources::none();
    sources.load(&directory.path().join("absent")).unwrap();
    fs::write(&path, "aeron.dir=/a\\\n").unwrap();
    sources.load(&path).unwrap();
    let configuration = Configuration::resolve(sources.clone(), Mode::default()).unwrap();
    assert_eq!(configuration.context.directory, Context::default().directory);
    assert_eq!(configuration.context.warnings.len(), 2);
    assert!(Configuration::resolve(sources, Mode { strict: true, small: false }).is_err());
}

#[test]
fn the_command_line_takes_what_aeronmd_takes() {
    let (_directory, path) = file("aeron.ipc.term.buffer.length=8m\n");
    let file = path.to_str().unwrap();
    let line = CommandLine::read([
        "gannetd",
        file,
        "-Daeron.threading.mode=SHARED",
        "-D",
        "aeron.ipc.term.buffer.length=1m",
        "-DAERON_DIR=/dev/shm/x",
    ])
    .unwrap();
    let context = line.configure(environment(&[("AERON_THREADING_MODE", "INVOKER")])).unwrap().context;
    assert_eq!(context.threading_mode, ThreadingMode::Shared);
    assert_eq!(context.ipc_term_buffer_length, 8 << 20);
    assert_eq!(context.directory, PathBuf::from("/dev/shm/x"));
    assert!(CommandLine::read(["gannetd", "-v"]).unwrap().version);
    assert!(CommandLine::read(["gannetd", "--small"]).unwrap().configure(Sources::none()).unwrap().is_small);
    assert_eq!(CommandLine::read(["gannetd"]).unwrap(), CommandLine::default());
    assert!(CommandLine::read(["gannetd", "-x"]).unwrap_err().use_stderr());
    let help = CommandLine::read(["gannetd", "--help"]).unwrap_err();
    assert!(!help.use_stderr() && help.to_string().contains("AERON_IPC_TERM_BUFFER_LENGTH"));
}
