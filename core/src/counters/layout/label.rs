//! The text of a label, cut off where the peer cuts it. `[any]`

use core::fmt::{self, Write};

use super::super::MAX_LABEL_LENGTH;

/// At most 380 bytes of text; what is written beyond them is dropped.
#[derive(Clone)]
pub struct Label {
    bytes: [u8; MAX_LABEL_LENGTH],
    length: usize,
}

impl Label {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Label { bytes: [0; MAX_LABEL_LENGTH], length: 0 }
    }

    /// The start of this text.
    #[must_use]
    pub fn from_display(text: impl fmt::Display) -> Self {
        let mut label = Label::new();
        label.append(text);
        label
    }

    /// Adds text, as far as there is room.
    pub fn append(&mut self, text: impl fmt::Display) {
        // Writing into a label does not fail; a `Display` that does leaves what it has written.
        let _ = write!(self, "{text}");
    }

    /// The text; a character at the end may be cut.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Default for Label {
    fn default() -> Self {
        Label::new()
    }
}

impl Write for Label {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.len().min(MAX_LABEL_LENGTH - self.length);
        self.bytes[self.length..self.length + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.length += fits;
        Ok(())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}
