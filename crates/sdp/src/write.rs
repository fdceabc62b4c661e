//! Writing a description (RFC 8866 §5, in the order of §9).

use sdp_types::Session;

use crate::{Bandwidth, Connection, Description, MediaLine};

impl Description {
    /// The description as it goes on the wire, with CRLF line ends and `t=0 0` (RFC 3264 §5).
    ///
    /// What [`Description::parse`] gave comes back equal when this is read again. Line breaks and
    /// NULs inside a field are left out, so that no field can add a line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        let written = self.to_session().write(&mut bytes);
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        bytes
    }

    fn to_session(&self) -> Session {
        let origin = &self.origin;
        Session {
            origin: sdp_types::Origin {
                username: Some(origin.username.clone()),
                sess_id: origin.session_id.clone(),
                sess_version: origin.version,
                nettype: origin.address.network.as_str().into(),
                addrtype: origin.address.kind.as_str().into(),
                unicast_address: origin.address.address.clone(),
            },
            session_name: self.session_name.clone(),
            session_description: self.information.clone(),
            uri: None,
            emails: Vec::new(),
            phones: Vec::new(),
            connection: self.connection.as_ref().map(connection),
            bandwidths: self.bandwidths.iter().map(bandwidth).collect(),
            // Without one, the writer puts `t=0 0`.
            times: Vec::new(),
            time_zones: Vec::new(),
            key: None,
            attributes: self.attributes.iter().map(attribute).collect(),
            medias: self.media.iter().map(media).collect(),
        }
    }
}

fn media(line: &MediaLine) -> sdp_types::Media {
    sdp_types::Media {
        media: line.kind.clone(),
        port: line.port,
        num_ports: line.port_count,
        proto: line.protocol.clone(),
        fmt: line.formats.join(" "),
        media_title: line.title.clone(),
        connections: line.connection.iter().chain(&line.layers).map(connection).collect(),
        bandwidths: line.bandwidths.iter().map(bandwidth).collect(),
        key: None,
        attributes: line.attributes.iter().map(attribute).collect(),
    }
}

fn connection(connection: &Connection) -> sdp_types::Connection {
    sdp_types::Connection {
        nettype: connection.network.as_str().into(),
        addrtype: connection.kind.as_str().into(),
        connection_address: connection.address.clone(),
    }
}

fn bandwidth(bandwidth: &Bandwidth) -> sdp_types::Bandwidth {
    sdp_types::Bandwidth { bwtype: bandwidth.kind.clone(), bandwidth: bandwidth.value }
}

fn attribute((name, value): &crate::Attribute) -> sdp_types::Attribute {
    sdp_types::Attribute { attribute: name.clone(), value: value.clone() }
}
