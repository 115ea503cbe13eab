//! A publisher is killed between claim and commit: subscribers go on within the unblock timeout and a second.

use crate::support::{Listener, connect, full, launch};
use gannet::{Aeron, Publication};
use gannet_tests::kill_points::SHARED;
use gannet_tests::messages::message;
use gannet_tests::process::ended_by;
use gannet_tests::{DriverProcess, PATIENCE, Process, Settings, wait_until};
use nix::sys::signal::Signal;
use std::process::Command;
use std::time::{Duration, Instant};

const LIVENESS: Duration = Duration::from_secs(2);
const UNBLOCK: Duration = Duration::from_secs(3);
/// What the issue grants beyond the unblock timeout.
const GRACE: Duration = Duration::from_secs(1);
const LENGTH: usize = 100;

fn doomed(driver: &DriverProcess, stream_id: i32, channel: &str, kind: &str, point: usize) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomed-publisher"));
    command.arg(driver.path()).arg(stream_id.to_string()).arg(channel).arg(kind).arg(point.to_string());
    Process::spawn(command)
}

/// A stream that a doomed publisher shares with one that lives on.
struct Case {
    name: String,
    publication: Publication,
    listener: Listener,
    doomed: Process,
    sent: u64,
    died: Option<Instant>,
    resumed: Option<Instant>,
    seed: u64,
    /// Message number that must come after the death.
    awaited: u64,
}

impl Case {
    fn new(driver: &DriverProcess, aeron: &Aeron, stream_id: i32, channel: &str, kind: &str, point: usize) -> Self {
        let seed = u64::from(stream_id.unsigned_abs());
        let listener = Listener::new(aeron, stream_id, seed, LENGTH);
        let publication = aeron.add_publication(channel, stream_id).unwrap();
        wait_until("the stream is connected", PATIENCE, || publication.is_connected() && listener.is_connected());
        let mut doomed = doomed(driver, stream_id, channel, kind, point);
        doomed.wait_line("ready ", 0, PATIENCE);
        Case {
            name: format!("stream {stream_id}, {kind} {point}"),
            publication,
            listener,
            doomed,
            sent: 0,
            died: None,
            resumed: None,
            seed,
            awaited: 0,
        }
    }

    /// Offers the next message, if it goes, and polls.
    fn turn(&mut self, until: u64) {
        if self.sent < until {
            match self.publication.offer(&message(self.seed, self.sent, LENGTH)) {
                Ok(_) => self.sent += 1,
                Err(error) => assert!(error.is_retryable(), "{}: {error}", self.name),
            }
        }
        if self.listener.poll() > self.awaited && self.died.is_some() && self.resumed.is_none() {
            self.resumed = Some(Instant::now());
        }
    }
}

/// Kills the publishers of all cases, and checks that each stream resumes in time and to the end.
fn kill_and_resume(driver: &mut DriverProcess, mut cases: Vec<Case>) {
    const BEFORE: u64 = 4;
    const AFTER: u64 = 1000;
    for case in &mut cases {
        wait_until("the first messages come", PATIENCE, || {
            case.turn(BEFORE);
            case.listener.poll() == BEFORE
        });
    }
    for case in &mut cases {
        case.doomed.tell("die");
        let status = case.doomed.wait_exit(PATIENCE);
        assert_eq!(ended_by(status), Some(Signal::SIGKILL), "{}: {}", case.name, case.doomed.report());
        case.died = Some(Instant::now());
        case.awaited = BEFORE;
    }
    wait_until("every stream resumes", PATIENCE, || {
        for case in &mut cases {
            case.turn(BEFORE + AFTER);
        }
        cases.iter().all(|case| case.resumed.is_some())
    });
    for case in &cases {
        let after = case.resumed.unwrap() - case.died.unwrap();
        assert!(after <= UNBLOCK + GRACE, "{}: resumed only after {after:?}", case.name);
    }
    wait_until("every stream goes on through more terms", PATIENCE, || {
        for case in &mut cases {
            case.turn(BEFORE + AFTER);
        }
        cases.iter_mut().all(|case| case.listener.poll() == BEFORE + AFTER)
    });
    assert!(driver.process().is_running());
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
}

#[test]
fn subscribers_go_on_after_a_publisher_is_killed_at_any_step() {
    let rounds = if full() { 10 } else { 1 };
    for round in 0..rounds {
        let settings = Settings::small().with_liveness(LIVENESS, UNBLOCK);
        let mut driver = launch("kill-points", &settings);
        let aeron = connect(driver.path());
        let cases = (0..SHARED.len())
            .map(|point| {
                let stream_id = 1000 * (round + 1) + i32::try_from(point).unwrap();
                let mut case = Case::new(&driver, &aeron, stream_id, &SHARED[point].channel(), "shared", point);
                case.name = SHARED[point].name.to_owned();
                case
            })
            .collect();
        kill_and_resume(&mut driver, cases);
        assert!(driver.system_counter(19) > 0, "unblocked publications");
    }
}

#[test]
fn subscribers_go_on_after_a_publisher_is_killed_with_a_claim_of_the_client() {
    let settings = Settings::small().with_liveness(LIVENESS, UNBLOCK);
    let mut driver = launch("claims", &settings);
    let aeron = connect(driver.path());
    // How much of the claim it had written.
    let cases = [0, 1, 32, 250, 499, 500]
        .into_iter()
        .enumerate()
        .map(|(index, point)| {
            let stream_id = 100 + i32::try_from(index).unwrap();
            Case::new(&driver, &aeron, stream_id, "aeron:ipc?term-length=64k", "claim", point)
        })
        .collect();
    kill_and_resume(&mut driver, cases);
}

#[test]
fn an_exclusive_publication_whose_publisher_is_killed_with_a_claim_ends() {
    let settings = Settings::small().with_liveness(LIVENESS, UNBLOCK);
    let driver = launch("exclusive-claims", &settings);
    let aeron = connect(driver.path());
    for (index, messages) in [0_usize, 1, 20].into_iter().enumerate() {
        let stream_id = 200 + i32::try_from(index).unwrap();
        let mut subscription = aeron.add_subscription("aeron:ipc", stream_id).unwrap();
        let mut doomed = doomed(&driver, stream_id, "aeron:ipc?term-length=64k", "exclusive-claim", messages);
        let (_, line) = doomed.wait_line("ready ", 0, PATIENCE);
        let log = driver.path().join(format!("publications/{}.logbuffer", &line["ready ".len()..]));
        wait_until("the image is there", PATIENCE, || subscription.is_connected());
        doomed.tell("die");
        assert_eq!(ended_by(doomed.wait_exit(PATIENCE)), Some(Signal::SIGKILL));
        let died = Instant::now();
        let mut received = 0;
        wait_until("the image ends", PATIENCE, || {
            subscription.poll(10, |bytes, _| {
                assert_eq!(bytes, [1; 500], "only what was committed comes");
                received += 1;
            });
            !subscription.is_connected()
        });
        assert_eq!(received, messages, "all that was committed came");
        assert!(died.elapsed() <= LIVENESS + UNBLOCK + GRACE, "ended only after {:?}", died.elapsed());
        wait_until("its log file goes", PATIENCE, || !log.exists());
    }
}
