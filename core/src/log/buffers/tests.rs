use super::super::RawTail;
use super::super::descriptor;
use super::super::testing::{LENGTH, Log, initialise, open, properties};
use super::*;
use crate::sync::{AtomicBuffer, Ordering};
use proptest::prelude::*;
use std::format;
use std::string::ToString;
use std::vec;

const METADATA: usize = LENGTH - METADATA_LENGTH;

fn open_with(offset: usize, value: i32) -> Result<(), LogError> {
    let mut memory = Log::new();
    memory.initialised(&properties());
    let buffer = memory.buffer();
    buffer.store_i32(METADATA + offset, value, Ordering::Relaxed);
    open(&buffer).map(|_| ())
}

#[test]
fn a_log_that_was_made_opens_with_the_same_numbers() {
    let mut memory = Log::new();
    memory.initialised(&properties());
    let log = open(&memory.buffer()).unwrap();
    assert_eq!(log.term_length(), TermLength::MIN);
    assert_eq!(log.initial_term_id(), properties().initial_term_id);
    assert_eq!((log.mtu_length(), log.max_payload_length(), log.max_message_length()), (1408, 1376, 8192));
    assert_eq!((log.session_id(), log.stream_id()), (properties().session_id, properties().stream_id));
    assert_eq!(log.page_size(), 4096);
    assert_eq!(log.producer_position(), Position(0));
}

#[test]
fn a_file_with_impossible_numbers_is_refused() {
    for length in [0, -1, 65_535, 65_537, 32_768, i32::MAX, i32::MIN, 0x4000_0001] {
        assert_eq!(open_with(descriptor::TERM_LENGTH, length), Err(LogError::TermLength(length)));
    }
    for size in [0, -4096, 2048, 4097, i32::MIN, i32::MAX] {
        assert_eq!(open_with(descriptor::PAGE_SIZE, size), Err(LogError::PageSize(size)));
    }
    for mtu in [0, 31, 33, -1408, i32::MIN, 65_505, 65_536, i32::MAX] {
        assert_eq!(open_with(descriptor::MTU_LENGTH, mtu), Err(LogError::Mtu(mtu)));
    }
    for length in [131_072, 1 << 30] {
        let term_length = TermLength::new(length).unwrap();
        assert_eq!(
            open_with(descriptor::TERM_LENGTH, term_length.bytes()),
            Err(LogError::TooShort { length: LENGTH, term_length })
        );
    }
}

#[test]
fn memory_of_an_impossible_length_is_refused() {
    let mut words = vec![0_u64; LENGTH / 8];
    for length in [0, 8, 4096, LENGTH - 8, LENGTH - 1] {
        // SAFETY: inside the words, which nobody else sees.
        let buffer = unsafe { AtomicBuffer::from_raw_parts(words.as_mut_ptr().cast(), length) };
        assert_eq!(open(&buffer).map(|_| ()), Err(LogError::Length(length)));
    }
}

#[test]
fn the_first_position_is_where_the_driver_put_it() {
    let initial = properties().initial_term_id;
    let mut memory = Log::new();
    let log = initialise(&memory.buffer(), &properties(), Some((initial.plus(4), 96))).unwrap();
    assert_eq!(log.producer_position(), Position(4 * 65_536 + 96));
    assert_eq!(log.metadata().active_term_count_acquire(), 4);
    assert_eq!(log.metadata().raw_tail_acquire(1), RawTail::new(initial.plus(4), 96));
    assert_eq!(log.metadata().raw_tail_acquire(2), RawTail::new(initial.plus(2), 0));
    assert_eq!(log.metadata().raw_tail_acquire(0), RawTail::new(initial.plus(3), 0));
}

#[test]
fn a_first_position_out_of_range_is_refused() {
    let initial = properties().initial_term_id;
    for (term_id, offset) in [(initial, 1), (initial, -32), (initial, 65_568), (initial.plus(-1), 0)] {
        let mut memory = Log::new();
        let made = initialise(&memory.buffer(), &properties(), Some((term_id, offset)));
        assert_eq!(made.map(|_| ()), Err(LogError::Start { term_id, offset }));
    }
}

#[test]
fn the_tails_of_an_image_stay_zero() {
    let mut memory = Log::new();
    let log = memory.initialised(&LogProperties { log_type: LogType::Image, ..properties() });
    assert!((0..3).all(|partition| log.metadata().raw_tail_acquire(partition) == RawTail(0)));
}

#[test]
fn errors_name_the_value_and_the_range() {
    assert_eq!(LogError::Mtu(7).to_string(), "MTU 7 is not a multiple of 32 from 32 to 65504 that fits a term");
    assert!(format!("{}", LogError::PageSize(1)).contains("from 4096 to 1073741824"));
}

proptest! {
    #[test]
    fn no_metadata_panics(words in proptest::collection::vec(any::<i32>(), 128), plausible: bool) {
        let mut memory = Log::new();
        if plausible {
            memory.initialised(&properties());
        }
        let buffer = memory.buffer();
        for (index, word) in words.iter().enumerate() {
            let offset = index * 4;
            let kept = [descriptor::TERM_LENGTH, descriptor::PAGE_SIZE, descriptor::MTU_LENGTH].contains(&offset);
            if !(plausible && kept) {
                buffer.store_i32(METADATA + offset, *word, Ordering::Relaxed);
            }
        }
        let opened = open(&buffer);
        prop_assert!(opened.is_ok() == plausible);
        if let Ok(log) = opened {
            let _ = (log.producer_position(), log.properties());
            log.metadata().rotate_log(words[6], TermId(words[0]));
        }
    }
}
