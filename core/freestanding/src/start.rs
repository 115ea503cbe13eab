//! What an operating system's start files would bring: an entry, an exit, a panic handler, and the four memory
//! functions that the compiler calls. x86-64 Linux only, and of Linux only `write` and `exit`.

use core::arch::{asm, naked_asm};

const SYS_WRITE: usize = 1;
const SYS_EXIT: usize = 60;

/// The process starts here, with nothing set up but a stack aligned to 16 bytes.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!("xor ebp, ebp", "call {enter}", "ud2", enter = sym enter)
}

extern "C" fn enter() -> ! {
    exit(crate::run())
}

/// Writes `text` to standard output.
pub fn print(text: &str) {
    // SAFETY: write(1, text, length) reads `text` and touches no other memory; the kernel clobbers rcx and r11.
    unsafe {
        asm!("syscall", inlateout("rax") SYS_WRITE => _, in("rdi") 1, in("rsi") text.as_ptr(), in("rdx") text.len(),
            lateout("rcx") _, lateout("r11") _, options(nostack, readonly));
    }
}

/// Ends the process with `status`.
pub fn exit(status: i32) -> ! {
    // SAFETY: exit does not return and touches no memory.
    unsafe { asm!("syscall", in("rax") SYS_EXIT, in("rdi") status, options(noreturn, nostack)) }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    print("panicked\n");
    exit(101)
}

/// The compiler's `memcpy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(target: *mut u8, source: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller vouches for both ranges, as in C. In assembler, so that it is not compiled into a call of itself.
    unsafe {
        asm!("rep movsb", inout("rcx") length => _, inout("rdi") target => _, inout("rsi") source => _,
            options(nostack, preserves_flags));
    }
    target
}

/// The compiler's `memmove`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(target: *mut u8, source: *const u8, length: usize) -> *mut u8 {
    if target.addr().wrapping_sub(source.addr()) >= length {
        // SAFETY: the target does not start inside the source, so copying forwards is right.
        return unsafe { memcpy(target, source, length) };
    }
    // SAFETY: as in C; backwards, because the target starts inside the source; the direction flag is put back.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") length => _, inout("rdi") target.wrapping_add(length).wrapping_sub(1) => _,
            inout("rsi") source.wrapping_add(length).wrapping_sub(1) => _, options(nostack));
    }
    target
}

/// The compiler's `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(target: *mut u8, byte: i32, length: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the range, as in C.
    unsafe {
        asm!("rep stosb", inout("rcx") length => _, inout("rdi") target => _, in("al") byte.to_le_bytes()[0],
            options(nostack, preserves_flags));
    }
    target
}

/// The compiler's `memcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    let mut index = 0;
    while index < length {
        // SAFETY: the caller vouches for `length` bytes on both sides; volatile, so that the loop is not compiled
        // into a call of itself.
        let (a, b) = unsafe { (left.add(index).read_volatile(), right.add(index).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
        index += 1;
    }
    0
}

/// The compiler's `bcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // SAFETY: the same contract.
    unsafe { memcmp(left, right, length) }
}
