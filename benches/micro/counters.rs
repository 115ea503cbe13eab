//! Core's counters: values, allocation, and looking one up as tools and clients do.
#![allow(clippy::unwrap_used, missing_docs)] // a bench is a test of speed: it stops at what it did not expect

use criterion::{Criterion, criterion_group, criterion_main};
use gannet_core::counters::{CounterSlot, CountersManager, METADATA_LENGTH, VALUE_LENGTH};
use gannet_core::sync::AtomicBuffer;
use std::hint::black_box;

const COUNT: usize = 1024;

struct Memories {
    metadata: Vec<u64>,
    values: Vec<u64>,
}

impl Memories {
    fn new() -> Memories {
        Memories { metadata: vec![0; COUNT * METADATA_LENGTH / 8], values: vec![0; COUNT * VALUE_LENGTH / 8] }
    }

    fn manager(&mut self) -> CountersManager<AtomicBuffer<'_>, Vec<CounterSlot>> {
        CountersManager::new(
            AtomicBuffer::from_mut(&mut self.metadata),
            AtomicBuffer::from_mut(&mut self.values),
            vec![CounterSlot::default(); COUNT],
            0,
        )
        .unwrap()
    }
}

fn values(criterion: &mut Criterion) {
    let mut memories = Memories::new();
    let mut manager = memories.manager();
    let id = manager.allocate(1, b"", b"a counter", 0).unwrap();
    let counter = manager.counter(id).unwrap();
    criterion.bench_function("counters/get", |bencher| bencher.iter(|| counter.get()));
    criterion.bench_function("counters/set", |bencher| bencher.iter(|| counter.set(black_box(7))));
    criterion.bench_function("counters/propose max", |bencher| bencher.iter(|| counter.propose_max(black_box(7))));
    criterion.bench_function("counters/fetch add", |bencher| bencher.iter(|| counter.fetch_add(black_box(1))));
}

fn allocation(criterion: &mut Criterion) {
    let mut memories = Memories::new();
    let mut manager = memories.manager();
    let label = b"pub-lmt: 1 -1234567 1001 aeron:ipc?term-length=64k";
    criterion.bench_function("counters/allocate and free", |bencher| {
        bencher.iter(|| {
            let id = manager.allocate(1, black_box(&[7; 40]), black_box(label), 0).unwrap();
            manager.free(id, 0).unwrap();
        });
    });
}

fn lookup(criterion: &mut Criterion) {
    let mut memories = Memories::new();
    let mut manager = memories.manager();
    for index in 0..200 {
        let id = manager.allocate(index % 7, &[], b"a counter among many", 0).unwrap();
        manager.set_registration_id(id, i64::from(index)).unwrap();
    }
    let reader = manager.reader();
    criterion.bench_function("counters/find the last of 200", |bencher| {
        bencher.iter(|| reader.find_by_type_and_registration(black_box(199 % 7), black_box(199)).unwrap());
    });
}

criterion_group!(benches, values, allocation, lookup);
criterion_main!(benches);
