//! Aeron's C client behind [`Client`], by its raw functions: what a Rust user of the official client calls.

use crate::client::{Client, Failure, Handler, Publish, Subscribe};
use libaeron_sys as c;
use std::ffi::{CStr, CString, c_void};
use std::path::Path;
use std::ptr::{NonNull, null_mut};
use std::time::{Duration, Instant};
use std::{slice, thread};

const DEADLINE: Duration = Duration::from_secs(10);

/// A connected client. It is closed when the process ends its role: publications and subscriptions are kept by raw
/// address and must not outlive it, so it is never dropped before them (the roles hold it to the end).
pub struct Official {
    client: NonNull<c::aeron_t>,
    context: NonNull<c::aeron_context_t>,
}

fn last_error(what: &str) -> Failure {
    // SAFETY: the message is a string of the calling thread, zero-terminated, alive until its next call.
    let message = unsafe { CStr::from_ptr(c::aeron_errmsg()) };
    format!("{what}: {}", message.to_string_lossy()).into()
}

fn check(result: i32, what: &str) -> Result<(), Failure> {
    if result < 0 { Err(last_error(what)) } else { Ok(()) }
}

fn non_null<T>(address: *mut T, what: &str) -> Result<NonNull<T>, Failure> {
    NonNull::new(address).ok_or_else(|| last_error(what))
}

/// Waits for an asynchronous command of the conductor.
fn complete<T>(what: &str, mut poll: impl FnMut(*mut *mut T) -> i32) -> Result<NonNull<T>, Failure> {
    let start = Instant::now();
    let mut made = null_mut();
    loop {
        match poll(&raw mut made) {
            0 if start.elapsed() > DEADLINE => return Err(format!("{what}: no answer within {DEADLINE:?}").into()),
            0 => thread::sleep(Duration::from_millis(1)),
            result => {
                check(result, what)?;
                return non_null(made, what);
            }
        }
    }
}

impl Official {
    fn exclusive(&mut self, channel: &str, stream: i32) -> Result<NonNull<c::aeron_exclusive_publication_t>, Failure> {
        let channel = CString::new(channel)?;
        let mut command = null_mut();
        // SAFETY: the client is open; the channel is copied during the call.
        let result = unsafe {
            c::aeron_async_add_exclusive_publication(&raw mut command, self.client.as_ptr(), channel.as_ptr(), stream)
        };
        check(result, "add exclusive publication")?;
        // SAFETY: the command is polled until it completes, and not after.
        complete("add exclusive publication", |made| unsafe {
            c::aeron_async_add_exclusive_publication_poll(made, command)
        })
    }
}

impl Client for Official {
    type Claim = ExclusiveClaim;
    type Offer = ExclusiveOffer;
    type SharedOffer = SharedOffer;
    type Subscription<H: Handler> = Subscription<H>;

    fn connect(directory: &Path) -> Result<Self, Failure> {
        let directory = CString::new(directory.as_os_str().as_encoded_bytes())?;
        let mut context = null_mut();
        let mut client = null_mut();
        // SAFETY: each call gets what the one before it made, in the order that the client's documentation gives.
        unsafe {
            check(c::aeron_context_init(&raw mut context), "context")?;
            check(c::aeron_context_set_dir(context, directory.as_ptr()), "directory")?;
            check(c::aeron_init(&raw mut client, context), "client")?;
            check(c::aeron_start(client), "start")?;
        }
        Ok(Official { client: non_null(client, "client")?, context: non_null(context, "context")? })
    }

    fn claim(&mut self, channel: &str, stream: i32, length: usize) -> Result<ExclusiveClaim, Failure> {
        Ok(ExclusiveClaim { publication: self.exclusive(channel, stream)?, length })
    }

    fn offer(&mut self, channel: &str, stream: i32, length: usize) -> Result<ExclusiveOffer, Failure> {
        Ok(ExclusiveOffer { publication: self.exclusive(channel, stream)?, message: vec![0; length].into() })
    }

    fn shared_offer(&mut self, channel: &str, stream: i32, length: usize) -> Result<SharedOffer, Failure> {
        let channel = CString::new(channel)?;
        let mut command = null_mut();
        // SAFETY: as for `exclusive`.
        let result =
            unsafe { c::aeron_async_add_publication(&raw mut command, self.client.as_ptr(), channel.as_ptr(), stream) };
        check(result, "add publication")?;
        // SAFETY: as for `exclusive`.
        let publication =
            complete("add publication", |made| unsafe { c::aeron_async_add_publication_poll(made, command) })?;
        Ok(SharedOffer { publication, message: vec![0; length].into() })
    }

    fn subscribe<H: Handler>(
        &mut self,
        channel: &str,
        stream: i32,
        assemble: bool,
        handler: H,
    ) -> Result<Subscription<H>, Failure> {
        let channel = CString::new(channel)?;
        let mut command = null_mut();
        // SAFETY: as for `exclusive`; no image handlers are given, so their data is never used.
        let result = unsafe {
            c::aeron_async_add_subscription(
                &raw mut command,
                self.client.as_ptr(),
                channel.as_ptr(),
                stream,
                None,
                null_mut(),
                None,
                null_mut(),
            )
        };
        check(result, "add subscription")?;
        // SAFETY: as for `exclusive`.
        let subscription =
            complete("add subscription", |made| unsafe { c::aeron_async_add_subscription_poll(made, command) })?;
        let handler = NonNull::from(Box::leak(Box::new(handler)));
        let mut entry: c::aeron_fragment_handler_t = Some(on_fragment::<H>);
        let mut data: *mut c_void = handler.as_ptr().cast();
        if assemble {
            let mut assembler = null_mut();
            // SAFETY: the assembler keeps the address of the handler, which the subscription owns as long.
            let result = unsafe { c::aeron_fragment_assembler_create(&raw mut assembler, entry, data) };
            check(result, "fragment assembler")?;
            entry = Some(c::aeron_fragment_assembler_handler);
            data = assembler.cast();
        }
        Ok(Subscription { subscription, handler, entry, data })
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        // SAFETY: by the type's contract nothing made by the client is used any more; client before context.
        unsafe {
            c::aeron_close(self.client.as_ptr());
            c::aeron_context_close(self.context.as_ptr());
        }
    }
}

/// What an attempt to append returned: whether it is in the log.
#[inline]
fn taken(result: i64) -> bool {
    if result >= 0 {
        return true;
    }
    match result {
        c::AERON_PUBLICATION_BACK_PRESSURED | c::AERON_PUBLICATION_ADMIN_ACTION => false,
        other => broken(other),
    }
}

#[cold]
#[inline(never)]
fn broken(result: i64) -> bool {
    // A subscriber that goes before its publisher ends is a broken run, which no retry mends.
    panic!("the publication answered {result}")
}

/// An exclusive publication that claims.
pub struct ExclusiveClaim {
    publication: NonNull<c::aeron_exclusive_publication_t>,
    length: usize,
}

impl Publish for ExclusiveClaim {
    #[inline]
    fn try_send(&mut self, sequence: u64) -> bool {
        let mut claim = c::aeron_buffer_claim_t { frame_header: null_mut(), data: null_mut(), length: 0 };
        // SAFETY: the publication is open; a claim that was granted has `length` bytes of data, at least eight, that
        // are ours until the commit.
        unsafe {
            let result =
                c::aeron_exclusive_publication_try_claim(self.publication.as_ptr(), self.length, &raw mut claim);
            if !taken(result) {
                return false;
            }
            claim.data.cast::<u64>().write_unaligned(sequence);
            c::aeron_buffer_claim_commit(&raw mut claim);
        }
        true
    }

    fn is_connected(&self) -> bool {
        // SAFETY: the publication is open.
        unsafe { c::aeron_exclusive_publication_is_connected(self.publication.as_ptr()) }
    }

    fn available_window(&self) -> i64 {
        window(self.publication)
    }
}

fn window(publication: NonNull<c::aeron_exclusive_publication_t>) -> i64 {
    // SAFETY: the publication is open.
    unsafe {
        c::aeron_exclusive_publication_position_limit(publication.as_ptr())
            - c::aeron_exclusive_publication_position(publication.as_ptr())
    }
}

/// An exclusive publication that offers.
pub struct ExclusiveOffer {
    publication: NonNull<c::aeron_exclusive_publication_t>,
    message: Box<[u8]>,
}

impl Publish for ExclusiveOffer {
    #[inline]
    fn try_send(&mut self, sequence: u64) -> bool {
        self.message[..8].copy_from_slice(&sequence.to_le_bytes());
        // SAFETY: the publication is open and copies the message during the call.
        taken(unsafe {
            c::aeron_exclusive_publication_offer(
                self.publication.as_ptr(),
                self.message.as_ptr(),
                self.message.len(),
                None,
                null_mut(),
            )
        })
    }

    fn is_connected(&self) -> bool {
        // SAFETY: the publication is open.
        unsafe { c::aeron_exclusive_publication_is_connected(self.publication.as_ptr()) }
    }

    fn available_window(&self) -> i64 {
        window(self.publication)
    }
}

/// A shared publication that offers.
pub struct SharedOffer {
    publication: NonNull<c::aeron_publication_t>,
    message: Box<[u8]>,
}

impl Publish for SharedOffer {
    #[inline]
    fn try_send(&mut self, sequence: u64) -> bool {
        self.message[..8].copy_from_slice(&sequence.to_le_bytes());
        // SAFETY: the publication is open and copies the message during the call.
        taken(unsafe {
            c::aeron_publication_offer(
                self.publication.as_ptr(),
                self.message.as_ptr(),
                self.message.len(),
                None,
                null_mut(),
            )
        })
    }

    fn is_connected(&self) -> bool {
        // SAFETY: the publication is open.
        unsafe { c::aeron_publication_is_connected(self.publication.as_ptr()) }
    }

    fn available_window(&self) -> i64 {
        // SAFETY: the publication is open.
        unsafe {
            c::aeron_publication_position_limit(self.publication.as_ptr())
                - c::aeron_publication_position(self.publication.as_ptr())
        }
    }
}

/// A subscription and the handler that it owns.
pub struct Subscription<H> {
    subscription: NonNull<c::aeron_subscription_t>,
    handler: NonNull<H>,
    entry: c::aeron_fragment_handler_t,
    data: *mut c_void,
}

unsafe extern "C" fn on_fragment<H: Handler>(
    data: *mut c_void,
    buffer: *const u8,
    length: usize,
    _header: *mut c::aeron_header_t,
) {
    // SAFETY: `data` is the handler that the subscription owns and lends to its poll alone; the fragment is committed
    // and stays unwritten during the call.
    unsafe { (*data.cast::<H>()).on_message(slice::from_raw_parts(buffer, length)) }
}

impl<H: Handler> Subscribe<H> for Subscription<H> {
    #[inline]
    fn poll(&mut self, limit: usize) -> usize {
        // SAFETY: the subscription is open; `data` belongs to `entry`, both by `subscribe`.
        let taken = unsafe { c::aeron_subscription_poll(self.subscription.as_ptr(), self.entry, self.data, limit) };
        usize::try_from(taken).unwrap_or_else(|_| broken(i64::from(taken)).into())
    }

    fn handler(&mut self) -> &mut H {
        // SAFETY: the handler is a box of ours that is never freed, and only `poll`, which borrows us too, lends it.
        unsafe { self.handler.as_mut() }
    }

    fn is_connected(&self) -> bool {
        // SAFETY: the subscription is open.
        unsafe { c::aeron_subscription_is_connected(self.subscription.as_ptr()) }
    }
}
