//! What scripts ask of other programs, and which of those they may reach.
//!
//! No sockets here: a request leaves as [`Output::Fetch`](crate::Output), its answer comes back as
//! [`Input::Fetched`](crate::Input). Redirects are followed here, not outside, so that each step is
//! checked.

mod address;
mod fetching;

use std::fmt;
use std::time::Duration;

pub use address::Allowed;
pub use fetching::refused_fetch;
pub(crate) use fetching::{Fetching, Next, timed_out};

/// One HTTP request, to be sent as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// `GET`, `POST` and the like.
    pub method: String,
    /// An absolute `http:` or `https:` address.
    pub url: String,
    /// In this order, beside those that the client adds.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
    /// From now to the last byte of the answer.
    pub timeout: Duration,
    /// Bytes of the answer's body, at most; beyond, [`FetchError::TooLarge`].
    pub body_bytes_max: usize,
    /// Which addresses the host may have.
    pub reach: Reach,
}

/// Shows the method alone: the rest may hold secrets.
impl fmt::Debug for FetchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Which addresses the host of a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Any: the configuration names the host.
    Anywhere,
    /// Those of the open Internet alone: the configuration allows the host without naming it, and a
    /// name may lead anywhere.
    PublicOnly,
}

/// Why whoever answers over TLS is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody who is trusted has signed the certificate.
    Unknown,
    /// The certificate is of another host.
    OtherHost,
    /// The certificate counts no more, or not yet.
    OutOfDate,
    /// The certificate cannot be that of a server: most often an authority's own.
    Unfit,
    /// What answers there speaks no TLS, or none that we do.
    NoTls,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchError {
    /// It took longer than allowed.
    Timeout,
    /// The host has no address.
    NoSuchHost,
    /// The host has only addresses that [`Reach::PublicOnly`] leaves out.
    NotPublic,
    /// Nobody listens there.
    Refused,
    /// TLS could not be agreed on.
    NotTrusted(Distrust),
    /// The answer's body is longer than allowed.
    TooLarge,
    /// Too many requests at one time.
    Busy,
    /// The connection broke, or what came is not HTTP.
    Broken,
}
