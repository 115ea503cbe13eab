//! The tools that are clients, as processes, on a driver in the test's own process.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use common::{await_true, command, failure, gannet, stdout, temporary_directory};
use gannet::driver::config::Context as DriverContext;
use gannet::{Aeron, EmbeddedDriver};
use serde_json::Value;

const INTERRUPTED: i32 = 130;

fn driver() -> EmbeddedDriver {
    EmbeddedDriver::launch_with(|context| {
        *context = DriverContext {
            directory: context.directory.clone(),
            delete_directory_on_shutdown: true,
            ipc_term_buffer_length: 64 * 1024,
            ..DriverContext::small()
        };
    })
    .unwrap()
}

/// A tool that runs on beside the test; killed when the test fails.
struct Running(Option<Child>);

impl Running {
    fn start(arguments: &[&str], directory: &Path) -> Running {
        let child = command(arguments, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running(Some(child))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    fn write(&mut self, text: &str) {
        let input = self.child().stdin.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    fn signal(&mut self, name: &str) {
        let pid = self.child().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// To its end.
    fn finish(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until so many counters' labels contain a text: positions of publications and subscriptions.
fn await_counters(directory: &Path, label: &str, count: usize) {
    await_true(label, || {
        let text = stdout(&gannet(&["stat", "--label", label], directory));
        text.lines().count() == count + 1
    });
}

fn lines(output: &Output) -> Vec<String> {
    stdout(output).lines().map(str::to_owned).collect()
}

#[test]
fn the_demo_verifies_every_message_and_leaves_nothing_behind() {
    let elsewhere = temporary_directory();
    let output = gannet(&["demo", "--messages", "50000", "--round-trips", "2000"], elsewhere.path());
    let text = stdout(&output);
    assert!(text.contains("50,000 messages") && text.contains("complete, in order and unchanged"), "{text}");
    assert!(text.contains("messages/s") && text.contains("2,000 round trips") && text.contains("99%"), "{text}");
    let directory = text.lines().next().unwrap().strip_prefix("driver in ").unwrap();
    assert!(!Path::new(directory).exists(), "{directory}");
}

#[test]
fn the_demo_does_not_take_a_directory_that_exists() {
    let precious = temporary_directory();
    std::fs::write(precious.path().join("letter"), "dear").unwrap();
    let path = precious.path().to_str().unwrap();
    let text = failure(&gannet(&["demo", "--dir", path], precious.path()));
    assert!(text.contains("exists"), "{text}");
    assert_eq!(std::fs::read(precious.path().join("letter")).unwrap(), b"dear");
}

#[test]
fn an_interrupted_demo_removes_its_directory_and_claims_nothing() {
    let elsewhere = temporary_directory();
    for signal in ["INT", "TERM"] {
        let directory: PathBuf = elsewhere.path().join(signal);
        let arguments = ["demo", "--messages", "1000000000000", "--dir", directory.to_str().unwrap()];
        let mut demo = Running::start(&arguments, elsewhere.path());
        // The data flows.
        await_true("the driver", || directory.join("cnc.dat").exists());
        await_counters(&directory, "sub-pos", 1);
        demo.signal(signal);
        let output = demo.finish();
        assert_eq!(output.status.code(), Some(INTERRUPTED), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("complete"), "{output:?}");
        assert!(!directory.exists());
    }
}

#[test]
fn what_is_published_is_printed() {
    let driver = driver();
    let directory = driver.aeron_dir();
    let sub = Running::start(&["sub", "--stream", "7", "--count", "3"], directory);
    let mut publisher = Running::start(&["pub", "--stream", "7"], directory);
    publisher.write("one\ntwo ü\n");
    publisher.write("three");
    drop(publisher.child().stdin.take());
    assert!(publisher.finish().status.success());
    assert_eq!(lines(&sub.finish()), ["one", "two ü", "three"]);
}

#[test]
fn a_text_is_one_message_and_json_tells_all_about_it() {
    let driver = driver();
    let directory = driver.aeron_dir();
    let sub = Running::start(&["sub", "--count", "1", "--format", "json"], directory);
    assert_eq!(stdout(&gannet(&["pub", "--message", "hello\nworld"], directory)), "");
    let record: Value = serde_json::from_str(&lines(&sub.finish())[0]).unwrap();
    assert_eq!(record["payload"], "hello\nworld");
    assert_eq!(record["length"], 11);
    assert_eq!(record["stream_id"], 1001);
    assert_eq!(record["position"], 64);

    let sub = Running::start(&["sub", "--count", "1", "--format", "hex"], directory);
    assert_eq!(stdout(&gannet(&["pub", "--message", "Az"], directory)), "");
    assert_eq!(lines(&sub.finish()), ["417a"]);

    let sub = Running::start(&["sub", "--count", "1", "--format", "json"], directory);
    let aeron = Aeron::connect(driver.context()).unwrap();
    let mut publication = aeron.add_exclusive_publication("aeron:ipc", 1001).unwrap();
    await_true("the subscriber", || publication.offer(&[0xFF, 0, b'A']).is_ok());
    let record: Value = serde_json::from_str(&lines(&sub.finish())[0]).unwrap();
    assert_eq!((&record["payload_hex"], record.get("payload")), (&Value::from("ff0041"), None));
}

#[test]
fn numbered_messages_are_verified_fragmented_ones_too() {
    let driver = driver();
    let directory = driver.aeron_dir();
    for length in ["12", "1376", "1377", "8192"] {
        let sub = Running::start(&["sub", "--verify", "--count", "300"], directory);
        let publisher = Running::start(&["pub", "--numbered", "300", "--length", length], directory);
        assert!(publisher.finish().status.success());
        assert_eq!(lines(&sub.finish()), ["300 messages, complete, in order and unchanged"]);
    }
}

#[test]
fn two_publishers_are_verified_each_by_itself() {
    let driver = driver();
    let directory = driver.aeron_dir();
    let sub = Running::start(&["sub", "--verify", "--count", "600"], directory);
    let publishers = [(); 2].map(|()| Running::start(&["pub", "--numbered", "300"], directory));
    for publisher in publishers {
        assert!(publisher.finish().status.success());
    }
    assert_eq!(lines(&sub.finish()), ["600 messages, complete, in order and unchanged"]);
}

#[test]
fn a_lost_message_and_a_changed_one_are_faults() {
    let driver = driver();
    let aeron = Aeron::connect(driver.context()).unwrap();
    for (message, told) in [(&[0xFF; 40][..], "arrived changed"), (b"short", "fewer than")] {
        let sub = Running::start(&["sub", "--verify"], driver.aeron_dir());
        let mut publication = aeron.add_exclusive_publication("aeron:ipc", 1001).unwrap();
        await_true("the subscriber", || publication.offer(message).is_ok());
        let text = failure(&sub.finish());
        assert!(text.contains("message 0") && text.contains(told), "{text}");
    }
}

#[test]
fn ping_measures_what_pong_answers() {
    let driver = driver();
    let mut pong = Running::start(&["pong"], driver.aeron_dir());
    for length in ["8", "1376"] {
        let arguments = ["ping", "--messages", "500", "--warmup", "50", "--length", length];
        let text = stdout(&gannet(&arguments, driver.aeron_dir()));
        assert!(text.starts_with(&format!("500 round trips of {length} bytes over aeron:ipc:\n")), "{text}");
        assert!(text.contains("50%") && text.contains("99%") && text.contains("max"), "{text}");
    }
    pong.signal("INT");
    let output = pong.finish();
    assert!(output.status.success(), "to be interrupted is how a pong ends: {output:?}");
}

#[test]
fn a_waiting_tool_says_what_for_and_can_be_interrupted() {
    let driver = driver();
    for arguments in [&["pub", "--message", "x"][..], &["ping"]] {
        let mut waiting = Running::start(arguments, driver.aeron_dir());
        let mut told = String::new();
        BufReader::new(waiting.child().stderr.take().unwrap()).read_line(&mut told).unwrap();
        assert!(told.contains("waiting for a subscriber on aeron:ipc"), "{told}");
        waiting.signal("INT");
        assert_eq!(waiting.finish().status.code(), Some(INTERRUPTED), "{arguments:?}");
    }
}

#[test]
fn a_publisher_of_lines_can_be_interrupted_while_none_comes() {
    let driver = driver();
    let mut sub = Running::start(&["sub"], driver.aeron_dir());
    let mut publisher = Running::start(&["pub"], driver.aeron_dir());
    publisher.write("first\n");
    let mut first = [0; 6];
    sub.child().stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first\n");
    // Its input stays open: it is the signal that ends it.
    let input = publisher.child().stdin.take();
    publisher.signal("INT");
    assert_eq!(publisher.finish().status.code(), Some(INTERRUPTED));
    drop(input);
    sub.signal("TERM");
    assert!(sub.finish().status.success(), "without a count a signal is how it ends");
}

#[test]
fn a_refusal_of_the_driver_is_told() {
    let driver = driver();
    for arguments in [&["pub", "--channel", "aeron:ipc?term-length=100"][..], &["sub", "--channel", "nonsense"]] {
        let text = failure(&gannet(arguments, driver.aeron_dir()));
        assert!(text.starts_with("gannet: ") && !text.contains("panicked"), "{text}");
    }
    let text = failure(&gannet(&["pub", "--channel", "aeron:ipc?term-length=100"], driver.aeron_dir()));
    assert!(text.contains("term-length=100"), "{text}");
}

#[test]
fn where_no_driver_runs_the_clients_say_how_to_start_one() {
    let directory = temporary_directory();
    for arguments in [&["pub", "--message", "x"][..], &["sub"], &["ping"], &["pong"]] {
        let text = failure(&gannet(arguments, directory.path()));
        assert!(text.contains("no media driver") && text.contains("gannetd"), "{arguments:?}: {text}");
    }
}

#[test]
fn the_tools_read_a_living_drivers_directory() {
    let driver = driver();
    let directory = driver.aeron_dir();
    let text = stdout(&gannet(&["stat", "--type", "0"], directory));
    assert!(text.contains("Bytes sent") && text.contains("Control protocol version"), "{text}");
    assert_eq!(stdout(&gannet(&["driver", "pid"], directory)), format!("{}\n", std::process::id()));
    let described = stdout(&gannet(&["driver"], directory));
    assert!(described.contains("control protocol  1.0.0"), "{described}");
    assert!(described.contains("software          version=1.54.0"), "{described}");
    stdout(&gannet(&["driver", "heartbeat"], directory));
    stdout(&gannet(&["errors"], directory));
}

#[test]
fn every_client_has_help_with_examples() {
    let directory = temporary_directory();
    for subcommand in ["demo", "ping", "pong", "pub", "sub"] {
        let help = stdout(&gannet(&[subcommand, "--help"], directory.path()));
        assert!(help.contains("Examples:") && help.contains("--dir"), "{help}");
    }
}
