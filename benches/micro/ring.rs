//! Core's many-to-one ring, the way of the commands: one thread writes, then reads.
#![allow(clippy::unwrap_used, missing_docs)] // a bench is a test of speed: it stops at what it did not expect

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gannet_core::ring::{ManyToOneRing, TRAILER_LENGTH};
use gannet_core::sync::AtomicBuffer;
use std::hint::black_box;

const CAPACITY: usize = 1 << 20;
const BATCH: u64 = 64;

fn write_and_read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring/write and read");
    for length in [24_usize, 128, 1024] {
        let message = vec![1; length];
        group.throughput(Throughput::Elements(BATCH));
        group.bench_with_input(BenchmarkId::from_parameter(length), &message, |bencher, message| {
            let mut words = vec![0; (CAPACITY + TRAILER_LENGTH) / 8];
            let ring = ManyToOneRing::new(AtomicBuffer::from_mut(&mut words)).unwrap();
            let mut consumer = ring.consumer();
            let mut scratch = vec![0; ring.max_message_length()];
            bencher.iter(|| {
                for _ in 0..BATCH {
                    ring.write(1, black_box(message)).unwrap();
                }
                let read = consumer.read(usize::MAX, &mut scratch, |type_id, bytes| {
                    black_box((type_id, bytes));
                });
                assert_eq!(read as u64, BATCH);
            });
        });
    }
    group.finish();
}

fn poll_empty(criterion: &mut Criterion) {
    criterion.bench_function("ring/read nothing", |bencher| {
        let mut words = vec![0; (CAPACITY + TRAILER_LENGTH) / 8];
        let ring = ManyToOneRing::new(AtomicBuffer::from_mut(&mut words)).unwrap();
        let mut consumer = ring.consumer();
        let mut scratch = vec![0; ring.max_message_length()];
        bencher.iter(|| consumer.read(10, &mut scratch, |_, _| ()));
    });
}

criterion_group!(benches, write_and_read, poll_empty);
criterion_main!(benches);
