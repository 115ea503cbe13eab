//! The models' memory: loom's words behind `gannet_core::sync::Memory`, so that the code that ships is the code
//! that loom checks. `[any]`
//!
//! Loom explores every order in which threads may see words, and reports a plain access that races with any other
//! access of the same word: the copies of plain bytes here are loom's unsynchronised accesses, without a scheduling
//! point of their own, so a payload costs a model no states. A word that is plain at one time and atomic at another
//! (a frame's length, cleaned) is checked by the same rule.
//!
//! Words exist for as long as one run of a model: make the memory inside `model(…)`. Bounds of every model are set
//! in code, so that a run takes seconds.

#![allow(dead_code)] // each test that includes this module uses a part of it

use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

use gannet_core::sync::{Memory, Ordering};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU8, fence};

/// Explores a model with at most `preemptions` involuntary switches in each run.
pub(crate) fn model(preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 100_000;
    builder.check(body);
}

/// What the eight bytes at a multiple of 8 are to atomic accesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Two words of 32 bits.
    Words,
    /// One word of 64 bits.
    Word,
    /// Eight words of 8 bits.
    Bytes,
    /// Not there: any access panics. Keeps a large file with few words of interest small.
    Absent,
}

enum Slot {
    Words([Word<AtomicI32>; 2]),
    Word(Word<AtomicI64>),
    Bytes([Word<AtomicU8>; 8]),
    Absent,
}

/// A word, and a mark that every access of it stores to and nobody loads.
///
/// Loom explores the other order of two accesses that depend on each other, but remembers of each atomic the last
/// access only: where a thread loads a word and then stores to it, its own load hides another's load before, and orders
/// go unexplored (loom 0.7, `Access` in `rt/atomic.rs`). Stores to the mark depend on each other, always.
struct Word<T> {
    word: T,
    mark: AtomicBool,
}

impl<T> Word<T> {
    fn new(word: T) -> Self {
        Word { word, mark: AtomicBool::new(false) }
    }

    fn access(&self) -> &T {
        self.mark.store(true, Ordering::Relaxed);
        &self.word
    }
}

/// What clones and slices share.
struct Shared {
    slots: Vec<Slot>,
    /// Read before each plain access, to set it apart from what its thread did before: loom counts a thread's time in
    /// atomic operations (and accesses of its cells), so that plain bytes written after a release would pass for
    /// written before it.
    clock: UnsafeCell<()>,
}

// SAFETY: the cell is nothing, and read only; loom runs a model's threads one at a time.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// Zeroed memory made of loom's words.
#[derive(Clone)]
pub(crate) struct ModelMemory {
    shared: Arc<Shared>,
    offset: usize,
    length: usize,
}

impl ModelMemory {
    /// `length` bytes, a multiple of 8; `kind` says for each multiple of 8 how it is accessed.
    pub(crate) fn new(length: usize, kind: impl Fn(usize) -> Kind) -> Self {
        assert!(length.is_multiple_of(8));
        let slots = (0..length / 8).map(|index| match kind(index * 8) {
            Kind::Words => Slot::Words(std::array::from_fn(|_| Word::new(AtomicI32::new(0)))),
            Kind::Word => Slot::Word(Word::new(AtomicI64::new(0))),
            Kind::Bytes => Slot::Bytes(std::array::from_fn(|_| Word::new(AtomicU8::new(0)))),
            Kind::Absent => Slot::Absent,
        });
        let shared = Arc::new(Shared { slots: slots.collect(), clock: UnsafeCell::new(()) });
        ModelMemory { shared, offset: 0, length }
    }

    fn slot(&self, offset: usize, size: usize) -> (&Slot, usize) {
        assert!(offset + size <= self.length, "{size} bytes at {offset} lie outside {} bytes", self.length);
        assert!(offset.is_multiple_of(size), "offset {offset} is not a multiple of {size}");
        let at = self.offset + offset;
        (&self.shared.slots[at / 8], at % 8)
    }

    fn i32_at(&self, offset: usize) -> &AtomicI32 {
        match self.slot(offset, 4) {
            (Slot::Words(words), at) => words[at / 4].access(),
            _ => panic!("no 32-bit word at {offset}"),
        }
    }

    fn i64_at(&self, offset: usize) -> &AtomicI64 {
        match self.slot(offset, 8) {
            (Slot::Word(word), _) => word.access(),
            _ => panic!("no 64-bit word at {offset}"),
        }
    }

    fn u8_at(&self, offset: usize) -> &AtomicU8 {
        match self.slot(offset, 1) {
            (Slot::Bytes(bytes), at) => bytes[at].access(),
            _ => panic!("no 8-bit word at {offset}"),
        }
    }

    /// The words that a plain range touches: each slot, the bytes of it, and where they lie in the range.
    fn touched(&self, offset: usize, length: usize) -> impl Iterator<Item = (&Slot, Range<usize>, usize)> {
        self.shared.clock.with(|_| ());
        assert!(offset + length <= self.length, "{length} bytes at {offset} lie outside {} bytes", self.length);
        let (start, end) = (self.offset + offset, self.offset + offset + length);
        (start / 8..end.div_ceil(8)).map(move |index| {
            let from = start.max(index * 8);
            let to = end.min(index * 8 + 8);
            (&self.shared.slots[index], from - index * 8..to - index * 8, from - start)
        })
    }

    fn write_plain(&self, offset: usize, length: usize, source: impl Fn(usize) -> u8) {
        for (slot, bytes, from) in self.touched(offset, length) {
            let value = |byte: usize| source(from + byte - bytes.start);
            match slot {
                Slot::Absent => panic!("no memory at {}", offset + from),
                Slot::Word(word) => alias(&word.word).with_mut(|word| {
                    let mut le = word.to_le_bytes();
                    bytes.clone().for_each(|byte| le[byte] = value(byte));
                    *word = i64::from_le_bytes(le);
                }),
                Slot::Words(words) => words.iter().enumerate().for_each(|(index, word)| {
                    let part = bytes.start.max(index * 4)..bytes.end.min(index * 4 + 4);
                    if !part.is_empty() {
                        alias(&word.word).with_mut(|word| {
                            let mut le = word.to_le_bytes();
                            part.for_each(|byte| le[byte - index * 4] = value(byte));
                            *word = i32::from_le_bytes(le);
                        });
                    }
                }),
                Slot::Bytes(words) => {
                    bytes.clone().for_each(|byte| alias(&words[byte].word).with_mut(|word| *word = value(byte)));
                }
            }
        }
    }
}

/// A second handle to loom's state of a word, to be had mutably.
fn alias<T>(word: &T) -> ManuallyDrop<T> {
    // SAFETY: a loom atomic is an index into the state of the current run; a copy of the index is the same atomic, and
    // it is not dropped twice.
    ManuallyDrop::new(unsafe { ptr::read(word) })
}

// SAFETY: the length is fixed, clones and slices share the slots, every accessor checks its range.
unsafe impl Memory for ModelMemory {
    fn len(&self) -> usize {
        self.length
    }

    fn slice(&self, offset: usize, length: usize) -> Self {
        assert!(offset + length <= self.length && offset.is_multiple_of(8));
        ModelMemory { shared: self.shared.clone(), offset: self.offset + offset, length }
    }

    fn load_i32(&self, offset: usize, order: Ordering) -> i32 {
        self.i32_at(offset).load(order)
    }

    fn store_i32(&self, offset: usize, value: i32, order: Ordering) {
        self.i32_at(offset).store(value, order);
    }

    fn fetch_add_i32(&self, offset: usize, delta: i32) -> i32 {
        self.i32_at(offset).fetch_add(delta, Ordering::SeqCst)
    }

    fn compare_exchange_i32(&self, offset: usize, current: i32, new: i32) -> bool {
        self.i32_at(offset).compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn load_i64(&self, offset: usize, order: Ordering) -> i64 {
        self.i64_at(offset).load(order)
    }

    fn store_i64(&self, offset: usize, value: i64, order: Ordering) {
        self.i64_at(offset).store(value, order);
    }

    fn fetch_add_i64(&self, offset: usize, delta: i64) -> i64 {
        self.i64_at(offset).fetch_add(delta, Ordering::SeqCst)
    }

    fn compare_exchange_i64(&self, offset: usize, current: i64, new: i64) -> bool {
        self.i64_at(offset).compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn load_u8(&self, offset: usize, order: Ordering) -> u8 {
        self.u8_at(offset).load(order)
    }

    fn store_u8(&self, offset: usize, value: u8, order: Ordering) {
        self.u8_at(offset).store(value, order);
    }

    fn fence(&self, order: Ordering) {
        fence(order);
    }

    unsafe fn read_bytes(&self, offset: usize, target: &mut [u8]) {
        for (slot, bytes, from) in self.touched(offset, target.len()) {
            let le: [u8; 8] = match slot {
                Slot::Absent => panic!("no memory at {}", offset + from),
                // SAFETY: loom itself reports an unsynchronised load that races.
                Slot::Word(word) => unsafe { word.word.unsync_load() }.to_le_bytes(),
                Slot::Words(words) => {
                    let mut le = [0; 8];
                    for (index, word) in words.iter().enumerate() {
                        if bytes.start < index * 4 + 4 && bytes.end > index * 4 {
                            // SAFETY: as above.
                            le[index * 4..][..4].copy_from_slice(&unsafe { word.word.unsync_load() }.to_le_bytes());
                        }
                    }
                    le
                }
                Slot::Bytes(words) => std::array::from_fn(|byte| {
                    // SAFETY: as above.
                    if bytes.contains(&byte) { unsafe { words[byte].word.unsync_load() } } else { 0 }
                }),
            };
            target[from..][..bytes.len()].copy_from_slice(&le[bytes]);
        }
    }

    unsafe fn write_bytes(&self, offset: usize, source: &[u8]) {
        self.write_plain(offset, source.len(), |index| source[index]);
    }

    unsafe fn zero(&self, offset: usize, length: usize) {
        self.write_plain(offset, length, |_| 0);
    }
}
