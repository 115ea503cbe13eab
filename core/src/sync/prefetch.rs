//! Hints to the processor that memory will be written soon. `[any]`
//!
//! A hint changes nothing but time, and does nothing where the range has no address, no page, or lies outside the
//! memory. Only x86-64 is told anything.

use super::Memory;

/// The range is written next: all its lines are asked for at once.
#[inline(always)]
pub(crate) fn range<M: Memory>(memory: &M, offset: usize, length: usize) {
    #[cfg(target_arch = "x86_64")]
    x86_64::for_each_line(memory, offset, length, x86_64::bring);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (memory, offset, length);
}

/// The line is written soon, and others may have it: it is asked for as this core's own.
#[inline(always)]
pub(crate) fn own_line<M: Memory>(memory: &M, offset: usize) {
    #[cfg(target_arch = "x86_64")]
    x86_64::line(memory, offset, x86_64::own);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (memory, offset);
}

/// The line is written in a while: it is asked for into a larger cache, which has room for more of them under way.
#[inline(always)]
pub(crate) fn distant_line<M: Memory>(memory: &M, offset: usize) {
    #[cfg(target_arch = "x86_64")]
    x86_64::line(memory, offset, x86_64::bring_halfway);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (memory, offset);
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use core::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T2, _mm_prefetch};

    use super::Memory;

    const CACHE_LINE: usize = 64;

    #[inline(always)]
    pub(super) fn bring(line: *const u8) {
        // SAFETY: a hint: no address makes it fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) };
    }

    #[inline(always)]
    pub(super) fn bring_halfway(line: *const u8) {
        // SAFETY: a hint: no address makes it fault.
        unsafe { _mm_prefetch::<_MM_HINT_T2>(line.cast()) };
    }

    #[inline(always)]
    pub(super) fn own(line: *const u8) {
        // SAFETY: a hint: no address makes it fault. AMD's processors all know the instruction; Intel's either do, or take
        // it for a NOP, since 2005. Compilers need a feature to be named for it, so it is spelled out.
        unsafe { core::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags, readonly)) };
    }

    #[inline(always)]
    pub(super) fn line<M: Memory>(memory: &M, offset: usize, hint: impl Fn(*const u8)) {
        if let Some(address) = memory.address() {
            hint(address.as_ptr().wrapping_add(offset));
        }
    }

    #[inline(always)]
    pub(super) fn for_each_line<M: Memory>(memory: &M, offset: usize, length: usize, hint: impl Fn(*const u8)) {
        let Some(address) = memory.address() else { return };
        let first = address.as_ptr().cast_const().wrapping_add(offset);
        let mut at = 0;
        // Four at a time: the loop costs as much as the hints.
        while at + 4 * CACHE_LINE <= length {
            hint(first.wrapping_add(at));
            hint(first.wrapping_add(at + CACHE_LINE));
            hint(first.wrapping_add(at + 2 * CACHE_LINE));
            hint(first.wrapping_add(at + 3 * CACHE_LINE));
            at += 4 * CACHE_LINE;
        }
        while at < length {
            hint(first.wrapping_add(at));
            at += CACHE_LINE;
        }
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
            range(&memory, offset, 512);
            own_line(&memory, offset);
            distant_line(&memory, offset);
        }
        assert_eq!(words, [7; 64]);
    }
}
