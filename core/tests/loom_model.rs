//! The models' memory itself: that it keeps bytes, and that it tells a race from a protocol.

mod model;

use gannet_core::sync::{Memory, Ordering};
use loom::thread;
use model::{Kind, ModelMemory, model};

#[test]
fn plain_bytes_and_words_are_one_memory() {
    model(2, || {
        let memory = ModelMemory::new(24, |offset| [Kind::Words, Kind::Word, Kind::Bytes][offset / 8]);
        // SAFETY: loom reports a race.
        unsafe { memory.write_bytes(2, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]) };
        assert_eq!(memory.load_i32(0, Ordering::Relaxed), 0x0201_0000);
        assert_eq!(memory.load_i64(8, Ordering::Relaxed), 0x0e0d_0c0b_0a09_0807);
        assert_eq!(memory.load_u8(17, Ordering::Relaxed), 16);
        memory.store_i32(4, -1, Ordering::Relaxed);
        // SAFETY: loom reports a race.
        unsafe { memory.zero(6, 3) };
        let mut bytes = [9; 6];
        // SAFETY: loom reports a race.
        unsafe { memory.slice(8, 16).read_bytes(0, &mut bytes) };
        assert_eq!(bytes, [0, 8, 9, 10, 11, 12]);
        assert_eq!(memory.load_i32(4, Ordering::Relaxed), 0xffff);
    });
}

#[test]
fn bytes_behind_a_release_are_read_without_a_race() {
    model(2, || {
        let memory = ModelMemory::new(16, |_| Kind::Words);
        let writer = memory.clone();
        let thread = thread::spawn(move || {
            // SAFETY: loom reports a race.
            unsafe { writer.write_bytes(8, &[7; 8]) };
            writer.store_i32(0, 1, Ordering::Release);
        });
        if memory.load_i32(0, Ordering::Acquire) == 1 {
            let mut bytes = [0; 8];
            // SAFETY: loom reports a race.
            unsafe { memory.read_bytes(8, &mut bytes) };
            assert_eq!(bytes, [7; 8]);
        }
        thread.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn bytes_behind_a_relaxed_store_are_a_race() {
    model(2, || {
        let memory = ModelMemory::new(16, |_| Kind::Words);
        let writer = memory.clone();
        let thread = thread::spawn(move || {
            // SAFETY: loom reports a race.
            unsafe { writer.write_bytes(8, &[7; 8]) };
            writer.store_i32(0, 1, Ordering::Relaxed);
        });
        if memory.load_i32(0, Ordering::Acquire) == 1 {
            // SAFETY: loom reports a race.
            unsafe { memory.read_bytes(8, &mut [0; 8]) };
        }
        thread.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_plain_write_over_a_word_that_another_loads_is_a_race() {
    model(2, || {
        let memory = ModelMemory::new(8, |_| Kind::Words);
        let writer = memory.clone();
        // SAFETY: loom reports the race.
        let thread = thread::spawn(move || unsafe { writer.zero(0, 8) });
        memory.load_i32(4, Ordering::Acquire);
        thread.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn bytes_written_after_a_release_are_not_part_of_it() {
    model(2, || {
        let memory = ModelMemory::new(16, |_| Kind::Words);
        let writer = memory.clone();
        let thread = thread::spawn(move || {
            writer.fence(Ordering::Release);
            // SAFETY: loom reports a race.
            unsafe { writer.write_bytes(8, &[7; 8]) };
            writer.store_i32(0, 1, Ordering::Relaxed);
        });
        if memory.load_i32(0, Ordering::Acquire) == 1 {
            // SAFETY: loom reports a race.
            unsafe { memory.read_bytes(8, &mut [0; 8]) };
        }
        thread.join().unwrap();
    });
}

#[test]
fn orders_are_explored_where_a_thread_loads_a_word_before_it_stores_to_it() {
    use std::sync::atomic::AtomicU32;
    static SEEN: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];
    model(2, || {
        let memory = ModelMemory::new(8, |_| Kind::Words);
        let writer = memory.clone();
        let thread = thread::spawn(move || {
            writer.load_i32(0, Ordering::Acquire);
            writer.fetch_add_i32(0, 1);
        });
        let seen = memory.load_i32(0, Ordering::Acquire);
        SEEN[seen.unsigned_abs() as usize].fetch_add(1, Ordering::Relaxed);
        thread.join().unwrap();
    });
    assert!(SEEN.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}
