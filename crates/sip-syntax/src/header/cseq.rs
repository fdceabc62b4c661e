//! CSeq (RFC 3261 §20.16).

use std::fmt;

use bytes::Bytes;

use crate::error::{Flaw, ParseError};
use crate::{Method, text};

/// Number and method of a request, repeated in its responses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// Below 2^31.
    pub number: u32,
    /// The method of the request, of an ACK or CANCEL its own.
    pub method: Method,
}

impl CSeq {
    /// Reads a whole value.
    ///
    /// # Errors
    /// [`Flaw::Header`] if the number is none or 2^31 or more, or the method is no token.
    pub fn parse(value: impl Into<Bytes>) -> Result<Self, ParseError> {
        Self::parse_slice(&value.into())
    }

    pub(crate) fn parse_slice(value: &[u8]) -> Result<Self, ParseError> {
        let bad = ParseError::new(Flaw::Header("CSeq"), 0);
        let value = text::trim(value);
        let number_len = value.iter().position(|byte| !byte.is_ascii_digit()).ok_or(bad)?;
        let (number, rest) = value.split_at_checked(number_len).ok_or(bad)?;
        let number = text::decimal(number)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|&number| number < 1 << 31)
            .ok_or(bad)?;
        let method = text::trim(rest);
        // Something must part the two.
        if method.len() == rest.len() || !text::is_token(method) {
            return Err(bad);
        }
        Ok(Self { number, method: Method::from_bytes(method) })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
