//! `aeron_t`: its context, handlers, asynchronous adds and counters.

use super::{last_error, publication, subscription, text};
use crate::peer::{Client, Counter, CounterView, Event, Events, Options, Publication, Refused, Subscription};
use gannet_tests::{PATIENCE, wait_for};
use libaeron_sys as c;
use std::ffi::{CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A started client. Everything that it made holds it, so that C memory is freed last.
pub(super) struct Handle {
    pub(super) client: *mut c::aeron_t,
    context: *mut c::aeron_context_t,
    pub(super) events: Arc<Events>,
}

// SAFETY: the C client's functions that take an `aeron_t` may be called from any thread.
unsafe impl Send for Handle {}
// SAFETY: as for Send.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: nothing uses the client any more, as every user holds this handle; the events outlive the call.
        unsafe {
            c::aeron_close(self.client);
            c::aeron_context_close(self.context);
        }
    }
}

impl Handle {
    /// The pointer that callbacks get.
    pub(super) fn callback_state(&self) -> *mut c_void {
        Arc::as_ptr(&self.events).cast_mut().cast()
    }

    /// Polls an asynchronous add until it is done.
    #[track_caller]
    pub(super) fn finish<T>(&self, what: &str, mut poll: impl FnMut(&mut *mut T) -> c_int) -> Result<*mut T, Refused> {
        wait_for(what, PATIENCE, || {
            let mut resource = null_mut();
            match poll(&mut resource) {
                0 => None,
                result if result < 0 => Some(Err(last_error())),
                _ => Some(Ok(resource)),
            }
        })
    }
}

struct OfficialClient(Arc<Handle>);

/// Connects, and starts the client's conductor thread.
///
/// # Errors
/// As `aeron_init` answers.
pub fn connect(directory: &Path, options: &Options) -> Result<Box<dyn Client>, Refused> {
    let events = Arc::new(Events::default());
    let state: *mut c_void = Arc::as_ptr(&events).cast_mut().cast();
    let mut context = null_mut();
    let mut client = null_mut();
    let directory = c_string(directory.as_os_str().as_bytes());
    let name = c_string(options.name.as_bytes());
    let timeout = u64::try_from(options.driver_timeout.as_millis()).expect("a timeout in milliseconds");
    // SAFETY: the context is initialised by the first call; strings are copied by the setters; `state` points to the
    // events, which the handle keeps until `aeron_close` has returned.
    unsafe {
        check(c::aeron_context_init(&raw mut context))?;
        check(c::aeron_context_set_dir(context, directory.as_ptr()))?;
        check(c::aeron_context_set_driver_timeout_ms(context, timeout))?;
        check(c::aeron_context_set_client_name(context, name.as_ptr()))?;
        check(c::aeron_context_set_pre_touch_mapped_memory(context, options.pre_touch))?;
        check(c::aeron_context_set_idle_sleep_duration_ns(context, 1_000_000))?;
        check(c::aeron_context_set_resource_linger_duration_ns(context, 100_000_000))?;
        check(c::aeron_context_set_error_handler(context, Some(on_error), state))?;
        check(c::aeron_context_set_publication_error_frame_handler(context, Some(on_publication_error), state))?;
        check(c::aeron_context_set_on_available_counter(context, Some(on_available_counter), state))?;
        check(c::aeron_context_set_on_unavailable_counter(context, Some(on_unavailable_counter), state))?;
        check(c::aeron_context_set_on_close_client(context, Some(on_close), state))?;
        if c::aeron_init(&raw mut client, context) < 0 {
            let refused = last_error();
            c::aeron_context_close(context);
            return Err(refused);
        }
        if c::aeron_start(client) < 0 {
            let refused = last_error();
            c::aeron_close(client);
            c::aeron_context_close(context);
            return Err(refused);
        }
    }
    Ok(Box::new(OfficialClient(Arc::new(Handle { client, context, events }))))
}

/// Asks the driver of a directory to end.
///
/// # Errors
/// When there is none, or its command ring is full.
pub fn request_driver_termination(directory: &Path, token: &[u8]) -> Result<(), Refused> {
    let directory = c_string(directory.as_os_str().as_bytes());
    // SAFETY: the string ends with a zero and the token has that length; both live through the call.
    let result =
        unsafe { c::aeron_context_request_driver_termination(directory.as_ptr(), token.as_ptr(), token.len()) };
    match result {
        1 => Ok(()),
        0 => Err(Refused { code: 0, text: "no CnC file".to_owned() }),
        _ => Err(last_error()),
    }
}

impl Client for OfficialClient {
    fn add_publication(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Publication>, Refused> {
        publication::add(&self.0, channel, stream_id)
    }

    fn add_exclusive_publication(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Publication>, Refused> {
        publication::add_exclusive(&self.0, channel, stream_id)
    }

    fn add_subscription(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Subscription>, Refused> {
        subscription::add(&self.0, channel, stream_id)
    }

    fn add_counter(&self, type_id: i32, key: &[u8], label: &str) -> Result<Box<dyn Counter>, Refused> {
        let mut command = null_mut();
        // SAFETY: key and label have the given lengths and are copied into the command.
        check(unsafe {
            c::aeron_async_add_counter(
                &raw mut command,
                self.0.client,
                type_id,
                key.as_ptr(),
                key.len(),
                label.as_ptr().cast(),
                label.len(),
            )
        })?;
        self.finish_counter(command)
    }

    fn add_static_counter(
        &self,
        type_id: i32,
        key: &[u8],
        label: &str,
        registration_id: i64,
    ) -> Result<Box<dyn Counter>, Refused> {
        let mut command = null_mut();
        // SAFETY: as for `add_counter`.
        check(unsafe {
            c::aeron_async_add_static_counter(
                &raw mut command,
                self.0.client,
                type_id,
                key.as_ptr(),
                key.len(),
                label.as_ptr().cast(),
                label.len(),
                registration_id,
            )
        })?;
        self.finish_counter(command)
    }

    fn next_session_id(&self, stream_id: i32) -> Result<i32, Refused> {
        let mut command = null_mut();
        // SAFETY: the client is started.
        check(unsafe { c::aeron_async_next_session_id(&raw mut command, self.0.client, stream_id) })?;
        wait_for("the next session id", PATIENCE, || {
            let mut session_id = 0;
            // SAFETY: the command is polled until it answers, and not after.
            match unsafe { c::aeron_async_next_session_id_poll(&raw mut session_id, command) } {
                0 => None,
                result if result < 0 => Some(Err(last_error())),
                _ => Some(Ok(session_id)),
            }
        })
    }

    fn counters(&self) -> Vec<CounterView> {
        let mut counters: Vec<CounterView> = Vec::new();
        // SAFETY: the reader lives as long as the client; the callback gets the vector, alone, during the call.
        unsafe {
            let reader = c::aeron_counters_reader(self.0.client);
            c::aeron_counters_reader_foreach_counter(reader, Some(on_counter), (&raw mut counters).cast());
            for counter in &mut counters {
                c::aeron_counters_reader_counter_registration_id(reader, counter.id, &raw mut counter.registration_id);
                c::aeron_counters_reader_counter_owner_id(reader, counter.id, &raw mut counter.owner_id);
            }
        }
        counters
    }

    fn client_id(&self) -> i64 {
        // SAFETY: the client is started.
        unsafe { c::aeron_client_id(self.0.client) }
    }

    fn is_closed(&self) -> bool {
        // SAFETY: the client is started.
        unsafe { c::aeron_is_closed(self.0.client) }
    }

    fn events(&self) -> Arc<Events> {
        Arc::clone(&self.0.events)
    }

    fn close(self: Box<Self>) {}
}

impl OfficialClient {
    #[track_caller]
    fn finish_counter(&self, command: *mut c::aeron_async_add_counter_t) -> Result<Box<dyn Counter>, Refused> {
        let counter = self.0.finish("the counter is added", |counter| {
            // SAFETY: the command is polled until it answers, and not after.
            unsafe { c::aeron_async_add_counter_poll(counter, command) }
        })?;
        // SAFETY: plain data, filled by the next call.
        let mut constants: c::aeron_counter_constants_t = unsafe { std::mem::zeroed() };
        // SAFETY: the counter was just made.
        check(unsafe { c::aeron_counter_constants(counter, &raw mut constants) })?;
        Ok(Box::new(OfficialCounter { counter, constants, client: Arc::clone(&self.0) }))
    }
}

struct OfficialCounter {
    counter: *mut c::aeron_counter_t,
    constants: c::aeron_counter_constants_t,
    #[allow(dead_code)] // keeps the client, and with it the counter's memory
    client: Arc<Handle>,
}

// SAFETY: a counter's value is an atomic word, and its other functions may be called from any thread.
unsafe impl Send for OfficialCounter {}

impl OfficialCounter {
    fn cell(&self) -> &AtomicI64 {
        // SAFETY: the address is a word of the mapped values, aligned to 8, which the client keeps mapped.
        unsafe { AtomicI64::from_ptr(c::aeron_counter_addr(self.counter)) }
    }
}

impl Counter for OfficialCounter {
    fn id(&self) -> i32 {
        self.constants.counter_id
    }

    fn registration_id(&self) -> i64 {
        self.constants.registration_id
    }

    fn set(&self, value: i64) {
        self.cell().store(value, Ordering::SeqCst);
    }

    fn value(&self) -> i64 {
        self.cell().load(Ordering::SeqCst)
    }

    fn close(self: Box<Self>) {
        // SAFETY: the counter is not used after this call.
        unsafe { c::aeron_counter_close(self.counter, None, null_mut()) };
    }
}

pub(super) fn check(result: c_int) -> Result<(), Refused> {
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

pub(super) fn c_string(bytes: &[u8]) -> CString {
    CString::new(bytes).expect("no zero inside")
}

/// # Safety
/// `state` is what [`Handle::callback_state`] gave, and the handle lives.
pub(super) unsafe fn events<'a>(state: *mut c_void) -> &'a Events {
    // SAFETY: by the caller's contract.
    unsafe { &*state.cast::<Events>() }
}

unsafe extern "C" fn on_error(state: *mut c_void, code: c_int, message: *const c_char) {
    // SAFETY: the client passes what it was given, and a message that ends with a zero.
    unsafe { events(state).push(Event::Error { code: code.abs(), text: text(message) }) }
}

unsafe extern "C" fn on_publication_error(state: *mut c_void, error: *mut c::aeron_publication_error_values_t) {
    // SAFETY: the frame and its text lie in the client's copy of the response during the call.
    unsafe {
        let error = error.read_unaligned_fields();
        events(state).push(error);
    }
}

/// Reads a packed struct with a text behind it.
trait ReadUnaligned {
    /// # Safety
    /// The pointer is to a whole error frame.
    unsafe fn read_unaligned_fields(self) -> Event;
}

impl ReadUnaligned for *mut c::aeron_publication_error_values_t {
    unsafe fn read_unaligned_fields(self) -> Event {
        // SAFETY: by the caller's contract; fields of a packed struct are copied out, never borrowed.
        unsafe {
            let length = usize::try_from((*self).error_message_length).unwrap_or(0);
            let start = (&raw const (*self).error_message).cast::<u8>();
            let text = String::from_utf8_lossy(std::slice::from_raw_parts(start, length)).into_owned();
            Event::PublicationError {
                registration_id: (*self).registration_id,
                session_id: (*self).session_id,
                stream_id: (*self).stream_id,
                code: (*self).error_code,
                text,
            }
        }
    }
}

unsafe extern "C" fn on_available_counter(
    state: *mut c_void,
    _reader: *mut c::aeron_counters_reader_t,
    registration_id: i64,
    counter_id: i32,
) {
    // SAFETY: the client passes what it was given.
    unsafe { events(state).push(Event::AvailableCounter { registration_id, counter_id }) }
}

unsafe extern "C" fn on_unavailable_counter(
    state: *mut c_void,
    _reader: *mut c::aeron_counters_reader_t,
    registration_id: i64,
    counter_id: i32,
) {
    // SAFETY: the client passes what it was given.
    unsafe { events(state).push(Event::UnavailableCounter { registration_id, counter_id }) }
}

unsafe extern "C" fn on_close(state: *mut c_void) {
    // SAFETY: the client passes what it was given.
    unsafe { events(state).push(Event::Closed) }
}

unsafe extern "C" fn on_counter(
    value: i64,
    id: i32,
    type_id: i32,
    key: *const u8,
    key_length: usize,
    label: *const c_char,
    label_length: usize,
    state: *mut c_void,
) {
    // SAFETY: `state` is the vector of `counters`, and key and label have the given lengths.
    unsafe {
        let counters = &mut *state.cast::<Vec<CounterView>>();
        counters.push(CounterView {
            id,
            type_id,
            value,
            key: std::slice::from_raw_parts(key, key_length).to_vec(),
            label: String::from_utf8_lossy(std::slice::from_raw_parts(label.cast(), label_length)).into_owned(),
            registration_id: 0,
            owner_id: 0,
        });
    }
}
