//! What one INVITE costs: reading it, reading its usual values, and answering it.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sip_syntax::{HeaderName, Message, Request, StatusCode, response_to};

fn parse(criterion: &mut Criterion) {
    let bytes = Bytes::from_static(INVITE);
    let mut group = criterion.benchmark_group("invite");
    group.throughput(Throughput::Bytes(INVITE.len() as u64));
    group.bench_function("parse", |bench| {
        bench.iter(|| Message::parse(black_box(bytes.clone())));
    });
    let request = request(&bytes);
    group.bench_function("check", |bench| bench.iter(|| black_box(&request).check()));
    group.bench_function("values", |bench| {
        bench.iter(|| {
            let request = black_box(&request);
            let ids = (request.top_via().is_ok(), request.from().is_ok(), request.to().is_ok());
            let rest = (request.cseq().is_ok(), request.call_id(), request.contacts().is_ok());
            black_box((ids, rest));
        });
    });
    let source = "192.0.2.10:5062".parse().ok();
    group.bench_function("answer", |bench| {
        bench.iter(|| {
            response_to(black_box(&request), source, StatusCode::OK, None)
                .to_tag(b"8f2a91c07d")
                .header(HeaderName::Contact, "<sip:201@192.0.2.1:5060>")
                .body("application/sdp", request.body())
                .finish_response()
        });
    });
    group.finish();
}

fn request(bytes: &Bytes) -> Request {
    match Message::parse(bytes.clone()) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Response(_)) | Err(_) => unreachable!("the message below is a request"),
    }
}

const INVITE: &[u8] = b"\
    INVITE sip:201@pbx.example.com;transport=udp SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK-524287-1---7b1d2b4ac1d3e9f1;rport\r\n\
    Max-Forwards: 70\r\n\
    Contact: <sip:101@192.0.2.10:5062;transport=UDP>\r\n\
    To: <sip:201@pbx.example.com>\r\n\
    From: \"Somchai\" <sip:101@pbx.example.com>;tag=3c1f5d22\r\n\
    Call-ID: M2Y3YmI5OTQ0ZDg4ZmQ5MmI1ZTQ2MDNmZjQ5ZTk0NmI.\r\n\
    CSeq: 2 INVITE\r\n\
    Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, UPDATE\r\n\
    Content-Type: application/sdp\r\n\
    Supported: replaces, norefersub, extended-refer, timer, outbound, path\r\n\
    User-Agent: Desk phone 5.2.1\r\n\
    Allow-Events: presence, kpml, talk\r\n\
    Session-Expires: 1800;refresher=uac\r\n\
    Content-Length: 302\r\n\
    \r\n\
    v=0\r\n\
    o=- 3899123456 3899123456 IN IP4 192.0.2.10\r\n\
    s=call\r\n\
    c=IN IP4 192.0.2.10\r\n\
    t=0 0\r\n\
    m=audio 40376 RTP/AVP 0 8 9 96 101\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:9 G722/8000\r\n\
    a=rtpmap:96 opus/48000/2\r\n\
    a=fmtp:96 useinbandfec=1\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\n\
    a=ptime:20\r\n\
    a=sendrecv\r\n";

criterion_group!(benches, parse);
criterion_main!(benches);
