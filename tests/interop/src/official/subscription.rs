//! `aeron_subscription_t`, its images, and every way to poll them.

use super::client::{Handle, c_string, check, events};
use super::{last_error, text};
use crate::peer::{Event, FragmentHeader, ImageState, Refused, Subscription, Way};
use libaeron_sys as c;
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;
use std::sync::Arc;

type Handler<'a> = &'a mut dyn FnMut(&[u8], &FragmentHeader);

/// What the C callbacks of one poll work on.
struct PollState<'a> {
    handler: Handler<'a>,
    calls: usize,
    aborted: bool,
    stream_id: i32,
    /// What the handler panicked with: a panic may not unwind through C, so it goes on after the poll.
    panic: Option<Box<dyn Any + Send>>,
}

impl PollState<'_> {
    /// Calls the handler, unless it panicked before.
    fn handle(&mut self, bytes: &[u8], header: &FragmentHeader) {
        if self.panic.is_none() {
            let handler = &mut self.handler;
            self.panic = catch_unwind(AssertUnwindSafe(|| handler(bytes, header))).err();
        }
    }
}

struct OfficialSubscription {
    subscription: *mut c::aeron_subscription_t,
    stream_id: i32,
    registration_id: i64,
    assembler: *mut c::aeron_fragment_assembler_t,
    controlled_assembler: *mut c::aeron_controlled_fragment_assembler_t,
    /// The state of the poll under way: assemblers are made once, with a pointer to this cell.
    current: Box<*mut c_void>,
    calls: usize,
    aborted: bool,
    #[allow(dead_code)] // keeps the client, and with it the subscription's memory
    client: Arc<Handle>,
}

// SAFETY: a subscription may be polled from one thread at a time, which `&mut` gives.
unsafe impl Send for OfficialSubscription {}

pub(super) fn add(client: &Arc<Handle>, channel: &str, stream_id: i32) -> Result<Box<dyn Subscription>, Refused> {
    let uri = c_string(channel.as_bytes());
    let state = client.callback_state();
    let mut command = null_mut();
    // SAFETY: the URI is copied into the command; the handlers' state lives as long as the client.
    check(unsafe {
        c::aeron_async_add_subscription(
            &raw mut command,
            client.client,
            uri.as_ptr(),
            stream_id,
            Some(on_available_image),
            state,
            Some(on_unavailable_image),
            state,
        )
    })?;
    let subscription = client.finish(&format!("subscription {channel} is added"), |subscription| {
        // SAFETY: the command is polled until it answers, and not after.
        unsafe { c::aeron_async_add_subscription_poll(subscription, command) }
    })?;
    let mut current: Box<*mut c_void> = Box::new(null_mut());
    let cell: *mut c_void = (&raw mut *current).cast();
    let mut assembler = null_mut();
    let mut controlled_assembler = null_mut();
    // SAFETY: the cell lives in a box that the subscription keeps until both assemblers are deleted.
    unsafe {
        check(c::aeron_fragment_assembler_create(&raw mut assembler, Some(on_assembled), cell))?;
        check(c::aeron_controlled_fragment_assembler_create(&raw mut controlled_assembler, Some(on_controlled), cell))?;
    }
    Ok(Box::new(OfficialSubscription {
        subscription,
        stream_id,
        registration_id: subscription_id(subscription),
        assembler,
        controlled_assembler,
        current,
        calls: 0,
        aborted: false,
        client: Arc::clone(client),
    }))
}

fn subscription_id(subscription: *mut c::aeron_subscription_t) -> i64 {
    // SAFETY: plain data, filled by the next call.
    let mut constants: c::aeron_subscription_constants_t = unsafe { std::mem::zeroed() };
    // SAFETY: the subscription lives.
    unsafe { c::aeron_subscription_constants(subscription, &raw mut constants) };
    constants.registration_id
}

fn image_constants(image: *mut c::aeron_image_t) -> c::aeron_image_constants_t {
    // SAFETY: plain data, filled by the next call.
    let mut constants: c::aeron_image_constants_t = unsafe { std::mem::zeroed() };
    // SAFETY: the image lives: it is retained, or lent to a handler.
    unsafe { c::aeron_image_constants(image, &raw mut constants) };
    constants
}

impl OfficialSubscription {
    /// Calls back with every image, retained during the call.
    fn for_each_image(&self, mut call: impl FnMut(*mut c::aeron_image_t)) {
        let mut images: Vec<*mut c::aeron_image_t> = Vec::new();
        // SAFETY: the client retains each image that it hands out, and each is released once, after use.
        unsafe {
            let count = usize::try_from(c::aeron_subscription_image_count(self.subscription)).unwrap_or(0);
            for index in 0..count {
                let image = c::aeron_subscription_image_at_index(self.subscription, index);
                if !image.is_null() {
                    images.push(image);
                }
            }
            for image in images {
                call(image);
                c::aeron_image_release(image);
            }
        }
    }

    fn poll_bounded(&mut self, limit: usize, state: *mut c_void) -> usize {
        *self.current = state;
        let assembler: *mut c_void = self.assembler.cast();
        let mut fragments = 0;
        self.for_each_image(|image| {
            // SAFETY: the image is retained; the assembler's cell points to the state of this poll.
            let polled = unsafe {
                let bound = c::aeron_image_position(image) + 2048;
                c::aeron_image_bounded_poll(image, Some(c::aeron_fragment_assembler_handler), assembler, bound, limit)
            };
            fragments += usize::try_from(polled).expect("a count of fragments");
        });
        fragments
    }
}

impl Subscription for OfficialSubscription {
    fn poll(&mut self, way: Way, limit: usize, handler: Handler<'_>) -> usize {
        let mut state =
            PollState { handler, calls: self.calls, aborted: self.aborted, stream_id: self.stream_id, panic: None };
        let state_pointer: *mut c_void = (&raw mut state).cast();
        *self.current = state_pointer;
        // SAFETY: the subscription lives until it is closed, which consumes it; the state lives through the call, and
        // the assemblers reach it through their cell.
        let polled = unsafe {
            match way {
                Way::Assembled => i64::from(c::aeron_subscription_poll(
                    self.subscription,
                    Some(c::aeron_fragment_assembler_handler),
                    self.assembler.cast(),
                    limit,
                )),
                Way::Fragments => {
                    i64::from(c::aeron_subscription_poll(self.subscription, Some(on_fragment), state_pointer, limit))
                }
                Way::Controlled => i64::from(c::aeron_subscription_controlled_poll(
                    self.subscription,
                    Some(c::aeron_controlled_fragment_assembler_handler),
                    self.controlled_assembler.cast(),
                    limit,
                )),
                Way::Bounded => i64::try_from(self.poll_bounded(limit, state_pointer)).expect("a count"),
                Way::Block => {
                    c::aeron_subscription_block_poll(self.subscription, Some(on_block), state_pointer, limit * 1408)
                }
            }
        };
        self.calls = state.calls;
        self.aborted = state.aborted;
        *self.current = null_mut();
        if let Some(panic) = state.panic {
            resume_unwind(panic);
        }
        usize::try_from(polled).unwrap_or_else(|_| panic!("poll failed: {}", last_error()))
    }

    fn images(&self) -> Vec<ImageState> {
        let mut states = Vec::new();
        self.for_each_image(|image| {
            let constants = image_constants(image);
            // SAFETY: the image is retained; its source identity lives as long.
            states.push(unsafe {
                ImageState {
                    correlation_id: constants.correlation_id,
                    session_id: constants.session_id,
                    join_position: constants.join_position,
                    position: c::aeron_image_position(image),
                    initial_term_id: constants.initial_term_id,
                    source_identity: text(constants.source_identity),
                    subscriber_position_id: constants.subscriber_position_id,
                    is_end_of_stream: c::aeron_image_is_end_of_stream(image),
                    is_publication_revoked: c::aeron_image_is_publication_revoked(image),
                }
            });
        });
        states
    }

    fn reject(&mut self, session_id: i32, reason: &str) -> Result<(), Refused> {
        let reason = c_string(reason.as_bytes());
        let mut result = Err(Refused { code: 0, text: format!("no image of session {session_id}") });
        self.for_each_image(|image| {
            if image_constants(image).session_id == session_id {
                // SAFETY: the image is retained, and the reason is copied into the command.
                result = check(unsafe { c::aeron_image_reject(image, reason.as_ptr()) });
            }
        });
        result
    }

    fn registration_id(&self) -> i64 {
        self.registration_id
    }

    fn is_connected(&self) -> bool {
        // SAFETY: as for `poll`.
        unsafe { c::aeron_subscription_is_connected(self.subscription) }
    }

    fn is_closed(&self) -> bool {
        // SAFETY: as for `poll`.
        unsafe { c::aeron_subscription_is_closed(self.subscription) }
    }

    fn close(self: Box<Self>) {
        // SAFETY: the subscription is not used after this call.
        unsafe { c::aeron_subscription_close(self.subscription, None, null_mut()) };
    }
}

impl Drop for OfficialSubscription {
    fn drop(&mut self) {
        // SAFETY: made in `add`, deleted once, and no poll is under way.
        unsafe {
            c::aeron_fragment_assembler_delete(self.assembler);
            c::aeron_controlled_fragment_assembler_delete(self.controlled_assembler);
        }
    }
}

/// # Safety
/// As the client's callbacks are called: a live header, a buffer of that length.
unsafe fn deliver(state: &mut PollState<'_>, buffer: *const u8, length: usize, header: *mut c::aeron_header_t) {
    // SAFETY: by the caller's contract; the values are plain data.
    unsafe {
        let mut values: c::aeron_header_values_t = std::mem::zeroed();
        c::aeron_header_values(header, &raw mut values);
        let header = FragmentHeader {
            position: c::aeron_header_position(header),
            session_id: values.frame.session_id,
            stream_id: values.frame.stream_id,
            term_id: values.frame.term_id,
            term_offset: values.frame.term_offset,
            flags: values.frame.flags,
            reserved_value: values.frame.reserved_value,
        };
        state.handle(bytes(buffer, length), &header);
    }
}

/// # Safety
/// The buffer has that length, or the length is 0.
unsafe fn bytes<'a>(buffer: *const u8, length: usize) -> &'a [u8] {
    if length == 0 {
        return &[];
    }
    // SAFETY: by the caller's contract.
    unsafe { std::slice::from_raw_parts(buffer, length) }
}

unsafe extern "C" fn on_fragment(state: *mut c_void, buffer: *const u8, length: usize, header: *mut c::aeron_header_t) {
    // SAFETY: `state` is the state of the poll under way.
    unsafe { deliver(&mut *state.cast::<PollState<'_>>(), buffer, length, header) }
}

unsafe extern "C" fn on_assembled(cell: *mut c_void, buffer: *const u8, length: usize, header: *mut c::aeron_header_t) {
    // SAFETY: the assembler passes its cell, which points to the state of the poll under way.
    unsafe { on_fragment(*cell.cast::<*mut c_void>(), buffer, length, header) }
}

unsafe extern "C" fn on_controlled(
    cell: *mut c_void,
    buffer: *const u8,
    length: usize,
    header: *mut c::aeron_header_t,
) -> c::aeron_controlled_fragment_handler_action_t {
    // SAFETY: as for `on_assembled`.
    let state = unsafe { &mut *(*cell.cast::<*mut c_void>()).cast::<PollState<'_>>() };
    if state.calls % 3 == 2 && !state.aborted {
        state.aborted = true;
        return c::aeron_controlled_fragment_handler_action_en_AERON_ACTION_ABORT;
    }
    state.aborted = false;
    state.calls += 1;
    // SAFETY: as for `on_assembled`.
    unsafe { deliver(state, buffer, length, header) };
    match state.calls % 5 {
        0 => c::aeron_controlled_fragment_handler_action_en_AERON_ACTION_BREAK,
        2 => c::aeron_controlled_fragment_handler_action_en_AERON_ACTION_COMMIT,
        _ => c::aeron_controlled_fragment_handler_action_en_AERON_ACTION_CONTINUE,
    }
}

unsafe extern "C" fn on_block(state: *mut c_void, buffer: *const u8, length: usize, session_id: i32, term_id: i32) {
    // SAFETY: `state` is the state of the poll under way, and the block has that length.
    let (state, block) = unsafe { (&mut *state.cast::<PollState<'_>>(), bytes(buffer, length)) };
    crate::block::for_each_frame(block, |payload, header| {
        let expected = (session_id, state.stream_id, term_id);
        if (header.session_id, header.stream_id, header.term_id) != expected && state.panic.is_none() {
            state.panic = Some(Box::new(format!("a block of {expected:?} holds {header:?}")));
        }
        state.handle(payload, header);
    });
}

unsafe extern "C" fn on_available_image(
    state: *mut c_void,
    subscription: *mut c::aeron_subscription_t,
    image: *mut c::aeron_image_t,
) {
    let constants = image_constants(image);
    // SAFETY: the client passes what it was given.
    unsafe { events(state) }.push(Event::AvailableImage {
        subscription: subscription_id(subscription),
        correlation_id: constants.correlation_id,
        session_id: constants.session_id,
    });
}

unsafe extern "C" fn on_unavailable_image(
    state: *mut c_void,
    subscription: *mut c::aeron_subscription_t,
    image: *mut c::aeron_image_t,
) {
    let constants = image_constants(image);
    // SAFETY: the client passes what it was given; the image lives through the call.
    unsafe {
        events(state).push(Event::UnavailableImage {
            subscription: subscription_id(subscription),
            correlation_id: constants.correlation_id,
            session_id: constants.session_id,
            position: c::aeron_image_position(image),
        });
    }
}
