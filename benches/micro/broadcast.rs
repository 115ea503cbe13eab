//! Core's broadcast buffer, the way of the driver's answers: one thread transmits and receives.
#![allow(clippy::unwrap_used, missing_docs)] // a bench is a test of speed: it stops at what it did not expect

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gannet_core::broadcast::{Receiver, TRAILER_LENGTH, Transmitter};
use gannet_core::sync::AtomicBuffer;
use std::hint::black_box;

const CAPACITY: usize = 1 << 20;

fn transmit_and_receive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("broadcast/transmit and receive");
    for length in [24_usize, 128, 1024] {
        let message = vec![1; length];
        group.throughput(Throughput::Elements(1));
        group.bench_with_input(BenchmarkId::from_parameter(length), &message, |bencher, message| {
            let mut words = vec![0; (CAPACITY + TRAILER_LENGTH) / 8];
            let memory = AtomicBuffer::from_mut(&mut words);
            let mut transmitter = Transmitter::new(memory).unwrap();
            let mut receiver = Receiver::new(memory).unwrap();
            let mut scratch = vec![0; receiver.max_message_length()];
            // A new receiver begins with the latest message there is, which is none yet.
            transmitter.transmit(1, message).unwrap();
            while receiver.receive(&mut scratch, |_, _| ()).unwrap() > 0 {}
            bencher.iter(|| {
                transmitter.transmit(1, black_box(message)).unwrap();
                let received = receiver.receive(&mut scratch, |type_id, bytes| {
                    black_box((type_id, bytes));
                });
                assert_eq!(received.unwrap(), 1);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, transmit_and_receive);
criterion_main!(benches);
