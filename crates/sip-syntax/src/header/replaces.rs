//! Replaces (RFC 3891 §6.1): a dialog that a new call takes the place of.

use bytes::Bytes;

use crate::error::{Flaw, ParseError};
use crate::limits::TAG_BYTES_MAX;
use crate::{Params, text};

/// A dialog, as the one who is told to replace it sees it: `to_tag` is that one's own tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// Its Call-ID.
    pub call_id: Bytes,
    /// The tag of whoever reads this.
    pub to_tag: Bytes,
    /// The tag of the other end.
    pub from_tag: Bytes,
    /// Whether a dialog that was answered shall stay (RFC 3891 §3).
    pub early_only: bool,
}

impl Replaces {
    /// Reads a whole value.
    ///
    /// # Errors
    /// [`Flaw::Header`] if the Call-ID or one of the tags is missing, doubled or too long.
    pub fn parse(value: impl Into<Bytes>) -> Result<Self, ParseError> {
        let bad = ParseError::new(Flaw::Header("Replaces"), 0);
        let raw = text::trim_bytes(&text::unfold_bytes(value.into()));
        let len = memchr::memchr(b';', &raw).ok_or(bad)?;
        let call_id = text::trim_bytes(&raw.slice(..len));
        let params = Params::of_header(raw.slice(len..));
        if call_id.is_empty() || call_id.contains(&b' ') || !params.is_well_formed() {
            return Err(bad);
        }
        let one = |name: &[u8]| {
            let mut found = params.pairs().filter(|(own, _)| own.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (Some((_, Some(tag))), None) if !tag.is_empty() && tag.len() <= TAG_BYTES_MAX => {
                    Ok(raw.slice_ref(tag))
                }
                (_, _) => Err(bad),
            }
        };
        let (to_tag, from_tag) = (one(b"to-tag")?, one(b"from-tag")?);
        let early_only = params.has(b"early-only");
        Ok(Self { call_id, to_tag, from_tag, early_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3891 §6.1.
    #[test]
    fn a_dialog_is_named_by_its_call_id_and_both_tags() {
        let replaces = Replaces::parse("425928@bobster.example.org ;to-tag=7743; from-tag=6472");
        let replaces = replaces.unwrap();
        assert_eq!(&replaces.call_id[..], b"425928@bobster.example.org");
        assert_eq!((&replaces.to_tag[..], &replaces.from_tag[..]), (&b"7743"[..], &b"6472"[..]));
        assert!(!replaces.early_only);
        let early = Replaces::parse("x;from-tag=a;early-only;to-tag=b;foo=bar").unwrap();
        assert!(early.early_only);
    }

    #[test]
    fn what_names_no_dialog_is_refused() {
        let long = format!("x;to-tag={};from-tag=b", "t".repeat(TAG_BYTES_MAX + 1));
        for value in [
            "",
            "x",
            ";to-tag=a;from-tag=b",
            "x;to-tag=a",
            "x;from-tag=b",
            "x;to-tag;from-tag=b",
            "x;to-tag=;from-tag=b",
            "x;to-tag=a;to-tag=a;from-tag=b",
            "x y;to-tag=a;from-tag=b",
            &long,
        ] {
            assert!(Replaces::parse(value.to_owned()).is_err(), "{value}");
        }
    }
}
