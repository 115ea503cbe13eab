//! The driver runs out of file descriptors: clean errors, and it works again when they return.

use crate::support::{CHANNEL, Stream, connect, launch};
use gannet::{ErrorCode, RegistrationError};
use gannet_tests::{DriverProcess, Settings};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

/// Sets how many files a running driver may have open. Those that it has stay open.
fn limit_files(driver: &mut DriverProcess, count: u64) {
    let pid = Pid::from_raw(i32::try_from(driver.process().id()).unwrap()).unwrap();
    // A child has its parent's limits.
    let maximum = getrlimit(Resource::Nofile).maximum;
    prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(count), maximum }).unwrap();
}

#[test]
fn without_descriptors_adding_is_refused_and_streams_go_on() {
    let mut driver = launch("descriptors", &Settings::small());
    let usual = getrlimit(Resource::Nofile).current.expect("a limit");
    let aeron = connect(driver.path());
    let mut stream = Stream::new(&aeron, CHANNEL, 1);
    stream.transfer(100);
    for round in 0..20 {
        limit_files(&mut driver, 0);
        let files = driver.directory().listing();
        for exclusive in [false, true] {
            let refused = if exclusive {
                aeron.add_exclusive_publication(CHANNEL, 2).map(drop).unwrap_err()
            } else {
                aeron.add_publication(CHANNEL, 2).map(drop).unwrap_err()
            };
            match refused {
                RegistrationError::Refused { code: ErrorCode::GenericError, message } => {
                    assert!(message.contains("open files") || message.contains("EMFILE"), "{message}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(driver.directory().listing(), files, "nothing is left of what was refused");
        // What needs no file works on.
        let subscription = aeron.add_subscription("aeron:ipc", 3).unwrap();
        let counter = aeron.add_counter(1300, b"", "a counter").unwrap();
        stream.transfer(200);
        drop((subscription, counter));
        let newcomer = connect(driver.path());
        newcomer.add_subscription("aeron:ipc", 4).unwrap();
        newcomer.close();
        limit_files(&mut driver, usual);
        Stream::new(&aeron, CHANNEL, 100 + round).transfer(100);
    }
    assert_eq!(driver.system_counter(15), 40, "each refusal is an error that is counted");
    assert!(driver.process().is_running());
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
}
