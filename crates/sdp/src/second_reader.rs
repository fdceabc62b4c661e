//! What `sdp-rs` makes of a description of ours, compared with what we meant.
//!
//! Its known faults are stepped around: it knows no `a=inactive`, no host names, and nothing behind
//! a media line of a kind it has never heard of. Its printing is not used at all.

use sdp_rs::SessionDescription;
use sdp_rs::lines::attribute::Attribute as TheirAttribute;

use crate::{Attribute, Connection, Description, MediaLine, RtpCodec};

/// Fails unless `sdp-rs` reads in `description` what we wrote into it.
#[track_caller]
pub(crate) fn assert_agrees(description: &Description) {
    let text = String::from_utf8(description.to_bytes()).unwrap();
    let theirs = SessionDescription::try_from(text.as_str())
        .unwrap_or_else(|error| panic!("unreadable, {error}:\n{text}"));

    assert_eq!(theirs.origin.sess_id, description.origin.session_id);
    assert_eq!(theirs.origin.sess_version, description.origin.version.to_string());
    assert_eq!(Some(theirs.origin.unicast_address), description.origin.address.ip());
    assert_eq!(theirs.times[0].active.to_string(), "t=0 0");
    assert_connections(theirs.connection.iter(), description.connection.iter());
    assert_attributes(&theirs.attributes, &description.attributes);

    assert_eq!(theirs.media_descriptions.len(), description.media.len(), "{text}");
    for (their, line) in theirs.media_descriptions.iter().zip(&description.media) {
        assert_eq!(their.media.media.to_string(), line.kind);
        assert_eq!(their.media.port, line.port);
        assert_eq!(their.media.num_of_ports.map(u16::from), line.port_count);
        assert_eq!(their.media.proto.to_string(), line.protocol);
        assert_eq!(their.media.fmt, line.formats.join(" "));
        assert_connections(their.connections.iter(), line.connection.iter().chain(&line.layers));
        assert_attributes(&their.attributes, &line.attributes);
        assert_codecs(&their.attributes, line);
    }
}

#[track_caller]
fn assert_connections<'a>(
    theirs: impl Iterator<Item = &'a sdp_rs::lines::Connection>,
    ours: impl Iterator<Item = &'a Connection>,
) {
    let theirs: Vec<_> = theirs.map(|theirs| Some(theirs.connection_address.base)).collect();
    let ours: Vec<_> = ours.map(Connection::ip).collect();
    assert_eq!(theirs, ours);
}

#[track_caller]
fn assert_attributes(theirs: &[TheirAttribute], ours: &[Attribute]) {
    let theirs: Vec<Attribute> = theirs.iter().map(plain).collect();
    assert_eq!(theirs, ours);
}

/// Each `a=rtpmap` means to them the codec that it means to us.
#[track_caller]
fn assert_codecs(theirs: &[TheirAttribute], line: &MediaLine) {
    let codecs = line.codecs();
    for attribute in theirs {
        let TheirAttribute::Rtpmap(map) = attribute else { continue };
        let number = u8::try_from(map.payload_type).unwrap();
        let ours = codecs.iter().find(|codec| codec.payload_type == number).unwrap();
        let rate_hz = u32::try_from(map.clock_rate).unwrap();
        let channels = u8::try_from(map.encoding_params.unwrap_or(1)).unwrap();
        let theirs = RtpCodec { channels, ..RtpCodec::new(number, &map.encoding_name, rate_hz) };
        assert!(ours.same_encoding(&theirs), "{ours:?} is not {theirs:?}");
    }
}

/// Their attribute as name and value, spelled by us and not by their faulty printer.
fn plain(attribute: &TheirAttribute) -> Attribute {
    match attribute {
        TheirAttribute::Rtpmap(map) => {
            let channels = map.encoding_params.map(|n| format!("/{n}")).unwrap_or_default();
            let (number, name, rate) = (map.payload_type, &map.encoding_name, map.clock_rate);
            ("rtpmap".into(), Some(format!("{number} {name}/{rate}{channels}")))
        }
        TheirAttribute::Other(name, value) => (name.clone(), value.clone()),
        other => {
            let text = other.to_string();
            let text = text.strip_prefix("a=").unwrap();
            match text.split_once(':') {
                Some((name, value)) => (name.into(), Some(value.into())),
                None => (text.into(), None),
            }
        }
    }
}
