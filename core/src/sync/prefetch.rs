//! Hints to the processor that memory will be written soon. `[any]`
//!
//! A hint changes nothing but time, and does nothing where the range has no address, no page, or lies outside the
//! memory. Only x86-64 is told anything.

use super::Memory;

#[cfg(target_arch = "x86_64")]
const CACHE_LINE: usize = 64;

/// The range is written next: its lines are asked for all at once, to be this core's alone.
#[inline(always)]
pub(crate) fn write_next<M: Memory>(memory: &M, offset: usize, length: usize) {
    #[cfg(target_arch = "x86_64")]
    for_each_line(memory, offset, length, |line| {
        // SAFETY: a hint: no address makes it fault. A processor that does not know the instruction takes it for a NOP.
        unsafe { core::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags, readonly)) };
    });
}

/// The range is written in a while: its lines are asked for into a larger cache, which has room for more of them
/// under way.
#[inline(always)]
pub(crate) fn write_later<M: Memory>(memory: &M, offset: usize, length: usize) {
    #[cfg(target_arch = "x86_64")]
    for_each_line(memory, offset, length, |line| {
        use core::arch::x86_64::{_MM_HINT_T2, _mm_prefetch};
        // SAFETY: a hint: no address makes it fault.
        unsafe { _mm_prefetch::<_MM_HINT_T2>(line.cast()) };
    });
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn for_each_line<M: Memory>(memory: &M, offset: usize, length: usize, mut hint: impl FnMut(*const u8)) {
    let Some(address) = memory.address() else { return };
    let mut line = address.as_ptr().cast_const().wrapping_add(offset);
    let end = line.wrapping_add(length);
    while line < end {
        hint(line);
        line = line.wrapping_add(CACHE_LINE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::AtomicBuffer;

    #[test]
    fn a_hint_changes_nothing_wherever_it_points() {
        let mut words = [7; 64];
        let memory = AtomicBuffer::from_mut(&mut words);
        for offset in [0, 32, 511, 512, 1 << 30, usize::MAX] {
            write_next(&memory, offset, 512);
            write_later(&memory, offset, 512);
        }
        assert_eq!(words, [7; 64]);
    }
}
