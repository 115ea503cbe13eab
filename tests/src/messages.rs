//! Messages that can be verified: every byte follows from the stream's seed and the message's number. `[any]`

/// Writes the message `number` of the stream `seed`. From 16 bytes on it begins with the number and the seed; the
/// rest, and all of a shorter one, is a sequence that depends on both.
pub fn fill(seed: u64, number: u64, message: &mut [u8]) {
    let mut state = mix(seed ^ mix(number));
    let mut rest = message;
    if rest.len() >= 16 {
        let (head, tail) = rest.split_at_mut(16);
        head[..8].copy_from_slice(&number.to_le_bytes());
        head[8..].copy_from_slice(&seed.to_le_bytes());
        rest = tail;
    }
    for chunk in rest.chunks_mut(8) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        chunk.copy_from_slice(&mix(state).to_le_bytes()[..chunk.len()]);
    }
}

/// The message `number` of the stream `seed`.
#[must_use]
pub fn message(seed: u64, number: u64, length: usize) -> Vec<u8> {
    let mut message = vec![0; length];
    fill(seed, number, &mut message);
    message
}

/// The number in a message of at least 16 bytes.
#[must_use]
pub fn number_of(message: &[u8]) -> u64 {
    u64::from_le_bytes(message[..8].try_into().expect("eight bytes"))
}

/// The seed in a message of at least 16 bytes.
#[must_use]
pub fn seed_of(message: &[u8]) -> u64 {
    u64::from_le_bytes(message[8..16].try_into().expect("eight bytes"))
}

/// Checks that messages arrive whole, in order, and each once.
#[derive(Debug)]
pub struct Verifier {
    seed: u64,
    next: u64,
    expected: Vec<u8>,
}

impl Verifier {
    /// Expects the stream from number `first` on.
    #[must_use]
    pub fn new(seed: u64, first: u64) -> Self {
        Verifier { seed, next: first, expected: Vec::new() }
    }

    /// Takes the next message, which must have `length` bytes.
    ///
    /// # Panics
    /// When it is not the one that comes next.
    #[track_caller]
    pub fn take(&mut self, message: &[u8], length: usize) {
        assert_eq!(message.len(), length, "length of message {} of stream {}", self.next, self.seed);
        self.expected.resize(length, 0);
        fill(self.seed, self.next, &mut self.expected);
        if message != self.expected {
            let found = if length >= 16 { number_of(message).to_string() } else { format!("{message:?}") };
            panic!("message {} of stream {} has other bytes: number {found}", self.next, self.seed);
        }
        self.next += 1;
    }

    /// How many it has seen, counted from number 0.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }
}

const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A seeded source of numbers for tests: splitmix64, so that a printed seed repeats a run on any machine.
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`.
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_another_number_is_refused() {
        let mut verifier = Verifier::new(7, 0);
        verifier.take(&message(7, 0, 100), 100);
        let wrong = std::panic::catch_unwind(move || verifier.take(&message(7, 2, 100), 100));
        assert!(wrong.is_err());
    }

    #[test]
    fn neighbouring_short_messages_differ() {
        assert_ne!(message(1, 0, 8), message(1, 1, 8));
        assert_ne!(message(1, 0, 8), message(2, 0, 8));
    }
}
