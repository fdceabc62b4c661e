//! Authorization and WWW-Authenticate with their proxy forms (RFC 3261 §22, RFC 7616, RFC 8760).

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::limits::PARAMS_MAX;
use crate::text;

/// What a client proves itself with. Its `Debug` form hides the proof.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Scheme);

/// What a server asks a client to prove.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge(Scheme);

/// A scheme and its comma-separated parameters, read when asked for.
#[derive(Clone, PartialEq, Eq)]
struct Scheme {
    name: Bytes,
    params: Bytes,
}

impl Scheme {
    fn parse(value: Bytes) -> Self {
        let value = text::trim_bytes(&text::unfold_bytes(value));
        let name_len = value.iter().position(|&byte| text::is_space(byte)).unwrap_or(value.len());
        Self { name: value.slice(..name_len), params: value.slice(name_len..) }
    }

    fn is_digest(&self) -> bool {
        self.name.eq_ignore_ascii_case(b"Digest")
    }

    /// The first parameter of this name; a repeated one is not to be trusted, so it is `None`.
    fn get(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        let mut found = None;
        for piece in text::split(&self.params, b',', false).take(PARAMS_MAX) {
            let Some(at) = memchr::memchr(b'=', piece) else { continue };
            let own = text::trim(piece.get(..at).unwrap_or_default());
            if own.eq_ignore_ascii_case(name) {
                if found.is_some() {
                    return None;
                }
                found = piece.get(at + 1..).map(text::trim);
            }
        }
        found.map(text::unquote)
    }
}

/// Writes the accessors both kinds share.
macro_rules! accessors {
    () => {
        /// Reads one field value. Nothing is refused: what is missing is `None` when asked for.
        pub fn parse(value: impl Into<Bytes>) -> Self {
            Self(Scheme::parse(value.into()))
        }

        /// The scheme as written, such as `Digest`.
        pub fn scheme(&self) -> &[u8] {
            &self.0.name
        }

        /// True if the scheme is Digest.
        pub fn is_digest(&self) -> bool {
            self.0.is_digest()
        }

        /// Any parameter, without its quotes; `None` if missing or given twice.
        pub fn param(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
            self.0.get(name)
        }

        /// `realm`
        pub fn realm(&self) -> Option<Cow<'_, [u8]>> {
            self.0.get(b"realm")
        }

        /// `nonce`
        pub fn nonce(&self) -> Option<Cow<'_, [u8]>> {
            self.0.get(b"nonce")
        }

        /// `opaque`
        pub fn opaque(&self) -> Option<Cow<'_, [u8]>> {
            self.0.get(b"opaque")
        }

        /// `algorithm`; MD5 is meant when it is missing.
        pub fn algorithm(&self) -> Option<Cow<'_, [u8]>> {
            self.0.get(b"algorithm")
        }

        /// `qop`; of a challenge a comma-separated list.
        pub fn qop(&self) -> Option<Cow<'_, [u8]>> {
            self.0.get(b"qop")
        }
    };
}

impl Credentials {
    accessors!();

    /// `username`
    pub fn username(&self) -> Option<Cow<'_, [u8]>> {
        self.0.get(b"username")
    }

    /// `uri`
    pub fn uri(&self) -> Option<Cow<'_, [u8]>> {
        self.0.get(b"uri")
    }

    /// `response`: the proof, in hexadecimal.
    pub fn response(&self) -> Option<Cow<'_, [u8]>> {
        self.0.get(b"response")
    }

    /// `cnonce`
    pub fn cnonce(&self) -> Option<Cow<'_, [u8]>> {
        self.0.get(b"cnonce")
    }

    /// `nc` as written, which is what was hashed.
    pub fn nc(&self) -> Option<Cow<'_, [u8]>> {
        self.0.get(b"nc")
    }

    /// `nc` as a number: eight hexadecimal digits.
    pub fn nonce_count(&self) -> Option<u32> {
        let digits = self.nc()?;
        if digits.len() != 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u32::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()
    }
}

impl Challenge {
    accessors!();

    /// True with `stale=true`: the secret was right, only the nonce was old.
    pub fn is_stale(&self) -> bool {
        self.0.get(b"stale").is_some_and(|stale| stale.eq_ignore_ascii_case(b"true"))
    }

    /// True if `qop` lists this protection, such as `auth`.
    pub fn offers_qop(&self, qop: &[u8]) -> bool {
        self.0.get(b"qop").is_some_and(|list| {
            list.split(|&byte| byte == b',').any(|one| text::trim(one).eq_ignore_ascii_case(qop))
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ...", String::from_utf8_lossy(&self.0.name))
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scheme { name, params } = &self.0;
        write!(f, "{}{}", String::from_utf8_lossy(name), String::from_utf8_lossy(params))
    }
}
