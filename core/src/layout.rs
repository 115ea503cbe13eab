//! The compile-time proof that a structure is laid out as the fact sheets say. `[any]`

/// Asserts a structure's size and its fields' offsets, in bytes.
macro_rules! assert_layout {
    ($layout:ident, $size:literal $(, $field:ident = $offset:literal)* $(,)?) => {
        const _: () = assert!(size_of::<$layout>() == $size);
        $(const _: () = assert!(core::mem::offset_of!($layout, $field) == $offset);)*
    };
}
pub(crate) use assert_layout;
