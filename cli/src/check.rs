//! Numbered and checksummed messages, so that a lost, changed or reordered one is noticed and named.
//!
//! ```text
//!   0        8        12             n
//!   +--------+--------+--------------+
//!   | number | CRC-32 | fill ...     |   little-endian; the CRC covers the number and the fill
//!   +--------+--------+--------------+
//! ```

use std::fmt;

/// The shortest message: a number and its checksum.
pub(crate) const MIN_LENGTH: usize = 12;

/// Writes message `number` into `message`, all of it.
///
/// # Panics
/// When the message is shorter than [`MIN_LENGTH`].
pub(crate) fn write(number: u64, message: &mut [u8]) {
    let mut fill = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for chunk in message[MIN_LENGTH..].chunks_mut(8) {
        let bytes = fill.to_le_bytes();
        chunk.copy_from_slice(&bytes[..chunk.len()]);
        fill = fill.rotate_left(7).wrapping_add(number);
    }
    message[..8].copy_from_slice(&number.to_le_bytes());
    let sum = checksum(message);
    message[8..MIN_LENGTH].copy_from_slice(&sum.to_le_bytes());
}

fn checksum(message: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&message[..8]);
    hasher.update(&message[MIN_LENGTH..]);
    hasher.finalize()
}

/// What is wrong with a message, or with its place in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Fewer bytes than a number and a checksum take.
    Short { expected: u64, length: usize },
    /// The bytes are not those that were sent.
    Changed { expected: u64, length: usize },
    /// Messages are missing before this one.
    Lost { expected: u64, number: u64 },
    /// An earlier message, again or late.
    OutOfOrder { expected: u64, number: u64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Short { expected, length } => {
                write!(
                    f,
                    "message {expected} arrived with {length} bytes, fewer than the {MIN_LENGTH} of a numbered message"
                )
            }
            Fault::Changed { expected, length } => {
                write!(f, "message {expected} arrived changed: its {length} bytes do not match their checksum")
            }
            Fault::Lost { expected, number } => write!(f, "messages {expected} to {} were lost", number - 1),
            Fault::OutOfOrder { expected, number } => {
                write!(f, "message {number} arrived where {expected} was expected: out of order or twice")
            }
        }
    }
}

impl std::error::Error for Fault {}

/// Checks a stream of messages one by one.
#[derive(Default)]
pub(crate) struct Checker {
    expected: u64,
}

impl Checker {
    /// The number that the next message must have, which is how many have arrived.
    pub(crate) fn received(&self) -> u64 {
        self.expected
    }

    /// Checks the next message.
    pub(crate) fn check(&mut self, message: &[u8]) -> Result<(), Fault> {
        let expected = self.expected;
        let length = message.len();
        let Some(head) = message.first_chunk::<MIN_LENGTH>() else { return Err(Fault::Short { expected, length }) };
        let [n0, n1, n2, n3, n4, n5, n6, n7, c0, c1, c2, c3] = *head;
        if u32::from_le_bytes([c0, c1, c2, c3]) != checksum(message) {
            return Err(Fault::Changed { expected, length });
        }
        let number = u64::from_le_bytes([n0, n1, n2, n3, n4, n5, n6, n7]);
        if number > expected {
            return Err(Fault::Lost { expected, number });
        }
        if number < expected {
            return Err(Fault::OutOfOrder { expected, number });
        }
        self.expected += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64, length: usize) -> Vec<u8> {
        let mut message = vec![0; length];
        write(number, &mut message);
        message
    }

    #[test]
    fn a_stream_in_order_passes() {
        let mut checker = Checker::default();
        for (number, length) in [12, 13, 32, 1376, 100_000].into_iter().enumerate() {
            assert_eq!(checker.check(&message(number as u64, length)), Ok(()));
        }
        assert_eq!(checker.received(), 5);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let sent = message(0, 40);
        for bit in 0..40 * 8 {
            let mut changed = sent.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                Checker::default().check(&changed),
                Err(Fault::Changed { expected: 0, length: 40 }),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn gaps_repeats_and_stumps_are_named() {
        let mut checker = Checker::default();
        assert_eq!(checker.check(&message(0, 16)), Ok(()));
        assert_eq!(checker.check(&message(3, 16)), Err(Fault::Lost { expected: 1, number: 3 }));
        assert_eq!(checker.check(&message(0, 16)), Err(Fault::OutOfOrder { expected: 1, number: 0 }));
        assert_eq!(checker.check(&[0; 11]), Err(Fault::Short { expected: 1, length: 11 }));
        assert_eq!(Fault::Lost { expected: 1, number: 3 }.to_string(), "messages 1 to 2 were lost");
    }
}
