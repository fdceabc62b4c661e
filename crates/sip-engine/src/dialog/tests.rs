//! Where requests within a dialog go, by what the peer says and where it speaks from.

use sip_syntax::Message;

use super::*;
use crate::Transport;
use crate::stage::address;

#[test]
fn the_contact_is_followed_where_it_can_be_right() {
    for (source, contact, wanted) in [
        // Its own address, another port: it listens there.
        ("10.0.0.2:40000", "sip:p@10.0.0.2:5070", "10.0.0.2:5070"),
        ("10.0.0.2:40000", "sip:p@10.0.0.2", "10.0.0.2:5060"),
        // Behind a translator: answer where it speaks from.
        ("203.0.113.7:40000", "sip:p@192.168.1.2:5060", "203.0.113.7:40000"),
        ("192.168.1.9:40000", "sip:p@172.17.0.2:5060", "192.168.1.9:40000"),
        // An address that means the same to everybody, so no translator lies between.
        ("192.168.1.9:5060", "sip:p@9.9.9.9:5080", "9.9.9.9:5080"),
        ("127.0.0.2:5060", "sip:p@127.0.0.3:5080", "127.0.0.3:5080"),
        // Names are not resolved here; nonsense is not followed.
        ("10.0.0.2:40000", "sip:p@phone.example.org", "10.0.0.2:40000"),
        ("10.0.0.2:40000", "sip:p@0.0.0.0:5060", "10.0.0.2:40000"),
        ("10.0.0.2:40000", "sip:p@[2001:db8::1]:5060", "10.0.0.2:40000"),
        ("[2001:db8::1]:40000", "sip:p@[2001:db8::1]:5070", "[2001:db8::1]:5070"),
    ] {
        let dialog = dialog(Transport::Udp, source, contact, "");
        assert_eq!(dialog.flow().remote, address(wanted), "{source} {contact}");
    }
}

#[test]
fn a_stream_is_answered_on_the_stream() {
    let dialog = dialog(Transport::Tcp, "10.0.0.2:40000", "sip:p@10.0.0.2:5070", "");
    assert_eq!(dialog.flow().remote, address("10.0.0.2:40000"));
    assert_eq!(dialog.contact(), "<sip:us@10.0.0.1:5060;transport=tcp>");
}

/// RFC 3261 §12.2.1.1: the route set comes before the target.
#[test]
fn the_nearest_route_is_followed_before_the_contact() {
    let dialog = dialog(
        Transport::Udp,
        "10.0.0.3:5060",
        "sip:p@10.9.9.9",
        "Record-Route: <sip:10.0.0.3:5061;lr>\r\nRecord-Route: <sip:10.0.0.4;lr>\r\n",
    );
    assert_eq!(dialog.flow().remote, address("10.0.0.3:5061"));
}

/// Without Record-Route, later requests pass the proxies by (RFC 3261 §16.6, step 4).
#[test]
fn behind_proxies_that_stay_out_the_contact_is_followed() {
    let dialog = dialog(
        Transport::Udp,
        "10.0.0.3:5060",
        "sip:p@10.0.0.2:5070",
        "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb\r\n",
    );
    assert_eq!(dialog.flow().remote, address("10.0.0.2:5070"));
}

#[test]
fn a_phone_that_moves_is_followed() {
    let mut dialog = dialog(Transport::Udp, "203.0.113.7:40000", "sip:p@192.168.1.2", "");
    let mut flow = dialog.flow();
    flow.remote = address("203.0.113.7:40001");
    dialog.heard_from(flow);
    assert_eq!(dialog.flow(), flow);
}

/// A call at rest is to cost little; what is boxed here is some tens of bytes each.
#[test]
fn a_dialog_is_small() {
    assert!(size_of::<Dialog>() <= 256, "{}", size_of::<Dialog>());
    assert!(
        size_of::<crate::session::Session>() <= 384,
        "{}",
        size_of::<crate::session::Session>()
    );
}

fn dialog(transport: Transport, source: &str, contact: &str, more: &str) -> Dialog {
    let text = format!(
        "INVITE sip:us@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.3;branch=z9hG4bKa\r\n{more}\
         From: <sip:p@x>;tag=p\r\nTo: <sip:us@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
         Max-Forwards: 70\r\nContact: <{contact}>\r\nContent-Length: 0\r\n\r\n"
    );
    let Ok(Message::Request(request)) = Message::parse(text.into()) else {
        panic!("no request");
    };
    let local = if source.starts_with('[') { "[2001:db8::9]:5060" } else { "10.0.0.1:5060" };
    let flow = Flow { transport, local: address(local), remote: address(source) };
    Dialog::of_server(&request, flow, "t".to_owned())
}
