//! Core's commands: parsing them in the driver, encoding them in the client.
#![allow(clippy::unwrap_used, missing_docs)] // a bench is a test of speed: it stops at what it did not expect

use criterion::{Criterion, criterion_group, criterion_main};
use gannet_core::StreamId;
use gannet_core::command::Command;
use std::hint::black_box;

fn commands() -> [(&'static str, Command<'static>); 3] {
    [
        ("keepalive", Command::ClientKeepalive { client_id: 7, correlation_id: 8 }),
        (
            "add publication",
            Command::AddPublication {
                client_id: 7,
                correlation_id: 8,
                stream_id: StreamId(1001),
                channel: "aeron:ipc?term-length=64k|alias=orders",
            },
        ),
        (
            "add counter",
            Command::AddCounter { client_id: 7, correlation_id: 8, type_id: 1001, key: &[1; 16], label: b"a counter" },
        ),
    ]
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("command/parse");
    for (name, command) in commands() {
        let mut message = [0; 256];
        let length = command.encode(&mut message).unwrap();
        let type_id = command.type_id();
        group.bench_function(name, |bencher| {
            bencher.iter(|| Command::parse(black_box(type_id), black_box(&message[..length])).unwrap());
        });
    }
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("command/encode");
    for (name, command) in commands() {
        let mut message = [0; 256];
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&command).encode(&mut message).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, parse, encode);
criterion_main!(benches);
