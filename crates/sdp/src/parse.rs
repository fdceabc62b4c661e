//! Reading a description: `sdp-types` behind a pass that forgives what phones get wrong.
//!
//! A call should not fail over a line nobody uses. So lines that a call has no use for are dropped
//! before reading, and what peers often write badly in those that stay is put right: bytes that are
//! not UTF-8, numbers in `o=` beyond 64 bits, doubled spaces, NULs at the end.

use std::borrow::Cow;

use sdp_types::Session;

use crate::{Bandwidth, Connection, Description, MediaLine, OriginLine, SdpError};

#[cfg(test)]
mod tests;

/// The longest body that is read, in bytes; longer is [`SdpError::TooLarge`].
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// The most streams in one description; more is [`SdpError::TooManyMedia`].
pub const MEDIA_LINES_MAX: usize = 32;

impl Description {
    /// Reads the body of a message whose type is `application/sdp`.
    ///
    /// Missing `o=`, `s=` and `t=` lines are forgiven, as is the order of lines.
    ///
    /// # Errors
    /// Beyond the limits of size, or when a line of the kinds `v o s i c a m` cannot be read.
    pub fn parse(bytes: &[u8]) -> Result<Description, SdpError> {
        if bytes.len() > BODY_BYTES_MAX {
            return Err(SdpError::TooLarge);
        }
        Description::read(bytes)
    }

    /// [`Self::parse`] without the limit on bytes, for what we wrote ourselves.
    pub(crate) fn read(bytes: &[u8]) -> Result<Description, SdpError> {
        let text = tidy(bytes);
        if text.lines().filter(|line| line.starts_with("m=")).count() > MEDIA_LINES_MAX {
            return Err(SdpError::TooManyMedia);
        }
        let session = Session::parse(text.as_bytes())
            .map_err(|error| SdpError::Malformed { problem: error.to_string() })?;
        Ok(from_session(session))
    }
}

/// The body as text with only the lines a call has a use for. A dropped line leaves an empty one,
/// so that the line numbers in errors stay true.
fn tidy(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| !matches!(byte, 0 | b'\r' | b'\n'));
    let bytes = end.and_then(|end| bytes.get(..=end)).unwrap_or_default();
    let mut text = String::with_capacity(bytes.len() + 16);
    for line in bytes.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = utf8_or_latin1(line);
        match line.split_at_checked(2) {
            Some(("o=", value)) => push_origin(&mut text, value),
            Some(("m=", value)) => push_media(&mut text, value),
            Some(("b=", value)) if !is_bandwidth(value) => {}
            Some(("v=", _)) => text.push_str(line.trim_end()),
            Some(("s=" | "i=" | "c=" | "b=" | "a=", _)) => text.push_str(&line),
            // `u= e= p= t= r= z= k=` and letters that no RFC has, such as `y=` and `f=`.
            Some((key, _)) if key.ends_with('=') => {}
            None if line.trim().is_empty() => {}
            Some((blank, rest)) if blank.trim().is_empty() && rest.trim().is_empty() => {}
            // Not a line of a description at all: left for the reader to refuse.
            _ => text.push_str(&line),
        }
        text.push('\n');
    }
    text
}

/// A line that is not UTF-8 is read as Latin-1, in which every byte is a character.
fn utf8_or_latin1(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(line) => Cow::Borrowed(line),
        Err(_) => Cow::Owned(line.iter().copied().map(char::from).collect()),
    }
}

/// `o=` with a version that fits 64 bits and a user name without spaces. A shorter line than that
/// is dropped whole: nothing in a call depends on it.
fn push_origin(text: &mut String, value: &str) {
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    let Some((username, [id, version, network, kind, address])) = fields.split_last_chunk() else {
        return;
    };
    let username = if username.is_empty() { "-".to_owned() } else { username.join("_") };
    let version = version
        .bytes()
        .filter(u8::is_ascii_digit)
        .fold(0_u64, |sum, digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    text.push_str(&format!("o={username} {id} {version} {network} {kind} {address}"));
}

/// `m=` with single spaces, and with room for formats where there are none.
fn push_media(text: &mut String, value: &str) {
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    text.push_str("m=");
    text.push_str(&fields.join(" "));
    if fields.len() == 3 {
        text.push(' ');
    }
}

fn is_bandwidth(value: &str) -> bool {
    value.split_once(':').is_some_and(|(_, number)| number.parse::<u64>().is_ok())
}

fn from_session(session: Session) -> Description {
    let origin = session.origin;
    Description {
        origin: OriginLine {
            username: origin.username.unwrap_or_else(|| "-".into()),
            session_id: origin.sess_id,
            version: origin.sess_version,
            address: Connection {
                network: origin.nettype.as_str().into(),
                kind: origin.addrtype.as_str().into(),
                address: origin.unicast_address,
            },
        },
        session_name: Some(session.session_name)
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| "-".into()),
        information: session.session_description,
        connection: session.connection.map(connection),
        bandwidths: session.bandwidths.into_iter().map(bandwidth).collect(),
        attributes: session.attributes.into_iter().map(attribute).collect(),
        media: session.medias.into_iter().map(media_line).collect(),
    }
}

fn media_line(media: sdp_types::Media) -> MediaLine {
    let mut connections = media.connections.into_iter().map(connection);
    MediaLine {
        kind: media.media,
        port: media.port,
        port_count: media.num_ports,
        protocol: media.proto,
        formats: media.fmt.split_ascii_whitespace().map(str::to_owned).collect(),
        title: media.media_title,
        connection: connections.next(),
        layers: connections.collect(),
        bandwidths: media.bandwidths.into_iter().map(bandwidth).collect(),
        attributes: media.attributes.into_iter().map(attribute).collect(),
    }
}

fn connection(connection: sdp_types::Connection) -> Connection {
    Connection {
        network: connection.nettype.as_str().into(),
        kind: connection.addrtype.as_str().into(),
        address: connection.connection_address,
    }
}

fn bandwidth(bandwidth: sdp_types::Bandwidth) -> Bandwidth {
    Bandwidth { kind: bandwidth.bwtype, value: bandwidth.bandwidth }
}

fn attribute(attribute: sdp_types::Attribute) -> crate::Attribute {
    (attribute.attribute, attribute.value)
}
