//! Core's channel URI: parsing as the conductor does for each command.
#![allow(clippy::unwrap_used, missing_docs)] // a bench is a test of speed: it stops at what it did not expect

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gannet_core::uri::ChannelUri;
use std::hint::black_box;

const CHANNELS: [(&str, &str); 3] = [
    ("short", "aeron:ipc"),
    ("usual", "aeron:ipc?term-length=64k|mtu=8k|alias=orders"),
    (
        "long",
        "aeron:udp?endpoint=224.0.1.1:40456|interface=192.168.0.0/24|ttl=4|term-length=16m|mtu=1408|init-term-id=7|\
         term-id=9|term-offset=64|session-id=123|linger=5s|fc=tagged,g:1001/3,t:5s|ssc=true|so-sndbuf=2m|so-rcvbuf=2m",
    ),
];

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("uri/parse");
    for (name, channel) in CHANNELS {
        group.throughput(Throughput::Bytes(channel.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), channel, |bencher, channel| {
            bencher.iter(|| ChannelUri::parse(black_box(channel)).unwrap());
        });
    }
    group.finish();
}

fn get(criterion: &mut Criterion) {
    let uri = ChannelUri::parse(CHANNELS[2].1).unwrap();
    criterion.bench_function("uri/get the last key", |bencher| bencher.iter(|| uri.get(black_box("so-rcvbuf"))));
}

criterion_group!(benches, parse, get);
criterion_main!(benches);
