//! The tools that only look at a driver's files, and the request to end, as processes.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::thread;

use common::{FakeDriver, await_true, command, failure, gannet, now_ms, stdout, temporary_directory};
use gannet_core::command::Command;
use gannet_core::counters::layout::NewCounter;
use serde_json::Value;

fn with_counters() -> FakeDriver {
    let driver = FakeDriver::alive();
    driver.add_counters(&[
        NewCounter::new(0, &[], "Bytes sent").with_value(1_234_567),
        NewCounter::new(0, &[], "Bytes received"),
        NewCounter::new(4, &[1, 2, 0, 0xFF], "sub-pos: 1 2 3 aeron:ipc").with_value(-96),
    ]);
    driver
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn stat_shows_every_counter_with_its_value_and_label() {
    let driver = with_counters();
    let text = stdout(&driver.gannet(&["stat"]));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].contains("pid 4242") && lines[0].contains("2023-11-14T22:13:20.123Z"), "{text}");
    assert!(lines[0].contains("alive"), "{text}");
    assert_eq!(lines[1], "  0:            1,234,567 - Bytes sent");
    assert_eq!(lines[3], "  2:                  -96 - sub-pos: 1 2 3 aeron:ipc");
}

#[test]
fn stat_filters_by_type_id_and_label() {
    let driver = with_counters();
    let counters = |arguments: &[&str]| stdout(&driver.gannet(arguments)).lines().skip(1).count();
    assert_eq!(counters(&["stat", "--type", "0"]), 2);
    assert_eq!(counters(&["stat", "--type", "0", "--type", "4"]), 3);
    assert_eq!(counters(&["stat", "--id", "2"]), 1);
    assert_eq!(counters(&["stat", "--id", "2", "--type", "0"]), 0);
    assert_eq!(counters(&["stat", "--label", "Bytes"]), 2);
    assert_eq!(counters(&["stat", "--id", "-1"]), 0);
}

#[test]
fn stat_as_json_is_one_document_with_all_fields() {
    let driver = with_counters();
    let document = json(&stdout(&driver.gannet(&["stat", "--format", "json"])));
    assert_eq!(document["pid"], 4242);
    assert_eq!(document["is_alive"], true);
    assert_eq!(document["directory"], driver.path().to_str().unwrap());
    let counters = document["counters"].as_array().unwrap();
    assert_eq!(counters.len(), 3);
    assert_eq!(counters[2]["id"], 2);
    assert_eq!(counters[2]["type_id"], 4);
    assert_eq!(counters[2]["value"], -96);
    assert_eq!(counters[2]["label"], "sub-pos: 1 2 3 aeron:ipc");
    assert_eq!(counters[2]["key"], "010200ff");
}

#[test]
fn stat_goes_on_watching_until_it_is_stopped() {
    let driver = with_counters();
    let arguments = ["stat", "--watch", "--interval", "1ms", "--format", "json", "--id", "0"];
    let mut watching = command(&arguments, driver.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        let document = json(&lines.next().unwrap().unwrap());
        assert_eq!(document["counters"][0]["value"], 1_234_567);
    }
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn stat_does_not_complain_when_its_reader_goes_away() {
    let driver = with_counters();
    let arguments = ["stat", "--watch", "--interval", "1ms"];
    let mut watching =
        command(&arguments, driver.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(watching.stdout.take());
    let mut complaint = String::new();
    watching.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert!(watching.wait().unwrap().success());
    assert_eq!(complaint, "");
}

#[test]
fn stat_shows_a_dead_drivers_counters_and_says_that_it_is_dead() {
    let driver = with_counters();
    driver.set_heartbeat_ms(now_ms() - 60_000);
    assert!(stdout(&driver.gannet(&["stat"])).lines().next().unwrap().contains("dead"));
    driver.set_heartbeat_ms(-1);
    assert!(stdout(&driver.gannet(&["stat"])).contains("has shut down"));
    assert_eq!(json(&stdout(&driver.gannet(&["stat", "--format", "json"])))["is_alive"], false);
}

#[test]
fn a_label_cannot_command_the_terminal() {
    let driver = FakeDriver::alive();
    driver.add_counters(&[NewCounter::new(0, &[], "a\x1B[2Jb")]);
    assert!(stdout(&driver.gannet(&["stat"])).contains("a?[2Jb"));
}

#[test]
fn errors_are_counted_and_dated_in_utc() {
    let driver = FakeDriver::alive();
    driver.record_errors(&[
        ("(11) generic: no such thing\n  at line 2", 1_700_000_000_000),
        ("(12) no space", 1_700_000_001_000),
        ("(11) generic: no such thing\n  at line 2", 1_700_000_002_000),
    ]);
    let text = stdout(&driver.gannet(&["errors"]));
    let first =
        "2 observations from 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:22.000Z:\n  (11) generic: no such thing";
    assert!(text.starts_with(first), "{text}");
    assert!(text.contains("1 observation from 2023-11-14T22:13:21.000Z"), "{text}");
    assert!(text.ends_with("2 distinct errors, 3 observations\n"), "{text}");

    let document = json(&stdout(&driver.gannet(&["errors", "--format", "json"])));
    assert_eq!(document[0]["observation_count"], 2);
    assert_eq!(document[0]["first_observation_ms"], 1_700_000_000_000_i64);
    assert_eq!(document[1]["text"], "(12) no space");
    assert_eq!(document[1]["last_observation"], "2023-11-14T22:13:21.000Z");
}

#[test]
fn a_log_without_errors_says_so() {
    let driver = FakeDriver::alive();
    assert_eq!(stdout(&driver.gannet(&["errors"])), "0 distinct errors, 0 observations\n");
    assert_eq!(json(&stdout(&driver.gannet(&["errors", "--format", "json"]))), Value::Array(Vec::new()));
}

#[test]
fn the_driver_tells_its_pid_and_its_heartbeat() {
    let driver = FakeDriver::alive();
    assert_eq!(stdout(&driver.gannet(&["driver", "pid"])), "4242\n");
    assert!(stdout(&driver.gannet(&["driver", "heartbeat"])).contains("alive"));
    let described = stdout(&driver.gannet(&["driver"]));
    assert!(described.contains("pid               4242") && described.contains("client liveness   10s"), "{described}");
    driver.set_heartbeat_ms(now_ms() - 11_000);
    assert!(failure(&driver.gannet(&["driver", "heartbeat"])).contains("dead"));
    assert_eq!(stdout(&driver.gannet(&["driver", "pid"])), "4242\n");
}

#[test]
fn terminate_sends_the_token_and_waits_for_the_end() {
    let driver = FakeDriver::alive();
    let ring = driver.ring();
    let ending = thread::spawn(move || {
        let mut consumer = ring.consumer();
        let mut scratch = vec![0; ring.max_message_length()];
        let mut token = None;
        await_true("the command", || {
            consumer.read(1, &mut scratch, |type_id, message| {
                if let Ok(Command::TerminateDriver { token: sent, .. }) = Command::parse(type_id, message) {
                    token = Some(sent.to_vec());
                }
            });
            token.is_some()
        });
        ring.set_consumer_heartbeat_ms(-1);
        token
    });
    let text = stdout(&driver.gannet(&["driver", "terminate", "--token", "secret"]));
    assert!(text.contains("has ended"), "{text}");
    assert_eq!(ending.join().unwrap().as_deref(), Some(&b"secret"[..]));
}

#[test]
fn a_driver_that_refuses_to_end_is_told_as_one() {
    let driver = FakeDriver::alive();
    let text = failure(&driver.gannet(&["driver", "terminate", "--timeout", "50ms"]));
    assert!(text.contains("AERON_DRIVER_TERMINATION_VALIDATOR=allow"), "{text}");
    driver.set_heartbeat_ms(-1);
    assert!(failure(&driver.gannet(&["driver", "terminate"])).contains("has shut down"));
}

#[test]
fn where_no_driver_runs_the_tools_say_how_to_start_one() {
    let directory = temporary_directory();
    for arguments in [&["stat"][..], &["errors"], &["driver"], &["driver", "pid"], &["driver", "terminate"]] {
        let text = failure(&gannet(arguments, directory.path()));
        assert!(text.contains("no media driver runs in"), "{arguments:?}: {text}");
        assert!(text.contains("gannetd") && text.contains(directory.path().to_str().unwrap()), "{text}");
    }
}

#[test]
fn a_directory_may_be_named_before_and_behind_the_action() {
    let (driver, elsewhere) = (FakeDriver::alive(), temporary_directory());
    let path = driver.path().to_str().unwrap();
    for arguments in [["driver", "--dir", path, "pid"], ["driver", "pid", "--dir", path]] {
        assert_eq!(stdout(&gannet(&arguments, elsewhere.path())), "4242\n");
    }
}

#[test]
fn a_file_that_is_damaged_or_never_ready_is_named() {
    let driver = FakeDriver::unpublished();
    let text = failure(&driver.gannet(&["stat"]));
    assert!(text.contains("cnc.dat") && text.contains("not ready"), "{text}");

    let directory = temporary_directory();
    std::fs::write(directory.path().join("cnc.dat"), [0xFF; 4096]).unwrap();
    assert!(failure(&gannet(&["stat"], directory.path())).contains("cnc.dat"));
}

#[test]
fn tools_change_nothing_in_the_directory() {
    let driver = with_counters();
    let before = std::fs::read(driver.path().join("cnc.dat")).unwrap();
    for arguments in [&["stat"][..], &["errors"], &["driver"], &["driver", "heartbeat"]] {
        stdout(&driver.gannet(arguments));
    }
    assert!(std::fs::read(driver.path().join("cnc.dat")).unwrap() == before, "a tool wrote into the CnC file");
}

#[test]
fn arguments_that_make_no_sense_are_a_usage_error() {
    let directory = temporary_directory();
    for arguments in [
        &["nonsense"][..],
        &["stat", "--interval", "0s"],
        &["stat", "--interval", "5m"],
        &["stat", "--type", "x"],
        &["stat", "--format", "xml"],
        &["driver", "nonsense"],
    ] {
        assert_eq!(gannet(arguments, directory.path()).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn every_subcommand_has_help_with_examples() {
    let directory = temporary_directory();
    let overview = stdout(&gannet(&["--help"], directory.path()));
    for subcommand in ["stat", "errors", "driver"] {
        assert!(overview.contains(subcommand), "{overview}");
        let help = stdout(&gannet(&[subcommand, "--help"], directory.path()));
        assert!(help.contains("Examples:") && help.contains("AERON_DIR"), "{help}");
    }
}
