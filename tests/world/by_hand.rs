//! Somebody who writes SIP by hand: old, odd and hostile peers, and questions that no phone asks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sip_engine::ClientCredentials;
use sip_syntax::{Message, Method, Response};

use crate::World;

/// One such peer, at an address of its own.
pub struct ByHand {
    /// Where it is.
    pub address: SocketAddr,
    /// Digest user name.
    pub user: String,
    /// Digest secret.
    pub secret: String,
    /// Names its requests that belong together.
    pub call_id: String,
    /// Number of its next request.
    pub cseq: u32,
    rng: fastrand::Rng,
}

impl ByHand {
    /// At 10.9.9.`host`, with the right secret of `user`.
    pub fn new(host: u8, user: &str) -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 9, host)), 5060),
            user: user.to_owned(),
            secret: format!("secret-{user}"),
            call_id: format!("by-hand-{host}"),
            cseq: 1,
            rng: fastrand::Rng::with_seed(host.into()),
        }
    }

    /// A request from this peer's address, to be changed as a test likes. `headers` are lines.
    pub fn request(&mut self, method: &str, uri: &str, headers: &str, body: &str) -> String {
        let Self { address, user, call_id, cseq, .. } = &self;
        let to =
            if method == "REGISTER" { format!("sip:{user}@office.test") } else { uri.to_owned() };
        let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let line_ends = body.lines().count();
        let length = body.len() + line_ends;
        let text = format!(
            "{method} {uri} SIP/2.0\n\
             Via: SIP/2.0/UDP {address};branch=z9hG4bK{cseq}{call_id}\n\
             From: <sip:{user}@office.test>;tag=hand\n\
             To: <{to}>\n\
             Call-ID: {call_id}\n\
             CSeq: {cseq} {method}\n\
             Max-Forwards: 70\n\
             {TALK}{headers}{content}Content-Length: {length}\n\n{body}"
        );
        self.cseq += 1;
        text
    }

    /// Sends this, and gives back what comes within a second.
    pub fn send(&mut self, world: &mut World, message: &str) -> Vec<String> {
        world.deliver_by_hand(self.address, message);
        world.run_for(Duration::from_millis(1));
        world.astray(self.address)
    }

    /// The proof that a challenge asks for, as a header line.
    pub fn proof(&mut self, challenge: &str, method: &str, uri: &str) -> String {
        let credentials =
            ClientCredentials { user: self.user.clone(), secret: self.secret.clone(), realm: None };
        let challenges = read(challenge).challenges();
        let method = Method::from_bytes(method.as_bytes());
        let value =
            sip_engine::answer(&challenges, &credentials, &method, uri.as_bytes(), &mut self.rng);
        format!("Authorization: {}\n", value.expect("a challenge that can be met"))
    }

    /// Asks, meets the challenge, and gives back the last answer.
    pub fn ask(
        &mut self,
        world: &mut World,
        method: &str,
        uri: &str,
        headers: &str,
        body: &str,
    ) -> String {
        let first = self.request(method, uri, headers, body);
        let answers = self.send(world, &first);
        let challenge = answers.last().expect("an answer").clone();
        if !challenge.starts_with("SIP/2.0 401") {
            return challenge;
        }
        let proof = self.proof(&challenge, method, uri);
        let second = self.request(method, uri, &format!("{proof}{headers}"), body);
        self.send(world, &second).last().cloned().unwrap_or_default()
    }

    /// Registers, or asks what is registered; `headers` hold Contact and Expires.
    pub fn register(&mut self, world: &mut World, headers: &str) -> String {
        self.ask(world, "REGISTER", "sip:office.test", headers, "")
    }
}

/// An answer to a request as it came: all that an answer copies, then these lines.
pub fn answer_to(request: &str, status: &str, headers: &str, body: &str) -> String {
    let copied: String = request
        .lines()
        .filter(|line| {
            ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let to = request.lines().find(|line| line.starts_with("To:")).unwrap();
    let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    let length = body.len() + body.lines().count();
    format!(
        "SIP/2.0 {status}\n{copied}{to};tag=answerer\n{headers}{content}Content-Length: {length}\n\n{body}"
    )
}

fn read(message: &str) -> Response {
    match Message::parse(message.to_owned().into()) {
        Ok(Message::Response(response)) => response,
        other => panic!("not a response: {other:?}"),
    }
}

/// What phones say of themselves; without it a request would be too short for a challenge.
const TALK: &str = "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\n\
     Supported: replaces, timer, outbound\n\
     User-Agent: By hand 1.0 (a phone on the desk of somebody who types)\n";
