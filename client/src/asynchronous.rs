//! Requests to the driver that the application looks after while it does other things. `[any]`
//!
//! Mirrors `aeron_async_add_*`; what a blocking `add_*` waits on as well.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use gannet_core::position::SessionId;

use crate::client::ClientHandle;
use crate::conductor::registration::Outcome;
use crate::counter::Counter;
use crate::error::RegistrationError;
use crate::exclusive_publication::ExclusivePublication;
use crate::publication::Publication;
use crate::subscription::Subscription;

/// A request that the driver has yet to answer.
///
/// Dropping it cancels the request: what the driver makes of it is given back, a destination too. A static counter stays,
/// as there is no command to take one back.
#[must_use = "dropping it cancels the request"]
pub struct Async<T: Resource> {
    correlation_id: i64,
    handle: Arc<ClientHandle>,
    is_taken: bool,
    resource: PhantomData<fn() -> T>,
}

/// A publication to come.
pub type AsyncAddPublication = Async<Publication>;
/// An exclusive publication to come.
pub type AsyncAddExclusivePublication = Async<ExclusivePublication>;
/// A subscription to come.
pub type AsyncAddSubscription = Async<Subscription>;
/// A counter to come.
pub type AsyncAddCounter = Async<Counter>;
/// A destination that is being added or removed.
pub type AsyncDestination = Async<()>;
/// A session id to come.
pub type AsyncNextSessionId = Async<SessionId>;

/// What a request can bring.
pub trait Resource: sealed::FromOutcome {}

pub(crate) mod sealed {
    use super::{Arc, ClientHandle, Outcome};

    pub trait FromOutcome: Sized {
        #[doc(hidden)]
        fn from_outcome(outcome: Outcome, handle: &Arc<ClientHandle>) -> Option<Self>;
    }
}

macro_rules! resources {
    ($($type:ty: $outcome:pat, $handle:ident => $value:expr;)*) => {
        $(
            impl Resource for $type {}

            impl sealed::FromOutcome for $type {
                fn from_outcome(outcome: Outcome, $handle: &Arc<ClientHandle>) -> Option<Self> {
                    match outcome {
                        $outcome => Some($value),
                        _ => None,
                    }
                }
            }
        )*
    };
}

resources! {
    Publication: Outcome::Publication(state), handle => Publication::new(state, handle);
    ExclusivePublication: Outcome::ExclusivePublication(appender, state), handle =>
        ExclusivePublication::new(*appender, state, handle);
    Subscription: Outcome::Subscription(state), handle => Subscription::new(state, handle);
    Counter: Outcome::Counter(state), handle => Counter::new(state, handle);
    (): Outcome::Done, _handle => ();
    SessionId: Outcome::NextSessionId(session_id), _handle => session_id;
}

impl<T: Resource> Async<T> {
    pub(crate) fn new(correlation_id: i64, handle: &Arc<ClientHandle>) -> Async<T> {
        Async { correlation_id, handle: Arc::clone(handle), is_taken: false, resource: PhantomData }
    }

    /// The id of the request, which becomes the registration id of what it adds.
    #[must_use]
    pub fn registration_id(&self) -> i64 {
        self.correlation_id
    }

    /// Looks whether the driver has answered: nothing yet, or once what it answered.
    ///
    /// # Errors
    /// What went wrong; [`RegistrationError::AlreadyTaken`] when the answer was taken before.
    pub fn poll(&mut self) -> Result<Option<T>, RegistrationError> {
        if self.is_taken {
            return Err(RegistrationError::AlreadyTaken);
        }
        self.handle.client.try_drive();
        match self.handle.client.take(self.correlation_id) {
            None => Ok(None),
            Some(outcome) => self.resolve(outcome).map(Some),
        }
    }

    /// Waits for the driver's answer.
    ///
    /// # Errors
    /// What went wrong; [`RegistrationError::TimedOut`] when the driver does not answer within the driver timeout.
    pub fn wait(mut self) -> Result<T, RegistrationError> {
        if self.is_taken {
            return Err(RegistrationError::AlreadyTaken);
        }
        let outcome = self.handle.client.wait(self.correlation_id);
        self.resolve(outcome)
    }

    fn resolve(&mut self, outcome: Result<Outcome, RegistrationError>) -> Result<T, RegistrationError> {
        self.is_taken = true;
        let Some(resource) = T::from_outcome(outcome?, &self.handle) else {
            unreachable!("the conductor answers a request with what it asks for")
        };
        Ok(resource)
    }
}

impl<T: Resource> Drop for Async<T> {
    fn drop(&mut self) {
        if !self.is_taken {
            self.handle.client.forget(self.correlation_id);
        }
    }
}

impl<T: Resource> fmt::Debug for Async<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Async").field("registration_id", &self.correlation_id).finish_non_exhaustive()
    }
}
