//! A publisher that dies at a moment that a test chose: `doomed-publisher <directory> <stream> <channel> <kind> <point>`.
//!
//! It adds the publication, says `ready`, and on a line of input does the steps of kill point number `point` to the log
//! itself (kind `shared`), or claims through the client (`claim` and `exclusive-claim`), and kills itself.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a panic ends the process, and the test sees it

use gannet::{Aeron, Context};
use gannet_tests::kill_points::SHARED;
use gannet_tests::raw_log::RawLog;
use nix::sys::signal::{Signal, raise};
use std::io::stdin;
use std::path::Path;

/// The length of a message that is claimed and not committed.
const CLAIM_LENGTH: usize = 500;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, stream_id, channel, kind, point] = &arguments[..] else { panic!("five arguments") };
    let aeron = Aeron::connect(Context::defaults().aeron_dir(directory)).unwrap();
    let stream_id: i32 = stream_id.parse().unwrap();
    let point: usize = point.parse().unwrap();
    if kind == "exclusive-claim" {
        let mut publication = aeron.add_exclusive_publication(channel, stream_id).unwrap();
        ready(publication.original_registration_id());
        for _ in 0..point {
            while publication.offer(&[1; CLAIM_LENGTH]).is_err() {}
        }
        let mut claim = publication.try_claim(CLAIM_LENGTH).unwrap();
        claim.data_mut()[..point].fill(7);
        die();
    }
    let publication = aeron.add_publication(channel, stream_id).unwrap();
    let log = publication.original_registration_id();
    ready(log);
    if kind == "claim" {
        let mut claim = publication.try_claim(CLAIM_LENGTH).unwrap();
        claim.data_mut()[..point].fill(7);
        die();
    }
    let log = RawLog::open(&Path::new(directory).join(format!("publications/{log}.logbuffer")));
    (SHARED[point].steps)(&log);
    die();
}

/// Says so and waits for the word.
fn ready(registration_id: i64) {
    println!("ready {registration_id}");
    stdin().lines().next().unwrap().unwrap();
}

fn die() -> ! {
    raise(Signal::SIGKILL).unwrap();
    unreachable!("SIGKILL cannot be caught")
}
