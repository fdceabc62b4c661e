//! Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): what both sides compute.

mod client;
mod server;

pub use client::answer;
pub use server::{DigestServer, Verdict};

use std::fmt::Write;

use md5::Md5;
use sha2::{Digest, Sha256};

/// A hash that both sides know (RFC 8760).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// What every phone knows; also meant when none is named.
    Md5,
    /// The better one, which old phones do not know.
    Sha256,
}

impl Algorithm {
    /// The algorithm an `algorithm` parameter names; `None` if we do not know it.
    pub(crate) fn named(name: Option<&[u8]>) -> Option<Self> {
        match name {
            None => Some(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case(b"MD5") => Some(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case(b"SHA-256") => Some(Algorithm::Sha256),
            Some(_) => None,
        }
    }

    /// As it stands in an `algorithm` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// The hash of `parts` with colons between them, in lower-case hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> String {
        match self {
            Algorithm::Md5 => hash_parts::<Md5>(parts),
            Algorithm::Sha256 => hash_parts::<Sha256>(parts),
        }
    }
}

/// What goes into a proof besides the secret.
#[derive(Debug, Clone, Copy)]
struct Proof<'a> {
    algorithm: Algorithm,
    user: &'a [u8],
    realm: &'a [u8],
    nonce: &'a [u8],
    method: &'a [u8],
    uri: &'a [u8],
    /// Nonce count and client nonce, with qop `auth`; `None` is RFC 2069 without qop.
    counted: Option<(&'a [u8], &'a [u8])>,
}

impl Proof<'_> {
    /// The `response` value (RFC 7616 §3.4.1).
    fn response(&self, secret: &[u8]) -> String {
        let secret = self.algorithm.hash(&[self.user, self.realm, secret]);
        let request = self.algorithm.hash(&[self.method, self.uri]);
        let (secret, request) = (secret.as_bytes(), request.as_bytes());
        match self.counted {
            Some((count, client_nonce)) => {
                self.algorithm.hash(&[secret, self.nonce, count, client_nonce, b"auth", request])
            }
            None => self.algorithm.hash(&[secret, self.nonce, request]),
        }
    }
}

fn hash_parts<H: Digest>(parts: &[&[u8]]) -> String {
    let mut hash = H::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    text
}

/// A quoted string for a parameter; what cannot stand in a header is left out.
fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|char| !char.is_control()).collect();
    sip_syntax::quote(&text)
}
