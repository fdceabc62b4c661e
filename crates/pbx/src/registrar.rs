//! Where each account's phones are: bindings, their refresh, expiry, query and removal (RFC 3261 §10.3).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use std::vec::Drain;

use sip_engine::{Flow, Reply, Transport};
use sip_syntax::{ContactValue, NameAddr, Request, StatusCode, Uri};

use crate::clock::Clock;
use crate::config::Limits;
use crate::records::{BindingRecord, StoreRequest};

/// All bindings of all accounts. Looking an account up costs the same whether ten or ten thousand are
/// registered.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    bindings: BTreeMap<String, Vec<Binding>>,
    expiries: BTreeSet<(Instant, String)>,
    /// Whose bindings came from each address, and how many of each.
    homes: BTreeMap<SocketAddr, BTreeMap<String, usize>>,
    /// What is to be kept of it.
    to_store: Vec<StoreRequest>,
}

/// One registered contact.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    record: BindingRecord,
    expires_at: Instant,
}

impl Binding {
    /// Request-URI for this phone, as it gave it.
    pub(crate) fn contact(&self) -> &str {
        &self.record.contact
    }

    /// How to reach the phone: where its Contact says when that is the address it registered from,
    /// else where the REGISTER came from, since it is then behind NAT or on a connection.
    pub(crate) fn flow(&self) -> Flow {
        let record = &self.record;
        let remote = match (record.transport, direct_address(&record.contact)) {
            (Transport::Udp, Some(address)) if address.ip() == record.remote.ip() => address,
            (Transport::Udp | Transport::Tcp, _) => record.remote,
        };
        Flow { transport: record.transport, local: record.local, remote }
    }
}

impl Registrar {
    /// Takes back what was kept over a restart.
    pub(crate) fn restore(&mut self, now: Instant, clock: &Clock, records: Vec<BindingRecord>) {
        for record in records {
            let expires_at = clock.instant_of(now, record.expires_at);
            if expires_at > now {
                self.insert(Binding { record, expires_at });
            }
        }
    }

    /// The bindings of an account, best first.
    pub(crate) fn find(&self, now: Instant, account: &str) -> Vec<&Binding> {
        let mut found: Vec<&Binding> = self
            .bindings
            .get(account)
            .into_iter()
            .flatten()
            .filter(|binding| binding.expires_at > now)
            .collect();
        found.sort_by_key(|binding| std::cmp::Reverse(binding.record.q_thousandths));
        found
    }

    /// Whether somebody is registered from this address.
    pub(crate) fn is_home(&self, source: IpAddr) -> bool {
        let ports = SocketAddr::new(source, 0)..=SocketAddr::new(source, u16::MAX);
        self.homes.range(ports).next().is_some()
    }

    /// Carries out an authenticated REGISTER for `account`: all of it, or nothing.
    pub(crate) fn register(
        &mut self,
        now: Instant,
        clock: &Clock,
        limits: &Limits,
        account: &str,
        flow: Flow,
        request: &Request,
    ) -> Reply {
        match self.plan(now, clock, limits, account, flow, request) {
            Ok(changes) => {
                for change in changes {
                    self.carry_out(account, change);
                }
                self.describe(now, account)
            }
            Err(reply) => reply,
        }
    }

    /// What a REGISTER asks for, checked in full before anything is changed.
    fn plan(
        &self,
        now: Instant,
        clock: &Clock,
        limits: &Limits,
        account: &str,
        flow: Flow,
        request: &Request,
    ) -> Result<Vec<Change>, Reply> {
        let contacts = request.contacts().map_err(|_| bad("Contact"))?;
        let cseq = request.cseq().map_err(|_| bad("CSeq"))?.number;
        let call_id = String::from_utf8_lossy(request.call_id()).into_owned();
        let current = self.bindings.get(account).map_or(&[][..], Vec::as_slice);
        let out_of_order =
            |binding: &Binding| binding.record.call_id == call_id && cseq <= binding.record.cseq;
        let mut changes = Vec::new();
        for contact in &contacts {
            let contact = match contact {
                ContactValue::Star => {
                    if contacts.len() != 1 || request.expires() != Some(0) {
                        return Err(Reply::new(StatusCode::BAD_REQUEST)
                            .reason("Contact * needs Expires: 0"));
                    }
                    if current.iter().any(out_of_order) {
                        return Err(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
                    }
                    changes
                        .extend(current.iter().map(|b| Change::Remove(b.record.contact.clone())));
                    continue;
                }
                ContactValue::Addr(contact) => contact,
            };
            let uri = String::from_utf8_lossy(contact.uri.as_bytes()).into_owned();
            if uri.len() > CONTACT_BYTES_MAX {
                return Err(bad("Contact"));
            }
            let known = current.iter().find(|b| same_contact(&b.record.contact, &contact.uri));
            if known.is_some_and(out_of_order) {
                return Err(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
            }
            if let Some(known) = known {
                changes.push(Change::Remove(known.record.contact.clone()));
            }
            let wanted = contact.expires().or(request.expires());
            let wanted = wanted.map_or(EXPIRES_DEFAULT, |s| Duration::from_secs(s.into()));
            if wanted.is_zero() {
                continue;
            }
            if wanted < limits.registration_min {
                return Err(Reply::new(StatusCode::INTERVAL_TOO_BRIEF)
                    .header("Min-Expires", limits.registration_min.as_secs().to_string()));
            }
            let granted = wanted.min(limits.registration_max);
            let expires_at = now + granted;
            changes.push(Change::Put(Box::new(Binding {
                record: BindingRecord {
                    account: account.to_owned(),
                    contact: uri,
                    call_id: call_id.clone(),
                    cseq,
                    q_thousandths: q_thousandths(contact),
                    transport: flow.transport,
                    local: flow.local,
                    remote: flow.remote,
                    expires_at: clock.unix_ms(expires_at),
                    user_agent: user_agent(request),
                },
                expires_at,
            })));
        }
        let count = |wanted: fn(&Change) -> bool| changes.iter().filter(|c| wanted(c)).count();
        let puts = count(|change| matches!(change, Change::Put(_)));
        let removes = count(|change| matches!(change, Change::Remove(_)));
        if puts > 0 && current.len() + puts > limits.bindings_per_account_max + removes {
            tracing::warn!(account, source = %flow.remote, "too many registrations of one account");
            return Err(Reply::new(StatusCode::FORBIDDEN));
        }
        Ok(changes)
    }

    fn carry_out(&mut self, account: &str, change: Change) {
        match change {
            Change::Put(binding) => {
                self.to_store.push(StoreRequest::PutBinding(binding.record.clone()));
                self.insert(*binding);
            }
            Change::Remove(contact) => {
                self.remove(account, &contact);
                let account = account.to_owned();
                self.to_store.push(StoreRequest::RemoveBinding { account, contact });
            }
        }
    }

    /// 200 with every current binding (RFC 3261 §10.3 step 8).
    fn describe(&self, now: Instant, account: &str) -> Reply {
        let mut reply = Reply::new(StatusCode::OK);
        for binding in self.find(now, account) {
            let left = binding.expires_at.saturating_duration_since(now).as_secs();
            let mut value = format!("<{}>;expires={left}", binding.record.contact);
            if binding.record.q_thousandths != Q_DEFAULT {
                value.push_str(&format!(";q={:.3}", f64::from(binding.record.q_thousandths) / 1e3));
            }
            reply = reply.header("Contact", value);
        }
        reply
    }

    fn insert(&mut self, binding: Binding) {
        let account = binding.record.account.clone();
        self.remove(&account, &binding.record.contact);
        self.expiries.insert((binding.expires_at, account.clone()));
        let home = self.homes.entry(binding.record.remote).or_default();
        *home.entry(account.clone()).or_default() += 1;
        self.bindings.entry(account).or_default().push(binding);
    }

    fn remove(&mut self, account: &str, contact: &str) {
        let Some(bindings) = self.bindings.get_mut(account) else { return };
        let Some(at) = bindings.iter().position(|b| b.record.contact == contact) else { return };
        let binding = bindings.remove(at);
        let same_expiry = bindings.iter().any(|b| b.expires_at == binding.expires_at);
        if bindings.is_empty() {
            self.bindings.remove(account);
        }
        if !same_expiry {
            self.expiries.remove(&(binding.expires_at, account.to_owned()));
        }
        self.leave_home(binding.record.remote, account);
    }

    fn leave_home(&mut self, remote: SocketAddr, account: &str) {
        let Some(home) = self.homes.get_mut(&remote) else { return };
        if let Some(count) = home.get_mut(account) {
            *count -= 1;
            if *count == 0 {
                home.remove(account);
            }
        }
        if home.is_empty() {
            self.homes.remove(&remote);
        }
    }

    /// A phone's connection is gone: it can be reached again only after it registers again.
    pub(crate) fn flow_closed(&mut self, flow: Flow) {
        if flow.transport == Transport::Udp {
            return;
        }
        let accounts = self.homes.get(&flow.remote).into_iter().flatten();
        let accounts: Vec<String> = accounts.map(|(account, _)| account.clone()).collect();
        for account in accounts {
            let gone: Vec<String> = self
                .bindings
                .get(&account)
                .into_iter()
                .flatten()
                .filter(|b| b.record.transport == flow.transport && b.record.remote == flow.remote)
                .map(|b| b.record.contact.clone())
                .collect();
            for contact in gone {
                self.carry_out(&account, Change::Remove(contact));
            }
        }
    }

    /// Forgets the phones of these accounts: what they proved no longer counts.
    pub(crate) fn dismiss(&mut self, accounts: &[String]) {
        for account in accounts {
            let bindings = self.bindings.get(account).into_iter().flatten();
            let contacts: Vec<String> = bindings.map(|b| b.record.contact.clone()).collect();
            for contact in contacts {
                tracing::info!(
                    account,
                    "registration ended: the account is gone or changed its secret"
                );
                self.carry_out(account, Change::Remove(contact));
            }
        }
    }

    /// How many phones are registered; those that ran out this moment may be among them.
    pub(crate) fn count(&self) -> usize {
        self.bindings.values().map(Vec::len).sum()
    }

    /// What changed since it was last asked.
    pub(crate) fn take_changes(&mut self) -> Drain<'_, StoreRequest> {
        self.to_store.drain(..)
    }

    /// Forgets what has expired.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, account)) = self.expiries.first().cloned() {
            if at > now {
                return;
            }
            self.expiries.pop_first();
            let expired: Vec<String> = self
                .bindings
                .get(&account)
                .into_iter()
                .flatten()
                .filter(|binding| binding.expires_at <= now)
                .map(|binding| binding.record.contact.clone())
                .collect();
            for contact in expired {
                tracing::info!(account, "registration ran out");
                self.carry_out(&account, Change::Remove(contact));
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.expiries.first().map(|(at, _)| *at)
    }
}

/// One step of a REGISTER.
#[derive(Debug)]
enum Change {
    Put(Box<Binding>),
    Remove(String),
}

fn same_contact(kept: &str, given: &Uri) -> bool {
    kept.as_bytes() == given.as_bytes()
        || Uri::parse_slice(kept.as_bytes()).is_ok_and(|kept| kept.same_as(given))
}

/// The address in a contact URI, when it is written as one.
fn direct_address(contact: &str) -> Option<SocketAddr> {
    let uri = Uri::parse_slice(contact.as_bytes()).ok()?;
    Some(SocketAddr::new(uri.host().to_ip()?, uri.port().unwrap_or(5060)))
}

fn q_thousandths(contact: &NameAddr) -> u16 {
    contact.q().unwrap_or(Q_DEFAULT).min(Q_DEFAULT)
}

fn user_agent(request: &Request) -> String {
    let text = request.header_named(b"User-Agent").unwrap_or_default();
    crate::auth::printable(&String::from_utf8_lossy(&text))
}

fn bad(header: &str) -> Reply {
    Reply::new(StatusCode::BAD_REQUEST).reason(format!("Bad {header} header"))
}

/// Granted when a phone does not say (RFC 3261 §10.2.1.1).
const EXPIRES_DEFAULT: Duration = Duration::from_secs(3_600);
/// Preference of a contact that gives none.
const Q_DEFAULT: u16 = 1_000;
/// Longest contact URI kept; longer: 400.
const CONTACT_BYTES_MAX: usize = 512;
