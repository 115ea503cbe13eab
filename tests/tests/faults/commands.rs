//! Random and mutated commands: the driver lives, and the streams of others are intact.
//!
//! The seed is printed by a failure; `GANNET_SEED` repeats it.

use crate::support::{CHANNEL, Stream, connect, full, launch};
use gannet_tests::messages::Chance;
use gannet_tests::raw_client::{RawClient, command, counter_fields, text};
use gannet_tests::{DriverProcess, PATIENCE, Settings, wait_until};
use std::time::Duration;

/// Clients of the fuzzer, which nobody else is. They send no heartbeat, so what they add goes again.
const FIRST_CLIENT: i64 = 1 << 40;
const CLIENTS: u64 = 16;
/// The victims' streams, which no mutation of the fuzzer's makes: a subscriber that does not read holds a stream back.
const VICTIM_STREAM: i32 = 0x6b5a_4931;

/// Builds commands from a seed.
struct Fuzzer {
    chance: Chance,
    /// Correlation ids of commands sent, to be referred to.
    known: Vec<i64>,
    next_correlation_id: i64,
}

impl Fuzzer {
    fn new(seed: u64) -> Self {
        Fuzzer { chance: Chance(seed), known: Vec::new(), next_correlation_id: 1 << 50 }
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.chance.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.chance.below(from.len() as u64)).unwrap()]
    }

    fn client_id(&mut self) -> i64 {
        FIRST_CLIENT + i64::try_from(self.chance.below(CLIENTS)).unwrap()
    }

    fn correlation_id(&mut self) -> i64 {
        self.next_correlation_id += 1;
        let slot = usize::try_from(self.chance.below(64)).unwrap();
        if slot < self.known.len() {
            self.known[slot] = self.next_correlation_id;
        } else {
            self.known.push(self.next_correlation_id);
        }
        self.next_correlation_id
    }

    /// A registration id: one that was sent before, or none that anybody has.
    fn registration_id(&mut self) -> i64 {
        if self.known.is_empty() || self.one_in(4) {
            self.pick(&[-1, 0, i64::MIN, i64::MAX, (1 << 51) + 7])
        } else {
            let known = std::mem::take(&mut self.known);
            let id = self.pick(&known);
            self.known = known;
            id
        }
    }

    fn stream_id(&mut self) -> i32 {
        self.pick(&[0, 1, 2, 3, -1, i32::MIN, i32::MAX, 1001])
    }

    fn channel(&mut self) -> Vec<u8> {
        let mut channel = self
            .pick(&[
                "aeron:ipc",
                "aeron:ipc?term-length=64k",
                "aeron:ipc?session-id=5",
                "aeron:ipc?init-term-id=-1|term-id=3|term-offset=64",
                "aeron:ipc?mtu=2048|tags=1,2|linger=1s|sparse=false|ssc=true",
                "aeron:ipc?tether=false|rejoin=false",
                "aeron:ipc?mtu=99999999999999999999",
                "aeron:udp?endpoint=localhost:40123",
                "aeron:udp?endpoint=[::1%x]:99999|control-mode=dynamic",
                "aeron-spy:aeron:ipc",
                "aeron-spy:aeron:udp?endpoint=localhost:40123",
                "aeron:",
                "",
            ])
            .as_bytes()
            .to_vec();
        if self.one_in(3) {
            self.mutate(&mut channel);
        }
        if self.one_in(200) {
            channel.resize(usize::try_from(self.chance.below(6000)).unwrap(), b'|');
        }
        channel
    }

    /// A length that lies in most cases.
    fn length(&mut self) -> i32 {
        let any = self.chance.next_u64();
        self.pick(&[-1, 0, 1, 4, 7, 112, 113, 380, 381, 4096, i32::MIN, i32::MAX, i32::MAX - 7, -8, any as u32 as i32])
    }

    /// Flips, cuts off or adds bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        match self.chance.below(4) {
            0 => bytes.truncate(usize::try_from(self.chance.below(bytes.len() as u64 + 1)).unwrap()),
            1 => bytes
                .extend(std::iter::repeat_n(self.chance.next_u64() as u8, 1 + (self.chance.next_u64() % 16) as usize)),
            _ if bytes.is_empty() => {}
            _ => {
                for _ in 0..=self.chance.below(4) {
                    let at = usize::try_from(self.chance.below(bytes.len() as u64)).unwrap();
                    bytes[at] = self.chance.next_u64() as u8;
                }
            }
        }
    }

    /// A type id and the body of a command that is well formed but for what its fields say.
    fn command(&mut self) -> (i32, Vec<u8>) {
        // Adding a publication makes files: rarer than the rest.
        let type_id = if self.one_in(100) {
            self.pick(&[command::ADD_PUBLICATION, command::ADD_EXCLUSIVE_PUBLICATION])
        } else {
            2 + i32::try_from(self.chance.below(17)).unwrap()
        };
        let type_id = if type_id == command::ADD_EXCLUSIVE_PUBLICATION && !self.one_in(100) { 0x12 } else { type_id };
        let mut body = self.client_id().to_le_bytes().to_vec();
        body.extend_from_slice(&self.correlation_id().to_le_bytes());
        match type_id {
            command::ADD_PUBLICATION | command::ADD_EXCLUSIVE_PUBLICATION => {
                body.extend_from_slice(&self.stream_id().to_le_bytes());
                text(&mut body, &self.channel());
            }
            command::ADD_SUBSCRIPTION => {
                body.extend_from_slice(&self.registration_id().to_le_bytes());
                body.extend_from_slice(&self.stream_id().to_le_bytes());
                text(&mut body, &self.channel());
            }
            command::REMOVE_PUBLICATION => {
                body.extend_from_slice(&self.registration_id().to_le_bytes());
                body.extend_from_slice(&self.chance.next_u64().to_le_bytes());
            }
            command::REMOVE_SUBSCRIPTION | command::REMOVE_COUNTER => {
                body.extend_from_slice(&self.registration_id().to_le_bytes());
            }
            command::ADD_DESTINATION
            | command::REMOVE_DESTINATION
            | command::ADD_RCV_DESTINATION
            | command::REMOVE_RCV_DESTINATION => {
                body.extend_from_slice(&self.registration_id().to_le_bytes());
                text(&mut body, &self.channel());
            }
            command::ADD_COUNTER | command::ADD_STATIC_COUNTER => {
                if type_id == command::ADD_STATIC_COUNTER {
                    body.extend_from_slice(&(self.chance.below(4) as i64).to_le_bytes());
                }
                let key = vec![1; usize::try_from(self.chance.below(130)).unwrap()];
                let label = vec![b'l'; usize::try_from(self.chance.below(400)).unwrap()];
                body.extend_from_slice(&counter_fields(self.stream_id(), &key, &label));
            }
            command::TERMINATE_DRIVER => text(&mut body, &self.chance.next_u64().to_le_bytes()),
            command::REJECT_IMAGE => {
                body.extend_from_slice(&self.registration_id().to_le_bytes());
                body.extend_from_slice(&self.chance.next_u64().to_le_bytes());
                text(&mut body, &vec![b'r'; usize::try_from(self.chance.below(1200)).unwrap()]);
            }
            command::REMOVE_DESTINATION_BY_ID => {
                body.extend_from_slice(&self.registration_id().to_le_bytes());
                body.extend_from_slice(&self.registration_id().to_le_bytes());
            }
            command::GET_NEXT_AVAILABLE_SESSION_ID => body.extend_from_slice(&self.stream_id().to_le_bytes()),
            _ => {}
        }
        (type_id, body)
    }

    /// The next command, and the length word of its record.
    fn next(&mut self) -> (i32, Vec<u8>) {
        let (mut type_id, mut body) = self.command();
        match self.chance.below(10) {
            0..4 => {}
            4 => {
                // One of the words behind the header lies: a length, if there is one there.
                if body.len() >= 20 {
                    let word = 16 + 4 * usize::try_from(self.chance.below((body.len() as u64 - 16) / 4)).unwrap();
                    body[word..word + 4].copy_from_slice(&self.length().to_le_bytes());
                }
            }
            5 | 6 => {
                // Mutations leave the client and correlation ids alone, or cut them off.
                let mut rest = body.split_off(body.len().min(16));
                self.mutate(&mut rest);
                body.extend(rest);
            }
            7 => {
                let length = self.chance.below(body.len() as u64 + 1);
                body.truncate(usize::try_from(length).unwrap());
            }
            8 => {
                for byte in body.iter_mut().skip(16) {
                    *byte = self.chance.next_u64() as u8;
                }
            }
            _ => type_id = (self.chance.next_u64() as u32 >> 1).max(1) as i32,
        }
        (type_id, body)
    }

    /// A record's length that lies about a body of `length` bytes.
    fn record_length(&mut self, length: usize) -> i32 {
        let right = i32::try_from(length + 8).unwrap();
        let any = self.chance.next_u64() as u32 as i32;
        self.pick(&[
            1,
            4,
            7,
            right - 1,
            right + 1,
            right + 8,
            right + 4096,
            1 << 20,
            i32::MAX,
            i32::MAX - 7,
            any.max(1),
        ])
    }
}

/// Sends one command, waiting for room.
#[track_caller]
fn send(raw: &RawClient, type_id: i32, body: &[u8]) {
    wait_until("there is room in the command ring", PATIENCE, || raw.send(type_id, body));
}

fn seed() -> u64 {
    let seed = std::env::var("GANNET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_120);
    eprintln!("GANNET_SEED={seed}");
    seed
}

fn fuzzed_driver(name: &str) -> DriverProcess {
    let settings = Settings::small()
        .with_liveness(Duration::from_secs(2), Duration::from_secs(3))
        // So that the victims, which look every millisecond, are not overtaken.
        .with("AERON_CLIENTS_BUFFER_LENGTH", "67108992");
    launch(name, &settings)
}

/// The driver runs, said nothing on standard error, and serves a new client; the victim's stream is intact.
#[track_caller]
fn assert_intact(driver: &mut DriverProcess, victim: &mut Stream) {
    assert!(driver.process().is_running(), "{}", driver.process().report());
    victim.transfer(500);
    let newcomer = connect(driver.path());
    Stream::new(&newcomer, CHANNEL, VICTIM_STREAM + 1).transfer(500);
    newcomer.close();
    // Whoever sends nothing but nonsense fills the error log, and that is said once.
    let mut errors = driver.process().errors();
    errors.retain(|line| !line.contains("the error log is full"));
    assert_eq!(errors, [""; 0], "nothing else on standard error");
    assert!(driver.process().errors().len() <= 1, "{:?}", driver.process().errors());
}

#[test]
fn random_and_mutated_commands_harm_nobody() {
    let count: u64 = if full() { 10_000_000 } else { 500_000 };
    let mut driver = fuzzed_driver("fuzz");
    let victim = connect(driver.path());
    let mut stream = Stream::new(&victim, CHANNEL, VICTIM_STREAM);
    let counter = victim.add_counter(1200, b"victim", "a victim's counter").unwrap();
    counter.set(4711);
    stream.transfer(100);
    let mut raw = RawClient::connect(driver.path());
    let mut fuzzer = Fuzzer::new(seed());
    for number in 0..count {
        let (type_id, body) = fuzzer.next();
        send(&raw, type_id, &body);
        if number % 1000 == 999 {
            wait_until("the driver keeps up", PATIENCE, || raw.consumer_position() == raw.producer_position());
            stream.transfer(5);
            raw.skip_responses();
        }
        if number % 50_000 == 49_999 {
            assert!(driver.process().is_running(), "{}", driver.process().report());
        }
    }
    raw.settle();
    assert!(!victim.is_closed(), "the victim's client lives");
    assert_eq!(counter.get(), 4711);
    wait_until("the fuzzer's clients are timed out", PATIENCE, || {
        stream.transfer(1);
        driver.cnc().counters.iter().all(|counter| !is_fuzzers(counter.owner_id))
    });
    assert_intact(&mut driver, &mut stream);
}

fn is_fuzzers(client_id: i64) -> bool {
    (FIRST_CLIENT..FIRST_CLIENT + i64::try_from(CLIENTS).unwrap()).contains(&client_id)
}

#[test]
fn records_whose_length_lies_harm_nobody() {
    let count = if full() { 20_000 } else { 500 };
    let mut driver = fuzzed_driver("fuzz-records");
    let victim = connect(driver.path());
    let mut stream = Stream::new(&victim, CHANNEL, VICTIM_STREAM);
    let raw = RawClient::connect(driver.path());
    let mut fuzzer = Fuzzer::new(seed() + 1);
    for number in 0..count {
        let (type_id, body) = fuzzer.next();
        if number % 5 == 0 {
            let length = fuzzer.record_length(body.len());
            wait_until("there is room in the command ring", PATIENCE, || raw.send_as(type_id, &body, length));
        } else {
            send(&raw, type_id, &body);
        }
        if number % 20 == 19 {
            stream.transfer(5);
        }
    }
    wait_until("the driver is through with it", PATIENCE, || {
        stream.transfer(1);
        raw.consumer_position() == raw.producer_position()
    });
    assert_intact(&mut driver, &mut stream);
}

#[test]
fn records_that_are_never_committed_hold_nobody_up_for_long() {
    let mut driver = fuzzed_driver("fuzz-uncommitted");
    let victim = connect(driver.path());
    let mut stream = Stream::new(&victim, CHANNEL, VICTIM_STREAM);
    let mut raw = RawClient::connect(driver.path());
    for length in [-1, -8, -56, i32::MIN, i32::MIN + 8, -(1 << 20)] {
        assert!(raw.send_as(command::CLIENT_KEEPALIVE, &[0; 48], length));
        raw.settle();
        stream.transfer(20);
    }
    assert_intact(&mut driver, &mut stream);
}

#[test]
fn reasons_of_negative_length_harm_nobody() {
    let mut driver = fuzzed_driver("fuzz-reasons");
    let victim = connect(driver.path());
    let mut stream = Stream::new(&victim, CHANNEL, VICTIM_STREAM);
    let mut raw = RawClient::connect(driver.path());
    for length in [-1, i32::MIN, -36] {
        let mut fields = [0; 64];
        fields[16..20].copy_from_slice(&i32::to_le_bytes(length));
        raw.send_fields(command::REJECT_IMAGE, &fields);
        raw.settle();
    }
    assert_intact(&mut driver, &mut stream);
}
