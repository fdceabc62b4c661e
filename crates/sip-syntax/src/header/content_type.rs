//! Content-Type (RFC 3261 §20.15).

use std::borrow::Cow;

use bytes::Bytes;

use crate::{Params, text};

/// What a body is; also used for Accept values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    essence: Bytes,
    params: Params,
}

impl ContentType {
    /// Reads a whole value. Nothing is refused: what is no type matches none.
    pub fn parse(value: impl Into<Bytes>) -> Self {
        let value = text::unfold_bytes(value.into());
        let essence_len = memchr::memchr(b';', &value).unwrap_or(value.len());
        Self {
            essence: text::trim_bytes(&value.slice(..essence_len)),
            params: Params::of_header(value.slice(essence_len..)),
        }
    }

    /// Type and subtype as written, such as `application/sdp`.
    pub fn essence(&self) -> &[u8] {
        &self.essence
    }

    /// Compares type and subtype without regard to case, passing over white space round the `/`.
    pub fn is(&self, essence: &str) -> bool {
        let own = self.essence.iter().filter(|&&byte| !text::is_space(byte));
        own.map(u8::to_ascii_lowercase).eq(essence.bytes().map(|byte| byte.to_ascii_lowercase()))
    }

    /// All parameters in order.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// A decoded parameter, such as `boundary`.
    pub fn param(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.params.get(name)
    }
}
