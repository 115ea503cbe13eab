//! Space behind sparse logs: limits wait for it, and go on when it comes.

use std::cell::Cell;
use std::os::unix::fs::MetadataExt;

use gannet_core::Position;
use gannet_core::command::{Command, ErrorCode};
use gannet_core::counters::system::SystemCounter;
use gannet_core::sync::{Memory, Ordering};
use gannet_transport_ipc::{FileError, Region};

use super::harness::{SECOND_NS, STREAM, Stream};
use super::{Harness, Heard};

const CHANNEL: &str = "aeron:ipc?term-length=16m";
const TERM: i64 = 16 << 20;

fn blocks(stream: &Stream) -> i64 {
    i64::try_from(std::fs::metadata(&stream.path).unwrap().blocks() * 512).unwrap()
}

#[test]
fn an_unconnected_publication_takes_no_more_than_its_metadata_and_a_page() {
    let mut harness = Harness::new();
    for stream in [harness.publish(1, CHANNEL), harness.publish_exclusively(1, CHANNEL)] {
        harness.settle();
        assert!((8192..32 * 1024).contains(&blocks(&stream)), "{}", blocks(&stream));
        assert_eq!(stream.position(), Position(0));
    }
}

#[test]
fn a_shared_publication_gets_its_limit_once_its_term_and_a_page_are_reserved() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, CHANNEL);
    harness.subscribe(2, "aeron:ipc");
    assert_eq!(stream.position(), Position(TERM / 2));
    // A file system on disk may count blocks of its own.
    assert!((TERM + 8192..TERM + 1024 * 1024).contains(&blocks(&stream)), "{}", blocks(&stream));
}

#[test]
fn an_exclusive_publication_starts_with_little_and_gets_more_as_it_publishes() {
    let mut harness = Harness::new();
    let stream = harness.publish_exclusively(1, CHANNEL);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let image = harness.image(&heard);
    harness.settle();
    let first = stream.position();
    assert!(first >= Position(256 * 1024) && first < Position(TERM / 2), "{first}");
    assert!(blocks(&stream) < 4 << 20);
    let mut last = first;
    for _ in 0..200 {
        super::limits::append(&stream, 100, 1000);
        image.counter.set(stream.producer().0);
        harness.settle();
        assert!(stream.position() >= last);
        last = stream.position();
    }
    assert!(stream.producer() <= stream.position());
    assert_eq!(last, Position(image.position().0 + TERM / 2).min(last), "never more than the window");
}

#[test]
fn everything_is_reserved_before_a_log_that_is_not_sparse_is_shown() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, "aeron:ipc?term-length=1m|sparse=false");
    assert!(blocks(&stream) >= 3 * (1 << 20) + 4096);
}

thread_local! {
    static LACKS_SPACE: Cell<bool> = const { Cell::new(false) };
}

fn reserve_unless_lacking(region: &Region, offset: usize, length: usize) -> Result<(), FileError> {
    if !LACKS_SPACE.get() {
        return region.reserve(offset, length);
    }
    Err(FileError::NoSpace {
        path: region.path().to_path_buf(),
        offset: offset as u64,
        length: length as u64,
        usable: 0,
        source: std::io::Error::from_raw_os_error(28),
    })
}

#[test]
fn without_space_the_publisher_is_back_pressured_and_goes_on_when_space_returns() {
    let mut harness = Harness::with(|_, resources| resources.reserve = reserve_unless_lacking);
    let streams = [harness.publish(1, CHANNEL), harness.publish_exclusively(1, CHANNEL)];
    LACKS_SPACE.set(true);
    harness.subscribe(2, "aeron:ipc");
    for _ in 0..50 {
        harness.pass(SECOND_NS / 20);
    }
    for stream in &streams {
        assert_eq!(stream.position(), Position(0));
        assert!(stream.log.metadata().is_connected(), "it is connected, and back-pressured");
    }
    let errors = harness.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    for (text, count) in &errors {
        assert_eq!(*count, 1, "told once for each time that space runs out, not for each try");
        assert!(
            text.starts_with("STORAGE_SPACE (12)") && text.contains("is back-pressured until there is storage space"),
            "{text}"
        );
    }
    assert_eq!(harness.system(SystemCounter::Errors), 2);

    LACKS_SPACE.set(false);
    harness.pass(SECOND_NS / 20);
    assert_eq!(streams[0].position(), Position(TERM / 2));
    assert!(streams[1].position() > Position(0));
}

#[test]
fn a_log_whose_first_page_cannot_be_had_is_refused_with_the_storage_error() {
    let mut harness = Harness::with(|_, resources| resources.reserve = reserve_unless_lacking);
    LACKS_SPACE.set(true);
    let correlation_id = harness.next_id();
    let heard =
        harness.ask(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel: CHANNEL });
    assert!(matches!(heard[..], [Heard::Error { code: ErrorCode::StorageSpace, .. }]), "{heard:?}");
    assert_eq!(std::fs::read_dir(harness.directory().join("publications")).unwrap().count(), 0);
    LACKS_SPACE.set(false);
    harness.publish(1, CHANNEL);
}

thread_local! {
    static LONGEST_PIECE: Cell<usize> = const { Cell::new(0) };
}

fn reserve_and_measure(region: &Region, offset: usize, length: usize) -> Result<(), FileError> {
    LONGEST_PIECE.set(LONGEST_PIECE.get().max(length));
    region.reserve(offset, length)
}

#[test]
fn a_log_that_is_not_sparse_is_reserved_in_pieces_between_those_of_others() {
    let mut harness = Harness::with(|_, resources| resources.reserve = reserve_and_measure);
    let stream = harness.publish(1, CHANNEL);
    let correlation_id = harness.next_id();
    harness.send(&Command::AddSubscription { client_id: 2, correlation_id, stream_id: STREAM, channel: "aeron:ipc" });
    harness.conductor.do_work(harness.now);
    let correlation_id = harness.next_id();
    let channel = "aeron:ipc?term-length=16m|sparse=false";
    harness.send(&Command::AddExclusivePublication { client_id: 3, correlation_id, stream_id: STREAM, channel });
    let mut cycles = 0;
    while stream.position() == Position(0) {
        crate::agent::Agent::do_work(&mut harness.agent);
        harness.conductor.do_work(harness.now);
        cycles += 1;
        assert!(cycles < 100, "the first stream gets its space");
    }
    let is_ready = |heard: &[Heard]| heard.iter().any(|heard| matches!(heard, Heard::Exclusive { .. }));
    assert!(!is_ready(&harness.hear()), "the second one's log is not whole yet");
    let heard = harness.settle();
    assert!(is_ready(&heard), "{heard:?}");
    assert!(blocks(&harness.stream(&heard)) >= 3 * TERM);
    assert_eq!(LONGEST_PIECE.get(), 1 << 20);
}

#[test]
fn a_log_that_is_being_reserved_when_the_driver_ends_is_removed() {
    let mut harness = Harness::new();
    let correlation_id = harness.next_id();
    let channel = "aeron:ipc?term-length=16m|sparse=false";
    harness.send(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel });
    harness.conductor.do_work(harness.now);
    crate::agent::Agent::do_work(&mut harness.agent);
    let path = harness.directory().join(format!("publications/{correlation_id}.logbuffer"));
    assert!(path.exists());
    crate::agent::Agent::on_close(&mut harness.agent);
    assert!(!path.exists());
}

#[test]
fn a_log_takes_at_most_twice_its_time_however_many_others_are_reserved() {
    let mut harness = Harness::new();
    for client_id in 1..=10 {
        harness.publish_exclusively(client_id, "aeron:ipc?term-length=16m|pub-wnd=8m");
        let correlation_id = harness.next_id();
        let channel = "aeron:ipc?term-length=16m|session-id=";
        let channel = format!("{channel}{}", 100 + client_id);
        let stream_id = STREAM;
        harness.ask(&Command::AddPublication { client_id, correlation_id, stream_id, channel: &channel });
    }
    let correlation_id = harness.next_id();
    harness.send(&Command::AddSubscription { client_id: 2, correlation_id, stream_id: STREAM, channel: "aeron:ipc" });
    harness.conductor.do_work(harness.now);
    let correlation_id = harness.next_id();
    let channel = "aeron:ipc?term-length=4m|sparse=false";
    harness.send(&Command::AddExclusivePublication { client_id: 3, correlation_id, stream_id: STREAM, channel });
    for _ in 0..3 {
        harness.conductor.do_work(harness.now);
    }
    harness.hear();
    let mut cycles = 0;
    while !harness.hear().iter().any(|heard| matches!(heard, Heard::Exclusive { .. })) {
        crate::agent::Agent::do_work(&mut harness.agent);
        harness.conductor.do_work(harness.now);
        cycles += 1;
        // A request is taken in each cycle too: those of the others come first.
        assert!(cycles < 2 * 12 + 25, "{cycles}");
    }
}

#[test]
fn no_log_is_made_in_a_directory_that_another_driver_took() {
    let mut harness = Harness::new();
    let cnc = gannet_transport_ipc::AeronDirectory::at(harness.directory()).cnc_file();
    let correlation_id = harness.next_id();
    harness.send(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel: CHANNEL });
    harness.conductor.do_work(harness.now);
    std::fs::rename(&cnc, cnc.with_extension("old")).unwrap();
    std::fs::write(&cnc, "another's").unwrap();
    crate::agent::Agent::do_work(&mut harness.agent);
    assert_eq!(std::fs::read_dir(harness.directory().join("publications")).unwrap().count(), 0);
}

/// The publishers are in the third term, says the log, and the subscriber before a frame there, says its counter.
fn make_up_tail_and_position(harness: &mut Harness, stream: &Stream) {
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let image = harness.image(&heard);
    // A little that is read, after which there is space for more than was granted.
    super::limits::append(stream, 60, 1000);
    image.counter.set(stream.producer().0);
    harness.settle();
    let before = blocks(stream);
    assert!(before < 2 * TERM, "most of the log has no space");
    LACKS_SPACE.set(true);
    let metadata = stream.log.metadata();
    let third = stream.log.initial_term_id().plus(2);
    metadata.set_raw_tail_release(2, gannet_core::log::RawTail::new(third, 8 << 20));
    metadata.set_active_term_count_release(2);
    for position in [TERM + TERM / 2, 2 * TERM, 2 * TERM + 4096, i64::MAX] {
        image.counter.set(position);
        for _ in 0..20 {
            harness.pass(SECOND_NS);
        }
    }
    harness.unpublish(1, stream.id, false);
    harness.pass(SECOND_NS);
    assert_eq!(blocks(stream), before);
}

#[test]
fn a_tail_that_is_not_the_active_one_makes_the_driver_touch_nothing_that_has_no_space() {
    for last in [TERM, TERM - 32] {
        for length in [-5, 0] {
            let mut harness = Harness::new();
            let stream = harness.publish(1, "aeron:ipc?term-length=16m");
            let before = blocks(&stream);
            let (metadata, initial) = (stream.log.metadata(), stream.log.initial_term_id());
            stream.region.store_i32(0, length, Ordering::Release);
            metadata.set_raw_tail_release(1, gannet_core::log::RawTail::new(initial, 64));
            metadata.set_active_term_count_release(1);
            metadata.set_raw_tail_release(0, gannet_core::log::RawTail::new(initial, i32::try_from(last).unwrap()));
            for _ in 0..40 {
                harness.pass(SECOND_NS);
            }
            assert!(blocks(&stream) <= before + 4096, "{} {before}", blocks(&stream));
        }
    }
}

#[test]
fn a_tail_and_a_position_that_are_made_up_make_the_driver_touch_nothing_that_has_no_space() {
    for is_exclusive in [false, true] {
        LACKS_SPACE.set(false);
        let mut harness = Harness::with(|_, resources| resources.reserve = reserve_unless_lacking);
        let channel = "aeron:ipc?term-length=16m|pub-wnd=64k";
        let stream = if is_exclusive { harness.publish_exclusively(1, channel) } else { harness.publish(1, channel) };
        make_up_tail_and_position(&mut harness, &stream);
    }
}
