//! Core's log: appending, claiming, reading, scanning and cleaning, one thread, warm caches.
#![allow(clippy::unwrap_used, missing_docs)] // a bench is a test of speed: it stops at what it did not expect

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gannet_core::log::scanner::scan_for_availability;
use gannet_core::log::{
    AppendError, Cleaner, ConcurrentAppender, ExclusiveAppender, LogBuffers, LogProperties, reader,
};
use gannet_core::sync::AtomicBuffer;
use gannet_core::{Position, SessionId, StreamId, TermId, TermLength};
use std::hint::black_box;

const TERM_LENGTH: TermLength = TermLength::MIN;
const LOG_WORDS: usize = (3 * TERM_LENGTH.as_usize() + 4096) / 8;
/// Nothing holds these publishers back.
const NO_LIMIT: Position = Position(i64::MAX);

fn properties() -> LogProperties {
    LogProperties::ipc(1, SessionId(7), StreamId(1001), TermId(0), TERM_LENGTH)
}

fn log<'a>(words: &'a mut [u64]) -> LogBuffers<AtomicBuffer<'a>> {
    // SAFETY: one thread has the words, appends by one appender, and keeps nothing that it was lent.
    unsafe { LogBuffers::initialise(&AtomicBuffer::from_mut(words), &properties(), None) }.unwrap()
}

/// Tries again over the end of a term.
fn settled<T>(mut attempt: impl FnMut() -> Result<T, AppendError>) -> T {
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(AppendError::AdminAction) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log/append");
    for length in [32_usize, 256, 1024, 4096] {
        let message = vec![1; length];
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_with_input(BenchmarkId::new("exclusive offer", length), &message, |bencher, message| {
            let mut words = vec![0; LOG_WORDS];
            let mut appender = ExclusiveAppender::new(log(&mut words)).unwrap();
            bencher.iter(|| settled(|| appender.offer(NO_LIMIT, black_box(message))));
        });
        group.bench_with_input(BenchmarkId::new("shared offer", length), &message, |bencher, message| {
            let mut words = vec![0; LOG_WORDS];
            let appender = ConcurrentAppender::new(log(&mut words));
            bencher.iter(|| settled(|| appender.offer(NO_LIMIT, black_box(message))));
        });
    }
    group.finish();
}

fn claim(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log/claim");
    group.throughput(Throughput::Elements(1));
    group.bench_function("exclusive 32", |bencher| {
        let mut words = vec![0; LOG_WORDS];
        let mut appender = ExclusiveAppender::new(log(&mut words)).unwrap();
        bencher.iter(|| {
            settled(|| {
                let mut claim = appender.try_claim(NO_LIMIT, black_box(32))?;
                claim.data_mut()[..8].copy_from_slice(&[1; 8]);
                claim.commit().unwrap();
                Ok(())
            })
        });
    });
    group.bench_function("shared 32", |bencher| {
        let mut words = vec![0; LOG_WORDS];
        let appender = ConcurrentAppender::new(log(&mut words));
        bencher.iter(|| {
            settled(|| {
                let mut claim = appender.try_claim(NO_LIMIT, black_box(32))?;
                claim.data_mut()[..8].copy_from_slice(&[1; 8]);
                claim.commit().unwrap();
                Ok(())
            })
        });
    });
    group.finish();
}

/// Fills the first term with messages of one length.
fn filled<'a>(words: &'a mut [u64], length: usize) -> LogBuffers<AtomicBuffer<'a>> {
    let log = log(words);
    let mut appender = ExclusiveAppender::new(log.clone()).unwrap();
    while appender.offer(NO_LIMIT, &vec![1; length]).is_ok() {}
    log
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log/read");
    for (length, limit) in [(32_usize, 1_usize), (32, 10), (32, 256), (1024, 10)] {
        group.throughput(Throughput::Elements(limit as u64));
        let id = BenchmarkId::new(format!("poll {length}"), limit);
        group.bench_with_input(id, &limit, |bencher, limit| {
            let mut words = vec![0; LOG_WORDS];
            let log = filled(&mut words, length);
            let end = Position((TERM_LENGTH.as_usize() - (length + 32).next_multiple_of(32) * limit) as i64);
            let mut position = Position(0);
            let mut bytes = 0;
            bencher.iter(|| {
                let polled = reader::poll(&log, position, *limit, |payload, _| bytes += payload.len());
                position = if polled.position < end { polled.position } else { Position(0) };
                polled.fragments
            });
            assert!(bytes > 0);
        });
    }
    group.finish();
}

fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log/scan");
    for length in [32_usize, 1024] {
        group.throughput(Throughput::Bytes(1408));
        group.bench_with_input(BenchmarkId::new("one datagram", length), &length, |bencher, length| {
            let mut words = vec![0; LOG_WORDS];
            let log = filled(&mut words, *length);
            bencher.iter(|| scan_for_availability(&log, 0, black_box(0), 1408));
        });
    }
    group.finish();
}

fn clean(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log/clean");
    group.throughput(Throughput::Bytes(8192));
    group.bench_function("8 KiB", |bencher| {
        let mut words = vec![0; LOG_WORDS];
        let log = log(&mut words);
        let mut cleaner = Cleaner::new(Position(0));
        bencher.iter(|| cleaner.clean_to(&log, cleaner.position().plus(8192)));
    });
    group.finish();
}

criterion_group!(benches, append, claim, read, scan, clean);
criterion_main!(benches);
